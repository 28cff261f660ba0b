"""Charts as SVG."""

from datetime import date, timedelta
from xml.etree import ElementTree

from pipeline.emerging.charts import HEIGHT, Chart, draw

SVG = "{http://www.w3.org/2000/svg}"


def chart(observed, *, known=True, title="surge"):
    n = len(observed)
    band = [2.0] * n if known else [None] * n
    days = [date(2025, 3, 1) + timedelta(days=step) for step in range(n)]
    return Chart(title, days, observed, band, [0.0] * n, [4.0] * n if known else band, raised_on=days[-1])


def test_a_chart_has_a_bar_a_count_a_band_and_says_its_counts():
    tree = ElementTree.fromstring(draw(chart([1, 0, 8])))
    bars = tree.findall(f"{SVG}rect")
    assert len(bars) == 2
    assert float(bars[1].get("height")) == 8 * float(bars[0].get("height"))
    assert bars[0].get("fill") != bars[1].get("fill"), "marked from the day it was raised"
    assert len(tree.findall(f"{SVG}polygon")) == 1
    assert tree.find(f"{SVG}desc").text.endswith("1, 0, 8")


def test_days_to_come_and_unknown_bands_are_left_out():
    tree = ElementTree.fromstring(draw(chart([3, None, None], known=False)))
    assert len(tree.findall(f"{SVG}rect")) == 1
    assert not tree.findall(f"{SVG}polygon")


def test_everything_lies_inside_the_picture():
    tree = ElementTree.fromstring(draw(chart([500, 1, 2])))
    for bar in tree.findall(f"{SVG}rect"):
        assert 0 <= float(bar.get("y")) <= float(bar.get("y")) + float(bar.get("height")) <= HEIGHT


def test_a_name_cannot_break_out_of_the_picture():
    drawn = draw(chart([1], title="<script>x</script>&"))
    assert "<script>" not in drawn
    assert ElementTree.fromstring(drawn).find(f"{SVG}title").text == "<script>x</script>&"


def test_no_days_make_an_empty_picture():
    nothing = Chart("nothing", [], [], [], [], [], raised_on=date(2025, 3, 1))
    assert ElementTree.fromstring(draw(nothing)).tag == f"{SVG}svg"
