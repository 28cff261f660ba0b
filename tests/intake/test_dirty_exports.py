import csv
from datetime import UTC, date, datetime

from pipeline import schema
from pipeline.intake.admission import admit, together
from pipeline.intake.sources import read
from pipeline.simulator import simulate
from tests.intake.builders import intake_params, make_source

COLUMNS = {"source_id": "report_id", "received_at": "received_at", "title": "title", "narrative": "body"}


def test_of_a_dirty_export_just_the_rows_that_must_be_rejected_are(tmp_path):
    simulate(tmp_path, n_reports=900, seed=3, scenario="dirty", start=date(2025, 1, 1), days=274)
    with (tmp_path / "truth" / "dirty.csv").open(encoding="utf-8", newline="") as file:
        must_reject = {int(row["row"]) for row in csv.DictReader(file) if row["must_reject"] == "1"}
    source = make_source("reports.csv", columns=COLUMNS)
    admitted = together(
        admit(
            [(source, read(source, tmp_path, batch_rows=300))],
            earlier=schema.REPORTS.empty(),
            as_of=datetime(2026, 1, 1, tzinfo=UTC),
            params=intake_params(),
            key=b"k" * 16,
            n_processes=1,
        )
    )
    assert len(must_reject) > 20
    assert set(admitted.rejected["source_row"]) == must_reject
    assert len(admitted.reports) == 900 - len(must_reject)
