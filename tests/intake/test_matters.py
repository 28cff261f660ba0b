"""Which reports concern one matter, from earlier reports only."""

import numpy as np
import pandas as pd
import pytest

from pipeline.intake import similarity
from pipeline.intake.chance import ChanceLevel
from pipeline.intake.grams import GramSets, GramStore
from pipeline.intake.pairs import cosine
from pipeline.intake.rarity import Rarity
from tests.builders import make_reports
from tests.intake.builders import make_index
from tests.messages import citizen_messages

GIVEN = ["duplicate_group", "duplicate_of", "matter_id"]
STATION = (
    "丽湖新城旁搅拌站夜间噪音扰民",
    "丽湖新城旁边的搅拌站每天夜里施工，噪音很大，灰尘飘进家里，老人小孩无法休息，请尽快处理。",
)
STATION_AGAIN = (
    "丽湖新城旁搅拌站夜间噪音谁来管",
    "我家住丽湖新城三期，旁边的搅拌站每天夜里施工，噪音不停，灰尘飘进家里，老人无法休息。",
)
PARKING = ("伊河苑强制捆绑销售车位", "伊河苑开发商要求买房必须同时买车位，不买车位就不签合同，这是霸王条款。")
SCHOOL = ("枫树小学放学时门口堵车", "枫树小学每天放学的时候门口停满了车，孩子过马路很危险，能不能派交警疏导一下。")


def matters(*written, received=None, **columns):
    """For each (title, text) the number of the first report of its matter."""
    days = received or [f"2024-01-{day:02}" for day in range(1, len(written) + 1)]
    titles, texts = zip(*written, strict=True)
    added = make_index().add(make_reports(days, title=list(titles), text=list(texts), **columns))
    return [int(matter.removeprefix("m-r")) for matter in added["matter_id"]]


def test_a_report_of_the_same_thing_in_other_words_joins_the_matter():
    assert matters(STATION, PARKING, STATION_AGAIN, SCHOOL) == [0, 1, 0, 3]


def test_a_report_never_repeats_itself(monkeypatch):
    """Two 3-grams of a report that have one key in the index of its area meet each other; among 100,000 reports some do."""
    monkeypatch.setattr(similarity, "_in_area", lambda codes, areas: np.zeros(len(codes), dtype=np.uint32))
    assert matters(STATION, PARKING, STATION_AGAIN, SCHOOL, area=["A区"] * 4) == [0, 1, 0, 3]


def test_a_copy_joins_the_matter_whatever_its_area():
    assert matters(STATION, STATION, area=["A区", "B区"]) == [0, 0]


def test_another_area_needs_more_similarity():
    strict = make_index(matter_similarity_other_area=1.0)
    written = make_reports(
        ["2024-01-01", "2024-01-02", "2024-01-03"], title=[STATION[0], STATION_AGAIN[0], STATION_AGAIN[0]],
        text=[STATION[1], STATION_AGAIN[1], STATION_AGAIN[1][:-6]], area=["A区", "B区", None],
    )  # fmt: skip
    assert strict.add(written.iloc[:2])["matter_id"].tolist() == ["m-r0", "m-r1"]
    assert strict.add(written.iloc[2:])["matter_id"].tolist() == ["m-r1"], "an unknown area agrees with any"


@pytest.mark.parametrize(("received", "expected"), [("2024-06-28T23:59", 0), ("2024-06-29", 1)])
def test_a_matter_silent_for_the_window_is_closed(received, expected):
    """180 days after January 1 is June 29."""
    assert matters(STATION, STATION_AGAIN, received=["2024-01-01", received]) == [0, expected]
    assert matters(STATION, STATION, received=["2024-01-01", received]) == [0, expected], "also for a copy"


def test_a_matter_goes_on_while_reports_keep_coming():
    days = ["2024-01-01", "2024-05-01", "2024-09-01"]
    assert matters(STATION, STATION_AGAIN, STATION, received=days) == [0, 0, 0]


def test_who_reports_plays_no_part():
    ours = matters(STATION, PARKING, STATION_AGAIN, reporter_hash=["a", "b", "a"])
    assert ours == matters(STATION, PARKING, STATION_AGAIN, reporter_hash=["a", "b", "c"])


def test_a_report_joins_the_matter_of_the_most_similar_earlier_report():
    reports = make_reports(
        ["2024-01-01", "2024-01-02", "2024-01-03"], title=[STATION[0], PARKING[0], STATION_AGAIN[0]],
        text=[STATION[1], PARKING[1], STATION_AGAIN[1]],
    )  # fmt: skip
    added = make_index(matter_similarity=0.0, matter_similarity_other_area=0.0).add(reports)
    assert added["matter_id"].tolist()[2] == "m-r0"


def test_reports_without_a_title_are_compared_by_how_they_begin():
    assert matters(("", "".join(STATION)), PARKING, ("", "".join(STATION_AGAIN))) == [0, 1, 0]


def test_empty_reports_open_their_own_matters():
    assert matters(("", ""), ("", "。"), ("", "好"), ("", "")) == [0, 1, 2, 3]


def test_undated_reports_open_their_own_matters_unless_they_copy():
    assert matters(STATION, STATION_AGAIN, STATION, received=[None, None, None]) == [0, 1, 0]


def test_a_report_that_came_in_late_looks_only_at_what_was_received_before_it():
    index = make_index()
    index.add(make_reports(["2024-02-01"], title=STATION[0], text=STATION[1]))
    late = make_reports(["2024-01-15"], report_id=["late"], title=STATION[0], text=STATION[1])
    assert index.add(late)[GIVEN].to_numpy().tolist() == [["d-late", None, "m-late"]]


def history(n, seed=1):
    """A made-up year: places with troubles told in varied words, copies, areas, several reports a day, some at one instant."""
    rng = np.random.default_rng(seed)
    words = ["".join(chr(0x4E00 + point) for point in rng.integers(0, 900, 4)) for _ in range(300)]
    written = []
    for _ in range(n):
        if written and rng.random() < 0.1:
            written.append(written[int(rng.integers(len(written)))])
            continue
        place, trouble = int(rng.integers(40)), 40 + int(rng.integers(6))
        said = [words[100 + trouble * 2 + int(rng.integers(10))] for _ in range(6)] + [
            words[int(rng.integers(300))] for _ in range(9)
        ]
        written.append((words[place] + words[trouble], words[place] + "，".join(said)))
    hours = np.sort(rng.integers(0, 300 * 4, n)) * 6
    titles, texts = zip(*written, strict=True)
    return make_reports(
        [str(pd.Timestamp("2024-01-01") + pd.Timedelta(hours=int(hour))) for hour in hours],
        report_id=[f"r{number:04}" for number in range(n)], title=list(titles), text=list(texts),
        area=[None if number % 7 == 0 else f"A{number % 2}" for number in range(n)],
    )  # fmt: skip


@pytest.fixture(scope="module")
def year():
    """Reports and what all at once gives them."""
    reports = history(700)
    return reports, make_index().add(reports)


def nights(reports, days):
    """The reports in parts of some days."""
    number = (reports["received_at"] - reports["received_at"].min()).dt.days // days
    return [part for _, part in reports.groupby(number)]


def test_the_made_up_year_holds_matters_and_copies(year):
    _, added = year
    assert 20 < added["matter_id"].nunique() < 600
    assert added["duplicate_of"].notna().sum() > 50


@pytest.mark.parametrize("days", [1, 11])
def test_night_by_night_equals_all_at_once(year, days):
    reports, added = year
    index = make_index()
    by_night = pd.concat([index.add(part) for part in nights(reports, days)])
    pd.testing.assert_frame_equal(by_night, added)


@pytest.mark.parametrize("n_known", [1, 64, 500])
def test_a_restored_index_goes_on_as_if_it_had_never_stopped(year, n_known):
    reports, added = year
    index = make_index()
    index.restore(added.iloc[:n_known].sample(frac=1.0, random_state=1))
    pd.testing.assert_frame_equal(index.add(reports.iloc[n_known:]), added.iloc[n_known:])


def test_undated_reports_between_nights_change_nothing_for_dated_ones(year):
    reports, added = year
    index = make_index()
    parts = nights(reports, 60)
    undated = history(200, seed=2).assign(received_at=pd.Series([pd.NaT] * 200, dtype="datetime64[us, UTC]"))
    undated["report_id"] = "u" + undated["report_id"]
    first = index.add(parts[0])
    index.add(undated)
    pd.testing.assert_frame_equal(pd.concat([first, *(index.add(part) for part in parts[1:])]), added)


def test_later_reports_change_nothing(year):
    reports, added = year
    pd.testing.assert_frame_equal(make_index().add(reports.iloc[:400]), added.iloc[:400])


def test_shuffled_input_gives_the_same_result(year):
    reports, added = year
    shuffled = make_index().add(reports.sample(frac=1.0, random_state=8))
    pd.testing.assert_frame_equal(shuffled.sort_index(), added)


def test_shifting_all_dates_shifts_nothing_else(year):
    reports, added = year
    later = reports.assign(received_at=reports["received_at"] + pd.Timedelta(days=1000, hours=5))
    pd.testing.assert_frame_equal(make_index().add(later)[GIVEN], added[GIVEN])


def test_a_matter_is_named_after_its_first_report(year):
    _, added = year
    first = added.drop_duplicates("matter_id")
    assert (first["matter_id"] == "m-" + first["report_id"]).all()


def form(number):
    """What a form makes of different troubles: everything but the name and the area is the same in many."""
    asked = ["请有关部门核实并尽快答复", "已经拖了很久没有人来管", "希望依法处理并公开结果"][number % 3]
    names = "".join(chr(0x4E00 + 97 * number % 5000 + step * 13) for step in range(3))
    return f"{names}乱收费问题", f"投诉{names}乱收费，{asked}，{['谢谢', '望回复', '辛苦了'][number // 3 % 3]}。"


def test_set_phrases_that_all_areas_share_join_nothing_once_they_are_known():
    titles, texts = zip(*(form(number) for number in range(400)), strict=True)
    days = [str(pd.Timestamp("2024-01-01") + pd.Timedelta(hours=6 * number)) for number in range(400)]
    areas = [f"A{number * number % 11}" for number in range(400)]
    ids = [f"r{number:04}" for number in range(400)]
    added = make_index().add(make_reports(days, report_id=ids, title=list(titles), text=list(texts), area=areas))
    later = added.iloc[256:]
    assert (later["matter_id"] == "m-" + later["report_id"]).mean() > 0.8


def test_the_level_of_chance_is_what_the_given_share_of_reports_exceeds():
    chance = ChanceLevel(0.1)
    rows = np.arange(32, 64)
    assert chance.first_sampled(0) > 0, "too early to measure"
    assert chance.first_sampled(40) == 32
    similarity = np.linspace(0.0, 0.31, 32)
    chance.count(rows[:10], rows[:10], similarity[:10], n_after=42)
    assert chance.level == 0.0
    chance.count(rows[10:], np.repeat(rows[10:], 2), np.repeat(similarity[10:], 2) * np.tile([0.5, 1.0], 22), n_after=64)
    assert chance.level == pytest.approx(np.quantile(similarity, 0.9))


def test_the_level_of_chance_is_zero_where_too_few_areas_are_known():
    chance = ChanceLevel(0.1)
    chance.count(np.arange(32, 40), np.arange(32, 40), np.full(8, 0.9), n_after=64)
    assert chance.level == 0.0


def test_weights_change_only_when_the_number_of_reports_reaches_a_power_of_two():
    rarity = Rarity()
    codes = np.array([1, 2, 3], dtype=np.uint32)
    rarity.count(codes[:1], 1)
    rarity.count(codes[:2], 1)
    at_two = rarity.weigh(codes).tolist()
    rarity.count(codes[:1], 1)
    assert rarity.weigh(codes).tolist() == at_two
    assert rarity.until_renewal == 1
    rarity.count(codes[:1], 1)
    assert rarity.weigh(codes).tolist() != at_two
    assert at_two[0] < at_two[1] < at_two[2], "the rarer, the heavier"


def test_cosine_is_that_of_the_weighted_sets():
    store = GramStore()
    store.append(GramSets(np.array([1, 2, 2, 3], dtype=np.uint32), np.array([0, 2, 4, 4])))
    weights = np.array([0.0, 1.0, 2.0, 4.0], dtype=np.float32)
    found = cosine(store, np.array([0, 0, 0]), np.array([1, 0, 2]), lambda codes: weights[codes])
    assert found == pytest.approx([4 / np.sqrt(5 * 20), 1.0, 0.0], abs=1e-6)


@pytest.fixture(scope="module")
def messages():
    """Dated citizen messages, as written, and what all at once gives them."""
    reports = citizen_messages()
    return reports, make_index().add(reports)


@pytest.mark.mirror
def test_most_messages_about_the_parking_spaces_are_one_matter(messages):
    _, added = messages
    about = added[(added["title"] + added["text"]).str.contains("伊景园|滨河苑")]
    assert len(about) == 57
    assert about["matter_id"].value_counts().iloc[0] >= 43


@pytest.mark.mirror
def test_between_a_tenth_and_a_quarter_of_the_messages_join_an_earlier_matter(messages):
    _, added = messages
    joined = (added["matter_id"] != "m-" + added["report_id"]).mean()
    assert 0.1 < joined < 0.25


@pytest.mark.mirror
def test_real_messages_night_by_night_equal_all_at_once(messages):
    reports, added = messages
    index = make_index()
    pd.testing.assert_frame_equal(pd.concat([index.add(part) for part in nights(reports, 1)]), added)
