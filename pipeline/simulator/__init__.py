"""A made-up town whose disputes and tips can be learned from and measured against, because the truth is written down.

It writes source files as an export would have them, and the truth beside them for tests and backtests. Nothing imports it but
the command line, lazily. Every district, firm, person and number is invented; numbers are formally valid so that redaction can
be tested on them.
"""

from pipeline.simulator.simulation import SimulationSummary, simulate

__all__ = ["SimulationSummary", "simulate"]
