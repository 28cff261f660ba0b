"""A whole small project in a folder: one source of made-up reports, its outcomes, a profile and a taxonomy."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tests.conftest import ROOT
from tests.made_up import CATEGORIES, SAYINGS

FIRST_DAY, N_DAYS = "2025-01-01", 240
WHEN = ("上周三", "从三月份起", "昨天傍晚", "去年年底", "这个月中旬", "开学以后", "下雨那天", "国庆之前")
WHAT = (
    "找过他们经理",
    "打了好多次电话",
    "门口等了半天",
    "拿着合同去问",
    "被推来推去",
    "说再等等看",
    "老人气病了",
    "威胁要动手",
)
CLAUSES = [f"{when}{what}" for when in WHEN for what in WHAT]

BEHAVIOUR = {
    "name": "desk",
    "version": 1,
    "reports": [
        {
            "title": "上周三老板拖欠工资",
            "text": "上周三老板拖欠工资，从三月份起找过他们经理，带班的{name}说再等等看，一共{amount}。",
        },
        {
            "title": "昨天傍晚邻居家漏水",
            "text": "昨天傍晚邻居家漏水，去年年底打了好多次电话，户主{name}被推来推去，修要{amount}。",
        },
        {"title": "开学以后刷单返利被骗", "text": "开学以后刷单返利被骗，下雨那天门口等了半天，对方叫{name}，付了{amount}。"},
    ],
    "names": ["张伟明", "李秀兰"],
    "amounts": ["3200元", "4650元"],
    "neutral": ["这个月中旬说再等等看"],
    "direction": [{"kind": "threats", "needs": ["injury_or_threat_to_life"], "sentences": ["这个月中旬威胁要动手"]}],
    "negation": {"needs": ["injury_or_threat_to_life"], "pairs": []},
    "repeated": [],
}
"""Questions about what escalates in the made-up project: a threat, and nothing else."""


def make_project(root: Path, *, n_reports: int = 720, seed: int = 5) -> Path:
    """Write a project whose profile `desk` can learn, be promoted and run nights from 2025-08-01 on."""
    shutil.copytree(
        ROOT / "models" / "baseline", root / "models" / "baseline", ignore=shutil.ignore_patterns("sample", "citizen", "fraud")
    )
    (root / "data" / "taxonomy").mkdir(parents=True)
    for name in ("outcomes.yaml", "harm_words.yaml"):
        shutil.copy2(ROOT / "data" / "taxonomy" / name, root / "data" / "taxonomy" / name)
    _write(root / "data" / "behaviour" / "reports.yaml", BEHAVIOUR)
    shutil.copy2(ROOT / "data" / "behaviour" / "planted.yaml", root / "data" / "behaviour" / "planted.yaml")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["profile"] = "desk"
    params["threads"] = 1
    params["evaluation"]["n_bootstrap"] = 50
    params["intake"]["reject_limit"] = 0.05
    params["evaluation"]["gates"]["min_behaviour_share"]["order"] = 0.5  # three questions, and 480 reports to learn from
    params["emerging"]["n_simulated"], params["emerging"]["n_trials"] = 100, 1
    _write(root / "params.yaml", params)
    _write(root / "data" / "taxonomy" / "desk.yaml", _taxonomy())
    _write(root / "data" / "profiles" / "desk.yaml", _profile())
    for name, kind, columns in (("desk", "reports", REPORT_COLUMNS), ("desk-outcomes", "outcomes", OUTCOME_COLUMNS)):
        _write(root / "data" / "registry" / f"{name}.yaml", _source(name, kind, columns))
    reports = make_rows(n_reports, seed=seed)
    write_csv(root / "data" / "raw" / "desk" / "desk.csv", reports)
    write_csv(root / "data" / "raw" / "desk-outcomes" / "desk-outcomes.csv", _outcomes(reports))
    return root


REPORT_COLUMNS = {
    "source_id": "id",
    "received_at": "time",
    "title": "title",
    "narrative": "text",
    "area": "area",
    "reporter": "who",
    "category": "category",
}
OUTCOME_COLUMNS = {"report_id": "id", "outcome": "outcome", "recorded_at": "time"}


def make_rows(n_reports: int, *, seed: int) -> list[dict[str, str]]:
    """Made-up reports in order of arrival; those with a threat are what escalates."""
    rng = np.random.default_rng(seed)
    times = pd.Timestamp(FIRST_DAY) + pd.to_timedelta(np.sort(rng.uniform(0, N_DAYS * 86_400, n_reports)).round(), unit="s")
    rows = []
    for number, time in enumerate(times):
        category = CATEGORIES[rng.integers(3)]
        saying = SAYINGS[category][rng.integers(4)]
        told = [CLAUSES[place] for place in rng.choice(len(CLAUSES), size=4, replace=False)]
        rows.append(
            {
                "id": f"{number:05d}",
                "time": str(time),
                "title": f"{told[0]}{saying}",
                "text": f"{'，'.join([told[0], saying, *told[1:]])}。",
                "area": f"第{rng.integers(3) + 1}区",
                "who": f"user{rng.integers(300)}",
                "category": category,
            }
        )
    return rows


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _outcomes(reports: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        {"id": row["id"], "outcome": "injury_or_threat_to_life", "time": str(pd.Timestamp(row["time"]) + pd.Timedelta(days=3))}
        for row in reports
        if "动手" in row["text"]
    ]


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _taxonomy() -> dict[str, object]:
    facts = {"kind": "dispute", "unit": "desk", "response_hours": 24, "severity_weight": 1.0, "keywords": []}
    categories = [{"id": name, "zh": name, "en": name, **facts} for name in CATEGORIES]
    return {"name": "desk", "version": 1, "units": {"desk": {"zh": "值班台", "en": "Desk"}}, "categories": categories}


def _profile() -> dict[str, object]:
    split = {"rule": "date", "validation": "2025-04-15", "calibration": "2025-05-20", "test": "2025-06-25"}
    source = {
        "supplies": ["category", "escalated"],
        "outcomes": ["injury_or_threat_to_life"],
        "outcome_sources": ["desk-outcomes"],
        "split": split,
    }
    return {
        "name": "desk", "taxonomy": "desk", "timezone": "Asia/Shanghai", "as_of": "2025-08-20", "sources": {"desk": source},
        "nightly_sources": ["desk"], "label_window_days": 10, "gap_days": 10, "re_report_reporters": 1, "capacity": 5,
    }  # fmt: skip


def _source(name: str, kind: str, columns: dict[str, str]) -> dict[str, object]:
    facts: dict[str, object] = {
        "name": name, "kind": kind, "title": "made up", "origin": "made up", "licence": "CC0-1.0", "owner": "nobody",
        "as_of_day": None, "pii": "none", "n_rows": None, "url": None, "format": "csv", "timezone": "Asia/Shanghai",
        "dated": True, "columns": columns, "files": [{"path": f"{name}.csv", "sha256": None}],
    }  # fmt: skip
    return facts | ({"of": "desk"} if kind == "outcomes" else {"outcomes": ["injury_or_threat_to_life"]})
