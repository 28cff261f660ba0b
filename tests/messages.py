"""The dated citizen messages, as written."""

import os
from pathlib import Path

import pandas as pd
import pytest

from tests.builders import make_reports
from tests.conftest import ROOT


def citizen_messages() -> pd.DataFrame:
    """REPORTS of all of them, in order of arrival; the test skips where they are not at hand."""
    folder = Path(os.environ.get("TRIAGE_MIRROR", ROOT.parent / "shared" / "data"))
    path = folder / "tipdm2020_citizen_messages" / "messages_votes_3304.jsonl.gz"
    if not path.exists():
        pytest.skip("needs the citizen messages: set TRIAGE_MIRROR")
    raw = pd.read_json(path, lines=True)
    received = raw["created_at"].dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC")
    return make_reports(
        received.astype(str).tolist(),
        report_id=raw["msg_id"].astype(str),
        title=raw["title"],
        text=raw["text"],
        area=raw["area"],
        reporter_hash=raw["user_id"],
    ).sort_values(["received_at", "report_id"], ignore_index=True)
