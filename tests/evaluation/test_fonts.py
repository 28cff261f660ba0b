"""Chinese labels only with a font that can write them."""

from matplotlib import font_manager

from pipeline.evaluation import fonts
from pipeline.evaluation.fonts import choose_labels, covers

DEJAVU = font_manager.findfont("DejaVu Sans")
CHINESE, ENGLISH = {"wages": "工资"}, {"wages": "Wages"}


def test_a_font_covers_only_the_characters_it_holds():
    assert covers(DEJAVU, "Wages")
    assert not covers(DEJAVU, "工资")


def test_a_file_that_is_no_font_covers_nothing(tmp_path):
    (tmp_path / "no.ttf").write_bytes(b"not a font")
    assert not covers(str(tmp_path / "no.ttf"), "a")


def test_a_font_whose_name_promises_chinese_but_has_none_is_not_used(monkeypatch):
    monkeypatch.setattr(fonts, "KNOWN", ("DejaVu Sans",))
    assert choose_labels(CHINESE, ENGLISH).names == ENGLISH


def test_without_a_chinese_font_the_names_are_english(monkeypatch):
    monkeypatch.setattr(fonts, "KNOWN", ())
    labels = choose_labels(CHINESE, ENGLISH)
    assert (labels.names, labels.family) == (ENGLISH, ("DejaVu Sans",))


def test_with_a_font_that_covers_them_the_names_are_chinese(monkeypatch):
    monkeypatch.setattr(fonts, "KNOWN", ("DejaVu Sans",))
    monkeypatch.setattr(fonts, "covers", lambda path, characters: True)
    assert choose_labels(CHINESE, ENGLISH).names == CHINESE
