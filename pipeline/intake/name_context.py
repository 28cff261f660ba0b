"""What stands around a personal name: the cues before it, the titles and verbs after it, and what speaks against a name.

Each function returns a weight in tenths of a natural logarithm, which persons.py adds to the weight of the characters. The
words are in name_words.txt: an explicit field (`联系人`, `我叫`) nearly decides, a role or a title says much, what people do
to each other (`举报`, `交给`, `欠我`) less, a mark little; a name that runs into a road, a firm or a school is none. What each
kind weighs was fitted together with the characters, see persons.py.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAME = "[姓名]"

CUE, ROLE, LEFT, LEAD, EDGE, AREA = 87, 58, 42, 20, 24, -31  # what may stand before
TITLE, ACTS, END, RIGHT, PLACE = 68, 42, 27, 26, -100  # what may stand after

_PROVINCES = _words(
    "北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 广西 海南 "
    "重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆"
)
_LEFT_WORDS = frozenset("被叫找向给让跟由请问替帮告称对与和及同、说骂打托领欠使派")
_RIGHT_WORDS = frozenset(
    "家说称讲在的从把将与和及等被也又到于因已未曾不没就来打骂拿要用为找向欠借跑让给叫是有还却则都先再其任带去经两俩多"
)
TITLES = _words(
    "先生 女士 小姐 太太 夫人 老师 医生 大夫 护士 主任 书记 局长 处长 科长 所长 队长 院长 校长 镇长 乡长 县长 市长 "
    "区长 村长 组长 会长 厂长 班长 店长 部长 厅长 省长 站长 行长 支书 经理 总监 主管 主席 董事长 老板 师傅 教练 教授 "
    "律师 法官 警官 民警 检察官 会计 同志 工程师 医师 院士 常务 政委 总裁 总经理 检察长 审判长 秘书长 同学 阿姨 叔叔 "
    "大爷 大妈 大叔 大娘 大姐 大哥 奶奶 爷爷 婆婆 伯伯 嫂子 副书记 副主任 副局长 副校长 副院长 副县长 副市长 副区长 "
    "副镇长 副乡长 副所长 副队长 秘书 助理 干事 委员 常委 家属 夫妇 夫妻 一家 等人"
)
PERSONAL_TITLES = frozenset(
    _words("先生 女士 小姐 太太 老师 医生 大夫 护士 师傅 教授 律师 法官 警官 同志 同学 阿姨 叔叔 大爷 大妈 大叔 大娘 大姐 大哥")
)
SHORT_TITLES = frozenset("总姐哥工叔姨婶爷嫂爹妈局董姓")
BARE_TITLES = frozenset(TITLES) - {"家属", "夫妇", "夫妻", "一家", "等人", "助理", "委员", "常委", "主席"}
TITLE_STARTS = frozenset({"某"} | SHORT_TITLES | {title[0] for title in BARE_TITLES})
NICKNAME_STARTS = frozenset("小老阿姓")

SHOP = re.compile("[饭餐鸭鱼面粉店]|烧烤|米粉|小吃|食品|牛肉|火锅|酒[家楼店]|超市|早[点餐]|包子|饺子")
_SIGNS = _words(
    "公司 集团 有限 小区 花园 广场 医院 学校 [中小大]学 大厦 酒店 社区 物业 置业 房?地产 超市 幼儿园 水库 公寓 剧院 "
    "纪念馆 体育馆 卫生院 派出所 政府 街道 工业园 驾校 食品 工厂 国际 粉馆 烧烤 [餐饭]馆 饭店 食府 米粉 机场 车站 "
    "教育(?!孩|学生|小|我|他|了|过) 培训(?!了|过|我) 投资(?!了|过|的|人|款) 石料 煤矿 麻将 棋牌 楼盘 业主 世家 半岛 "
    "实业 电梯 建材 平台 酒[吧楼] 会所 开发商 [茶影]楼 宾馆 客栈 公馆 药[店房] 大药房 诊所 门诊 汽贸 矿业 置地 陵园 "
    "[林农]场 水泥 钢铁 化工 风景 景区 保护区 高速 铁路 隧道 枢纽 收费站 加油站 [片校院]区 小镇 名[城都] [花雅家]苑 "
    "佳园 华府 山庄 庄园 百货 商贸 服饰 家具 物流 传媒 网络 软件 电子 电器 商城 品牌 交易 大宗 项目 银行 "
    "传奇 都荟 [壹一]号 豪庭 豪苑 新都 名邸 华庭 丽都 御府 铭座 "
    "[0-9]+[栋期] [一二三四五六七八九十]期"
)
_PLACES = re.compile(
    "[东西南北中]?[路街巷弄道村镇乡县市区州桥山湖河江塘岭坡湾港岛寺庙站楼苑园城厂店组屯坪冲垸坝洲渡府阁轩院校馆堂庄寨沟郡荟邸墅]"
    "|[杯牌线型]|大[道桥街市队]|科技|国际|公园|家园|舞台|故居|原著|附[一二属]"
    '|[^在的去到和与从是有说被把给跟对为让打找叫办进出就也都又不没向由以将因等及并于按经,.。、:;?!()"“”\\s]{0,3}?(?:'
    + "|".join(_SIGNS)
    + ")"
)
# Words whose first character looks like a given name: 广 of 广场.
_TAKEN = re.compile("[中小大]学|社区|街道|工业|物业|世家|广场|花园|公园|大[道厦桥]|山庄|新[村城区]|国际|中心")
_PLACE_CHARACTERS = frozenset("".join(_SIGNS) + _TAKEN.pattern + _PLACES.pattern.partition("[^")[0])  # a quick look first
_AFTER_HOME = frozenset("暴低里的不也又没有人住被把装门漏前后楼和与在是都还来,.。、:;?!)") | {""}
ALWAYS = frozenset("是要会有能让把被在不喜")  # 总 is then "always" and no title
_BEFORE_MARKS = frozenset(":是为叫( \"“'")
_EDGES = frozenset(",.。、:;?!()\"'“”‘’《》【】[]<>/ \n…-—~·*+=|")


def group_by(position: int, phrases: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Phrases under their first (0) or last (-1) character, so that few are compared.

    Args:
        position: 0 or -1.
        phrases: Words of one character or more.

    Returns:
        The phrases of each first or last character.
    """
    return {at: tuple(p for p in phrases if p[position] == at) for at in {p[position] for p in phrases}}


_TITLES_BY_FIRST = group_by(0, TITLES)


@dataclass(frozen=True)
class _Words:
    """The words of name_words.txt and the provinces, under the character next to the name."""

    fields: dict[str, tuple[str, ...]]
    roles: dict[str, tuple[str, ...]]
    asks: dict[str, tuple[str, ...]]
    leads: dict[str, tuple[str, ...]]
    provinces: dict[str, tuple[str, ...]]
    acts: dict[str, tuple[str, ...]]


@cache
def _around() -> _Words:
    """Read name_words.txt once."""
    kinds: dict[str, tuple[str, ...]] = {}
    for line in (files("pipeline.intake") / "name_words.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, words = line.split("\t")
            kinds[kind] = kinds.get(kind, ()) + _words(words)
    return _Words(
        fields=group_by(-1, kinds["field"]),
        roles=group_by(-1, (*kinds["role"], NAME + "、")),
        asks=group_by(-1, kinds["asks"]),
        leads=group_by(-1, kinds["lead"]),
        provinces=group_by(-1, _PROVINCES),
        acts=group_by(0, kinds["acts"]),
    )


def most_before(left: str) -> int:
    """The most that the character before a surname lets `weigh_before` return; cheap.

    Args:
        left: The character before the surname; empty at the beginning of a text.

    Returns:
        An upper bound of `weigh_before`.
    """
    words = _around()
    if left in _BEFORE_MARKS or left in words.fields:
        return CUE
    return ROLE if left in words.roles else LEFT


def weigh_before(text: str, start: int) -> int:
    """Weight of what stands before a surname.

    Args:
        text: Normalized text.
        start: Where the surname begins.

    Returns:
        `CUE`, `ROLE`, `LEFT`, `EDGE`, `AREA`, or 0 where it says nothing.
    """
    if start == 0:
        return EDGE
    words, left, at = _around(), text[start - 1], start
    while at > 0 and start - at < 3 and text[at - 1] in _BEFORE_MARKS:
        at -= 1
    for end in (start,) if at == start else (start, at + 1, at):
        if end > 0 and text.endswith(words.fields.get(text[end - 1], ()), 0, end):
            return CUE
    for end in {start, at} - {0}:
        if text.endswith(words.roles.get(text[end - 1], ()), 0, end):
            return ROLE
    if left in _LEFT_WORDS or text.endswith(words.asks.get(left, ()), 0, start):
        return LEFT
    if left in "市省县区镇路街道" or text.endswith(words.provinces.get(left, ()), 0, start):
        return AREA
    if text.endswith(words.leads.get(left, ()), 0, start):
        return LEAD
    return EDGE if left in _EDGES else 0


def weigh_after(text: str, end: int, pairs: dict[str, int]) -> int:
    """Weight of what stands after a name.

    Args:
        text: Normalized text.
        end: Where the name ends.
        pairs: Weights of neighbouring characters that make ordinary words.

    Returns:
        `TITLE`, `RIGHT`, `EDGE` or `PLACE`, less the weight of the pair that the name's last character makes with the next.
    """
    right = text[end : end + 1]
    if not right or right in _EDGES:
        return PLACE // 2 if text.startswith("[地址]", end) else END
    if right == "总" and text[end + 1 : end + 2] in ALWAYS:
        return 0
    is_place_like = not _PLACE_CHARACTERS.isdisjoint(text[end : end + 5])
    if is_place_like and _TAKEN.match(text, end - 1) is not None:
        return PLACE
    if text.startswith(_TITLES_BY_FIRST.get(right, ()), end):
        return TITLE
    words = _around()
    if is_place_like and _PLACES.match(text, end) is not None:
        return PLACE
    if right == "家" and text[end + 1 : end + 2] not in _AFTER_HOME:
        return PLACE // 2  # 袁岭家 is rather a village
    bound = max(pairs.get(text[end - 1 : end + 1], 0), 0)
    if text.startswith(words.acts.get(right, ()), end):
        return ACTS - bound
    return RIGHT - bound if right in _RIGHT_WORDS else -bound
