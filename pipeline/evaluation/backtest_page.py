"""Makes the page of a backtest: one HTML file with everything in it, headings in Chinese and English."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from pipeline.evaluation.backtest_alerts import alert_sentences, surge_heads, surge_rows
from pipeline.evaluation.backtest_summary import HEADS, Findings, audit_sentences, period_rows, ranking_rows, sentences
from pipeline.evaluation.pages import template
from pipeline.evaluation.report import inline


def render_backtest(found: Findings, figures: Mapping[str, Figure]) -> str:
    """The page as HTML.

    Args:
        found: What was found.
        figures: From `backtest_plots.draw_backtest`.
    """
    return template("backtest.html").render(
        found=found,
        sentences=sentences(found),
        heads=[(zh.format(lead_days=found.lead_days), en.format(lead_days=found.lead_days)) for zh, en in HEADS.values()],
        rows=ranking_rows(found),
        audit=audit_sentences(found),
        periods=period_rows(found),
        alerts=alert_sentences(found.alerts) if found.alerts is not None else [],
        surge_heads=surge_heads(found.alerts) if found.alerts is not None else [],
        surge_rows=surge_rows(found.alerts) if found.alerts is not None else [],
        figures={name: inline(figure) for name, figure in figures.items()},
    )
