"""The sample that the repository ships: one fixed simulation, packed; `python -m pipeline.simulator.sample` writes it anew.

The packed files carry no time and no name, so that the same grammar gives the same bytes on every machine with one zlib.
Whoever changes the grammar runs this and puts the checksums it prints into `data/registry/sample.yaml` and `sample-
outcomes.yaml`.
"""

import gzip
import hashlib
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

from pipeline.simulator.simulation import SimulationSummary, simulate

PACKED = {"reports.csv": "sample", "outcomes.csv": "sample-outcomes"}
"""File to the source it belongs to."""
_LEVEL = 9


def simulate_sample(folder: Path) -> SimulationSummary:
    """Write the sample's files, not packed: 3,000 reports in the 274 days from 2025-01-01."""
    return simulate(folder, n_reports=3000, seed=7, scenario="surge", start=date(2025, 1, 1), days=274)


def write_sample(raw: Path) -> dict[str, str]:
    """Write the sample as it is shipped: a packed file in each source's folder, and the truth beside the reports.

    Args:
        raw: The folder `data/raw`.

    Returns:
        Path of each packed file below `raw` to its sha256.
    """
    checksums = {}
    with tempfile.TemporaryDirectory() as aside:
        simulate_sample(Path(aside))
        for name, source in PACKED.items():
            packed = gzip.compress((Path(aside) / name).read_bytes(), compresslevel=_LEVEL, mtime=0)
            target = raw / source / f"{name}.gz"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(packed)
            checksums[f"{source}/{name}.gz"] = hashlib.sha256(packed).hexdigest()
        shutil.copytree(Path(aside) / "truth", raw / "sample" / "truth", dirs_exist_ok=True)
    return checksums


if __name__ == "__main__":
    sys.stdout.write("".join(f"{digest}  {name}\n" for name, digest in write_sample(Path("data/raw")).items()))
