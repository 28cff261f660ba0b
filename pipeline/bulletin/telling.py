"""What a bulletin says, in one language: the tables every form of it is made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from pipeline.bulletin.comparing import ROWS, Compared, by, summary
from pipeline.period import AGES_DAYS, MEASURES
from pipeline.taxonomy import Taxonomy

Value = str | int | None


@cache
def words() -> dict[str, tuple[str, str]]:
    """Every phrase: key to (Chinese, English)."""
    content = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
    return {str(key): (str(zh), str(en)) for key, (zh, en) in content.items()}


@dataclass(frozen=True)
class Told:
    """A table: its heading, what its columns are called, and its rows; the first column names the row."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class Bulletin:
    """A bulletin in one language, ready to be written in any form.

    Attributes:
        language: `zh` or `en`.
        title: Heading.
        period: Its days, and those it is held against.
        scope: Its areas.
        tables: Summary; by category; by area; units; ages.
        how: How things are counted.
    """

    language: str
    title: str
    period: str
    scope: str
    tables: tuple[Told, ...]
    how: str


def tell(compared: Compared, taxonomy: Taxonomy, areas: Sequence[str] | None, language: str) -> Bulletin:
    """Put a compared period into words.

    Args:
        compared: The period and the two it is held against.
        taxonomy: Names of categories and units, and which are tips.
        areas: What it covers; None is every area.
        language: `zh`, anything else is English.
    """
    say = _speaker(language)
    names: dict[str | None, str] = {None: say("no_category")}
    names |= {category.id: getattr(category, "zh" if language == "zh" else "en") for category in taxonomy.categories}
    units = {unit: getattr(one, "zh" if language == "zh" else "en") for unit, one in taxonomy.units.items()}
    ages = [say("age_below", n=days) for days in AGES_DAYS] + [say("age_above", n=AGES_DAYS[-1])]
    return Bulletin(
        language=language,
        title=say("title"),
        period=say("period", first=compared.days.first, last=compared.days.last),
        scope="" if areas is None else say("scope", areas="、".join(areas) if language == "zh" else ", ".join(areas)),
        tables=(
            _summary(compared, taxonomy, say),
            _split(compared, "category", say, names),
            _split(compared, "area", say, {None: say("nowhere")}),
            Told(
                say("by_unit"),
                (say("unit"), say("n")),
                tuple((units.get(unit, unit), n) for unit, n in compared.now.transferred.items()),
            ),
            Told(say("ages"), (say("ages"), say("n")), tuple(zip(ages, compared.now.ages, strict=True))),
        ),
        how=say("how"),
    )


def changed(now: int | None, then: int | None) -> str | None:
    """A change as a signed percentage; None where there is nothing to compare, or nothing was before."""
    return None if now is None or then is None or then == 0 else f"{(now - then) / then:+.0%}"


def _speaker(language: str) -> Callable[..., str]:
    return lambda key, **values: words()[key][0 if language == "zh" else 1].format(**values)


def _summary(compared: Compared, taxonomy: Taxonomy, say: Callable[..., str]) -> Told:
    now, before, last_year = (summary(figures, taxonomy) for figures in compared.periods)
    columns = ("measure", "now", "before", "change_before", "last_year", "change_year")
    rows = (
        (
            say(name),
            now[name],
            before[name],
            changed(now[name], before[name]),
            last_year[name],
            changed(now[name], last_year[name]),
        )
        for name in ROWS
    )
    return Told(say("summary"), tuple(say(name) for name in columns), tuple(rows))


def _split(compared: Compared, key: str, say: Callable[..., str], names: Mapping[str | None, str]) -> Told:
    """By area or category: the measures of this period, then what was collected in the two others."""
    now, before, last_year = (by(figures, key) for figures in compared.periods)

    def earlier(counts: Mapping[str | None, Mapping[str, int]], known: bool, name: str | None) -> Value:
        return counts.get(name, {}).get("collected", 0) if known else None

    def rows() -> Iterable[tuple[Value, ...]]:
        for name in dict.fromkeys((*now, *before, *last_year)):
            counts = now.get(name, dict.fromkeys(MEASURES, 0))
            then = earlier(before, compared.before is not None, name), earlier(last_year, compared.last_year is not None, name)
            yield (names.get(name, name), *(counts[measure] for measure in MEASURES), *then)

    columns = (say(key), *(say(name) for name in MEASURES), say("before"), say("last_year"))
    return Told(say(f"by_{key}"), columns, tuple(rows()))
