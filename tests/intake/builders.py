"""Small sources and rows, written by hand."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.intake.matters import MatterIndex
from pipeline.intake.registration import Source, SourceFile
from pipeline.intake.sources import RawBatch, read
from pipeline.params import load_params
from pipeline.sections import IntakeParams
from tests.conftest import ROOT

AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
COLUMNS = {"source_id": "id", "received_at": "time", "title": "title", "narrative": "text"}


def make_source(*files: str, **changes: Any) -> Source:
    """A dated CSV source called `desk`, unless told otherwise."""
    given = {
        "name": "desk", "kind": "reports", "title": "invented", "origin": "invented", "licence": "CC0-1.0", "owner": "nobody",
        "as_of_day": None, "pii": "none", "n_rows": None, "url": None, "format": "csv", "timezone": "Asia/Shanghai",
        "dated": True, "columns": COLUMNS, "files": [{"path": name, "sha256": None} for name in files or ("desk.csv",)],
    }  # fmt: skip
    return Source.model_validate(given | changes)


def make_file(path: str, sha256: str | None = None) -> SourceFile:
    return SourceFile(path=path, sha256=sha256)


def read_all(source: Source, folder: Path, *, batch_rows: int = 1000) -> RawBatch:
    """All batches of a source as one."""
    batches = list(read(source, folder, batch_rows=batch_rows))
    return RawBatch(
        pd.concat([batch.rows for batch in batches], ignore_index=True),
        pd.concat([batch.rejected for batch in batches], ignore_index=True),
    )


def reasons(rejected: pd.DataFrame) -> list[tuple[int, str]]:
    """Row numbers and reasons."""
    return list(zip(rejected["source_row"].tolist(), rejected["reason"].tolist(), strict=True))


def intake_params(**changes: Any) -> IntakeParams:
    return load_params(ROOT).intake.model_copy(update=changes)


def make_index(**changes: Any) -> MatterIndex:
    return MatterIndex(intake_params(**changes))
