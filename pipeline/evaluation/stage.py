"""`triage run evaluation MODEL`: measure a model on the test split and write what an analyst reads.

Writes into `data/evaluation/<profile>/<model>`: `metrics.json`, `per_class.csv`, `slices_category.csv`, `slices_risk.csv`,
`report.html`, and in `plots/` the pictures and the tables behind them.
"""

import json
import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.errors import ArtifactError, SchemaError
from pipeline.evaluation.baselines import load_harm_words
from pipeline.evaluation.fonts import choose_labels
from pipeline.evaluation.measuring import Inputs, Results, measure
from pipeline.evaluation.plots import draw, precision_recall, reliability, volume_by_split
from pipeline.evaluation.report import Page, inline, png, records, render
from pipeline.evaluation.slices import gather_small
from pipeline.evaluation.summary import as_metrics, limits, ranking_rows, sentences, stated_rows
from pipeline.evaluation.trust import make_trust, trust_sections, trust_tables
from pipeline.evaluation.trust_plots import draw_trust
from pipeline.params import Params, Places, Profile, load_project
from pipeline.schema import EXAMPLES, LOGITS, PROBABILITIES
from pipeline.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
PREDICTED = ("category_logits", "risk_logit", "category_probabilities", "category_set", "lane", "risk")
"""What a model says of a report, before calibration and after."""
BASELINE = "baseline"  # whose text-only score is one of the first baselines, whichever model is measured


@dataclass(frozen=True)
class EvaluationSummary:
    """What the stage measured; NaN where there was nothing to measure.

    Attributes:
        n_category: Test reports with a category.
        macro_f1: Of the category.
        n_risk: Test reports with a settled escalation.
        average_precision: Of the risk.
        report: The page to read.
    """

    n_category: int
    macro_f1: float
    n_risk: int
    average_precision: float
    report: Path


def run(root: Path, model: str) -> EvaluationSummary:
    """Measure a model on the test split.

    Args:
        root: The project's folder.
        model: The model's name, such as `baseline`.

    Raises:
        SchemaError: If the probabilities are not those of the examples.
    """
    started = time.perf_counter()
    params, profile, places = load_project(root)
    inputs = _read(params, places, profile, model)
    results = measure(inputs)
    folder = places.evaluation(model)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "plots").mkdir(parents=True)
    metrics = as_metrics(results.category, results.risk) | trust_sections(results)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _write_tables(folder, inputs, results)
    _write_report(folder, inputs, results, profile, model, _promised(places, model).risk_method)
    summary = _summarize(results, folder / "report.html")
    logger.info(
        "evaluation: %d test reports; category %d, macro-F1 %.3f; risk %d, PR-AUC %.3f (%.1f s)",
        len(inputs.test),
        summary.n_category,
        summary.macro_f1,
        summary.n_risk,
        summary.average_precision,
        time.perf_counter() - started,
    )
    return summary


@dataclass(frozen=True)
class Promised:
    """What a model's calibrators say of themselves.

    Attributes:
        risk_method: How risks were calibrated, for the page.
        level: Coverage the category sets promise, in (0, 1).
        shared: For each category, whether it has no threshold of its own.
    """

    risk_method: str
    level: float
    shared: tuple[bool, ...]


def _promised(places: Places, model: str) -> Promised:
    """Read from `calibrators.json` what was promised.

    Raises:
        ArtifactError: If it does not say.
    """
    path = places.model(model) / "calibrators.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sets = content["sets"]
        shared = tuple(len(scores) < sets["min_reports"] for scores in sets["scores"])
        return Promised(str(content["risk"]["method"]), float(sets["level"]), shared)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} does not hold calibrators. Run `triage run calibration --model {model}` again.") from error


def _read(params: Params, places: Places, profile: Profile, model: str) -> Inputs:
    """What the stages wrote for the model.

    Raises:
        SchemaError: If its probabilities and its logits are of different reports.
    """
    probabilities = PROBABILITIES.read(places.model(model) / "probabilities.parquet")
    logits = LOGITS.read(places.model(model) / "logits.parquet")[["report_id", "category_logits", "risk_logit"]]
    predicted = probabilities.merge(logits, on="report_id", validate="one_to_one")
    if len(predicted) < len(probabilities):
        raise SchemaError(
            f"The logits of '{model}' miss {len(probabilities) - len(predicted)} of the {len(probabilities)} reports it has "
            f"probabilities of. Run the stages of '{model}' and calibration again."
        )
    return prepare(params, places, profile, predicted, _promised(places, model), model=model)


def prepare(
    params: Params, places: Places, profile: Profile, predicted: pd.DataFrame, promised: Promised, *, model: str
) -> Inputs:
    """Everything the measures need, from the tables on disk and what a model predicts.

    Args:
        params: Of the project.
        places: Of the profile.
        profile: The profile.
        predicted: `report_id` and `PREDICTED` of every test report; other rows and columns are not looked at.
        promised: By the model's calibrators.
        model: The model's name, for messages.

    Raises:
        SchemaError: If nothing is predicted for a test report.
    """
    examples = EXAMPLES.read(places.examples)
    predicted = predicted.set_index("report_id")[list(PREDICTED)]
    test = examples[examples["split"] == "test"].sort_values("report_id").reset_index(drop=True)
    n_missing = int((~test["report_id"].isin(predicted.index)).sum())
    if n_missing:
        raise SchemaError(
            f"The probabilities of '{model}' must be of the same reports as EXAMPLES; {n_missing} of {len(test)} test reports "
            f"have none. Run the stages of '{model}' and calibration again."
        )
    test = test.join(predicted, on="report_id")
    text_only = places.model(BASELINE) / "text_only.parquet"
    if text_only.exists():
        scores = LOGITS.read(text_only).set_index("report_id")["risk_logit"]
        if test["report_id"].isin(scores.index).all():
            test["text_only"] = scores.loc[test["report_id"]].to_numpy()
    taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    return Inputs(
        examples=examples,
        test=test,
        taxonomy=taxonomy,
        harm_words=load_harm_words(places.taxonomy("harm_words")),
        timezone=profile.timezone,
        capacity=profile.capacity,
        level=promised.level,
        shared=dict(zip(taxonomy.ids, promised.shared, strict=True)),
        waivers=profile.waivers,
        as_of=profile.as_of,
        params=params.evaluation,
        seed=params.seed,
    )


def _write_tables(folder: Path, inputs: Inputs, results: Results) -> None:
    """CSV for people (tables) and for `dvc plots` (in `plots/`); no table holds a text."""
    tables: dict[str, pd.DataFrame] = {
        "slices_category.csv": results.category_slices,
        "slices_risk.csv": results.risk_slices,
        **trust_tables(results),
    }
    n_bins = inputs.params.n_bins
    if results.category is not None:
        category, ids = results.category, inputs.taxonomy.ids
        pairs = [
            (ids[row], ids[column], category.confusion[row, column]) for row in range(len(ids)) for column in range(len(ids))
        ]
        tables["per_class.csv"] = category.per_class
        tables["plots/confusion.csv"] = pd.DataFrame(
            [{"actual": actual, "predicted": predicted} for actual, predicted, n in pairs for _ in range(n)]
        )
        tables["plots/reliability_category.csv"] = reliability(category.confidence, category.right, n_bins)
    if results.risk is not None:
        tables["plots/precision_recall.csv"] = precision_recall(results.risk)
        tables["plots/capacity.csv"] = results.risk.curve
        tables["plots/reliability_risk.csv"] = reliability(results.risk.risk, results.risk.escalated, n_bins)
    for name, table in tables.items():
        if len(table):
            table.map(_harmless).to_csv(folder / name, index=False, float_format="%.6g")


def _harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: area and channel names come from sources."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _write_report(folder: Path, inputs: Inputs, results: Results, profile: Profile, model: str, risk_method: str) -> None:
    chinese = {category.id: category.zh for category in inputs.taxonomy.categories}
    english = {category.id: category.en for category in inputs.taxonomy.categories}
    labels = choose_labels(chinese, english)
    figures = draw(
        results.category,
        results.risk,
        volume_by_split(inputs.examples, inputs.timezone),
        labels,
    ) | draw_trust(results, labels, inputs.params)
    for name, figure in figures.items():
        (folder / "plots" / f"{name}.png").write_bytes(png(figure))
    per_class = records(results.category.per_class) if results.category is not None else []
    page = Page(
        model=model,
        profile=profile.name,
        as_of=profile.as_of.isoformat(),
        summary=sentences(
            results.category, results.risk, english, capacity=inputs.capacity, max_day_share=inputs.params.max_day_share
        ),
        limits=limits(results.category, results.risk, risk_method),
        rankings=ranking_rows(results.risk) if results.risk is not None else [],
        stated=stated_rows(results.risk) if results.risk is not None else [],
        per_class=[row | {"zh": chinese[str(row["category"])], "en": english[str(row["category"])]} for row in per_class],
        category_slices=records(gather_small(results.category_slices, inputs.params.min_slice_reports)),
        risk_slices=records(gather_small(results.risk_slices, inputs.params.min_slice_reports)),
        min_slice_reports=inputs.params.min_slice_reports,
        confidence=inputs.params.confidence,
        trust=make_trust(results, chinese, english),
        figures={name: inline(figure) for name, figure in figures.items()},
    )
    (folder / "report.html").write_text(render(page), encoding="utf-8")


def _summarize(results: Results, report: Path) -> EvaluationSummary:
    category, risk = results.category, results.risk
    return EvaluationSummary(
        n_category=0 if category is None else category.n_reports,
        macro_f1=float("nan") if category is None else category.summary["macro_f1"].point,
        n_risk=0 if risk is None else risk.n_reports,
        average_precision=float("nan") if risk is None else risk.rankings["model"]["average_precision"].point,
        report=report,
    )
