"""What typing, haste and dialect make of sentences; applied before anything personal goes in, so that items stay as planted."""

from random import Random

from pipeline.simulator.grammar import shared
from pipeline.simulator.numbers import WIDE_DIGITS

_DIALECT, _TYPO, _SLIP, _WIDE_DIGITS, _EMOJI, _BREAKS = 0.1, 0.25, 0.12, 0.05, 0.04, 0.03  # shares of reports
_STRONG = 0.6  # chance that a dialect speaker uses a dialect word where there is one
_MARKS = (
    ("，", "。"),
    ("，", "。"),
    ("，", "。"),
    ("，", "，"),
    ("。", "。"),
    (",", "."),
    (" ", " "),
    ("，", "！"),
    ("；", "。"),
)


def noisy(random: Random, sentences: list[str]) -> list[str]:
    """Dialect, typos, a dropped or doubled character, full-width digits."""
    if random.random() < _DIALECT:
        sentences = _in_dialect(random, sentences)
    if random.random() < _TYPO:
        right, wrong = random.choice(shared().typos)
        sentences = [sentence.replace(right, wrong, 1) for sentence in sentences]
    if random.random() < _SLIP:
        place = random.randrange(len(sentences))
        text = sentences[place]
        at = random.randrange(len(text))
        sentences[place] = (text[:at] + (text[at] * 2 if random.random() < 0.5 else "") + text[at + 1 :]) or text
    if random.random() < _WIDE_DIGITS:
        sentences = [sentence.translate(WIDE_DIGITS) for sentence in sentences]
    return sentences


def _in_dialect(random: Random, sentences: list[str]) -> list[str]:
    dialect = shared().dialects[random.choice(tuple(shared().dialects))]
    for common, spoken in dialect.words.items():
        if random.random() < _STRONG:
            sentences = [sentence.replace(common, spoken) for sentence in sentences]
    return [
        sentence + random.choice(dialect.particles) if random.random() < 0.3 and sentence[-1] not in "，。：！" else sentence
        for sentence in sentences
    ]


def joined(random: Random, sentences: list[str]) -> str:
    """Sentences as running text, with the punctuation of somebody in a hurry or not."""
    comma, stop = random.choice(_MARKS)
    if random.random() < _BREAKS:
        stop += "\n"
    parts = []
    for sentence in sentences:
        ends = sentence[-1] in "，。：！!,:"
        parts.append(sentence if ends else sentence + (comma if random.random() < 0.6 else stop))
    town = shared()
    emoji = random.choice(town.emoji) if random.random() < _EMOJI else ""
    return "".join(parts).rstrip("，,；\n ") + random.choice(town.closings) + emoji
