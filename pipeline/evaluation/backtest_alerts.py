"""What a backtest found of alerts, in sentences and rows, Chinese and English."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.schema import GROWING, NOVEL, SURGE

RULES = {
    "surges": ("本系统", "ours"),
    "mean_2_sigma": ("移动平均 + 2σ", "moving average + 2 sigma"),
    "mean_k_sigma": ("移动平均 + kσ（不更多）", "moving average + k sigma, no more raised"),
    "raw_count": ("固定件数（不更多）", "fixed count, no more raised"),
}
"""Rule to its Chinese and its English name."""
KINDS = {SURGE: ("数量突增", "surges"), GROWING: ("事项扩大", "growing matters"), NOVEL: ("新问题", "something new")}


@dataclass(frozen=True)
class AlertsFound:
    """What the alerts of the replayed nights were worth.

    Attributes:
        raised_a_month: Kind of alert to how many were raised a month.
        declared_a_month: How many false ones a month are declared, of surges and of growing matters.
        surges: One mapping a rule: `rule`, `raised_a_month`, and by size of the surges put in `n_surges`, `found` and `delay`;
            empty where none could be put in.
        growing: `n_days`, `n_grew`, `count`, and under `alerts` and `counting` what was told and what became of it.
    """

    raised_a_month: Mapping[str, float]
    declared_a_month: Mapping[str, float]
    surges: Sequence[Mapping[str, Any]]
    growing: Mapping[str, Any]


def alert_sentences(found: AlertsFound) -> list[tuple[str, str]]:
    """How many alerts there were, and what became of the growing matters told about."""
    raised, declared = found.raised_a_month, found.declared_a_month
    chinese = "、".join(f"{zh} {raised[kind]:.1f} 条" for kind, (zh, _) in KINDS.items())
    english = ", ".join(f"{en} {raised[kind]:.1f}" for kind, (_, en) in KINDS.items())
    said = [
        (
            f"平均每月预警（首夜除外）：{chinese}。没有突增时，设定每月误报突增 {declared[SURGE]:.1f} 条。",
            f"Alerts a month, the first night left out: {english}. Where nothing happens, {declared[SURGE]:.1f} false surges a "
            "month are declared.",
        )
    ]
    return [*said, *_growing_sentences(found)]


def _growing_sentences(found: AlertsFound) -> list[tuple[str, str]]:
    growing, declared = found.growing, found.declared_a_month[GROWING]
    if not growing["n_days"]:
        return [("事项是否扩大，现在还看不出来。", "It is too early to tell which matters grew.")]
    ours, rule, days = growing["alerts"], growing["counting"], growing["n_days"]
    return [
        (
            f"{days} 个早晨的提示已有结果：提示会扩大的事项 {ours['n_told']} 个，{ours['n_true']} 个确实扩大；每月误报 "
            f"{ours['false_a_month']:.1f} 个（设定 {declared:.1f}）。期间共有 {growing['n_grew']} 个事项扩大，其中事先提示到 "
            f"{ours['n_grew_told']} 个。",
            f"What was told on {days} mornings can be judged by now: of {ours['n_told']} matters said to grow {ours['n_true']} "
            f"did; {ours['false_a_month']:.1f} a month were false ({declared:.1f} declared). {growing['n_grew']} matters grew, "
            f"{ours['n_grew_told']} of them told about before.",
        ),
        (
            f"若改为一周内有 {growing['count']} 人反映即提示：提示 {rule['n_told']} 个，{rule['n_true']} 个扩大，"
            f"每月误报 {rule['false_a_month']:.1f} 个，事先提示到 {rule['n_grew_told']} 个。",
            f"Telling of every matter that {growing['count']} people report within a week instead: {rule['n_told']} told, "
            f"{rule['n_true']} grew, {rule['false_a_month']:.1f} false a month, {rule['n_grew_told']} told about before.",
        ),
    ]


def surge_heads(found: AlertsFound) -> list[tuple[str, str]]:
    """Heads of the columns of `surge_rows` after the rule's name."""
    sizes = [f"×{rise:g}" for rise in found.surges[0]["found"]] if found.surges else []
    return [("每月提示", "raised a month")] + [
        (f"{size} 发现 / 加入，第几天", f"{size} found / put in, on day") for size in sizes
    ]


def surge_rows(found: AlertsFound) -> list[dict[str, Any]]:
    """One row a rule: its names, and its cells as text."""
    rows = []
    for rule in found.surges:
        zh, en = RULES[rule["rule"]]
        cells = [f"{rule['raised_a_month']:.1f}"]
        for rise, share in rule["found"].items():
            late, tried = rule["delay"][rise], rule["n_surges"][rise]
            day = f", {late + 1:g}" if np.isfinite(late) else ""
            cells.append(f"{share * tried:.0f} / {tried}{day}" if tried else "–")
        rows.append({"zh": zh, "en": en, "cells": cells})
    return rows
