"""Copies that a source itself declares, where its texts alone would not show them.

The labelled citizen messages hold the same message once as written and once segmented, without stop words: no comparison of
characters finds such a pair, but the source numbers it. Reports with one key belong to one duplicate group and one matter.

Limit: a report that has both a near copy under another key and a declared copy stays with the near copy, because groups given
to earlier reports are not changed any more. Only undated sources may declare copies.
"""

import pandas as pd


class DeclaredCopies:
    """Remembers the first report of every key, across batches."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, str, str]] = {}
        self._groups: dict[str, str] = {}
        self._matters: dict[str, str] = {}

    def join(self, reports: pd.DataFrame, keys: "pd.Series[str]") -> pd.DataFrame:
        """Put reports with a key seen before into the group and matter of the first with that key.

        Args:
            reports: REPORTS in order.
            keys: The duplicate key of each, shape (n_reports,); null where the source declares none.
        """
        if not keys.notna().any() and not self._groups:
            return reports
        groups, copies, matters = (reports[name].tolist() for name in ("duplicate_group", "duplicate_of", "matter_id"))
        for row, (report_id, source, key) in enumerate(zip(reports["report_id"], reports["source"], keys, strict=True)):
            own_group, own_matter = groups[row], matters[row]
            groups[row] = self._groups.get(own_group, own_group)
            matters[row] = self._matters.get(own_matter, own_matter)
            if key is None:
                continue
            first_id, group, matter = self._first.setdefault(f"{source}-{key}", (report_id, groups[row], matters[row]))
            if first_id != report_id and copies[row] is None:
                self._groups[own_group], self._matters[own_matter] = group, matter
                groups[row], copies[row], matters[row] = group, first_id, matter
        return reports.assign(duplicate_group=groups, duplicate_of=pd.Series(copies, dtype=object), matter_id=matters)
