"""Runs one night whose shards note when they are finished; a process of its own, so that a test can kill it.

python -m tests.connecting.killed_night <project> <day> <notes>
"""

import os
import sys
import time
from datetime import date
from pathlib import Path

from pipeline import nightly
from pipeline.registry import TrainedModel, champion
from pipeline.scoring import shards

SLOWER_SECONDS = 0.15  # a shard of this small project takes nothing; a kill should find one at work


def run(root: Path, day: date, notes: Path) -> None:
    """Run the night with 5 reports a shard, noting every shard that is finished."""
    write = shards.write_scores
    score = TrainedModel.score

    def noting(scores, file):
        write(scores, file)
        with notes.open("a", encoding="utf-8") as said:
            said.write(f"{file.name}\n")
            said.flush()
            os.fsync(said.fileno())

    def slowly(self, reports):
        time.sleep(SLOWER_SECONDS)
        return score(self, reports)

    shards.write_scores = noting
    TrainedModel.score = slowly
    nightly.run_night(root, day, model=champion(root, "desk"))


if __name__ == "__main__":
    run(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), Path(sys.argv[3]))
