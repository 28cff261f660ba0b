"""Results of earlier measurements, one JSON line each, so that a regression shows."""

import json
import os
import subprocess
import time
from pathlib import Path

from pipeline.scoring.choosing import processor
from tests.conftest import ROOT

HISTORY = Path(__file__).with_name("history.jsonl")


def record(bench: str, figures: dict[str, object]) -> None:
    """Print a measurement beside the last one of this processor, and keep it."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    lines = HISTORY.read_text(encoding="utf-8").splitlines() if HISTORY.exists() else []
    before = [one for one in map(json.loads, lines) if one["bench"] == bench and one["processor"] == processor()]
    print(f"\n{bench}, load {os.getloadavg()[0]:.1f}")
    for name, figure in figures.items():
        last = f"   (last time {before[-1]['figures'].get(name)})" if before else ""
        print(f"  {name:<48} {figure}{last}")
    entry = {
        "bench": bench, "day": time.strftime("%Y-%m-%d"), "commit": commit, "processor": processor(),
        "load": round(os.getloadavg()[0], 1), "figures": figures,
    }  # fmt: skip
    with HISTORY.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
