"""What the pages say, in Chinese and English, and how they write numbers and instants."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import yaml

from pipeline.taxonomy import Outcome, Taxonomy

Language = Literal["zh", "en"]


@cache
def words() -> dict[str, tuple[str, str]]:
    """Every phrase: key to (Chinese, English)."""
    content = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
    return {str(key): (str(zh), str(en)) for key, (zh, en) in content.items()}


def preferred_language(chosen: str | None, accepted: str) -> Language:
    """The language somebody chose, else the one their browser names first; Chinese where it names neither.

    Args:
        chosen: What the cookie says.
        accepted: The header Accept-Language.
    """
    if chosen is not None:
        return "en" if chosen == "en" else "zh"
    for part in accepted.lower().split(","):
        name = part.split(";")[0].strip()[:2]
        if name in ("zh", "en"):
            return "en" if name == "en" else "zh"
    return "zh"


@dataclass(frozen=True)
class Speech:
    """A language with the names and the clock of one deployment."""

    language: Language
    taxonomy: Taxonomy
    outcomes: tuple[Outcome, ...]
    zone: ZoneInfo

    def __call__(self, key: str, **values: object) -> str:
        """A phrase, with its blanks filled."""
        return words()[key][0 if self.language == "zh" else 1].format(**values)

    def category(self, category_id: str) -> str:
        """A category's name; its id where the taxonomy no longer has it."""
        known = {category.id: category for category in self.taxonomy.categories}.get(category_id)
        return category_id if known is None else str(getattr(known, self.language))

    def unit(self, unit_id: str) -> str:
        """A unit's name."""
        known = self.taxonomy.units.get(unit_id)
        return unit_id if known is None else str(getattr(known, self.language))

    def outcome(self, outcome_id: str) -> str:
        """An outcome's name."""
        known = {outcome.id: outcome for outcome in self.outcomes}.get(outcome_id)
        return outcome_id if known is None else str(getattr(known, self.language))

    def kind(self, kind: str) -> str:
        """What sort of alert it is."""
        return self(f"kind_{kind}") if f"kind_{kind}" in words() else kind

    def lane(self, lane: str) -> str:
        """How a report's category is settled."""
        return self(f"lane_{lane}") if f"lane_{lane}" in words() else lane

    def status(self, status: str | None) -> str:
        """Where a report stands."""
        return self("unknown_status") if status is None else self(f"status_{status}")

    def at(self, instant: datetime) -> str:
        """An instant in local time."""
        return instant.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def percent(self, share: float) -> str:
        """A share as a percentage; small ones keep a decimal, so that 0.4 % is not written as nothing."""
        return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"

    def waited(self, since: datetime, now: datetime) -> str:
        """How long something has waited."""
        hours = max(now - since, timedelta()) // timedelta(hours=1)
        days, rest = divmod(hours, 24)
        units = ("天", "小时") if self.language == "zh" else ("d", "h")
        parts = [f"{days} {units[0]}"] if days else []
        return " ".join([*parts, f"{rest} {units[1]}"] if days < 4 else parts)  # beyond that hours say nothing
