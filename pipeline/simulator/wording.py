"""How a report reads: an opening, what happened, details, hints of how bad it is, what is wanted, and noise.

Severity shows in the words only by chance: the level of each hint is severity plus noise, some reports give none, and sayings
such as 没有动手 ("nobody came to blows") name what did not happen. In the changed world of the scenario `drift` people use
strong words for less.
"""

from collections.abc import Iterator, Sequence
from random import Random

from pipeline.simulator.facts import Slots
from pipeline.simulator.grammar import CategoryWording, of_category, shared
from pipeline.simulator.matters import Matter
from pipeline.simulator.noise import joined, noisy
from pipeline.simulator.personal import Planted, Wording, decoy, plant, plant_in_title
from pipeline.simulator.scenarios import CATEGORIES
from pipeline.simulator.templates import fill

_HINT_NOISE, _MID, _HIGH = 0.08, 0.28, 0.5
_SAYS_IT_AGAIN = 0.35  # chance that a hint is one that an earlier report of the matter gave
_GENERIC = 0.5  # share of hints that people of every category give
_LOUDER = 0.2  # added to hints in the changed world
_HINTS = (0.06, 0.32, 0.72)  # cumulative shares of reports with no hint, one, two; the rest give three
_TELLS_THE_OTHER_SIDE = 0.45  # of the reports of a matter that touches two categories
_TELLS_WHAT_OTHERS_TELL = 0.8  # chance that a detail is one of those the matter settled on
_NO_TITLE, _NAMES_IT = 0.08, 0.7  # shares of reports: without a title; that say where it is, so that others can recognize it
_TINY, _LONG, _HUGE = 0.06, 0.92, 0.99  # cumulative shares of reports by length
_DECOY, _PLANTED, _PLANTED_IN_TITLE = 0.2, 0.42, 0.03  # shares of reports
_SARCASM, _ASIDE = 0.04, 0.07


def write(random: Random, matter: Matter, place: int) -> Wording:
    """Write the report of a matter with this number within it."""
    side = int(random.random() < _TELLS_THE_OTHER_SIDE)
    wording = of_category(CATEGORIES[matter.second if side else matter.category])
    slots = Slots(random, matter)
    title, in_title = _title(random, wording, slots, matter)
    templates = _templates(random, wording, side, matter, place)
    sentences = noisy(random, [fill(template, slots, random) for template in templates])
    planted = _planted(random, matter)
    decoys = [decoy(random)] if random.random() < _DECOY else []
    for sentence in [*(item.sentence for item in planted), *(sentence for sentence, _ in decoys)]:
        sentences.insert(random.randrange(1, len(sentences) + 1), sentence)
    named = [*(("title", item) for item in in_title), *(("body", item) for item in planted)]
    return Wording(title, joined(random, sentences), tuple(named), tuple(("body", text) for _, text in decoys))


def _templates(random: Random, wording: CategoryWording, side: int, matter: Matter, place: int) -> list[str]:
    """The sentences of a report, in order, slots still open and none empty."""
    town, size = shared(), random.random()
    problem = _problem(random, wording, side, matter)
    if size < _TINY:
        return [problem, *_hints(random, wording, matter)][: random.choice((1, 2, 2))]
    middle = [*_details(random, wording, side, matter, size), *_hints(random, wording, matter)]
    if random.random() < _ASIDE:  # a second trouble in the same letter
        middle.append(random.choice(of_category(random.choice(CATEGORIES)).details))
    if matter.drifted and random.random() < 0.85:
        middle.append(random.choice(town.new_wording))
    random.shuffle(middle)
    head = [random.choice(town.openings)]
    if place > 0:
        head.append(random.choice(town.again if matter.reporters[place] in matter.reporters[:place] else town.others))
    if random.random() < _NAMES_IT:
        head.append(random.choice(town.mentions))
    told = [*head, problem, *middle, *_ending(random, wording)]
    return [template for template in told if template]


def _problem(random: Random, wording: CategoryWording, side: int, matter: Matter) -> str:
    """What is wrong: mostly the one thing, sometimes another side of it."""
    drawn, (main, other) = random.random(), matter.problems[side]
    return main if drawn < _TELLS_WHAT_OTHERS_TELL else other if drawn < 0.95 else random.choice(wording.problems)


def _details(random: Random, wording: CategoryWording, side: int, matter: Matter, size: float) -> Iterator[str]:
    """What happened around it, and what has nothing to do with it; long letters have more of both."""
    town = shared()
    more, most = size > _LONG, size > _HUGE
    n_details = 1 + int(random.random() * 3) + (3 if more else 0)
    for detail in random.sample(matter.details[side], min(n_details, len(matter.details[side]))):
        yield detail if random.random() < _TELLS_WHAT_OTHERS_TELL else random.choice(wording.details)
    n_fillers = int(random.random() * 2.4) + (4 if more else 0) + (12 if most else 0)
    yield from random.sample(town.fillers, min(n_fillers, len(town.fillers)))
    if more or random.random() < 0.04:
        yield from random.sample(town.stories, 3 if most else 1)


def _ending(random: Random, wording: CategoryWording) -> list[str]:
    """What is wanted."""
    drawn = random.random()
    return [] if drawn < 0.15 else [random.choice(wording.demands if drawn < 0.75 else shared().demands)]


def _title(random: Random, wording: CategoryWording, slots: Slots, matter: Matter) -> tuple[str, list[Planted]]:
    """A heading, mostly with the place it is about, now and then with a person's name."""
    drawn = random.random()
    if drawn < _NO_TITLE:
        return "", []
    if drawn < _NO_TITLE + _PLANTED_IN_TITLE:
        item = plant_in_title(random, known=matter.items)
        return item.sentence, [item]
    if matter.severity + random.gauss(0, 1.5 * _HINT_NOISE) > _HIGH and random.random() < 0.5:
        return fill(random.choice(shared().urgent_titles), slots, random), []
    title = fill(random.choice(wording.titles if drawn < 0.9 else shared().titles), slots, random)
    return (title if slots["spot"] in title or random.random() > _NAMES_IT else slots["spot"] + title), []


def _hints(random: Random, wording: CategoryWording, matter: Matter) -> list[str]:
    """How bad it is, said well or badly."""
    town, drawn, found = shared(), random.random(), []
    pools: Sequence[tuple[Sequence[str], Sequence[str]]] = (
        (wording.low, town.generic_low),
        (wording.mid, town.generic_mid),
        (wording.high, town.generic_high),
    )
    for _ in range(sum(drawn > share for share in _HINTS)):
        level = matter.severity + random.gauss(0, _HINT_NOISE) + (_LOUDER if matter.changed else 0.0)
        own, generic = pools[(level > _MID) + (level > _HIGH)]
        said = random.choice(generic if random.random() < _GENERIC else own)
        if matter.hints and random.random() < _SAYS_IT_AGAIN:
            said = random.choice(matter.hints)
        if said not in found:
            found.append(said)
    matter.hints.extend(found)
    if random.random() < _SARCASM:
        found.append(random.choice(town.sarcasm))
    return found


def _planted(random: Random, matter: Matter) -> list[Planted]:
    if random.random() > _PLANTED:
        return []
    place = random.choice((matter.facts["estate"], matter.facts["road"], ""))
    return [
        plant(random, place=place, known=matter.items) for _ in range(1 + int(random.random() * 1.4) + (random.random() < 0.1))
    ]
