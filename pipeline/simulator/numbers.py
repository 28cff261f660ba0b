"""Invented numbers and accounts that are formally right.

Resident ids carry the check digit of GB 11643-1999 (ISO 7064 MOD 11-2), bank cards that of ISO/IEC 7812 (Luhn); regions, dates
and serial numbers are drawn at random. Mobile prefixes are ones in use, the rest of a number is drawn: a number may by chance
belong to somebody, and none was taken from anywhere.
"""

from random import Random

_REGIONS = (
    "1101", "1201", "3201", "3205", "3301", "3601", "3702", "4101", "4201", "4301", "4403", "5001", "5101", "5301", "6101",
)  # fmt: skip
_MOBILE = (
    "130", "131", "132", "134", "135", "136", "137", "138", "139", "150", "151", "152", "155", "156",
    "158", "159", "166", "173", "177", "180", "186", "188", "189", "191", "199",
)  # fmt: skip
_CARD = ("622202", "621700", "622848", "621226", "436742", "622588", "621661")
_PLATES = "京沪津渝冀豫云辽黑湘皖鲁苏浙赣鄂桂甘晋陕吉闽贵粤川琼"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_LATIN = "abcdefghijklmnopqrstuvwxyz"
WIDE_DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")
"""Digits to their full-width forms."""


def check_digit(first_17: str) -> str:
    """The 18th character of a resident id (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(first_17))
    return "10X98765432"[total % 11]


def luhn_digit(first: str) -> str:
    """The last digit of a bank card (Luhn, ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(first)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def digits(random: Random, n: int) -> str:
    """This many digits."""
    return f"{random.randrange(10**n):0{n}d}"


def plain_mobile(random: Random) -> str:
    """A mobile number, eleven digits."""
    return random.choice(_MOBILE) + digits(random, 8)


def mobile(random: Random) -> str:
    """A mobile number, as people write it."""
    number = plain_mobile(random)
    style = random.random()
    if style < 0.72:
        return number
    if style < 0.82:
        return f"{number[:3]}-{number[3:7]}-{number[7:]}"
    if style < 0.90:
        return f"{number[:3]} {number[3:7]} {number[7:]}"
    if style < 0.96:
        return f"+86 {number}"
    return number.translate(WIDE_DIGITS)


def landline(random: Random) -> str:
    """A landline number, as people write it: eight digits in big cities, seven in others, an extension now and then."""
    if random.random() < 0.65:
        code, number = random.choice(("10", "21", "731", "755", "571", "28", "27")), digits(random, 7)
    else:
        code, number = random.choice(("796", "838", "516", "745", "917")), digits(random, 6)
    number = f"{random.randrange(2, 9)}{number}"
    style = random.random()
    if style < 0.6:
        return f"0{code}-{number}"
    if style < 0.75:
        return f"(0{code}){number}"
    return f"0{code}{number}" if style < 0.88 else f"0{code}-{number}转{random.randrange(100, 999)}"


def _birthday(random: Random) -> str:
    return f"{random.randrange(1946, 2004)}{random.randrange(1, 13):02d}{random.randrange(1, 29):02d}"


def id18(random: Random) -> str:
    """A resident id of 18 characters."""
    first = random.choice(_REGIONS) + f"{random.randrange(1, 30):02d}" + _birthday(random) + digits(random, 3)
    number = first + check_digit(first)
    return number.lower() if random.random() < 0.1 else number


def id15(random: Random) -> str:
    """A resident id of the first generation, 15 digits."""
    return random.choice(_REGIONS) + f"{random.randrange(1, 30):02d}" + _birthday(random)[2:] + digits(random, 3)


def passport(random: Random) -> str:
    """A passport number."""
    if random.random() < 0.6:
        return random.choice("EG") + digits(random, 8)
    return "E" + random.choice(_LETTERS[:12]) + digits(random, 7)


def bank_card(random: Random) -> str:
    """A bank card number, in fours now and then."""
    first = random.choice(_CARD) + digits(random, random.choice((9, 12)))
    number = first + luhn_digit(first)
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4)) if random.random() < 0.25 else number


def plate(random: Random) -> str:
    """A number plate."""
    tail = "".join(random.choice(_LETTERS + "0123456789") for _ in range(3)) + digits(random, 2)
    dot = random.choice(("", "", "", "·"))
    energy = random.choice("DF") if random.random() < 0.2 else ""
    body = energy + digits(random, 5) if energy else tail
    return random.choice(_PLATES) + random.choice(_LETTERS[:8]) + dot + body


def handle(random: Random) -> str:
    """A WeChat id."""
    letters = "".join(random.choice(_LATIN) for _ in range(random.randrange(4, 9)))
    return letters + random.choice(("", "", "_", "-")) + digits(random, random.randrange(2, 5))


def email(random: Random) -> str:
    """An e-mail address."""
    name = handle(random) if random.random() < 0.7 else digits(random, 9)
    return f"{name}@{random.choice(('163.com', 'qq.com', '126.com', 'example.com', 'sina.com.cn'))}"


def qq(random: Random) -> str:
    """A QQ number."""
    return str(random.randrange(10**7, 4 * 10**9))


def url(random: Random) -> str:
    """An address with a token in it."""
    token = "".join(random.choice(_LATIN + "0123456789") for _ in range(12))
    host = random.choice(("t.example.cn", "pay-example.top", "m.example.com", "h5.example.net"))
    return random.choice(
        (f"https://{host}/u/{token}", f"http://{host}/pay?token={token}&uid={digits(random, 6)}", f"{host}/s/{token}")
    )
