"""Numbers, accounts and links that lead to a person: which they are, and how sure one must be before replacing them.

A rule either proves the number (check digit, valid date, area code, fixed shape) or needs a cue word before it, such as
`微信号` or `账号`. Digits that are part of a longer run are never looked at, so order numbers, amounts and document numbers
stay. Two things are decided here and not by the law of the number:

- A valid mobile number is replaced wherever it stands, also as a WeChat id or an order number: it still reaches a person.
- A bare host (`www.example.com`, with or without `https://`) names an organisation and stays; anything after it (path, query,
  fragment, user) may carry a token or an id, so the whole link goes.
"""

import re
from collections import Counter
from datetime import date

MOBILE, LANDLINE, RESIDENT_ID, PASSPORT, CARD = "[手机号]", "[电话]", "[身份证号]", "[护照号]", "[卡号]"
PLATE, EMAIL, WECHAT, QQ, ACCOUNT, LINK = "[车牌]", "[邮箱]", "[微信号]", "[QQ号]", "[账号]", "[网址]"

_LINK = re.compile(
    r"(?:(?:https?|ftp)://(?P<host>[A-Za-z0-9][A-Za-z0-9._-]{0,250})|(?<![A-Za-z0-9@._/-])(?:www\.[A-Za-z0-9._-]{2,250}"
    r"|[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,5}(?:com|cn|net|org|cc|top|xyz|io|vip|info|club|shop|site|tv|me|link|app|co)"
    r"(?=[/:?])))(?P<rest>(?::\d{2,5})?(?:[/?#@:][A-Za-z0-9\-._~:/?#@&*+=%]*)?)",
    re.I,
)
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,18}")
_LINK_TAIL = ".,;:!?)'"

_PROVINCES = frozenset(
    map(str, (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83))
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_LONG = re.compile(
    r"(?<![0-9])(?:"
    r"\d{13,24}[Xx]?|\d{6}[ -]\d{8}[ -]?\d{3}[\dXx]|\d{3}[ -]?\d{3}[ -]?\d{4}[ -]\d{4}[ -]\d{3}[\dXx]"
    r"|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}[ -]\d{6}[ -]\d{5}|\d{6} \d{8,13}"
    r"|\d{12})(?![0-9])"
)
_MASKED = re.compile(
    r"(?<![0-9])(?:(?P<mobile>1[3-9]\d[*xX]{3,8}\d{2,4})|(?P<id>\d{3,10}\*{3,14}\d{2,4}[\dXx])"
    r"|(?P<card>\d{4,6} ?\*{3,15} ?\d{3,4}))"
    r"(?![0-9A-Za-z])"
)
_ORDER_CUE = re.compile(
    r"(?:订单|单|编|运单|快递|物流|工单|流水|案|合同|发票|票|货|型|条码|批|序列|交易|凭证|发动机|车架|学|工|税|备案|文|许可证|立案|受理"
    r"|保单|户(?=号)|表|设备|考|准考证|信用代码|证书|房产证|不动产权证)(?:编?号码?|代码|码)?(?:是|为|[:#( ]){0,3}$"
)
_CARD_CUE = re.compile(
    r"(?:银行卡|卡号|[账帐]号|[账帐]户|存折|信用卡|储蓄卡|工资卡|社保卡|收款|转[账帐]|打款|汇款|卡上|卡里|卡)[^0-9\n,。;]{0,12}$"
)
_ID_CUE = re.compile(r"(?:身份证|证件|身份)(?:号码?|编号)?[^0-9\n,。;]{0,6}$")

_MOBILE = re.compile(
    r"(?<![0-9])(?<![0-9]\.)(?:\(?(?:\+|00)?86\)?[ -]?)?(?:"
    r"1[3-9]\d(?:\d{8}|([ -])\d{4}\1\d{4}|[ -]\d{8}|\d[ -]\d{3}[ -]\d{4}|[ -]\d{3}[ -]\d{5}|\d{4}[ -]\d{4}"
    r"|\d{2}[ -]\d{6}|\d{2}[ -]\d{3}[ -]\d{3})"
    r"|1([ -.])[3-9](?:\2\d){9}|1[3-9](?=[0-9]{0,8}[Oo])[0-9Oo]{9})(?![0-9])"
)
_SPOKEN_MOBILE = re.compile("[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}(?![零〇一二三四五六七八九幺十百千万])")
_EXTENSION = r"(?: ?(?:-|转|ext\.?|分机号?:?) ?\d{1,6})?"
_LANDLINE = re.compile(
    r"(?<![0-9.A-KM-Z])(?:(?:\(?\+?86\)?[ -]?)?\(?0?(?:10|2\d|[3-9]\d{2})\)[ -]?[2-9]\d{2,3}[ -]?\d{4}"
    r"|(?:\+?86[ -]?)?0(?:10|2\d|[3-9]\d{2})[ -]{0,2}[2-9]\d{2,3}[ -]?\d{4}"
    r"|[48]00(?:[ -]\d{3}[ -]?\d{4}|[ -]\d{4}[ -]\d{3}|\d[ -]\d{3}[ -]\d{3}|\d{7}(?![万元亿平米吨斤人个户株年月])))"
    + _EXTENSION
    + r"(?![0-9])|\+(?!86)\d{1,3}[ -]?\d{6,12}(?![0-9])"
)
_BARE_LANDLINE = re.compile(
    r"(?:电话|座机|固话|传真|致电|拨打|来电|打来|联系方式|[Tt]el|TEL|[Pp]hone)[^0-9A-Za-z\n。;]{0,6}"
    r"(?P<number>[2-9]\d{2,3}[ -]?\d{4}" + _EXTENSION + r")(?![0-9元万年月.])"
)
_PASSPORT = re.compile(
    r"(?<![A-Za-z0-9])(?:[EG]\d{8}|E[A-HJ-NP-Z]\d{7}|[DSP]E\d{7})(?![A-Za-z0-9])"
    r"|(?<=护照)(?P<cue>(?:号码?|编号)?(?:是|为|[:( ]){0,3})[A-Za-z]{1,2}\d{6,9}(?![A-Za-z0-9])"
    r"|(?<=通行证)(?P<permit>(?:号码?|编号)?(?:是|为|[:( ]){0,3})[HMCWLhmcwl][A-Za-z]?\d{7,10}(?![A-Za-z0-9])"
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼军][A-HJ-NP-Za-hj-np-z][ ·.-]{0,2}"
    r"(?=[A-Za-z]{0,4}[0-9])(?:[A-HJ-NP-Za-hj-np-z0-9]{4,5}[学警港澳挂领试超]|[A-HJ-NP-Za-hj-np-z0-9]{5,6})(?![A-Za-z0-9])"
    r"|WJ[ ·-]?[\u4e00-\u9fff]?[ ·-]?\d{4,5}[A-Z]?(?![A-Za-z0-9])"
    r"|(?<=车牌)(?P<cue>(?:号码?)?(?:是|为|[:( ]){0,3})[\u4e00-\u9fff]?[A-HJ-NP-Za-hj-np-z][ ·.-]?"
    r"[A-HJ-NP-Za-hj-np-z0-9]{5,6}(?![A-Za-z0-9])"
)
_WECHAT = re.compile(
    r"(?P<cue>(?=wxid_)|微 ?信|[威薇徽维V]信|微[❤♥号:]|卫星号?|[Ww]e[Cc]hat|[Ww]eixin"
    r"|(?<![A-Za-z])(?:[Vv][Xx]|[Ww][Xx]|[Vv]信|加 ?\+?[Vv]|\+[Vv]|[Vv](?=[:号])))"
    r"(?P<link>(?:同号,?)?(?:[Ii][Dd]|[:\s(\"“'=]|(?![单票款付转型案货价元群版众程序里元])[\u4e00-\u9fff]){0,8})"
    r"(?P<id>[A-Za-z][A-Za-z0-9_-]{5,19}|\d{6,12}(?![0-9元]))(?![A-Za-z0-9_-])"
    r"|(?<![A-Za-z0-9_.@/:-])(?:(?P<named>[A-Za-z](?=[A-Za-z_-]*[0-9_-])[A-Za-z0-9_-]{5,19})(?=(?:这个|那个|是[我他她]|为)?的?(?:微信|[Vv][Xx]))"
    r"|(?P<this>[a-z]{6,20})(?=[这那]个(?:微信|[Vv][Xx])))"
)
_FOREIGN_WORDS = frozenset(("android", "iphone", "windows", "paypal", "official", "online", "wechat", "weixin", "mobile"))
_QQ = re.compile(
    r"(?:(?<![A-Za-z])[Qq]{2}|扣扣|加扣|企鹅号?|(?<![A-Za-z])[Qq](?=[:群号]|\d{6}))"
    r"(?P<link>(?:群|号码?|[账帐]号|是|为|加|联系|[:\s(]){0,6})(?P<id>[1-9]\d{4,10})(?![0-9])"
)
_OTHER_ACCOUNT = re.compile(
    r"(?:抖音|快手|小红书|微博|支付宝|陌陌|闲鱼|淘宝|游戏|钉钉|飞书|旺旺)(?:号码?|[账帐]号|ID|id|[账帐]户)+"
    r"(?:是|为|[:\s(\"“]){0,4}(?P<id>(?!1[3-9]\d{9})[A-Za-z0-9_.-]{5,30})"
)
# Cheap looks first: most reports hold none of these, and the rules above cost a microsecond or ten each.
_LATIN = re.compile(r"[A-Za-z]")
_LINK_GATE = re.compile(r"://|www\.|\.[a-z]{2,4}[/:?]", re.I)
_ID_GATE = re.compile(r"[A-Za-z0-9_-]{5}")
_NUMBER_GATE = re.compile(
    r"[0-9](?:[ .()*xXOo-]{0,4}[0-9]){6}|[0-9]{3}\*{3}|[0-9](?:[-. ]?[0-9Oo]){10}|[零〇一二三四五六七八九幺]{8}"
)


def replace_identifiers(text: str, counts: Counter[str]) -> str:
    """Replace every number, account and link that leads to a person.

    Args:
        text: Normalized text.
        counts: How often each placeholder was put in; added to.

    Returns:
        The text with placeholders.
    """
    has_latin = _LATIN.search(text) is not None
    if "@" in text:
        text = _substitute(_EMAIL, EMAIL, text, counts)
    if has_latin and _LINK_GATE.search(text) is not None:
        text = _LINK.sub(lambda found: _link(found, counts), text)
    if _NUMBER_GATE.search(text) is not None:
        text = _replace_numbers(text, counts)
        text = _PASSPORT.sub(lambda found: _passport(found, counts), text) if has_latin else text
    if _ID_GATE.search(text) is None:
        return text
    if has_latin:
        text = _keeping_cue(_PLATE, PLATE, text, counts)
    text = _WECHAT.sub(lambda found: _wechat(found, counts), text)
    text = _only_id(_QQ, QQ, text, counts)
    return _only_id(_OTHER_ACCOUNT, ACCOUNT, text, counts) if "号" in text or "户" in text else text


def _replace_numbers(text: str, counts: Counter[str]) -> str:
    text = _LONG.sub(lambda found: _long_number(found, counts), text)
    text = _replace_phones(text, counts)
    if "*" in text or "x" in text or "X" in text:
        text = _MASKED.sub(lambda found: _masked(found, counts), text)
    return _only_id(_BARE_LANDLINE, LANDLINE, text, counts, group="number")


def _replace_phones(text: str, counts: Counter[str]) -> str:
    text = _substitute(_MOBILE, MOBILE, text, counts)
    text = _substitute(_SPOKEN_MOBILE, MOBILE, text, counts)
    return _substitute(_LANDLINE, LANDLINE, text, counts)


def _long_number(found: re.Match[str], counts: Counter[str]) -> str:
    """Decide what 12 to 19 digits are; where they are nothing, a phone number with something beside it may be inside."""
    number = re.sub("[ -]", "", found[0]).upper()
    before = found.string[max(0, found.start() - 16) : found.start()]
    is_order = _ORDER_CUE.search(before) is not None and _ID_CUE.search(before) is None
    if is_resident_id(number) or (len(number) in (15, 18) and _ID_CUE.search(before) is not None):
        return _put(RESIDENT_ID, counts)
    is_cued = not is_order and _CARD_CUE.search(before) is not None
    if number.isdigit() and (is_cued or (not is_order and is_bank_card(number) and re.search("[A-Za-z]$", before) is None)):
        return _put(CARD, counts)
    return found[0] if re.search("[A-KM-Z]$", before) is not None else _replace_phones(found[0], counts)  # SF046172909826


def is_resident_id(number: str) -> bool:
    """Whether a number is a resident identity number: a province, a real date of birth and, of 18, the right check digit.

    Args:
        number: Digits, the last possibly `X`, without separators.

    Returns:
        True for 18 characters that pass ISO 7064 MOD 11-2 (GB 11643) and for 15 digits of the form before 1999.
    """
    if number[:2] not in _PROVINCES or len(number) not in (15, 18) or not number[:-1].isdigit():
        return False
    if len(number) == 15:
        return number.isdigit() and _is_date("19" + number[6:12])
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return _ID_CHECKS[total % 11] == number[17] and _is_date(number[6:14])


def is_bank_card(number: str) -> bool:
    """Whether a number is shaped like a bank card: 13 to 19 digits, an issuer's first digits, and a right Luhn digit.

    Args:
        number: Digits without separators.

    Returns:
        True if the number may be a card; one in ten numbers with an issuer's first digits passes by chance.
    """
    if not 13 <= len(number) <= 19 or not (number[0] in "34569" or "2221" <= number[:4] <= "2720"):
        return False
    doubled = (int(digit) * 2 for digit in number[-2::-2])
    return (sum(int(digit) for digit in number[-1::-2]) + sum(n - 9 if n > 9 else n for n in doubled)) % 10 == 0


def _is_date(digits: str) -> bool:
    try:
        return 1880 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year <= 2100
    except ValueError:
        return False


def _link(found: re.Match[str], counts: Counter[str]) -> str:
    link = found[0].rstrip(_LINK_TAIL)
    rest = found["rest"].rstrip(_LINK_TAIL)
    if rest in ("", "/") or len(rest) < 2:
        return found[0]
    return _put(LINK, counts) + found[0][len(link) :]


def _masked(found: re.Match[str], counts: Counter[str]) -> str:
    return _put({"mobile": MOBILE, "id": RESIDENT_ID, "card": CARD}[str(found.lastgroup)], counts)


def _passport(found: re.Match[str], counts: Counter[str]) -> str:
    cue = found["cue"] if found["cue"] is not None else found["permit"]
    if cue is None and _ORDER_CUE.search(found.string[max(0, found.start() - 8) : found.start()]) is not None:
        return found[0]
    return (cue or "") + _put(PASSPORT, counts)


def _wechat(found: re.Match[str], counts: Counter[str]) -> str:
    """Replace the id after a WeChat cue, unless it is merely a foreign word (`微信App`) or an amount."""
    if found["named"] is not None or found["this"] is not None:
        return _put(WECHAT, counts)
    name, link = found["id"], found["link"]
    is_told = any(mark in link for mark in ("号", ":", "是", "为", "叫", "搜", "加", "I", "i")) or "加" in found["cue"]
    is_told = is_told or (name.islower() and name not in _FOREIGN_WORDS and found["cue"].lower() not in ("wechat", "weixin"))
    if not (is_told or re.search("[0-9_-]", name)) or (name.isdigit() and not is_told):
        return found[0]
    return found["cue"] + link + _put(WECHAT, counts)


def _substitute(pattern: re.Pattern[str], placeholder: str, text: str, counts: Counter[str]) -> str:
    text, n_replaced = pattern.subn(placeholder, text)
    if n_replaced:
        counts[placeholder] += n_replaced
    return text


def _keeping_cue(pattern: re.Pattern[str], placeholder: str, text: str, counts: Counter[str]) -> str:
    return pattern.sub(lambda found: (found["cue"] or "") + _put(placeholder, counts), text)


def _only_id(pattern: re.Pattern[str], placeholder: str, text: str, counts: Counter[str], *, group: str = "id") -> str:
    """Replace one group of a match and keep the words before it."""
    return pattern.sub(lambda found: found[0][: found.start(group) - found.start()] + _put(placeholder, counts), text)


def _put(placeholder: str, counts: Counter[str]) -> str:
    counts[placeholder] += 1
    return placeholder
