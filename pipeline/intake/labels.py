"""From the labels found in a file to a taxonomy and to declared outcomes, for a person to correct.

Labels that are ids or names of the shipped taxonomy are mapped to it. Otherwise every label becomes a category of ordinary
severity. A label for petitioning, protest, opinion, religion or ethnicity becomes none: its reports stay without a category.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.taxonomy import FORBIDDEN, Outcome, Taxonomy

_MOST_CATEGORIES, _FEW_REPORTS = 60, 20
_OUTCOME_WORDS: Mapping[str, str] = {
    "injury_or_threat_to_life": r"injur|hurt|threat|death|died|violen|受伤|伤害|伤亡|死亡|威胁|殴打|命案",
    "self_harm_danger": r"self.?harm|suicid|自杀|自残|自伤|轻生",
    "property_damage": r"damage|smash|destroy|损毁|毁坏|打砸|财物",
    "money_lost": r"money|loss|lost|defraud|损失|被骗|转账",
    "formal_proceedings": r"court|lawsuit|sued|arbitrat|proceeding|prosecut|起诉|诉讼|仲裁|立案|法院",
}


@dataclass(frozen=True)
class DraftedCategories:
    """A taxonomy and how the labels map to it.

    Attributes:
        taxonomy: Name of the taxonomy.
        content: The drafted taxonomy file; None where the shipped one serves.
        categories: Label to category id; empty where the labels are ids already.
        doubts: What a person should confirm.
    """

    taxonomy: str
    content: dict[str, Any] | None
    categories: dict[str, str]
    doubts: tuple[str, ...]


def draft_categories(name: str, labels: Counter[str], shipped: Taxonomy, shipped_name: str) -> DraftedCategories:
    """Make a taxonomy of the labels found.

    Args:
        name: Of the profile.
        labels: Label to number of rows; empty where no column of labels was found.
        shipped: The taxonomy that comes with the project.
        shipped_name: What its file is called.
    """
    if len(labels) < 2:
        doubt = "category: no column with at least two labels was found; another source must supply categories before training"
        return DraftedCategories(shipped_name, None, {}, (doubt,))
    known = {category.id: category.id for category in shipped.categories} | {c.zh: c.id for c in shipped.categories}
    if set(labels) <= set(known):
        same = all(label == known[label] for label in labels)
        return DraftedCategories(shipped_name, None, {} if same else {label: known[label] for label in sorted(labels)}, ())
    refused = sorted(label for label in labels if FORBIDDEN.search(f"{label} {_slug(label)}"))
    kept = [label for label, _ in labels.most_common() if label not in refused][:_MOST_CATEGORIES]
    if len(kept) < 2:
        doubt = (
            "category: fewer than two permitted labels were found, so the shipped taxonomy is named; map the labels yourself"
        )
        return DraftedCategories(shipped_name, None, {}, (doubt,))
    ids = _ids(kept)
    content = {
        "name": name,
        "version": 1,
        "units": {"office": {"zh": "受理单位", "en": "Office"}},
        "categories": [_category(ids[label], label) for label in kept],
    }
    return DraftedCategories(name, content, ids, tuple(_label_doubts(labels, refused, kept)))


def _label_doubts(labels: Counter[str], refused: list[str], kept: list[str]) -> list[str]:
    doubts = ["taxonomy: English names, units, response times and severity weights are placeholders; set them"]
    if refused:
        doubts.append(
            f"categories: {len(refused)} label(s) name petitioning, protest, opinion, religion or ethnicity and were left out; "
            "map their reports to the matter they are about"
        )
    rare = [label for label in kept if labels[label] < _FEW_REPORTS]
    if rare:
        doubts.append(f"categories: {len(rare)} label(s) have fewer than {_FEW_REPORTS} rows; merge them with others")
    if len(labels) - len(refused) > len(kept):
        doubts.append(f"categories: only the {_MOST_CATEGORIES} most frequent labels became categories")
    return doubts


def _slug(label: str) -> str:
    slug = re.sub("[^a-z0-9]+", "_", label.lower()).strip("_")
    return slug if label.isascii() and re.match("[a-z]", slug) else ""


def _ids(labels: list[str]) -> dict[str, str]:
    """Label to id: a short form of an English label, else `category_<n>`."""
    ids: dict[str, str] = {}
    for number, label in enumerate(labels, start=1):
        slug = _slug(label)
        ids[label] = slug if slug and slug not in ids.values() else f"category_{number}"
    return ids


def _category(category_id: str, label: str) -> dict[str, Any]:
    return {
        "id": category_id, "zh": label, "en": label if label.isascii() else category_id.replace("_", " ").capitalize(),
        "kind": "dispute", "unit": "office", "response_hours": 72, "severity_weight": 1.0,
    }  # fmt: skip


def draft_outcome_labels(labels: Counter[str], known: tuple[Outcome, ...]) -> dict[str, str | None]:
    """The declared outcome each label seems to mean; None for those that seem to mean no harm.

    Args:
        labels: Label to number of rows.
        known: The declared outcomes.
    """
    return {label: _outcome(label, known) for label in sorted(labels)}


def _outcome(label: str, known: tuple[Outcome, ...]) -> str | None:
    named = next((outcome.id for outcome in known if label in (outcome.id, outcome.zh, outcome.en)), None)
    if named is not None or re.match(r"no\b|none|not |没有|无|未", label, re.IGNORECASE):
        return named
    ids = {outcome.id for outcome in known}
    return next((name for name, words in _OUTCOME_WORDS.items() if name in ids and re.search(words, label, re.I)), None)
