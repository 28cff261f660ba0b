"""Writes down what happens, event by event: the row an export would have, and the truth beside it."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from random import Random

from pipeline.simulator import dirty
from pipeline.simulator.facts import settle
from pipeline.simulator.grammar import shared
from pipeline.simulator.matters import Matter, hazard
from pipeline.simulator.numbers import digits, plain_mobile
from pipeline.simulator.personal import Wording
from pipeline.simulator.scenarios import CATEGORIES, Scenario
from pipeline.simulator.schedule import Event
from pipeline.simulator.wording import write
from pipeline.simulator.writing import COLUMNS, Files, as_line

_SHARE_COPIED = 0.14  # of the later reports of a matter: about 3 % of all
_SHARE_EDITED = 0.4  # of the copies: something is put before or after
_SHARE_UNLABELLED, _SHARE_MISLABELLED = 0.10, 0.02
_SHARE_WITHOUT_AREA = 0.03
_BEFORE, _AFTER = ("【转发】", "补充：", "再发一遍：", "代邻居转：", ""), ("（重复来电）", "请尽快！", "再次请求处理。", "谢谢")


class Town:
    """Keeps count of reports, and writes each into the files as it comes."""

    def __init__(self, scenario: Scenario, random: Random, files: Files) -> None:
        self._scenario, self._random, self._files = scenario, random, files
        self._midnight = datetime.combine(scenario.start, time.min)
        self._n_reports = 0
        self._accepted_id = ""

    def take(self, event: Event) -> None:
        """Write down a report or an outcome; an outcome of a matter that nobody reported leaves no trace."""
        if event.place >= 0:
            self._report(event)
        elif event.matter.last_report_id:
            self._files.row("outcomes.csv", event.matter.last_report_id, event.matter.outcome, self._clock(event.time))

    def _clock(self, seconds: float) -> str:
        return (self._midnight + timedelta(seconds=int(seconds))).isoformat(sep=" ")

    def _report(self, event: Event) -> None:
        matter, random = event.matter, self._random
        if not matter.facts:
            settle(random, matter)
            self._write_matter(matter)
        self._n_reports += 1
        report_id = f"S{self._n_reports:07d}"
        copied = matter.last_report_id if random.random() < _SHARE_COPIED else ""
        written = self._copy(matter) if copied else write(random, matter, event.place)
        row = {
            "report_id": report_id,
            "received_at": self._clock(event.time),
            "title": written.title,
            "body": written.body,
            "area": "" if random.random() < _SHARE_WITHOUT_AREA else matter.facts["area"],
            "channel": random.choices(shared().channels, shared().channel_weights)[0],
            "reporter": self._reporter(matter, matter.reporters[event.place]),
            "category": self._label(CATEGORIES[matter.category]),
        }
        if random.random() < self._scenario.share_dirty:
            row, accepted = self._write_spoilt(row)
        else:
            self._files.row("reports.csv", *row.values())
            accepted = True
        self._write_truth(report_id, matter, copied)
        if accepted:
            self._write_items(row, written)
            matter.last_report_id, matter.last_wording, self._accepted_id = report_id, written, report_id

    def _copy(self, matter: Matter) -> Wording:
        """What an earlier report of the matter said, word for word or nearly."""
        written, random = matter.last_wording, self._random
        if random.random() > _SHARE_EDITED:
            return written
        return replace(written, body=random.choice(_BEFORE) + written.body + random.choice(_AFTER))

    def _write_spoilt(self, row: dict[str, str]) -> tuple[dict[str, str], bool]:
        """Write the row damaged; returns its fields as damaged, and whether intake may take it."""
        kind = dirty.kind_of(self._files.n_rows["truth/dirty.csv"])
        row = dirty.spoil_fields(self._random, kind, row, self._accepted_id)
        line = as_line([row[name] for name in COLUMNS["reports.csv"]])
        self._files.raw("reports.csv", dirty.spoil_bytes(kind, line, row["body"]))
        must_reject = dirty.KINDS[kind]
        self._files.row("truth/dirty.csv", self._files.n_rows["reports.csv"], kind, int(must_reject))
        return row, not must_reject

    def _write_matter(self, matter: Matter) -> None:
        self._files.row(
            "truth/matters.csv", matter.number, matter.facts["area"], CATEGORIES[matter.category], f"{matter.severity:.4f}",
            self._clock(matter.times[0]), int(matter.growing), int(matter.in_surge), int(matter.drifted),
            CATEGORIES[matter.second] if matter.second != matter.category else "", f"{hazard(matter):.6f}",
            matter.outcome or "",
        )  # fmt: skip

    def _write_truth(self, report_id: str, matter: Matter, copied: str) -> None:
        happened = self._clock(matter.outcome_time) if matter.outcome is not None else ""
        self._files.row(
            "truth/reports.csv", report_id, matter.number, CATEGORIES[matter.category], f"{matter.severity:.4f}",
            matter.outcome or "", happened, copied,
        )  # fmt: skip

    def _write_items(self, row: dict[str, str], written: Wording) -> None:
        """What was planted, as far as the row still has it."""
        for field, item in written.planted:
            if item.text in row[field]:
                self._files.row("truth/planted.csv", row["report_id"], field, item.kind, item.text)
        for field, text in written.decoys:
            if text in row[field]:
                self._files.row("truth/decoys.csv", row["report_id"], field, text)

    def _reporter(self, matter: Matter, person: int) -> str:
        """The id under which the export knows a person; the same person keeps it."""
        if person not in matter.people:
            is_phone = self._random.random() < 0.7
            matter.people[person] = plain_mobile(self._random) if is_phone else f"u{digits(self._random, 8)}"
        return matter.people[person]

    def _label(self, category: str) -> str:
        """The category as the desk noted it: sometimes missing, sometimes wrong."""
        drawn = self._random.random()
        if drawn < _SHARE_UNLABELLED:
            return ""
        wrong = drawn < _SHARE_UNLABELLED + _SHARE_MISLABELLED
        return self._random.choice([other for other in CATEGORIES if other != category]) if wrong else category
