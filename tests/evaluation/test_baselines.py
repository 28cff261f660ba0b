"""The first baselines."""

import pandas as pd
import pytest

from pipeline.evaluation.baselines import (
    HarmWords,
    best_feature,
    commonest_category,
    first_rankings,
    keyword_categories,
    load_harm_words,
)
from pipeline.schema import HISTORY
from pipeline.taxonomy import FORBIDDEN, Taxonomy, load_taxonomy
from tests.conftest import ROOT
from tests.learning import TAXONOMY
from tests.made_up import make_examples

WORDS = HarmWords.model_validate(
    {"name": "n", "version": 1, "groups": [{"id": "life", "weight": 3.0, "words": ["砍人", "跳楼"]},
                                           {"id": "loss", "weight": 1.0, "words": ["被骗"]}]}
)  # fmt: skip


def _reports(texts):
    return make_examples(len(texts)).assign(title="", text=texts)


def test_a_report_scores_the_weights_of_the_words_it_holds_each_once():
    assert WORDS.score(pd.Series(["他说要砍人，砍人！", "被骗后想跳楼", "漏水"])).tolist() == [3.0, 4.0, 0.0]


def test_the_shipped_harm_words_are_about_harm_not_about_opinion():
    words = load_harm_words(ROOT / "data/taxonomy/harm_words.yaml")
    assert not [word for group in words.groups for word in group.words if FORBIDDEN.search(word)]


def test_no_harm_word_is_listed_twice():
    words = [word for group in load_harm_words(ROOT / "data/taxonomy/harm_words.yaml").groups for word in group.words]
    assert len(words) == len(set(words))


def test_arrival_order_reads_the_oldest_first_and_newest_first_the_latest():
    reports = make_examples(3)
    rankings = {ranking.name: ranking.scores for ranking in first_rankings(reports, reports, WORDS, None)}
    assert rankings["arrival_order"].argmax() == 0
    assert rankings["newest_first"].argmax() == 2


def test_without_times_there_is_no_order_of_arrival():
    reports = make_examples(3).assign(received_at=pd.Series([pd.NaT] * 3, dtype="datetime64[us, UTC]"))
    assert [ranking.name for ranking in first_rankings(reports, reports, WORDS, None)] == ["keywords", "best_feature"]


def test_the_feature_that_ranks_best_on_train_is_chosen_with_its_direction():
    train = make_examples(40)
    for name in HISTORY:
        train[name] = 0.0
    train["n_reporters_30d"] = (~train["escalated"]).astype(float)
    assert best_feature(train) == ("n_reporters_30d", -1.0)


def test_without_an_escalation_on_train_a_feature_is_taken_all_the_same():
    train = make_examples(10).assign(escalated=pd.array([False] * 10, dtype="boolean"))
    assert best_feature(train) == (HISTORY[0], 1.0)


def test_the_category_with_most_keywords_is_guessed_else_the_fallback():
    taxonomy = Taxonomy.model_validate(TAXONOMY)
    found = keyword_categories(_reports(["楼上的邻居被骗", "工资", "天气"]), taxonomy, "fraud")
    assert found.tolist() == ["neighbours", "wages", "fraud"]


def test_of_equally_common_categories_the_first_by_name_is_taken():
    assert commonest_category(pd.DataFrame({"category": ["b", "a", "a", "b", None, None, None]})) == "a"


@pytest.mark.parametrize("name", ["categories", "citizen", "fraud"])
def test_every_shipped_category_has_keywords_for_the_keyword_baseline(name):
    taxonomy = load_taxonomy(ROOT / "data/taxonomy" / f"{name}.yaml")
    assert not [category.id for category in taxonomy.categories if not category.keywords]
