"""The part of an address that leads to a door: house number, building with unit or room, room.

District, road, village and estate stay, for they say where a matter is; what narrows them down to a dwelling becomes `[地址]`
(`麓谷街道88号3栋2单元501室` gives `麓谷街道[地址]`). A door needs one of these proofs:

- a house number straight after a road, lane, village group or estate;
- a building with a unit or a room, or a unit with a room, wherever they stand;
- a house number with a room or a number beside it (`292号1604室`, `21号附4号`), wherever they stand;
- a room after a word for living somewhere (`住501`), or a number such as `3-2-501` after the name of an estate;
- a house number, a room or `3-501` after words that announce an address (`家住`, `地址:`) and at most twelve characters.

A building alone (`3栋`, `2号楼`) or with a floor stays: hundreds live in it, and reports name it to say where a lift is
broken. So do lines (`地铁3号线`), days (`5月3号`), documents (`第12号令`), gates, plots and all else that only has a number.
"""

import re
from collections import Counter

ADDRESS = "[地址]"

_NUMBER = r"(?:[A-Za-z]?\d{1,5}(?:-\d{1,4})?[A-Za-z]?|[一二三四五六七八九十百零〇两]{1,5})"
_ROADS = "路街巷弄道段组队坊"
_ESTATES = "村社区园苑城府湾庭居期墅厦寓庄院邸屯里宅都郡"
_NOT_A_DOOR = (
    r"(?![线文令桥车公台机坑矿码标柜站员井船球吨]|地块|地铁|通知|窗口|航站|出口|入口|路口|卡口|工地|工程|项目|上午|下午|早|晚"
    r"|凌晨|中午|之?前|之?后|开始|左右|[起至到]|会议|决定|提案|建议|机组|高速|国道|省道)"
)
_BUILDING = (
    rf"(?:{_NUMBER}(?:号楼|号栋|栋|幢|号院|#楼?栋?)|[A-Za-z]?\d{{1,3}}[A-Za-z]?座|[A-Za-z甲乙丙丁东西南北][0-9一二三四五六七八九]?(?:号楼|栋|幢|座)"
    rf"|(?<=[{_ESTATES}])\d{{1,3}}楼(?=\d))"
)
_UNIT = rf"(?:{_NUMBER}单元|\d门(?=\d))"
_FLOOR = rf"(?:{_NUMBER}(?:楼|层))"
_NOT_A_ROOM = r"(?![\d年月日元平米吨户套间人家名个万亿点分时多余:.%-]|号楼|平|㎡|m)"
_ROOM = (
    rf"(?:{_NUMBER}(?:号房|号室|号铺|室|房(?!间|子|屋|产|价|款|一价)|铺|号(?![楼栋线院]))"
    rf"|[A-Za-z]?\d{{3,4}}[A-Za-z]?{_NOT_A_ROOM}|[A-Za-z]?\d{{1,2}}(?:0[1-9]|1[0-2])户(?!型)|[东西]户)"
)
_GAP = r"[ \-]?"
_INSIDE = rf"(?:{_GAP}{_BUILDING})?(?:{_GAP}{_UNIT})?(?:{_GAP}{_FLOOR}(?:{_GAP}{_ROOM})?|{_GAP}{_ROOM})?"
_HOUSE = rf"{_NUMBER}号(?:附?{_NUMBER}号|之{_NUMBER}|-\d{{1,4}})?院?"

_ANNOUNCED = (
    r"(?:[家租现我居]住(?!证)|请到|住址|地址|住所地?|户籍地?|收货地|寄[到往]|送[到往]|住在|住于|[家店]在|房子?在|躲在|搬到|门牌号?码?)"
    r"[在于是为: ]{0,2}[\u4e00-\u9fff]{0,12}?"
)
_NOT_A_RANGE = r"(?![\d年月日号天周点时分公里米楼层栋户元万个人岁%平㎡.:-])"

_DOOR = re.compile(
    rf"(?<=[{_ROADS}])(?:东|西|南|北|中)?(?:{_NUMBER}弄)?{_HOUSE}(?!楼|栋){_NOT_A_DOOR}{_INSIDE}"
    rf"|(?<=[{_ESTATES}])(?:\d{{2,5}}号(?!楼|栋|院){_NOT_A_DOOR}{_INSIDE}|{_NUMBER}号(?=院|门面|住户|屋|宅|房){_INSIDE})"
    rf"|(?<![0-9A-Za-z第共有月年案字.-])\d{{1,4}}号(?:附\d{{1,3}}号?|之\d{{1,2}}(?!\d)|(?:院?{_GAP}{_FLOOR})?{_GAP}[A-Za-z]?\d{{3,4}}(?:室|号?房){_NOT_A_ROOM})"
    rf"|(?<![0-9A-Za-z第共有月年案字.-])\d{{1,4}}号(?:(?=[门铺店]面)|院?(?={_GAP}{_BUILDING}){_INSIDE})"
    rf"|(?<=[\u4e00-\u9fff])\d{{1,2}}-\d{{1,2}}-\d{{3,4}}(?![\d年月日元.-])"
    rf"|(?<![0-9A-Za-z第共有月年.-])[甲乙丙丁]?(?:\d{{1,4}}-)?\d{{1,4}}(?:号?[室房]|号(?:-\d{{1,3}})?|号\d{{1,2}}楼)(?=[这那][户家]|的?住户)"
    rf"|(?<=门牌号)(?P<plate>码?(?:是|为|[: ]){{0,3}}){_NUMBER}(?![\d年月日天])号?(?:-\d+)?{_INSIDE}"
    rf"|(?<![0-9A-Za-z第共有]){_BUILDING}(?:{_GAP}{_UNIT}(?:{_GAP}{_FLOOR})?(?:{_GAP}{_ROOM})?|{_GAP}{_FLOOR}{_GAP}{_ROOM}|{_GAP}{_ROOM})"
    rf"|(?<![0-9A-Za-z第共有]){_UNIT}(?:{_GAP}{_FLOOR})?{_GAP}{_ROOM}"
    rf"|(?<=[{_ESTATES}])\d{{1,3}}-(?:\d{{1,2}}-)?\d{{3,4}}(?![\d年月日元平米㎡.-])(?:室|房|号)?"
    rf"|(?<=[住居址])(?P<home>[在于是:]{{0,2}})\d{{3,4}}(?:室|号房|房|号(?![楼线文令])){_NOT_A_ROOM}"
    rf"|(?<=[上下壁门主户])\d{{3,4}}(?:室|号房|房(?!间|子|屋|产|价|款)){_NOT_A_ROOM}"
)
_ANNOUNCED_DOOR = re.compile(
    rf"(?P<announced>{_ANNOUNCED})(?:[甲乙丙丁]?\d{{1,4}}号{_NOT_A_DOOR}(?:-?\d{{1,3}}(?![\d年月日]))?{_INSIDE}"
    rf"|\d{{3,4}}(?:室|号房|房){_NOT_A_ROOM}|[A-Za-z]?\d{{1,3}}-(?:\d{{1,2}}-)?\d{{1,4}}(?:号{_NOT_A_DOOR}|[室房]|{_NOT_A_RANGE}))"
)
_GATE = re.compile("[号栋幢座室#]|单元|-[0-9]{3}")


def replace_addresses(text: str, counts: Counter[str]) -> str:
    """Replace the part of every address that leads to a door.

    Args:
        text: Normalized text.
        counts: How often each placeholder was put in; added to.

    Returns:
        The text with `[地址]` in place of house numbers, units and rooms.
    """
    if _GATE.search(text) is None:
        return text
    text = _DOOR.sub(lambda found: _put(found["plate"] or found["home"], counts), text)
    return _ANNOUNCED_DOOR.sub(lambda found: _put(found["announced"], counts), text)


def _put(cue: str | None, counts: Counter[str]) -> str:
    counts[ADDRESS] += 1
    return (cue or "") + ADDRESS
