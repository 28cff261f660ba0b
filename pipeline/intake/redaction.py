"""Personal data out, readable placeholders in, before a text leaves the intake folder.

`redact` runs on normalized text (see normalization.py) and knows three families: identifiers.py proves numbers and accounts by
check digit, shape or cue; addresses.py takes house numbers, units and rooms and keeps road and estate; persons.py weighs names.
It repeats until nothing changes, so redacting twice gives the same as redacting once, and placeholders survive.

Each recogniser first looks for what it cannot do without (seven digits, a `号`, a surname): normalizing and redacting a report
of 150 characters takes about 100 microseconds on one core.

How good it is was measured in three ways. On 20,000 simulated reports (seed 2024) every number, account and exact address
went and 0.979 of 4,454 names. On 3,000 sentences a kind, worded before any rule was changed and not looked at meanwhile, 0.961
of the names went if 28 % have one given character (of names without cue or title 0.98 with two given characters and 0.79 with
one), 0.953 of WeChat ids and 0.986 of exact addresses; ids of letters only and short titles (`何姐`) were mended after looking.
In 650 real citizens' messages that had played no part in writing the rules when they were read, 6 of 580 replacements were
wrong, 0.9 in 100 messages. In 2,100 others, read before the last threshold was set, there were 32; the rules now avoid half.
What errs is a place, an estate or a medicine called like a person; a name of rare characters may also be cut one short.
"""

from collections import Counter
from dataclasses import dataclass

from pipeline.intake.addresses import replace_addresses
from pipeline.intake.identifiers import replace_identifiers
from pipeline.intake.persons import replace_persons


@dataclass(frozen=True)
class Redaction:
    """A text without personal data.

    Attributes:
        text: The text with placeholders.
        counts: How many of each placeholder were put in by this call; kinds not found are absent.
    """

    text: str
    counts: Counter[str]


def redact(text: str) -> Redaction:
    """Replace personal data by placeholders.

    Args:
        text: Normalized text, as `normalize` returns it.

    Returns:
        The redacted text and what was replaced. Redacting its text again changes nothing.
    """
    counts: Counter[str] = Counter()
    before = None
    while text != before:  # every round turns something into a placeholder, so it ends
        before = text
        text = replace_addresses(replace_identifiers(text, counts), counts)
        text = replace_persons(text, counts)
    return Redaction(text=text, counts=counts)
