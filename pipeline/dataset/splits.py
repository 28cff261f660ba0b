"""Which examples are learned from, and which are kept for validation, calibration and test.

Dated sources are divided by day, with days dropped before each boundary so that the labels of one split are settled before the
next begins. Undated ones are divided by duplicate group, by a hash of the group's name: a group never changes sides when more
reports come in, and the shares are those of the reports as written. Segmented texts, from which punctuation and stop words
are gone, are nothing like what a unit receives, so they are only ever learned from.

Reports of a gap belong to no split, but what was known of them when the next split began is known all the same:
`between_splits` gives them to a risk model that reckons with censoring.

No text is on two sides. Within a dated source the earlier copy stays, because that is what will have been learned from by
then; between sources the copy in the later split stays, because held-out reports are few and training reports many.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import SplitError
from pipeline.params import DateSplit, GroupSplit, ProfileSource

SPLITS = ("train", "validation", "calibration", "test")
_RANK = {name: rank for rank, name in enumerate(SPLITS)}


def assign_splits(
    examples: pd.DataFrame, *, sources: Mapping[str, ProfileSource], gap_days: int, timezone: str, seed: int
) -> pd.DataFrame:
    """Give every example its split; drop those inside a gap and the copies of examples on another side.

    Args:
        examples: EXAMPLES without `split`, with `segmented`.
        sources: The rule of each source.
        gap_days: Days removed before each boundary of a dated source.
        timezone: IANA name; whose midnight divides days.
        seed: Chooses the held-out groups of undated sources.

    Returns:
        The table with `split` filled, sorted by `received_at`, `source` and `report_id`; fewer rows than came in.

    Raises:
        SplitError: If a source's boundaries do not ascend, or a split it asks for is left empty.
    """
    parts = []
    for name, source in sources.items():
        of_source = examples[examples["source"] == name]
        if isinstance(source.split, DateSplit):
            part = split_by_date(of_source, split=source.split, gap_days=gap_days, timezone=timezone)
        else:
            part = split_by_group(of_source, split=source.split, seed=seed)
        parts.append(part)
    together = drop_earlier_side(pd.concat(parts))
    for name, source in sources.items():
        _refuse_empty(together[together["source"] == name], name, source.split)
    return _in_order(together)


def split_by_date(examples: pd.DataFrame, *, split: DateSplit, gap_days: int, timezone: str) -> pd.DataFrame:
    """Give examples the split their arrival day falls in; drop those inside a gap and later copies of earlier splits.

    Args:
        examples: Examples of one dated source.
        split: First day of validation, calibration and test.
        gap_days: Days removed before each of them.
        timezone: IANA name; whose midnight divides days.

    Raises:
        SplitError: If the boundaries do not ascend, or an example has no date.
    """
    boundaries = [split.validation, split.calibration, split.test]
    if not boundaries[0] < boundaries[1] < boundaries[2]:
        raise SplitError(
            f"Split days must ascend: validation < calibration < test, got {', '.join(map(str, boundaries))}. "
            "Correct them in the profile."
        )
    if examples["received_at"].isna().any():
        first = examples.loc[examples["received_at"].isna(), "report_id"].iloc[0]
        raise SplitError(
            f"A split by date needs a date for every report, got none in {int(examples['received_at'].isna().sum())} of "
            f"{len(examples)} rows (first report_id: {first}). Use `rule: group` for this source in the profile."
        )
    rank, in_gap = _place_in_time(examples, split, gap_days, timezone)
    kept = examples.assign(split=np.array(SPLITS)[rank], _rank=rank)[~in_gap]
    first_side = kept.groupby("duplicate_group")["_rank"].transform("min")
    return kept[kept["_rank"] == first_side].drop(columns="_rank")


def between_splits(
    examples: pd.DataFrame, kept: pd.DataFrame, *, sources: Mapping[str, ProfileSource], gap_days: int, timezone: str
) -> pd.DataFrame:
    """Find the reports of the gaps, for a risk model that can use them as far as they were followed.

    Their labels are cleared: `escalated` would tell what happened in the next split's time, and the category is left to the
    splits. Copies of a report that has a split are left out, so that no text is on two sides.

    Args:
        examples: What `assign_splits` was given.
        kept: What it returned.
        sources: The rule of each source; undated ones have no gaps.
        gap_days: Days removed before each boundary of a dated source.
        timezone: IANA name; whose midnight divides days.

    Returns:
        Reports of the gaps, sorted as `assign_splits` does; `split` is the one each follows.
    """
    parts = [examples.iloc[:0].assign(split="")]
    for name, source in sources.items():
        if isinstance(source.split, DateSplit):
            of_source = examples[examples["source"] == name]
            rank, in_gap = _place_in_time(of_source, source.split, gap_days, timezone)
            parts.append(of_source.assign(split=np.array(SPLITS)[rank])[in_gap])
    between = pd.concat([part for part in parts if len(part)] or parts)
    between = between[~between["duplicate_group"].isin(set(kept["duplicate_group"]))]
    unknown = {
        "category": None,
        "escalated": pd.array([pd.NA] * len(between), dtype="boolean"),
        "escalated_at": pd.Series(pd.NaT, index=between.index, dtype="datetime64[us, UTC]"),
    }
    return _in_order(between.assign(**unknown))


def _place_in_time(
    examples: pd.DataFrame, split: DateSplit, gap_days: int, timezone: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Number of the split whose days each example falls in, and whether it lies in the gap at their end; (n_examples,)."""
    days = examples["received_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    rank = np.zeros(len(examples), dtype=np.int64)
    in_gap = np.zeros(len(examples), dtype=bool)
    for boundary in (split.validation, split.calibration, split.test):
        rank += (days >= pd.Timestamp(boundary)).to_numpy()
        in_gap |= ((days >= pd.Timestamp(boundary - timedelta(days=gap_days))) & (days < pd.Timestamp(boundary))).to_numpy()
    return rank, in_gap


def _in_order(examples: pd.DataFrame) -> pd.DataFrame:
    return examples.sort_values(["received_at", "source", "report_id"], na_position="last", ignore_index=True)


def split_by_group(examples: pd.DataFrame, *, split: GroupSplit, seed: int) -> pd.DataFrame:
    """Divide examples by duplicate group; segmented ones are for training only.

    Args:
        examples: Examples of one source.
        split: Shares of the reports as written; train gets the rest.
        seed: Chooses the groups.

    Returns:
        The examples with `split`, without the segmented ones of held-out groups.
    """
    groups = examples["duplicate_group"]
    names = groups[~examples["segmented"].astype(bool)].unique()
    draws = pd.Series([_draw(str(name), seed) for name in names], index=names, dtype=float)
    ends = np.cumsum([split.test, split.calibration, split.validation])
    sides = np.array(["test", "calibration", "validation", "train"])[np.searchsorted(ends, draws.to_numpy(), side="right")]
    assigned = groups.map(pd.Series(sides, index=names, dtype=object)).fillna("train")
    return examples.assign(split=assigned)[~(examples["segmented"].astype(bool) & (assigned != "train"))]


def _draw(group: str, seed: int) -> float:
    """A number in [0, 1) that a group and a seed always give."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{group}".encode()).digest()[:7]) / 2**56


def drop_earlier_side(examples: pd.DataFrame) -> pd.DataFrame:
    """Of copies that different sources have in different splits, keep those of the latest split."""
    rank = examples["split"].map(_RANK)
    last_side = rank.groupby(examples["duplicate_group"]).transform("max")
    return examples[rank == last_side]


def _refuse_empty(examples: pd.DataFrame, source: str, split: DateSplit | GroupSplit) -> None:
    asked = SPLITS if isinstance(split, DateSplit) else [name for name in SPLITS if getattr(split, name, 1.0) > 0.0]
    empty = [name for name in asked if not (examples["split"] == name).any()]
    if empty:
        counts = examples["split"].value_counts().reindex(list(SPLITS), fill_value=0)
        remedy = "Move the split days, shorten gap_days" if isinstance(split, DateSplit) else "Raise the shares"
        raise SplitError(
            f"Source '{source}' leaves {', '.join(empty)} empty ({', '.join(f'{name} {counts[name]}' for name in SPLITS)}). "
            f"{remedy}, or bring more reports; the rule stands in the profile under sources.{source}.split."
        )
