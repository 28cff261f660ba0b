"""What every page of commands needs, and `cli.py`, which prints what they return. Imports nothing heavy."""

import os
from typing import Any

Result = tuple[str, dict[str, Any]]
"""What a command says: for people, and for machines."""


def language() -> str:
    """The language of the terminal, `zh` or `en`."""
    return "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
