"""`triage adapt`: pre-training goes on with the profile's own reports.

Language models gain from unlabelled text of the very kind they will read (Gururangan et al., Don't Stop Pretraining, 2020).
Only reports of the training split are read, so that nothing of a report that tests the model is known beforehand. The weights
that result have seen real reports: they stay out of the repository.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.encoder.params import EncoderParams
from pipeline.encoder.stage import EncoderSummary, continue_pretraining
from pipeline.errors import TrainingError
from pipeline.params import load_project
from pipeline.schema import EXAMPLES
from pipeline.settings import read_yaml


def adapt(root: Path) -> EncoderSummary:
    """Go on with the encoder of `models/encoder/config.yaml` on the training reports of the chosen profile.

    Args:
        root: The project's folder. The result goes to `models/encoder/<name>-<profile>`; name it in
            `models/transformer/config.yaml` to fine-tune it. A run that was stopped goes on where it stood.

    Raises:
        TrainingError: If there is no encoder to start from, or the profile has no training report.
    """
    _, profile, places = load_project(root)
    params = read_yaml(root / "models" / "encoder" / "config.yaml", EncoderParams)
    start = params.exported(root)
    if not (start / "config.json").is_file():
        raise TrainingError(f"There is no encoder in {start} to go on with. Run `triage run encoder` first.")
    examples = EXAMPLES.read(places.examples)
    learned = examples[examples["split"] == "train"]
    if learned.empty:
        raise TrainingError(
            f"Profile {profile.name} has no training report to learn from. Check its split and run dataset again."
        )
    texts = [f"{title}\n{text}".strip() for title, text in zip(learned["title"], learned["text"], strict=True)]
    own = params.adapted(profile.name)
    return continue_pretraining(texts, own, start=start, work=own.work(root), exported=own.exported(root))
