"""Categories and outcomes: what a report can be about, and what can become of it.

A taxonomy is a YAML file in `data/taxonomy`. It must never hold a category for petitioning, protest, political opinion,
religion or ethnicity: this system ranks reports of disputes and hazards so that people get help, and such a category would
turn it on people for what they think or are. `Taxonomy` refuses a file whose names say so, and a test guards every file we
ship.
"""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.errors import TaxonomyError
from pipeline.settings import read_yaml

FORBIDDEN = re.compile(
    r"petition|protest|demonstrat|dissent|politic|opinion|relig|church|mosque|ethnic|minorit|race\b|"
    r"信访|上访|维权集会|抗议|游行|示威|集会|政治|言论|舆情|宗教|教会|清真|民族|少数民族|稳控|维稳",
    re.IGNORECASE,
)


class Category(BaseModel):
    """A leaf of the taxonomy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    zh: str
    en: str
    kind: Literal["dispute", "tip"]
    unit: str
    response_hours: int = Field(gt=0)
    severity_weight: float = Field(gt=0)
    keywords: tuple[str, ...] = ()


class Unit(BaseModel):
    """Who handles a category."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str
    en: str


class Taxonomy(BaseModel):
    """The categories of one deployment, in the order models number them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: int
    units: dict[str, Unit]
    categories: tuple[Category, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _refuse_doubles_and_forbidden(self) -> Self:
        ids = [category.id for category in self.categories]
        doubled = sorted({name for name in ids if ids.count(name) > 1})
        if doubled:
            raise ValueError(f"category id(s) used twice: {', '.join(doubled)}")
        for category in self.categories:
            if FORBIDDEN.search(f"{category.id} {category.zh} {category.en}"):
                raise ValueError(
                    f"category '{category.id}' is not permitted: no category may name petitioning, protest, opinion, religion "
                    "or ethnicity"
                )
            if category.unit not in self.units:
                raise ValueError(f"category '{category.id}' names the unit '{category.unit}', which 'units' does not list")
        return self

    @property
    def ids(self) -> tuple[str, ...]:
        """The category ids in order."""
        return tuple(category.id for category in self.categories)

    def __getitem__(self, category_id: str) -> Category:
        for category in self.categories:
            if category.id == category_id:
                return category
        raise TaxonomyError(f"taxonomy '{self.name}' has no category '{category_id}'; it has {', '.join(self.ids)}.")


class Outcome(BaseModel):
    """Something recorded about a matter that makes a report of it escalated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    zh: str
    en: str
    definition: str


def load_taxonomy(path: Path) -> Taxonomy:
    """Read a taxonomy.

    Raises:
        ParameterError: If the file is missing or malformed, or names a category that is not permitted.
    """
    return read_yaml(path, Taxonomy)


class _Outcomes(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    outcomes: tuple[Outcome, ...]


def load_outcomes(path: Path) -> tuple[Outcome, ...]:
    """Read the declared outcomes."""
    return read_yaml(path, _Outcomes).outcomes
