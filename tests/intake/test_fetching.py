import hashlib
import urllib.request

import pytest
import yaml

from pipeline.errors import SourceError
from pipeline.intake.fetching import fetch
from tests.intake.builders import make_source

CONTENT = b"id,time,title,text\n1,2024-03-01,,water\n"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a test must not reach for the network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def _project(root, *names, sha256=None, url=None):
    files = [{"path": f"desk/{name}", "sha256": sha256 or hashlib.sha256(CONTENT).hexdigest()} for name in names]
    (root / "data" / "registry").mkdir(parents=True)
    text = yaml.safe_dump(make_source(files=files, url=url).model_dump(mode="json"))
    (root / "data" / "registry" / "desk.yaml").write_text(text, encoding="utf-8")
    mirror = root / "mirror"
    (mirror / "desk").mkdir(parents=True)
    return mirror


def test_files_are_copied_from_the_mirror_and_not_copied_twice(tmp_path):
    mirror = _project(tmp_path, "a.csv", "b.csv")
    for name in ("a.csv", "b.csv"):
        (mirror / "desk" / name).write_bytes(CONTENT)
    assert fetch("desk", tmp_path, mirror=mirror).n_brought == 2
    assert (tmp_path / "data" / "raw" / "desk" / "b.csv").read_bytes() == CONTENT
    again = fetch("desk", tmp_path, mirror=mirror)
    assert (again.n_brought, again.n_present) == (0, 2)


def test_an_altered_file_is_replaced_by_the_registered_one(tmp_path):
    mirror = _project(tmp_path, "a.csv")
    (mirror / "desk" / "a.csv").write_bytes(CONTENT)
    raw = tmp_path / "data" / "raw" / "desk"
    raw.mkdir(parents=True)
    (raw / "a.csv").write_bytes(b"altered")
    fetch("desk", tmp_path, mirror=mirror)
    assert (raw / "a.csv").read_bytes() == CONTENT


def test_a_file_with_another_checksum_is_refused_and_nothing_is_left(tmp_path):
    mirror = _project(tmp_path, "a.csv", "b.csv")
    (mirror / "desk" / "a.csv").write_bytes(CONTENT)
    (mirror / "desk" / "b.csv").write_bytes(b"something else")
    with pytest.raises(SourceError, match="b.csv is not the file that was registered.*sha256 wanted .*found"):
        fetch("desk", tmp_path, mirror=mirror)
    assert list((tmp_path / "data" / "raw" / "desk").iterdir()) == []


@pytest.mark.parametrize("has_mirror", [True, False])
def test_a_file_that_is_nowhere_to_be_had_names_the_mirror_and_the_origin(tmp_path, has_mirror):
    mirror = _project(tmp_path, "a.csv")
    with pytest.raises(SourceError, match="no public address.*TRIAGE_MIRROR.*Origin: invented"):
        fetch("desk", tmp_path, mirror=mirror if has_mirror else None)


def test_a_public_address_that_does_not_answer_leaves_nothing(tmp_path, monkeypatch):
    _project(tmp_path, "a.csv", url="https://example.org/files")

    def fail(address, timeout):
        assert address == "https://example.org/files/desk/a.csv"
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(SourceError, match="could not be downloaded.*no route.*TRIAGE_MIRROR"):
        fetch("desk", tmp_path, mirror=None)
    assert list((tmp_path / "data" / "raw" / "desk").iterdir()) == []


@pytest.mark.mirror
def test_every_real_source_can_be_fetched_from_the_mirror(tmp_path, project_root, mirror):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "registry").symlink_to(project_root / "data" / "registry")
    for name in (
        "citizen-messages",
        "citizen-votes",
        "citizen-replies",
        "fraud-texts",
        "court-mediation",
        "promediconv",
        "pingshan-events",
    ):
        assert fetch(name, tmp_path, mirror=mirror).n_brought == 1
