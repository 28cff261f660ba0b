"""Baseline and transformer together, as a third classifier; an option for where it wins beyond the interval."""
