import hashlib

import pytest
import yaml
from pydantic import ValidationError

from pipeline.errors import ParameterError, SourceError
from pipeline.intake.registration import load_source, load_sources, verify
from pipeline.taxonomy import load_outcomes, load_taxonomy
from tests.intake.builders import make_source

TAXONOMIES = {"citizen-messages": "citizen", "citizen-votes": "citizen", "citizen-replies": "citizen", "fraud-texts": "fraud"}


def _register(root, **changes):
    folder = root / "data" / "registry"
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(make_source(**changes).model_dump(mode="json"), allow_unicode=True)
    (folder / "desk.yaml").write_text(text, encoding="utf-8")


def test_every_shipped_registry_file_loads_and_names_categories_and_outcomes_that_exist(project_root):
    outcomes = {outcome.id for outcome in load_outcomes(project_root / "data" / "taxonomy" / "outcomes.yaml")}
    sources = load_sources(project_root)
    assert set(TAXONOMIES) <= set(sources)
    for name, source in sources.items():
        taxonomy = load_taxonomy(project_root / "data" / "taxonomy" / f"{TAXONOMIES.get(name, 'categories')}.yaml")
        assert source.kind == "counts" or set(source.categories.values()) <= set(taxonomy.ids)
        assert set(source.outcomes) <= outcomes
        assert all(file.sha256 is not None for file in source.files)


@pytest.mark.parametrize("name", ["sample", "sample-outcomes"])
def test_the_shipped_sample_is_the_one_that_is_registered(project_root, name):
    assert verify(load_source(project_root, name), project_root / "data" / "raw" / name)


def test_an_unknown_source_is_answered_with_the_known_ones(tmp_path):
    _register(tmp_path)
    with pytest.raises(SourceError, match="no source 'dsek'.*Known sources: desk"):
        load_source(tmp_path, "dsek")


def test_an_unknown_key_is_refused_with_file_and_key(tmp_path):
    _register(tmp_path)
    path = tmp_path / "data" / "registry" / "desk.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "colour: red\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"desk\.yaml: 'colour' is not a known key"):
        load_source(tmp_path, "desk")


@pytest.mark.parametrize(
    "changes",
    [
        {"files": [{"path": "../secret.csv", "sha256": None}]},
        {"files": [{"path": "/etc/passwd", "sha256": None}]},
        {"files": [{"path": "a/x.csv", "sha256": None}, {"path": "b/x.csv", "sha256": None}]},
        {"files": []},
        {"format": "sql"},
        {"url": "http://example.org"},
        {"timezone": "Peking"},
        {"columns": {"received_at": "time"}},
        {"columns": {"narrative": "text"}},
        {"columns": {"narrative": "text", "received_at": "time", "duplicate_key": "group"}},
        {"kind": "outcomes"},
        {"name": "Desk 1"},
    ],
)
def test_registry_files_that_contradict_themselves_are_refused(changes):
    with pytest.raises(ValidationError):
        make_source(**changes)


def test_an_altered_file_is_named_with_wanted_and_found_checksum(tmp_path):
    (tmp_path / "desk.csv").write_bytes(b"altered")
    found = hashlib.sha256(b"altered").hexdigest()
    source = make_source(files=[{"path": "x/desk.csv", "sha256": "0" * 64}])
    with pytest.raises(SourceError, match=f"desk.csv .*wanted {'0' * 64}, found {found}.*triage fetch desk"):
        verify(source, tmp_path)


def test_missing_and_empty_files_say_what_to_do(tmp_path):
    with pytest.raises(SourceError, match="no such file. Run `triage fetch desk`"):
        verify(make_source(), tmp_path)
    (tmp_path / "desk.csv").touch()
    with pytest.raises(SourceError, match="is empty"):
        verify(make_source(), tmp_path)


def test_a_growing_file_is_not_pinned_but_its_checksum_is_reported(tmp_path):
    (tmp_path / "desk.csv").write_bytes(b"today")
    assert verify(make_source(), tmp_path) == {"desk.csv": hashlib.sha256(b"today").hexdigest()}
