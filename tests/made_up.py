"""Small made-up tables that a classifier can learn from; nothing in them is about anybody."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.schema import EXAMPLES, HISTORY

CATEGORIES = ("wages", "neighbours", "fraud")
SAYINGS = {
    "wages": ("老板拖欠工资", "工地上三个月的工钱没有发", "加班费一分没给", "包工头说没钱发薪水"),
    "neighbours": ("邻居家漏水", "楼上半夜很吵", "楼道里堆满杂物", "围墙占了我家的地"),
    "fraud": ("有人冒充客服骗钱", "刷单返利被骗", "假冒公检法要求转账", "网上贷款先交手续费"),
}
ENDINGS = ("，请尽快处理。", "，已经反映多次！", "，希望有人来管一管", "。谢谢")


def make_examples(n_reports: int, *, split: str = "train", start: str = "2025-01-01", escalates: str = "工") -> pd.DataFrame:
    """EXAMPLES in which categories have their own words, and reports holding `escalates` that came before tend to escalate."""
    rows = []
    for number in range(n_reports):
        category = CATEGORIES[number % 3]
        saying = SAYINGS[category][(number // 3) % 4]
        text = f"{saying}{ENDINGS[(number // 12) % 4]}第{number}次"
        n_similar = (number * 7) % 5
        rows.append(
            {
                "report_id": f"{split}-{number:05d}",
                "source": "made-up",
                "received_at": pd.Timestamp(start, tz="UTC") + pd.Timedelta(hours=6 * number),
                "title": saying[:4],
                "text": text,
                "area": ("东区", "西区")[number % 2],
                "channel": "电话",
                "category": category,
                "escalated": escalates in text and n_similar >= 2,
                "escalated_at": None,
                "followed_days": 30.0,
                "outcome_days": 2.0 * n_similar if escalates in text and n_similar >= 2 else None,
                "duplicate_group": f"{split}-d{number:05d}",
                "matter_id": f"{split}-m{number // 2:05d}",
                **dict.fromkeys(HISTORY[:-1], n_similar),
                HISTORY[-1]: float(n_similar),
                "split": split,
            }
        )
    return EXAMPLES.check(with_types(rows))


def with_types(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Rows as a table with EXAMPLES' types where pandas would guess others."""
    frame = pd.DataFrame(rows)
    frame["escalated"] = frame["escalated"].astype("boolean")
    frame["escalated_at"] = pd.to_datetime(frame["escalated_at"], utc=True)
    return frame


def without_escalation(examples: pd.DataFrame) -> pd.DataFrame:
    """The examples as if nothing were known of what became of them."""
    unknown = pd.array([pd.NA] * len(examples), dtype="boolean")
    return examples.assign(escalated=unknown, followed_days=float("nan"), outcome_days=float("nan"))


def scores_by_length(reports: pd.DataFrame) -> pd.DataFrame:
    """What a model would say that takes the length of a text for its risk."""
    n_reports = len(reports)
    risk = reports["text"].str.len().to_numpy(dtype=np.float64) / 100
    return pd.DataFrame(
        {
            "category_probabilities": list(np.full((n_reports, 2), 0.5, dtype=np.float32)),
            "category": ["a"] * n_reports,
            "category_probability": [0.5] * n_reports,
            "category_set": [["a", "b"]] * n_reports,
            "lane": ["plain"] * n_reports,
            "risk": risk,
            "risk_low": risk / 2,
            "risk_high": risk,
        }
    )
