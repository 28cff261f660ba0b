"""Personal names in places that leave little doubt: bounded by a cue on the left and a mark on the right, or followed by 某.

The weights of `persons.py` judge a name by its characters and lose rare ones (我叫傅福倩). Here the place decides instead, so
only surnames that hardly ever begin an ordinary word are looked for. Runs after `persons.replace_persons`.
"""

import re
from collections import Counter

from pipeline.intake.name_context import NAME

_SURNAME = (
    "(?:欧阳|上官|司马|诸葛|皇甫|慕容|令狐|东方|[王李张刘陈杨赵吴徐孙胡朱郭罗郑梁谢宋唐邓冯韩曹彭萧蔡潘袁董杜苏魏吕沈姚卢傅钟姜崔谭廖"
    "汪陆戴贾韦邱侯邹熊孟秦阎薛尹黎陶顾郝龚邵覃赖龙蒋田])"
)
_HAN = "[\u4e00-\u9fff]"
_TITLE = "(?:主任|经理|老师|医生|队长|科长|书记|师傅|所长|校长|老板|会计|警官|护士长)"
_EDGE = r"(?=[,.。、:;?!()\"'”’》\[\s]|$)"
_NOT_GIVEN = "(?![先女小老某家氏姓总工师医警主经队所书校子谢您行])"
_NOBODY = re.compile(
    f"(?:(?<![\u4e00-\u9fff])|(?<=[被和跟向找是对给])){_SURNAME}某(?:某|[甲乙丙丁]|{_HAN}(?=[说一拒来被把欠打推骂]))?(?![些个日年月地种])"
)
_AFTER_CUE = re.compile(
    "(?P<cue>(?:我叫|名叫|他叫|她叫|司机叫|姓名|联系人|负责人|投诉人|当事人|业主|老板|包工头|本人|我是):? ?)"
    f"{_SURNAME}{_NOT_GIVEN}{_HAN}{{1,2}}{_EDGE}"
)
_ACTING = re.compile(
    "(?P<cue>(?:^|[,.。、:;?!(\\s]|后来|当时|现在|转给|借给|交给|[和跟被]))"
    f"{_SURNAME}{_NOT_GIVEN}{_HAN}{{1,2}}"
    "(?=(?:现在|当时|后来|也|还|又)?(?:欠[我了着钱]|打了|打[我人伤]|骂[我人了]|躲[着了]|在场|家不同意|家不肯|把[我钱责]|拒不|威胁|说要|推[我了]|拿刀|是同[事学乡]))"
)
_WITH_TITLE = re.compile(f"(?P<cue>[是过][^\u4e00-\u9fff]?|找过?){_SURNAME}{_HAN}{{0,2}}(?P<title>{_TITLE})")


def replace_bounded(text: str, counts: Counter[str]) -> str:
    """Replace names whose place leaves little doubt.

    Args:
        text: Normalized text.
        counts: How often each placeholder was put in; added to.

    Returns:
        The text with placeholders; titles stay.
    """
    for pattern, replacement in (
        (_NOBODY, NAME),
        (_AFTER_CUE, rf"\g<cue>{NAME}"),
        (_ACTING, rf"\g<cue>{NAME}"),
        (_WITH_TITLE, rf"\g<cue>{NAME}\g<title>"),
    ):
        text, n_replaced = pattern.subn(replacement, text)
        if n_replaced:
            counts[NAME] += n_replaced
    return text
