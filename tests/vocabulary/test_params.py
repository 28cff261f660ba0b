import shutil

import pytest
import yaml

from pipeline.errors import ParameterError
from pipeline.params import load_params, load_profile


@pytest.fixture
def root(tmp_path, project_root):
    shutil.copy2(project_root / "params.yaml", tmp_path)
    shutil.copytree(project_root / "data" / "profiles", tmp_path / "data" / "profiles")
    return tmp_path


def _change(path, **changes):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**content, **changes}), encoding="utf-8")


def test_the_shipped_parameters_and_profiles_are_in_order(root):
    assert load_params(root).profile == "sample"
    for path in (root / "data" / "profiles").glob("*.yaml"):
        assert load_profile(root, path.stem).name == path.stem


def test_an_unknown_key_is_refused_by_name(root):
    _change(root / "params.yaml", colour="red")
    with pytest.raises(ParameterError, match=r"params.yaml: 'colour' is not a known key"):
        load_params(root)


def test_a_missing_key_is_refused_by_name(root):
    content = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    del content["intake"]["reject_limit"]
    (root / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ParameterError, match=r"'intake.reject_limit' is missing: add it"):
        load_params(root)


def test_a_gap_below_the_label_window_is_refused(root):
    _change(root / "data" / "profiles" / "sample.yaml", gap_days=10)
    with pytest.raises(ParameterError, match=r"gap_days \(10\) is below label_window_days \(14\)"):
        load_profile(root, "sample")


def test_split_days_that_do_not_ascend_are_refused(root):
    path = root / "data" / "profiles" / "sample.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["sources"]["sample"]["split"]["validation"] = "2025-12-01"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ParameterError, match="must ascend"):
        load_profile(root, "sample")


def test_an_unknown_time_zone_is_refused(root):
    _change(root / "data" / "profiles" / "sample.yaml", timezone="Beijing")
    with pytest.raises(ParameterError, match="not an IANA time zone"):
        load_profile(root, "sample")


def test_an_unknown_profile_names_the_known_ones(root):
    with pytest.raises(ParameterError, match=r"no profile 'nowhere'.*sample.*Set 'profile' in params.yaml"):
        load_profile(root, "nowhere")


def test_a_profile_under_another_name_is_refused(root):
    shutil.copy2(root / "data" / "profiles" / "sample.yaml", root / "data" / "profiles" / "other.yaml")
    with pytest.raises(ParameterError, match="Make them the same"):
        load_profile(root, "other")


@pytest.mark.parametrize("content", ["", "- a list", "key: [unclosed", "\x00"])
def test_what_is_not_keys_and_values_is_refused(root, content):
    (root / "params.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ParameterError, match=r"params.yaml"):
        load_params(root)


def test_a_missing_file_says_where_it_was_expected(tmp_path):
    with pytest.raises(ParameterError, match="no such file"):
        load_params(tmp_path)


def test_parameters_cannot_be_changed_after_reading(root):
    params = load_params(root)
    with pytest.raises(ValueError, match="frozen"):
        params.seed = 8


def test_so_few_reports_that_a_category_could_never_be_left_out_are_refused(root):
    content = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    _change(root / "params.yaml", calibration={**content["calibration"], "conformal_level": 0.98})
    with pytest.raises(ParameterError, match=r"min_conformal_reports \(20\) is below 49"):
        load_params(root)


def test_a_waiver_names_its_group_and_who_answers(root):
    waiver = {"slice": "west", "why": "a new desk", "who": "Li", "until": "2026-01-01"}
    _change(root / "data" / "profiles" / "sample.yaml", waivers=[waiver])
    with pytest.raises(ParameterError, match=r"waivers.0.slice"):
        load_profile(root, "sample")
