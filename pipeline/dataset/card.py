"""The dataset card: what was learned from, in numbers a person can check and a digest a machine can.

It counts; it quotes nothing. Warnings say what will be hard to learn or measure.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.dataset.splits import SPLITS
from pipeline.params import Profile
from pipeline.schema import PLACEHOLDERS

_PLACEHOLDER = re.compile("|".join(re.escape(placeholder) for placeholder in PLACEHOLDERS))
_DELAY_QUANTILES = (0.1, 0.5, 0.9, 0.95)


def make_card(
    examples: pd.DataFrame,
    reports: pd.DataFrame,
    *,
    profile: Profile,
    categories: Sequence[str],
    min_examples_per_category: int,
) -> dict[str, Any]:
    """Describe a dataset.

    Args:
        examples: EXAMPLES.
        reports: The REPORTS they were made of.
        profile: What was asked for.
        categories: Ids of the taxonomy, in order.
        min_examples_per_category: Labelled training examples below which a category draws a warning.

    Returns:
        Plain values, ready for JSON; `digest` identifies the examples.
    """
    labelled = examples["category"].notna()
    return {
        "profile": profile.name,
        "as_of": profile.as_of.isoformat(),
        "timezone": profile.timezone,
        "label_window_days": profile.label_window_days,
        "gap_days": profile.gap_days,
        "re_report_reporters": profile.re_report_reporters,
        "digest": digest(examples),
        "n_reports": len(reports),
        "n_examples": len(examples),
        "n_dropped": len(reports) - len(examples),
        "n_matters": int(examples["matter_id"].nunique()),
        "duplicates": _share(reports["duplicate_of"].notna()),
        "segmented": _share(reports["segmented"].astype(bool)),
        "placeholders_per_1000_reports": _placeholders(examples),
        "sources": {name: _part(examples[examples["source"] == name], profile) for name in profile.sources},
        "splits": {name: _part(examples[examples["split"] == name], profile) for name in SPLITS},
        "sources_by_split": _cross(examples["source"], examples["split"], list(profile.sources)),
        "categories_by_split": _cross(examples.loc[labelled, "category"], examples.loc[labelled, "split"], list(categories)),
        "label_delay_days": _delays(examples),
        "warnings": _warnings(examples, profile, categories, min_examples_per_category),
    }


def digest(examples: pd.DataFrame) -> str:
    """SHA-256 over all values, row by row in order of `report_id`; the same examples in any order give the same."""
    hashed = hashlib.sha256("\x1f".join(examples.columns).encode())
    ordered = examples.sort_values("report_id")
    texts = [ordered[name].astype("string").fillna("\x00").tolist() for name in ordered.columns]
    for values in zip(*texts, strict=True):
        hashed.update("\x1f".join(values).encode())
        hashed.update(b"\x1e")
    return hashed.hexdigest()


def _share(where: "pd.Series[bool]") -> dict[str, float]:
    return {"n": int(where.sum()), "share": round(float(where.mean()), 4) if len(where) else 0.0}


def _placeholders(examples: pd.DataFrame) -> dict[str, float]:
    """Placeholders of personal data by kind, for every thousand reports."""
    counts: dict[str, int] = {}
    for column in ("title", "text"):
        for found in examples[column].str.findall(_PLACEHOLDER):
            for name in found:
                counts[name] = counts.get(name, 0) + 1
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: round(1000 * count / max(len(examples), 1), 2) for name, count in frequent}


def _part(part: pd.DataFrame, profile: Profile) -> dict[str, Any]:
    """Counts of some of the examples; the share censored is of those whose source supplies escalation."""
    dated = part["received_at"].dropna()
    supplying = [name for name, source in profile.sources.items() if "escalated" in source.supplies]
    escalated = part.loc[part["source"].isin(supplying), "escalated"]
    known = escalated.dropna().astype(bool)
    return {
        "n_examples": len(part),
        "n_labelled": int(part["category"].notna().sum()),
        "n_escalation_known": len(known),
        "n_escalated": int(known.sum()),
        "escalation_rate": round(float(known.mean()), 4) if len(known) else None,
        "share_censored": round(float(escalated.isna().mean()), 4) if len(escalated) else None,
        "first_received_at": dated.min().tz_convert(profile.timezone).isoformat() if len(dated) else None,
        "last_received_at": dated.max().tz_convert(profile.timezone).isoformat() if len(dated) else None,
    }


def _cross(rows: "pd.Series[str]", columns: "pd.Series[str]", names: Sequence[str]) -> dict[str, dict[str, int]]:
    counted = Counter(zip(rows.tolist(), columns.tolist(), strict=True))
    return {name: {split: counted[name, split] for split in SPLITS} for name in names}


def _delays(examples: pd.DataFrame) -> dict[str, float]:
    """Days from arrival to escalation: quantiles over the escalated."""
    delays = (examples["escalated_at"] - examples["received_at"]).dropna().dt.total_seconds() / 86_400
    return {f"p{round(100 * level)}": round(float(delays.quantile(level)), 2) for level in _DELAY_QUANTILES if len(delays)}


def _warnings(examples: pd.DataFrame, profile: Profile, categories: Sequence[str], least: int) -> list[str]:
    said = []
    for name, source in profile.sources.items():
        part = examples[examples["source"] == name]
        if "category" in source.supplies:
            said += _category_warnings(part, name, categories, least)
        for split in SPLITS if "escalated" in source.supplies else ():
            known = part.loc[part["split"] == split, "escalated"].dropna().astype(bool)
            if known.nunique() < 2:
                said.append(
                    f"{name}: the {len(known)} known escalation labels of {split} are all alike; nothing to learn or measure."
                )
    return said


def _category_warnings(part: pd.DataFrame, name: str, categories: Sequence[str], least: int) -> list[str]:
    said = []
    counts = _cross(part["category"].dropna(), part.loc[part["category"].notna(), "split"], categories)
    for category, by_split in counts.items():
        missing = [split for split in SPLITS if not by_split[split]]
        if missing:
            said.append(f"{name}: no example of {category} in {', '.join(missing)}.")
        elif by_split["train"] < least:
            said.append(f"{name}: {by_split['train']} training examples of {category}, fewer than {least}.")
    return said


def to_markdown(card: dict[str, Any]) -> str:
    """The card for a reader."""
    lines = [
        f"# Dataset card: {card['profile']}",
        "",
        f"{card['n_examples']} examples of {card['n_reports']} reports; {card['n_dropped']} were dropped because they lie in a "
        "gap before a split or copy a report on another side.",
        f"As of {card['as_of']} ({card['timezone']}); an outcome counts for {card['label_window_days']} days, and "
        f"{card['gap_days']} days are dropped before each split.",
        f"Digest `{card['digest']}`.",
        "",
        "| | examples | category known | escalation known | escalated | rate | censored | first | last |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_line(name, part) for table in ("splits", "sources") for name, part in card[table].items()),
        "",
        _table("source", card["sources_by_split"]),
        "",
        _table("category", card["categories_by_split"]),
        "",
        f"- Matters: {card['n_matters']}. Duplicates of earlier reports: {card['duplicates']['n']} "
        f"({card['duplicates']['share']:.1%}). Segmented texts: {card['segmented']['n']}.",
        f"- Days to escalation: {_listed(card['label_delay_days'])}.",
        f"- Placeholders per 1,000 reports: {_listed(card['placeholders_per_1000_reports'])}.",
        "",
        "## Warnings",
        "",
        *([f"- {warning}" for warning in card["warnings"]] or ["None."]),
    ]
    return "\n".join(lines) + "\n"


def _listed(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items()) or "none"


def _line(name: str, part: dict[str, Any]) -> str:
    rate, censored = (f"{part[key]:.1%}" if part[key] is not None else "" for key in ("escalation_rate", "share_censored"))
    days = [str(part[key] or "")[:10] for key in ("first_received_at", "last_received_at")]
    counts = [str(part[key]) for key in ("n_examples", "n_labelled", "n_escalation_known", "n_escalated")]
    return f"| {' | '.join([name, *counts, rate, censored, *days])} |"


def _table(of: str, counts: dict[str, dict[str, int]]) -> str:
    header = [f"| {of} | {' | '.join(SPLITS)} |", "|---|---|---|---|---|"]
    return "\n".join(
        header + [f"| {name} | {' | '.join(str(row[split]) for split in SPLITS)} |" for name, row in counts.items()]
    )


def to_json(card: dict[str, Any]) -> str:
    """The card for a machine."""
    return json.dumps(card, ensure_ascii=False, indent=2) + "\n"
