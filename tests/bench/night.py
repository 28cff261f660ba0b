"""Runs one night with a model that need not be champion, in a process of its own; started by `test_night.py`.

python -m tests.bench.night <project> <model> <day> [ray]

Without a day the model is only made ready: exported, measured and compared, as its first night would do.
"""

import logging
import sys
import tempfile
from datetime import date
from pathlib import Path

from pipeline import registry
from pipeline.acceleration import accelerate
from pipeline.nightly import run_night


def main(root: Path, name: str, day: str | None = None, where: str | None = None) -> None:
    """Score and publish the night before a day."""
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory() as aside:
        model = accelerate(root, registry.load(registry.assemble(root, name, Path(aside) / "artifact"), version=f"{name} 1"))
    elsewhere = None
    if where == "ray":
        from pipeline.scoring.distributed import on_ray

        elsewhere = on_ray(None)
    if day is not None:
        run_night(root, date.fromisoformat(day), model=model, elsewhere=elsewhere)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
