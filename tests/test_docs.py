"""The words beside the code: they fail here when they fall behind it."""

import re

import pytest
import yaml

from pipeline import schema
from pipeline.cli import _parser
from tests.conftest import ROOT

TABLES = [value for value in vars(schema).values() if isinstance(value, schema.Table)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_data_dictionary_explains_every_column(table):
    words = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert f"## {table.name}\n" in words
    explained = set(re.findall(r"`([a-z0-9_]+)`", words))
    assert set(table.arrow.names) <= explained


@pytest.mark.parametrize("path", ["params.yaml", *(f"data/profiles/{name}.yaml" for name in ("sample", "citizen", "fraud"))])
def test_every_parameter_says_why_it_has_its_value(path):
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        sets_a_number = re.match(r"\s+\w+: *(-?[\d.]+|true|false)\b(?!-)", line)
        assert sets_a_number is None or "#" in line, f"{path}: '{line.strip()}' needs a comment with its unit and reason"


def test_the_readme_names_every_command():
    words = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = next(action for action in _parser()._actions if action.choices and "nightly" in action.choices)
    for command in commands.choices:
        assert f"triage {command}" in words, f"README.md does not mention triage {command}"


def test_both_readmes_have_the_same_sections():
    sections = [
        len(re.findall(r"^## ", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))
        for name in ("README.md", "README.zh.md")
    ]
    assert sections[0] == sections[1]


def test_the_readme_names_the_test_command_that_continuous_integration_runs():
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_changelog_has_an_unreleased_section():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["dvc.yaml", "models/dvc.yaml"])
def test_every_stage_says_what_it_does(path):
    for name, stage in yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["stages"].items():
        assert stage.get("do", stage).get("desc"), f"stage {name} in {path} has no desc"


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "data").glob("*.md")), ids=lambda path: path.name)
def test_local_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}, which does not exist"
