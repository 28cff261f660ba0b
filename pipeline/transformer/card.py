"""The model card: what the model is, learned from, is for and is not for, and what was measured.

Rendered from files, never by hand: the artifact's `classifier.json`, the dataset's `card.json`, the registry files of the
profile's sources, and the evaluation's `metrics.json`, `per_class.csv` and `slices_*.csv` where the evaluation has run. The
transformer stage puts it into the artifact without figures of the test split. After evaluation it is rendered again, with them,
into the evaluation's folder and into the artifact that is tracked and promoted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from pipeline.params import Places, Profile, load_project
from pipeline.transformer import artifact
from pipeline.transformer.artifact import Description

MODEL = "transformer"
_MUST_NOT = """\
It ranks **reports**, so that a person reads the right one first. It must not be used

- to score, profile, list or watch **people**, or to join one person's reports into a history;
- with area, reporter, sex, age, ethnicity, religion or household registration as an input: it reads title, text and counts of
  earlier reports of the same matter, nothing else;
- on texts that were not redacted: names, numbers and street addresses must be placeholders before it sees them;
- to find petitioning, protest, opinion, religion or ethnicity: it has no such category, and none may be added;
- to close, reject or delay a report by itself: low-ranked reports stay in the queue, a random share of them is read all the
  same, and a person decides with name and reason."""
_LIMITS = """\
- It knows the sources above and their time; other towns, channels and years will be read less well. Measure before relying.
- Longer texts are cut to {max_tokens} tokens, {head:.0%} from the head, the rest from the tail; what is between is not read.
- Where length went with escalation, who writes more is read sooner.
- Escalation is what was *recorded* within the label window. Harm nobody recorded counts as none.
- Logits are not probabilities; use them after calibration only."""


def render_card(root: Path) -> str:
    """The card of the chosen profile's transformer, as Markdown.

    Args:
        root: The project's folder.

    Raises:
        ArtifactError: If there is no artifact.
    """
    _, profile, places = load_project(root)
    fitted = places.model(MODEL) / "fitted"
    description = artifact.describe(fitted)
    sections = [
        f"# Transformer for profile `{profile.name}`",
        _model(description, fitted),
        _data(places, profile),
        "## Intended use\n\nCategory and escalation risk of short written reports of disputes and tips, as a proposal for the "
        "order in which people read them, after calibration, beside the baseline.",
        f"## Must not be used for\n\n{_MUST_NOT}",
        _training(description),
        _measured(places.evaluation(MODEL), _read_json(places.evaluation("baseline") / "metrics.json")),
        *_compared(places.room("comparison") / "curve.md"),
        "## Limits\n\n"
        + _LIMITS.format(max_tokens=description.params.input.max_tokens, head=description.params.input.head_share),
    ]
    return "\n\n".join(sections) + "\n"


def _model(description: Description, fitted: Path) -> str:
    choice = description.params.encoder
    config: dict[str, Any] = json.loads((fitted / "config.json").read_text(encoding="utf-8"))
    start = f"pre-trained: `{choice.pretrained.name}`" if choice.pretrained is not None else "random weights"
    if choice.pretrained is not None and choice.pretrained.revision is not None:
        start += f" at revision `{choice.pretrained.revision}`"
    layers = config.get("num_hidden_layers", config.get("n_layers", "?"))
    risk = (
        "learned from settled escalation labels"
        if description.joined is not None
        else "not learned: logits are zero throughout"
    )
    rows = [
        ("encoder", start),
        ("shape", f"{config.get('model_type')}, {layers} layers, width {config.get('hidden_size', config.get('dim', '?'))}"),
        ("size of the encoder", f"{(fitted / 'model.safetensors').stat().st_size / 1e6:.1f} MB"),
        ("categories", f"{len(description.categories)}, of which {len(description.learned)} had examples"),
        ("risk", risk),
        ("seed", str(description.seed)),
    ]
    return "## Model\n\n" + _table(("what", "value"), rows)


def _data(places: Places, profile: Profile) -> str:
    facts = _read_json(places.room("dataset") / "card.json")
    lines = [
        f"Everything known before {profile.as_of.isoformat()}; an outcome counts within {profile.label_window_days} days.",
        f"Examples: {facts.get('n_examples', 'unknown')}, digest `{facts.get('digest', 'unknown')}`.",
    ]
    rows = []
    for name in profile.sources:
        source = _read_yaml(places.source_file(name))
        rows.append(
            (name, str(source.get("title", "-")), str(source.get("licence", "not stated")), str(source.get("pii", "-")))
        )
    return "## Data\n\n" + "\n".join(lines) + "\n\n" + _table(("source", "title", "licence", "personal data"), rows)


def _training(description: Description) -> str:
    rows = [
        (
            str(result.epoch + 1),
            f"{result.loss:.4f}",
            "-" if result.macro_f1 is None else f"{result.macro_f1:.4f}",
            "-" if result.average_precision is None else f"{result.average_precision:.4f}",
            f"{result.seconds:.0f}",
        )
        for result in description.results
    ]
    header = ("epoch", "training loss", "validation macro-F1", "validation average precision of the text's risk", "seconds")
    configuration = yaml.safe_dump(description.params.model_dump(), sort_keys=False)
    return (
        "## Training\n\nThe weights are those of the best epoch on validation. Length and history joined the text's risk "
        "afterwards, on validation too.\n\n" + _table(header, rows) + f"\n\n```yaml\n{configuration}```"
    )


def _compared(curve: Path) -> list[str]:
    """The learning curve, where `triage compare` has measured one."""
    if not curve.exists():
        return []
    about = (
        "Test macro-F1 of the category with few and many labels: the same labels, splits and seeds for all, intervals paired "
        "over groups of copies, escalation labels left out. `curve.png` beside the table shows it. By `triage compare`."
    )
    return [f"## Learning curve\n\n{about}\n\n{curve.read_text(encoding='utf-8').strip()}"]


def _measured(folder: Path, baseline: dict[str, Any]) -> str:
    """Figures of the test split, as far as they were measured, with the baseline's beside them."""
    metrics = _read_json(folder / "metrics.json")
    if not metrics:
        return "## Measured on the test split\n\nNot evaluated yet: run calibration and evaluation, then render the card again."
    parts = ["## Measured on the test split"]
    for name in ("category", "risk"):
        values = metrics.get(name, {})
        found = [
            (key, _number(value), _interval(values, key), _number(baseline.get(name, {}).get(key, "-")))
            for key, value in values.items()
            if not key.endswith(("_low", "_high")) and isinstance(value, int | float)
        ]
        if found:
            parts.append(f"### {name.capitalize()}\n\n" + _table(("metric", "value", "interval", "baseline"), found))
    for file, title in (
        ("per_class.csv", "Per class"),
        ("slices_category.csv", "Category by slice"),
        ("slices_risk.csv", "Risk by slice"),
    ):
        if (folder / file).exists():
            frame = pd.read_csv(folder / file)
            rows = [tuple(_number(value) for value in row) for row in frame.itertuples(index=False)]
            parts.append(f"### {title}\n\n" + _table(tuple(map(str, frame.columns)), rows))
    return "\n\n".join(parts)


def _interval(values: dict[str, Any], key: str) -> str:
    if f"{key}_low" not in values:
        return ""
    return f"{_number(values[f'{key}_low'])} to {_number(values[f'{key}_high'])}"


def _number(value: object) -> str:
    if isinstance(value, float):
        return "-" if value != value else f"{value:.0f}" if value.is_integer() and abs(value) > 1 else f"{value:.3f}"
    return str(value)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return content


def _read_yaml(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return content
