"""Runs a promotion or a rollback in a process of its own and kills it at a named function; no test by itself.

Usage: python -m tests.connecting.kill ROOT ACT FUNCTION WHEN, with ACT `promote` or `rollback` and WHEN `before` or `after`.
"""

import importlib
import os
import signal
import sys
from pathlib import Path


def main(root: str, act: str, function: str, when: str) -> None:
    from pipeline import promotion

    module, _, name = function.rpartition(".")
    place = importlib.import_module(module)
    original = getattr(place, name)

    def killed(*arguments, **options):
        if when == "after":
            original(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(place, name, killed)
    if act == "promote":
        promotion.promote(Path(root), "baseline", who="tester", why="to be killed", waivers={})
    else:
        promotion.rollback(Path(root), who="tester", why="to be killed")


if __name__ == "__main__":
    main(*sys.argv[1:])
