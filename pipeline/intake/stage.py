"""The stage: registered files of a profile's sources to REPORTS, REJECTED, OUTCOMES and DECISIONS.

Rows stream from the files to Parquet; nothing is put in place before all of it is written and the share of rejected rows is
within its limit. `receive` does the same for a night, on top of the reports already admitted.
"""

import json
import logging
import time as clock
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from pipeline import schema
from pipeline.errors import SourceError
from pipeline.intake.admission import Admitted, add_up, admit, check_reject_limit, together
from pipeline.intake.decided import Decision, read_decisions
from pipeline.intake.hashing import secret_key
from pipeline.intake.judgements import read_judgements
from pipeline.intake.outcomes import read_outcomes
from pipeline.intake.registration import Kind, Source, load_source, verify
from pipeline.intake.rejection import Tally
from pipeline.intake.sources import RawBatch, read
from pipeline.intake.writing import Aside
from pipeline.params import Params, Places, Profile, load_project, midnight
from pipeline.sections import IntakeParams
from pipeline.taxonomy import load_outcomes, load_taxonomy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class IntakeSummary:
    """What came in.

    Attributes:
        profile: The profile.
        n_read: Rows of reports received before `as_of`.
        n_accepted: Reports.
        n_rejected: Rows that are no reports.
        n_duplicates: Reports that are near copies of earlier ones.
        n_matters: Distinct matters.
        n_outcomes: Outcomes recorded before `as_of`.
        n_decisions: Decisions of reviewers made before `as_of`.
        sources: Name to counts: `read`, `unseen`, `accepted`, `rejected`, `duplicates`, `unknown_labels`, `placeholder …`.
        reasons: Why rows were rejected, with counts.
        checksums: Source to file name to sha256.
    """

    profile: str
    n_read: int
    n_accepted: int
    n_rejected: int
    n_duplicates: int
    n_matters: int
    n_outcomes: int
    n_decisions: int
    sources: Mapping[str, Mapping[str, int]]
    reasons: Mapping[str, int]
    checksums: Mapping[str, Mapping[str, str]]


def run(root: Path) -> IntakeSummary:
    """Admit everything the profile learns from.

    Args:
        root: Project folder.

    Raises:
        SourceError: If a file is missing, empty, altered, without rows, or not what its registry file says.
        RejectLimitError: If too many rows of a source were rejected; what an earlier run wrote stays.
    """
    started = clock.perf_counter()
    params, profile, places = load_project(root)
    as_of = midnight(profile.as_of, profile.timezone)
    with (
        Aside(places.reports, schema.REPORTS) as reports,
        Aside(places.rejected, schema.REJECTED) as rejected,
        Aside(places.outcomes, schema.OUTCOMES) as outcomes,
        Aside(places.decisions, schema.DECISIONS) as decisions,
    ):
        tallies, n_matters, checksums = _admit_reports(root, profile, params, as_of, reports, rejected)
        outcome_tallies, outcome_checksums = _take_outcomes(root, profile, params.intake, as_of, outcomes, rejected)
        _refuse_empty(tallies | outcome_tallies, profile.name)
        decided_tallies, decided_checksums = _take_decisions(root, profile, params.intake, as_of, decisions, rejected)
        check_reject_limit(tallies | outcome_tallies | decided_tallies, params.intake.reject_limit)
        for aside in (reports, rejected, outcomes, decisions):
            aside.put_in_place()
    checksums |= outcome_checksums | decided_checksums
    summary = _summarize(profile.name, tallies, outcome_tallies, decided_tallies, n_matters, checksums, places.rejected)
    _write_summary(summary, places.reports.with_name("summary.json"))
    logger.info(
        "intake: %d read, %d accepted, %d rejected, %d duplicates (%.1f s)",
        summary.n_read, summary.n_accepted, summary.n_rejected, summary.n_duplicates, clock.perf_counter() - started,
    )  # fmt: skip
    return summary


def receive(
    root: Path,
    names: Sequence[str],
    *,
    earlier: pd.DataFrame,
    as_of: datetime,
    params: IntakeParams,
    n_processes: int,
    decisions: Sequence[Decision] = (),
) -> tuple[Admitted, dict[str, dict[str, str]]]:
    """Admit a night's reports: the rows of some sources received before `as_of` that are not reports yet.

    Args:
        root: Project folder.
        names: Sources of reports.
        earlier: REPORTS admitted before.
        as_of: The instant from which we look, aware.
        params: Section `intake` of params.yaml.
        n_processes: Processes to clean with.
        decisions: What people decided about matters before `as_of`.

    Returns:
        New REPORTS, REJECTED and tallies; and source to file name to sha256, for the night's manifest.

    Raises:
        SourceError: If a file is missing, empty, altered or not what its registry file says.
        RejectLimitError: If too many rows of a source were rejected.
    """
    checksums: dict[str, dict[str, str]] = {}
    raw = _open(root, names, "reports", params.batch_rows, checksums)
    parts = admit(
        raw, earlier=earlier, as_of=as_of, params=params, key=secret_key(root), n_processes=n_processes, decisions=decisions
    )
    admitted = together(parts)
    check_reject_limit(admitted.tallies, params.reject_limit)
    return admitted, checksums


def _open(
    root: Path, names: Iterable[str], kind: Kind, batch_rows: int, checksums: dict[str, dict[str, str]]
) -> list[tuple[Source, Iterable[RawBatch]]]:
    """Sources with their checksums verified, and their batches; nothing is read before all are verified."""
    opened: list[tuple[Source, Iterable[RawBatch]]] = []
    for name in names:
        source = load_source(root, name)
        if source.kind != kind:
            raise SourceError(
                f"Source '{name}' holds {source.kind}, but the profile names it among its sources of {kind}. "
                "Correct the profile in data/profiles."
            )
        folder = Places(root, name).raw(name)
        checksums[name] = verify(source, folder)
        batches = read(source, folder, batch_rows=batch_rows)
        opened.append((source, tqdm(batches, desc=f"intake {name}", unit=" batches", delay=3, disable=None, leave=False)))
    return opened


def _admit_reports(
    root: Path, profile: Profile, params: Params, as_of: datetime, reports: Aside, rejected: Aside
) -> tuple[dict[str, Tally], int, dict[str, dict[str, str]]]:
    """Write the reports and rejected rows of all sources; returns tallies, number of matters, and checksums."""
    checksums: dict[str, dict[str, str]] = {}
    tallies: dict[str, Tally] = {name: Counter() for name in profile.sources}
    matters: set[str] = set()
    raw = _open(root, profile.sources, "reports", params.intake.batch_rows, checksums)
    decisions = read_decisions(Places(root, profile.name).matter_decisions, as_of=as_of, timezone=profile.timezone)
    parts = admit(
        raw,
        earlier=schema.REPORTS.empty(),
        as_of=as_of,
        params=params.intake,
        key=secret_key(root),
        n_processes=params.threads,
        decisions=decisions,
    )
    for part in parts:
        reports.append(part.reports)
        rejected.append(part.rejected)
        add_up(tallies, part.tallies)
        matters.update(part.reports["matter_id"])
    return tallies, len(matters), checksums


def _take_outcomes(
    root: Path, profile: Profile, params: IntakeParams, as_of: datetime, outcomes: Aside, rejected: Aside
) -> tuple[dict[str, Tally], dict[str, dict[str, str]]]:
    """Write the outcomes of all outcome sources; returns tallies and checksums."""
    checksums: dict[str, dict[str, str]] = {}
    names = dict.fromkeys(name for source in profile.sources.values() for name in source.outcome_sources)
    known = tuple(outcome.id for outcome in load_outcomes(Places(root, profile.name).outcome_definitions))
    tallies: dict[str, Tally] = {name: Counter() for name in names}
    for source, batches in _open(root, names, "outcomes", params.batch_rows, checksums):
        for accepted, refused, tally in read_outcomes(batches, source, known_outcomes=known, as_of=as_of):
            outcomes.append(accepted)
            rejected.append(refused)
            add_up(tallies, {source.name: tally})
    return tallies, checksums


def _take_decisions(
    root: Path, profile: Profile, params: IntakeParams, as_of: datetime, decisions: Aside, rejected: Aside
) -> tuple[dict[str, Tally], dict[str, dict[str, str]]]:
    """Write what reviewers decided; returns tallies and checksums. A unit that decided nothing yet has no rows."""
    checksums: dict[str, dict[str, str]] = {}
    names = profile.decision_sources
    categories = load_taxonomy(Places(root, profile.name).taxonomy(profile.taxonomy)).ids if names else ()
    tallies: dict[str, Tally] = {name: Counter() for name in names}
    for source, batches in _open(root, names, "decisions", params.batch_rows, checksums):
        for accepted, refused, tally in read_judgements(batches, source, categories=categories, as_of=as_of):
            decisions.append(accepted)
            rejected.append(refused)
            add_up(tallies, {source.name: tally})
    return tallies, checksums


def _refuse_empty(tallies: Mapping[str, Tally], profile: str) -> None:
    for name, tally in tallies.items():
        if tally["read"] + tally["unseen"] == 0:
            raise SourceError(f"Source '{name}' has no rows. Export it again, or take it out of profile '{profile}'.")


def _summarize(
    profile: str,
    tallies: Mapping[str, Tally],
    outcome_tallies: Mapping[str, Tally],
    decided_tallies: Mapping[str, Tally],
    n_matters: int,
    checksums: Mapping[str, Mapping[str, str]],
    rejected: Path,
) -> IntakeSummary:
    total = sum(tallies.values(), Counter[str]())
    reasons = Counter(schema.REJECTED.read(rejected)["reason"].tolist())
    return IntakeSummary(
        profile=profile,
        n_read=total["read"],
        n_accepted=total["accepted"],
        n_rejected=total["rejected"],
        n_duplicates=total["duplicates"],
        n_matters=n_matters,
        n_outcomes=sum(tally["accepted"] for tally in outcome_tallies.values()),
        n_decisions=sum(tally["accepted"] for tally in decided_tallies.values()),
        sources={
            name: dict(sorted(tally.items())) for name, tally in {**tallies, **outcome_tallies, **decided_tallies}.items()
        },
        reasons=dict(sorted(reasons.items())),
        checksums=checksums,
    )


def _write_summary(summary: IntakeSummary, path: Path) -> None:
    aside = path.with_name(path.name + ".writing")
    aside.write_text(json.dumps(asdict(summary), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    aside.replace(path)
