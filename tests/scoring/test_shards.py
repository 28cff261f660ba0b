import pandas as pd
import pyarrow as pa
import pytest

from pipeline.schema import HISTORY
from pipeline.scoring.shards import score_in_shards, stream_shards
from tests.made_up import scores_by_length


def _reports(n_reports):
    texts = [f"第{number}件" for number in range(n_reports)]
    return pd.DataFrame({"title": "", "text": texts, **dict.fromkeys(HISTORY, 0)}).astype({"text": object})


class Scorer:
    """Takes the length of a text for its risk, counts what it scored, and is killed at a given shard."""

    def __init__(self, killed_at=None):
        self.seen = []
        self.killed_at = killed_at

    def __call__(self, reports):
        if self.killed_at == len(self.seen):
            raise KeyboardInterrupt
        self.seen.append(reports["text"].tolist())
        return scores_by_length(reports)


def _score(reports, scorer, folder, *, identity="model 1", shard_reports=3):
    return score_in_shards(reports, scorer, folder=folder, identity=identity, shard_reports=shard_reports)


def _assert_same(scores, expected):
    """Arrow gives lists back as arrays."""
    assert scores["risk"].tolist() == expected["risk"].tolist()
    assert list(scores) == list(expected)
    assert [list(row) for row in scores["category_set"]] == [list(row) for row in expected["category_set"]]


def test_shards_give_what_scoring_at_once_gives(tmp_path):
    reports = _reports(10)
    _assert_same(_score(reports, Scorer(), tmp_path), Scorer()(reports))


def test_a_copy_is_scored_once_and_answered_twice(tmp_path):
    reports = pd.concat([_reports(4), _reports(2)], ignore_index=True)
    scorer = Scorer()
    scores = _score(reports, scorer, tmp_path)
    assert sum(map(len, scorer.seen)) == 4
    assert scores["risk"].tolist() == Scorer()(reports)["risk"].tolist()


def test_after_a_kill_no_finished_shard_is_scored_again(tmp_path):
    killed, second = Scorer(killed_at=2), Scorer()
    with pytest.raises(KeyboardInterrupt):
        _score(_reports(10), killed, tmp_path)
    scores = _score(_reports(10), second, tmp_path)
    assert len(killed.seen) == 2
    assert len(second.seen) == 2  # of four shards
    _assert_same(scores, Scorer()(_reports(10)))


def test_another_model_scores_everything_anew(tmp_path):
    _score(_reports(3), Scorer(), tmp_path)
    other = Scorer()
    _score(_reports(3), other, tmp_path, identity="model 2")
    assert len(other.seen) == 1


def test_a_changed_report_makes_its_shard_new(tmp_path):
    _score(_reports(6), Scorer(), tmp_path)
    again = Scorer()
    reports = _reports(6)
    reports.loc[4, "text"] = "要动手"
    _score(reports, again, tmp_path)
    assert [len(shard) for shard in again.seen] == [3]
    assert "要动手" in again.seen[0]


def test_a_half_written_shard_does_not_count(tmp_path):
    _score(_reports(3), Scorer(), tmp_path)
    (file,) = tmp_path.glob("*.arrow")
    file.rename(file.with_suffix(".1.writing"))
    again = Scorer()
    _score(_reports(3), again, tmp_path)
    assert len(again.seen) == 1


def test_no_reports_give_no_scores_with_all_columns(tmp_path):
    assert list(_score(_reports(0), Scorer(), tmp_path)) == list(Scorer()(_reports(1)))


def test_a_stream_of_arrow_batches_comes_back_batch_by_batch(tmp_path):
    batches = pa.Table.from_pandas(_reports(5)).to_batches(max_chunksize=2)
    scores = list(stream_shards(iter(batches), Scorer(), folder=tmp_path, identity="model 1"))
    assert [batch.num_rows for batch in scores] == [2, 2, 1]
    again = Scorer()
    assert list(stream_shards(iter(batches), again, folder=tmp_path, identity="model 1")) == scores
    assert again.seen == []
