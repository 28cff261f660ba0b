"""The registered public corpora, where the mirror has them: every row is read, and what is asserted are counts, never texts."""

import pytest

from pipeline import schema
from pipeline.intake.admission import admit, together
from pipeline.intake.fetching import fetch
from pipeline.intake.registration import load_source
from pipeline.intake.sources import read
from pipeline.intake.validation import validate
from pipeline.params import load_profile, midnight
from tests.intake.builders import intake_params

pytestmark = pytest.mark.mirror


@pytest.fixture
def fetched(tmp_path, project_root, mirror):
    """Fetches a source into a project of its own and gives its registry file and folder."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "registry").symlink_to(project_root / "data" / "registry")

    def bring(name):
        return load_source(tmp_path, name), fetch(name, tmp_path, mirror=mirror).folder

    return bring


@pytest.mark.parametrize(
    ("name", "n_rows", "n_segmented", "n_labelled"),
    [
        ("citizen-messages", 8629, 5343, 8629),
        ("citizen-votes", 3304, 0, 103),
        ("citizen-replies", 2816, 0, 134),
        ("fraud-texts", 11565, 0, 11565),
        ("court-mediation", 330, 0, 217),
        ("promediconv", 97, 0, 74),
    ],
)
def test_every_row_of_a_real_source_is_a_valid_report(fetched, project_root, name, n_rows, n_segmented, n_labelled):
    source, folder = fetched(name)
    as_of = midnight(load_profile(project_root, "citizen").as_of.replace(year=2026), "Asia/Shanghai")
    batches = list(read(source, folder, batch_rows=5000))
    valid = [validate(batch.rows, source, as_of=as_of, params=intake_params()) for batch in batches]
    assert source.n_rows == n_rows
    assert sum(len(batch.rejected) for batch in batches) == 0
    assert sum(len(part.rejected) for part in valid) == 0
    assert sum(len(part.rows) for part in valid) == n_rows
    assert sum(int(part.rows["segmented"].sum()) for part in valid) == n_segmented
    assert sum(int(part.rows["category"].notna().sum()) for part in valid) == n_labelled
    assert all(part.rows["received_at"].notna().all() == source.dated for part in valid)


@pytest.mark.slow
def test_the_dated_citizen_messages_are_admitted_whole_and_without_their_pseudonyms(fetched):
    source, folder = fetched("citizen-votes")
    admitted = together(
        admit(
            [(source, read(source, folder, batch_rows=2000))],
            earlier=schema.REPORTS.empty(),
            as_of=midnight(source.as_of_day.replace(year=2020), "Asia/Shanghai"),
            params=intake_params(),
            key=b"k" * 16,
            n_processes=1,
        )
    )
    assert len(admitted.reports) == 3304
    assert admitted.rejected.empty
    assert admitted.reports["reporter_hash"].nunique() == 2546
    assert admitted.reports["duplicate_of"].notna().sum() > 100
    assert not admitted.reports["reporter_hash"].str.startswith("A0").any()
