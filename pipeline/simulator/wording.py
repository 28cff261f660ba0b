"""How a report reads: an opening, what happened, details, hints of how bad it is, what is wanted, and noise.

Severity shows in the words only by chance: the level of each hint is severity plus noise, a tenth of the reports give none, and
sayings such as 没有动手 ("nobody came to blows") name what did not happen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from pipeline.simulator.grammar import CategoryWording, of_category, shared
from pipeline.simulator.matters import Matter
from pipeline.simulator.personal import Planted, decoy, plant
from pipeline.simulator.scenarios import CATEGORIES

_HINT_NOISE, _MID, _HIGH = 0.11, 0.3, 0.52
_TELLS_THE_OTHER_SIDE = 0.45  # of the reports of a matter that touches two categories
_NO_TITLE, _NAMES_IT = 0.08, 0.7  # shares of reports: without a title; that say where it is, so that others can recognize it
_WHEN = (
    "上周",
    "昨天",
    "前天晚上",
    "上个月",
    "今年初",
    "去年十月",
    "这两天",
    "三月份",
    "国庆前",
    "春节后",
    "上周五下午",
    "6月中旬",
    "放假那几天",
)
_WIDE = {code: code + 0xFEE0 for code in range(48, 58)}


@dataclass(frozen=True)
class Wording:
    """A report's title and body, with what was planted and where."""

    title: str
    body: str
    planted: tuple[tuple[str, Planted], ...]
    decoys: tuple[tuple[str, str], ...]


class _Slots(dict[str, str]):
    """Fills a slot from the matter, or draws it anew."""

    def __init__(self, random: Random, matter: Matter) -> None:
        super().__init__(matter.facts)
        self._random = random

    def __missing__(self, slot: str) -> str:
        random = self._random
        drawn: dict[str, Callable[[], str]] = {
            "when": lambda: random.choice(_WHEN),
            "days": lambda: str(random.randrange(2, 60)),
            "hour": lambda: str(random.randrange(1, 13)),
            "age": lambda: str(random.randrange(58, 91)),
        }
        return drawn[slot]()


def write(random: Random, matter: Matter, place: int) -> Wording:
    """Write the report of a matter with this number within it."""
    told = matter.second if random.random() < _TELLS_THE_OTHER_SIDE else matter.category
    wording = of_category(CATEGORIES[told])
    slots = _Slots(random, matter)
    if random.random() < 0.25:  # later reporters tell the numbers otherwise
        slots["n"], slots["months"] = str(random.randrange(2, 30)), str(random.randrange(2, 14))
    title = _title(random, wording, slots)
    sentences = [template.format_map(slots) for template in _templates(random, wording, matter, place) if template]
    sentences = _noisy(random, sentences)
    planted = _planted(random, matter)
    decoys = [decoy(random)] if random.random() < 0.2 else []
    for sentence in [item.sentence for item in planted] + [text for text, _ in decoys]:
        sentences.insert(random.randrange(1, len(sentences) + 1), sentence)
    body = _joined(random, sentences)
    return Wording(title, body, tuple(("body", item) for item in planted), tuple(("body", text) for _, text in decoys))


def _templates(random: Random, wording: CategoryWording, matter: Matter, place: int) -> list[str]:
    """The sentences of a report, in order, slots still open."""
    town, size = shared(), random.random()
    if size < 0.07:
        return [random.choice(wording.problems), *_hints(random, wording, matter)[:1]]
    n_details = 1 + int(random.random() * 3) + (3 if size > 0.95 else 0)
    n_fillers = int(random.random() * 2.4) + (4 if size > 0.95 else 0)
    middle = random.sample(wording.details, n_details) + random.sample(town.fillers, n_fillers)
    if random.random() < 0.07:  # a second trouble in the same letter
        other = of_category(random.choice(CATEGORIES))
        middle.append(random.choice(other.details))
    middle += _hints(random, wording, matter)
    if matter.drifted and random.random() < 0.8:
        middle.append(random.choice(town.new_wording))
    random.shuffle(middle)
    said_before = []
    if place > 0:
        said_before = [random.choice(town.again if matter.reporters[place] in matter.reporters[:place] else town.others)]
    problems = random.sample(wording.problems, 2 if random.random() < 0.15 else 1)
    mention = [random.choice(town.mentions)] if random.random() < _NAMES_IT else []
    return [random.choice(town.openings), *said_before, *mention, *problems, *middle, random.choice(wording.demands)]


def _title(random: Random, wording: CategoryWording, slots: _Slots) -> str:
    """A heading, mostly with the place it is about."""
    if random.random() < _NO_TITLE:
        return ""
    title = random.choice(wording.titles).format_map(slots)
    spot = slots["spot"]
    return title if spot in title or random.random() > _NAMES_IT else spot + title


def _hints(random: Random, wording: CategoryWording, matter: Matter) -> list[str]:
    """How bad it is, said well or badly."""
    town = shared()
    pools: Sequence[tuple[Sequence[str], Sequence[str]]] = (
        (wording.low, town.generic_low),
        (wording.mid, town.generic_mid),
        (wording.high, town.generic_high),
    )
    found = []
    for _ in range(random.choices((0, 1, 2, 3), (8, 32, 38, 22))[0]):
        level = matter.severity + random.gauss(0, _HINT_NOISE)
        own, generic = pools[(level > _MID) + (level > _HIGH)]
        found.append(random.choice(own if random.random() < 0.78 else generic))
    if random.random() < 0.04:
        found.append(random.choice(town.sarcasm))
    return found


def _noisy(random: Random, sentences: list[str]) -> list[str]:
    """Dialect, typos, dropped and doubled characters, full-width digits; before anything personal goes in."""
    town = shared()
    changes: dict[str, str] = {}
    if random.random() < 0.1:
        changes |= random.choice(list(town.dialects.values()))
    if random.random() < 0.25:
        wrong = random.choice(list(town.typos))
        changes[wrong] = town.typos[wrong]
    for old, new in changes.items():
        sentences = [sentence.replace(old, new) for sentence in sentences]
    if random.random() < 0.12:
        place = random.randrange(len(sentences))
        text = sentences[place]
        at = random.randrange(len(text))
        sentences[place] = text[:at] + (text[at] * 2 if random.random() < 0.5 else "") + text[at + 1 :]
    if random.random() < 0.05:
        sentences = [sentence.translate(_WIDE) for sentence in sentences]
    return sentences


def _planted(random: Random, matter: Matter) -> list[Planted]:
    if random.random() > 0.42:
        return []
    place = random.choice((matter.facts["estate"], matter.facts["road"], ""))
    return [plant(random, place=place) for _ in range(random.choices((1, 2, 3), (6, 3, 1))[0])]


def _joined(random: Random, sentences: list[str]) -> str:
    """Sentences as running text, with the punctuation of somebody in a hurry or not."""
    marks = random.choice((("，", "。"), ("，", "。"), ("，", "，"), ("。", "。"), (",", "."), (" ", " "), ("，", "！")))
    parts = []
    for sentence in sentences:
        ends = sentence[-1:] in "，。：！!,:"
        parts.append(sentence if ends else sentence + (marks[0] if random.random() < 0.6 else marks[1]))
    town = shared()
    emoji = random.choice(town.emoji) if random.random() < 0.04 else ""
    return "".join(parts).rstrip("，, ") + random.choice(town.closings) + emoji
