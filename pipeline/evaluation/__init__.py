"""Evaluation: what a model is worth on the test split, beside what a unit has without one."""
