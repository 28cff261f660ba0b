"""What a night tells people about: surges, growing matters and something new, on one page.

The night hands over the reports it knows and what the model says of those it scored. Everything else follows from earlier
nights' folders: how each report is counted, the groups of reports without a category, and the alerts raised so far. Nothing
received or recorded on the day of the night or later plays a part, and the same night again gives the same alerts.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from pipeline import schema
from pipeline.emerging.charts import draw
from pipeline.emerging.raising import Known, raise_alerts
from pipeline.errors import SourceError
from pipeline.params import Params, Places, Profile, load_project, midnight
from pipeline.registry import TrainedModel
from pipeline.sections import EmergingParams
from pipeline.taxonomy import load_taxonomy


@dataclass(frozen=True)
class Alerted:
    """What a night publishes beside its queue.

    Attributes:
        alerts: ALERTS, those of earlier nights included.
        counted: COUNTED, of the reports this night admitted.
        candidates: CANDIDATES.
        charts: Alert to its chart as SVG, of those open.
    """

    alerts: pd.DataFrame
    counted: pd.DataFrame
    candidates: pd.DataFrame
    charts: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the tables and charts into a night's folder."""
        schema.ALERTS.write(self.alerts, folder / "alerts.parquet")
        schema.COUNTED.write(self.counted, folder / "counted.parquet")
        schema.CANDIDATES.write(self.candidates, folder / "candidates.parquet")
        (folder / "charts").mkdir()
        for alert_id, chart in self.charts.items():
            (folder / "charts" / f"{alert_id}.svg").write_text(chart, encoding="utf-8")


def alert_night(
    places: Places,
    as_of: date,
    *,
    earlier: pd.DataFrame,
    new: pd.DataFrame,
    scored: pd.DataFrame,
    model: TrainedModel,
    params: Params,
    profile: Profile,
) -> Alerted:
    """Find what is emerging on the morning of `as_of`.

    Args:
        places: Where the profile keeps its nights and its taxonomy.
        as_of: The morning.
        earlier: REPORTS admitted by earlier nights.
        new: REPORTS admitted by this one.
        scored: Open reports with `report_id`, `category`, `category_probability` as the model gave them.
        model: Names the categories of new reports that are not open.
        params: The project's parameters.
        profile: The profile.
    """
    folders = [folder for folder in sorted(places.nights.glob("????-??-??")) if date.fromisoformat(folder.name) < as_of]
    last = date.fromisoformat(folders[-1].name) if folders else None
    counted = count_as(new, scored, model, as_of=as_of, last=last, params=params.emerging, timezone=profile.timezone)
    before = [schema.COUNTED.read(folder / "counted.parquet") for folder in _with(folders, "counted.parquet")]
    known = Known(
        reports=_joined([earlier, new]),
        counted=_joined([*before, counted]),
        alerts=_last(folders, "alerts.parquet", schema.ALERTS),
        candidates=_last(folders, "candidates.parquet", schema.CANDIDATES),
        new=frozenset(new["report_id"]),
    )
    taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    units = {category.id: category.unit for category in taxonomy.categories}
    raised = raise_alerts(known, as_of, params=params.emerging, timezone=profile.timezone, seed=params.seed, units=units)
    charts = {alert_id: draw(chart) for alert_id, chart in raised.charts.items()}
    return Alerted(raised.alerts, counted, raised.candidates, charts)


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables one below the other; empty ones add nothing, not even their types."""
    return pd.concat([table for table in tables if len(table)] or tables[-1:], ignore_index=True)


def _with(folders: list[Path], name: str) -> list[Path]:
    """The folders that hold a file; nights from before there were alerts do not."""
    return [folder for folder in folders if (folder / name).exists()]


def _last(folders: list[Path], name: str, table: schema.Table) -> pd.DataFrame:
    """A table as the last night left it, without rows where there was none."""
    holding = _with(folders, name)
    return table.read(holding[-1] / name) if holding else table.empty()


def count_as(
    new: pd.DataFrame,
    scored: pd.DataFrame,
    model: TrainedModel,
    *,
    as_of: date,
    last: date | None,
    params: EmergingParams,
    timezone: str,
) -> pd.DataFrame:
    """Say how new reports are counted: by their source's category, else the model's; and which of them came late.

    A report is late if it was received before the night before this one looked, and was not among its reports.
    """
    since = midnight(as_of - timedelta(days=params.counted_days), timezone)
    said = scored.drop_duplicates("report_id").set_index("report_id")[["category", "category_probability"]]
    rest = new[~new["report_id"].isin(said.index) & (new["received_at"] >= since)]
    if len(rest):
        guessed = model.score(rest.assign(**dict.fromkeys(schema.HISTORY, 0.0)))
        guessed.index = pd.Index(rest["report_id"])
        said = pd.concat([part for part in (said, guessed[said.columns]) if len(part)])
    ids = new["report_id"]
    category = new["category"].where(new["category"].notna(), ids.map(said["category"]))
    ends = pd.Timestamp(midnight(as_of, timezone)) - pd.Timedelta(microseconds=1)
    late = (new["received_at"] < midnight(last, timezone)) if last is not None else pd.Series(False, index=new.index)
    recorded = new["received_at"].where(~late, ends) if last is not None else new["received_at"].where(late)
    return schema.COUNTED.check(
        pd.DataFrame(
            {
                "report_id": ids, "recorded_at": recorded, "category": category.astype(object),
                "category_probability": ids.map(said["category_probability"]).astype(float),
            }
        )
    )  # fmt: skip


def alerted_night(root: Path, as_of: date | None) -> str:
    """The published night whose alerts are asked for: that of a day, or the last one.

    Raises:
        SourceError: If there is none.
    """
    _, profile, places = load_project(root)
    folders = _with(sorted(places.nights.glob("????-??-??")), "alerts.parquet")
    names = [folder.name for folder in folders if as_of is None or folder.name == as_of.isoformat()]
    if not names:
        asked = f"of {as_of.isoformat()} " if as_of is not None else ""
        raise SourceError(
            f"No night {asked}of profile '{profile.name}' with alerts lies in {places.nights}. Run `triage nightly` first."
        )
    return names[-1]
