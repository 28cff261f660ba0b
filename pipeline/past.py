"""Past nights, real or replayed, beside what became of their reports since."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from pipeline.dataset.history import add_history
from pipeline.dataset.labels import add_labels
from pipeline.evaluation.backtesting import Fates, fates
from pipeline.nightly import draw_seed
from pipeline.nights import manifest
from pipeline.orders import Arrivals, Given, Said, arrivals, given_by
from pipeline.params import Params, Profile, midnight
from pipeline.refits import Known


@dataclass(frozen=True)
class Past:
    """Nights and what became of their reports; the n-th entry everywhere is the n-th report.

    Attributes:
        nights: Folder with one folder a published night.
        params: Parameters the nights were run with.
        profile: The profile, with the capacity of the nights.
        days: The nights.
        known: Everything known now.
        reports: REPORTS that could be given out on one of them, with labels as known now and history as known then.
        came: The same as a replay of another order needs them.
        fate: What became of them.
        given: What the nights gave somebody to read.
        said: What was last said of every report on each night.
    """

    nights: Path
    params: Params
    profile: Profile
    days: list[date]
    known: Known
    reports: pd.DataFrame
    came: Arrivals
    fate: Fates
    given: Given
    said: list[Said]


def look_back(nights: Path, days: list[date], known: Known, params: Params, profile: Profile) -> Past:
    """Read past nights and line up what became of their reports.

    Args:
        nights: Folder with one folder a published night.
        days: Nights that followed one another, ascending; each must be published.
        known: What is known now.
        params: Parameters the nights were run with.
        profile: The profile, with the capacity of the nights.
    """
    reports = _with_fates(known, params, profile, nights, days)
    fate = fates(reports, [pd.Timestamp(midnight(day, profile.timezone)) for day in days])
    came = arrivals(reports, fate.first_night, [draw_seed(params, day) for day in days])
    given, said = given_by(nights, days, pd.Index(reports["report_id"]))
    return Past(nights, params, profile, days, known, reports, came, fate, given, said)


def _with_fates(known: Known, params: Params, profile: Profile, nights: Path, days: list[date]) -> pd.DataFrame:
    """The reports the nights could give out, with what became of them and with their history."""
    labelled = add_labels(
        known.reports,
        known.outcomes,
        sources=profile.sources,
        as_of=pd.Timestamp(midnight(profile.as_of, profile.timezone)),
        label_window_days=profile.label_window_days,
        follow_up_days=params.dataset.follow_up_days,
        re_report_reporters=profile.re_report_reporters,
    )
    opening = date.fromisoformat(manifest(nights / days[0].isoformat())["opening"])
    begin, end = (midnight(day, profile.timezone) for day in (opening, days[-1]))
    is_open = (labelled["received_at"] >= begin) & (labelled["received_at"] < end)
    return add_history(labelled[is_open].reset_index(drop=True), earlier=known.reports[~is_open.to_numpy()])
