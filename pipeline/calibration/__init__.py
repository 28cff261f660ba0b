"""Calibration: logits in, probabilities out, fitted on a split of its own."""

from pipeline.calibration.calibrators import Calibrators, Probabilities, fit_calibrators

__all__ = ["Calibrators", "Probabilities", "fit_calibrators"]
