"""What earlier report a report repeats: its duplicate group and its matter, from earlier reports only.

A report joins the matter of the report it copies (see `duplicates`), or of the most similar earlier one (see `similarity`), if
that was received within the window; otherwise it opens its own. Nothing given is ever changed, later reports change nothing,
and the batches a history comes in do not matter: admitting it night by night gives what admitting it at once gives.

Areas must agree, or one be unknown, or the similarity be higher: a report often names the city where another names the
district. The similarity must also exceed what chance brings (see `chance`). Two reports of one area may also be joined for
being near in time and alike enough in text. Who reports plays no part: a lower threshold for one reporter's own reminders was
tried on the citizen messages, and most pairs it added were one person's suggestions about different things.

Limit: different troubles at one place are joined sometimes, and the same trouble told in very different words is not. See the
figures in `similarity`, and how a person puts it right in `decided`.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.intake.chance import ChanceLevel
from pipeline.intake.decided import MERGE, Decision
from pipeline.intake.duplicates import DuplicateIndex
from pipeline.intake.grams import GramSets, Growing, Rows, gram_sets
from pipeline.intake.pairs import NONE, Reals, best_earlier
from pipeline.intake.similarity import SimilarIndex, log_odds, similarity
from pipeline.sections import IntakeParams

_MOST_ROWS = 1024
_SHORT_TITLE, _HEADING_CHARACTERS = 6, 40
_MICROSECONDS_A_DAY = 86_400_000_000


class MatterIndex:
    """All reports so far, and what a new one repeats.

    Holds about 3.5 KB a report of 350 characters beside 150 MB of tables, and takes 0.2 ms for it, 0.09 ms for one of 100.
    """

    def __init__(self, params: IntakeParams, decisions: Sequence[Decision] = ()) -> None:
        """Start empty.

        Args:
            params: Section `intake`.
            decisions: What people decided, in the order in which it takes effect.
        """
        self._waiting = list(decisions)
        self._rows: dict[str, int] = {}
        self._params = params
        self._window = params.matter_window_days * _MICROSECONDS_A_DAY
        self._duplicates = DuplicateIndex(params.near_duplicate_similarity)
        self._similar = SimilarIndex(self._duplicates.store)
        self._chance, self._chance_odds = ChanceLevel(params.matter_chance), ChanceLevel(params.matter_chance)
        self._received, self._area = Growing(np.int64), Growing(np.int32)
        self._area_numbers: dict[str, int] = {}
        self._groups: list[str] = []
        self._matters: list[str] = []

    def add(self, reports: pd.DataFrame) -> pd.DataFrame:
        """Give reports their duplicate group and matter, and remember them.

        Args:
            reports: REPORTS without `duplicate_group`, `duplicate_of` and `matter_id`, in any order. They are taken in order of
                `received_at`, ties by `report_id`; those without a date after all others, as they come.

        Returns:
            The same rows in the same order with those columns. `duplicate_of` is the first report of the group, null for
            that report itself. A dated report looks only at reports taken before it that were received no later; an
            undated one at all taken before it, but it joins another's matter only by copying.
        """
        first = len(self._matters)
        order = _order(reports)
        for part, dated in self._parts(reports, order):
            if dated:
                self._take_in(part["received_at"].iloc[0])
            rows, sets, headings = self._remember(part, dated=dated)
            copied, repeated = self._match(rows, sets, headings) if dated else self._match_undated(rows, sets, headings)
            for report_id, copy, repeat in zip(part["report_id"], copied.tolist(), repeated.tolist(), strict=True):
                self._groups.append(f"d-{report_id}" if copy == NONE else self._groups[copy])
                self._matters.append(f"m-{report_id}" if repeat == NONE else self._matters[repeat])
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(first, len(self._matters))
        return self._with_columns(reports, places)

    def _take_in(self, now: pd.Timestamp) -> None:
        """Let decisions that hold at an instant change the matters of the reports so far."""
        while self._waiting and self._waiting[0].effective_at <= now:
            decision = self._waiting.pop(0)
            before = self._received.values < decision.effective_at.value // 1000
            if decision.action == MERGE:
                for row, own in enumerate(self._matters):
                    if own == decision.subject and before[row]:
                        self._matters[row] = decision.into
            elif decision.subject in self._rows:
                self._matters[self._rows[decision.subject]] = decision.into

    def restore(self, reports: pd.DataFrame) -> None:
        """Remember reports that were admitted before, with the group and matter they were given.

        Args:
            reports: All REPORTS admitted so far. `add` then goes on as if this index had added them itself, provided that
                dated ones were admitted in order of `received_at`; one that came late counts where it would have stood.
        """
        for part, dated in self._parts(reports, _order(reports)):
            rows, sets, headings = self._remember(part, dated=dated)
            self._duplicates.add(sets, dated=dated)
            if dated:
                self._resembling(rows, headings, only_sampled=True)
            else:
                self._similar.add_undated(headings)
            self._groups.extend(part["duplicate_group"])
            self._matters.extend(part["matter_id"])

    def _parts(self, reports: pd.DataFrame, order: Rows) -> Iterator[tuple[pd.DataFrame, bool]]:
        """Sorted reports in parts of dated or undated ones that end where weights are renewed or a decision takes effect."""
        n_dated = int(reports["received_at"].notna().sum())
        instants = pd.DatetimeIndex(reports["received_at"].iloc[order[:n_dated]])
        changes = np.array([int(instants.searchsorted(decision.effective_at)) for decision in self._waiting], dtype=np.int64)
        start = 0
        while start < len(order):
            dated = start < n_dated
            stop = min(start + min(_MOST_ROWS, self._similar.most_rows), n_dated) if dated else start + _MOST_ROWS
            stop = min([stop, *changes[changes > start]])
            yield reports.iloc[order[start:stop]], dated
            start = stop

    def _remember(self, part: pd.DataFrame, *, dated: bool) -> tuple[Rows, GramSets, GramSets]:
        """Keep what later reports compare with; returns row numbers, 3-grams of title and text, and n-grams of headings."""
        rows = np.arange(len(self._received.values), len(self._received.values) + len(part))
        if self._waiting:
            self._rows.update(zip(part["report_id"], rows.tolist(), strict=True))
        received: Rows = np.asarray(part["received_at"].astype("datetime64[us, UTC]").astype("int64"), dtype=np.int64)
        self._received.append(received if dated else np.zeros_like(received))
        numbers = [
            NONE if pd.isna(area) else self._area_numbers.setdefault(area, len(self._area_numbers)) for area in part["area"]
        ]
        self._area.append(np.array(numbers, dtype=np.int32))
        titles, texts = part["title"].tolist(), part["text"].tolist()
        sets = gram_sets([title + text for title, text in zip(titles, texts, strict=True)], bigrams=False)
        return rows, sets, gram_sets(_headings(titles, texts), bigrams=True)

    def _match(self, rows: Rows, sets: GramSets, headings: GramSets) -> tuple[Rows, Rows]:
        """Row that each dated report copies, and row whose matter it joins; NONE where there is none."""
        left, right = self._duplicates.add(sets, dated=True)
        no_later = self._passed(left, right) >= 0
        copied = self._duplicates.most_similar(left[no_later], right[no_later], rows)
        copied_in_time = np.where(self._passed(rows, copied) < self._window, copied, NONE)
        similar = self._resembling(rows, headings, only_sampled=False)
        return copied, np.where(copied_in_time != NONE, copied_in_time, similar)

    def _resembling(self, rows: Rows, headings: GramSets, *, only_sampled: bool) -> Rows:
        """Row of the most similar earlier report if it is similar enough, or NONE, for each dated report.

        Args:
            rows: The reports' row numbers, shape (n_rows,).
            headings: N-grams of their headings.
            only_sampled: Compare nothing but what the level of chance is measured on; the answer is then of no use.
        """
        n_before = self._similar.n_reports
        sampled_from = int(rows[0]) + self._chance.first_sampled(n_before) - n_before

        def keep(left: Rows, right: Rows) -> NDArray[np.bool_]:
            return self._in_time(left, right) & ((left >= sampled_from) | (not only_sampled))

        compare = keep if sampled_from <= rows[-1] or not only_sampled else None
        left, right, heading, text = self._similar.add(headings, self._area.values[rows].astype(np.int64), compare)
        likeness = similarity(heading, text)
        odds = log_odds(heading, text, self._passed(left, right) / _MICROSECONDS_A_DAY)
        elsewhere = self._elsewhere(left, right)
        alike = self._alike(likeness, odds, elsewhere)
        sampled = rows[(rows >= sampled_from) & (self._area.values[rows] != NONE)]
        measured = elsewhere & (left >= sampled_from)
        for level, values in ((self._chance, likeness), (self._chance_odds, odds)):
            level.count(sampled, left[measured], values[measured], n_after=self._similar.n_reports)
        return best_earlier(left[alike], right[alike], odds[alike], rows)

    def _alike(self, likeness: Reals, odds: Reals, elsewhere: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether each pair is taken for one matter: alike in heading and text, or alike, near in time and of one area."""
        params = self._params
        raised = max(0.0, self._chance.level - params.matter_similarity)
        enough = raised + np.where(elsewhere, params.matter_similarity_other_area, params.matter_similarity)
        sure = max(self._chance_odds.level, params.matter_log_odds)
        alike: NDArray[np.bool_] = (likeness >= enough) | (~elsewhere & (odds >= sure))
        return alike

    def _match_undated(self, rows: Rows, sets: GramSets, headings: GramSets) -> tuple[Rows, Rows]:
        """The same for reports without a date."""
        copied = self._duplicates.most_similar(*self._duplicates.add(sets, dated=False), rows)
        self._similar.add_undated(headings)
        return copied, copied

    def _passed(self, rows: Rows, earlier: Rows) -> NDArray[np.int64]:
        """Microseconds from the earlier report of each pair to the other, shape (n_pairs,)."""
        return self._received.values[rows] - self._received.values[earlier]

    def _in_time(self, rows: Rows, earlier: Rows) -> NDArray[np.bool_]:
        """Whether the earlier report of each pair was received no later and within the window."""
        passed = self._passed(rows, earlier)
        return (passed >= 0) & (passed < self._window)

    def _elsewhere(self, rows: Rows, earlier: Rows) -> NDArray[np.bool_]:
        """Whether the areas of each pair are known and differ, shape (n_pairs,)."""
        one, other = self._area.values[rows], self._area.values[earlier]
        elsewhere: NDArray[np.bool_] = (one != other) & (one != NONE) & (other != NONE)
        return elsewhere

    def _with_columns(self, reports: pd.DataFrame, places: Rows) -> pd.DataFrame:
        """Reports with what was given to the rows at some places."""
        groups = [self._groups[place] for place in places]
        originals = (group.removeprefix("d-") for group in groups)
        copies = [None if own == first else first for own, first in zip(reports["report_id"], originals, strict=True)]
        matters = [self._matters[place] for place in places]
        columns = {"duplicate_group": groups, "duplicate_of": copies, "matter_id": matters}
        return reports.assign(**{name: pd.Series(values, reports.index, dtype=object) for name, values in columns.items()})


def _order(reports: pd.DataFrame) -> Rows:
    """Positions of the reports in the order they are taken."""
    keys = reports[["received_at", "report_id"]].reset_index(drop=True)
    keys.loc[keys["received_at"].isna(), "report_id"] = ""  # undated reports stay as they come
    order: Rows = keys.sort_values(["received_at", "report_id"], kind="stable", na_position="last").index.to_numpy()
    return order


def _headings(titles: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Title of each report, or how it begins where the title says too little."""
    pairs = zip(titles, texts, strict=True)
    return [title if len(title) >= _SHORT_TITLE else f"{title} {text}"[:_HEADING_CHARACTERS] for title, text in pairs]
