"""Results as text a person reads in a terminal, in Chinese or English. Only `cli.py` prints them."""

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline import schema
from pipeline.params import Places, load_params, load_profile
from pipeline.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from pipeline.champions import Act
    from pipeline.evaluation.backtest_summary import Findings
    from pipeline.evaluation.staffing import Staffing
    from pipeline.nightly import Night

_TITLE_COLUMNS = 34
_WORDING = {
    "en": {
        "head": "Night of {as_of} ({profile}): {n_new} new, {n_rejected} rejected, {n_open} open, {n_selected} to read.",
        "columns": ("rank", "risk", "category", "lane", "area", "title", "why"),
        "audit": "audit draw, from below the line",
        "unclear": "below the line, category to be settled",
        "lanes": {"clear": "clear", "choose": "or {others}?", "unclear": "new or unclear"},
        "risk": "{risk:.0%} ({low:.0%}–{high:.0%})",
        "words": "“{evidence}” +{effect:.0%}",
        "n_similar": "{n_similar} similar in {days} days by {n_reporters} people +{effect:.0%}",
        "days_since": "the matter is {days} days old +{effect:.0%}",
        "where": "Queue, rejects and manifest: {folder}   Model: {model}",
        "empty": "No report is open.",
    },
    "zh": {
        "head": "{as_of} 夜（{profile}）：新收 {n_new} 件，退回 {n_rejected} 行，待阅 {n_open} 件，今日应阅 {n_selected} 件。",
        "columns": ("序", "风险", "类别", "类别把握", "区域", "标题", "原因"),
        "audit": "抽查（线下随机）",
        "unclear": "线下，请先定类别",
        "lanes": {"clear": "明确", "choose": "或为 {others}？", "unclear": "新情况或不明，先由人定"},
        "risk": "{risk:.0%}（{low:.0%}–{high:.0%}）",
        "words": "“{evidence}” +{effect:.0%}",
        "n_similar": "{days} 天内 {n_reporters} 人同类反映 {n_similar} 次 +{effect:.0%}",
        "days_since": "同一事项 {days} 天前已出现 +{effect:.0%}",
        "where": "队列、退回行与清单：{folder}   模型：{model}",
        "empty": "没有待阅件。",
    },
}


def queue_table(root: Path, night: "Night", *, n_rows: int, language: str) -> str:
    """The top of a published night's queue, and what was selected from below the line.

    Args:
        root: Project folder.
        night: The night's manifest.
        n_rows: The most ranked rows shown; unclear reports and the audit draw follow whole.
        language: `zh` or `en`.
    """
    say = _WORDING[language]
    profile = load_profile(root, night.profile)
    places = Places(root, night.profile)
    folder = places.nights / night.as_of
    queue = schema.QUEUE.read(folder / "queue.parquet")
    taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    below = queue[queue["selected"].isin(["unclear", "audit"])]
    shown = pd.concat([queue[queue["selected"] == "ranked"].head(n_rows), below])
    facts = {name: getattr(night, name) for name in ("as_of", "profile", "n_new", "n_rejected", "n_open", "n_selected")}
    rows = [_row(report, taxonomy, say, language) for _, report in shown.iterrows()]
    table = _align([list(say["columns"]), *rows]) if rows else str(say["empty"])
    where = str(say["where"]).format(folder=folder, model=night.model)
    return f"{str(say['head']).format(**facts)}\n{table}\n{where}"


def backtest_table(found: "Findings", folder: Path, *, language: str) -> str:
    """What a backtest found: a table of reading orders, and the sentences of its page.

    Args:
        found: What was found.
        folder: Where its page lies.
        language: `zh` or `en`.
    """
    from pipeline.evaluation.backtest_alerts import alert_sentences, surge_heads, surge_rows
    from pipeline.evaluation.backtest_summary import HEADS, audit_sentences, ranking_rows, sentences

    place = ("zh", "en").index(language)
    heads = [HEADS[key][place].format(lead_days=found.lead_days) for key in HEADS]
    rows = [[row[language], row["in_time"], *(row[key] for key in HEADS)] for row in ranking_rows(found)]
    table = _align([[("顺序", "order")[place], ("及时", "in time")[place], *heads], *rows])
    alerts = alert_sentences(found.alerts) if found.alerts is not None else []
    said = [pair[place] for pair in (*sentences(found), *audit_sentences(found), *alerts)]
    if found.alerts is not None and found.alerts.surges:
        head = [("加入的突增", "surges put in")[place], *(pair[place] for pair in surge_heads(found.alerts))]
        said.append(_align([head, *([row[language], *row["cells"]] for row in surge_rows(found.alerts))]))
    return "\n".join([table, *said, str(folder / "report.html")])


def capacity_text(staffing: "Staffing", folder: Path, *, language: str) -> str:
    """What a number of reviewers gets: a table by number, what was missed by category, and the answer in a sentence.

    Args:
        staffing: What was measured.
        folder: Where its curve lies.
        language: `zh` or `en`.
    """
    from pipeline.evaluation.backtest_summary import span
    from pipeline.evaluation.staffing import sentence

    head = {
        "zh": ["审阅员", "每天件数", "及时阅到", "占比", "再加一人（每30天）"],
        "en": ["reviewers", "a day", "read in time", "share", "one more adds (30 days)"],
    }[language]
    of = staffing.n_escalated
    rows = [
        [str(one.n_reviewers), str(one.capacity), f"{one.n_in_time} / {of}", span(one.recall, percent=True), span(one.one_more)]
        for one in staffing.levels
    ]
    missed = [[row[language], f"{row['n_missed']} / {row['n_escalated']}"] for _, row in staffing.missed.iterrows()]
    lost = _align([{"zh": ["类别", "漏掉 / 升级件"], "en": ["category", "missed / escalated"]}[language], *missed])
    return "\n".join([_align([head, *rows]), lost, sentence(staffing, language=language), str(folder / "capacity.png")])


def _row(report: "pd.Series[Any]", taxonomy: Taxonomy, say: dict[str, Any], language: str) -> list[str]:
    category = taxonomy[report["category"]]
    why = [_reason(reason, report, say) for reason in report["reasons"]]
    if report["selected"] in ("unclear", "audit"):
        why.insert(0, say[report["selected"]])
    area = report["area"] if isinstance(report["area"], str) else "–"
    title = _cut(str(report["title"]) or str(report["text"]), _TITLE_COLUMNS)
    risk = str(say["risk"]).format(risk=report["risk"], low=report["risk_low"], high=report["risk_high"])
    lane = _lane(report, taxonomy, say, language)
    return [str(report["rank"]), risk, getattr(category, language), lane, area, title, "; ".join(why)]


def _lane(report: "pd.Series[Any]", taxonomy: Taxonomy, say: dict[str, Any], language: str) -> str:
    """Whether the category is clear, and if not, which others it may be."""
    others = [getattr(taxonomy[name], language) for name in report["category_set"] if name != report["category"]]
    return str(say["lanes"][report["lane"]]).format(others=" / ".join(others))


def _reason(reason: dict[str, Any], report: "pd.Series[Any]", say: dict[str, Any]) -> str:
    evidence, effect = str(reason["evidence"]), reason["effect"]
    if reason["kind"] == "words":
        return str(say["words"]).format(evidence=" ".join(evidence.split()), effect=effect)
    if evidence == schema.HISTORY[-1]:
        return str(say["days_since"]).format(days=round(report[evidence]), effect=effect)
    window = evidence.rpartition("_")[2]
    counts = {"n_similar": report[f"n_similar_{window}"], "n_reporters": report[f"n_reporters_{window}"]}
    return str(say["n_similar"]).format(days=window.removesuffix("d"), effect=effect, **counts)


def act_line(act: "Act") -> str:
    """A promotion or rollback in one line."""
    change = f"v{act.before} → v{act.version}" if act.before else f"→ v{act.version}"
    return f"{act.when[:19]}Z  {act.kind}  {change}  {act.end or 'under way'}  by {act.who}: {act.why}"


_ALERTS = {
    "en": {
        "head": "Alerts on {as_of}: {n_open} open, {n_new} of them new, {n_closed} closed earlier.",
        "columns": ("kind", "since", "where", "counted", "usual", "people", "sure", "unit", "examples"),
        "kinds": {schema.SURGE: "surge", schema.GROWING: "growing matter", schema.NOVEL: "something new"},
        "everywhere": "all areas", "everything": "all categories", "in": "{n} in {days} days", "closed": "closed {day}",
    },
    "zh": {
        "head": "{as_of} 预警：{n_open} 条未结，其中新增 {n_new} 条；已结 {n_closed} 条。",
        "columns": ("类型", "起始", "范围", "计数", "平常", "人数", "把握", "建议单位", "示例"),
        "kinds": {schema.SURGE: "数量突增", schema.GROWING: "事项扩大", schema.NOVEL: "新问题"},
        "everywhere": "全部区域", "everything": "全部类别", "in": "{days} 天 {n} 件", "closed": "{day} 已结",
    },
}  # fmt: skip
_EXAMPLES_SHOWN = 2


def alerts_table(root: Path, as_of: str, *, language: str, closed: bool) -> tuple[str, pd.DataFrame]:
    """The alerts of a published night, and the table they are from.

    Args:
        root: Project folder.
        as_of: The night.
        language: `zh` or `en`.
        closed: Whether alerts that have subsided are shown too.
    """
    say = _ALERTS[language]
    profile = load_profile(root, load_params(root).profile)
    places = Places(root, profile.name)
    alerts = schema.ALERTS.read(places.nights / as_of / "alerts.parquet")
    is_open = alerts["state"] == schema.OPEN
    new = is_open & (alerts["raised_on"].astype(str) == as_of)
    counts = {"n_open": int(is_open.sum()), "n_new": int(new.sum()), "n_closed": int((~is_open).sum())}
    shown = alerts if closed else alerts[is_open]
    taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    rows = [_alert_row(alert, taxonomy, say, language) for _, alert in shown.iterrows()]
    table = [_align([list(say["columns"]), *rows])] if rows else []
    return "\n".join([str(say["head"]).format(as_of=as_of, **counts), *table]), shown


def _alert_row(alert: "pd.Series[Any]", taxonomy: Taxonomy, say: dict[str, Any], language: str) -> list[str]:
    category = getattr(taxonomy[alert["category"]], language) if alert["category"] is not None else say["everything"]
    if alert["kind"] == schema.NOVEL:
        category = " ".join(alert["terms"])
    where = f"{say['everywhere'] if alert['area'] is None else alert['area']} · {category}"
    if alert["matter_id"] is not None:
        where += f" · {alert['matter_id']}"
    since = str(alert["first_seen"])
    if alert["state"] == schema.CLOSED:
        since += f" ({str(say['closed']).format(day=alert['closed_on'])})"
    usual = "–" if alert["kind"] == schema.NOVEL else f"{alert['expected']:.1f} ({alert['low']:.0f}–{alert['high']:.0f})"
    unit = getattr(taxonomy.units[alert["unit"]], language) if alert["unit"] is not None else "–"
    people = "–" if pd.isna(alert["n_reporters"]) else f"{alert['n_reporters']:.0f}"
    counted = str(say["in"]).format(n=alert["n_reports"], days=alert["window_days"])
    examples = " ".join(alert["report_ids"][:_EXAMPLES_SHOWN])
    return [say["kinds"][alert["kind"]], since, where, counted, usual, people, f"{alert['confidence']:.0%}", unit, examples]


def display_width(text: str) -> int:
    """Columns a terminal needs: Chinese characters take two (Unicode Standard Annex 11)."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _cut(text: str, columns: int) -> str:
    text = " ".join(text.split())
    if display_width(text) <= columns:
        return text
    while display_width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def _align(rows: list[list[str]]) -> str:
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell + " " * (width - display_width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)
