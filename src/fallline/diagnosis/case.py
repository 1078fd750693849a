"""A run as the checks see it."""

from __future__ import annotations

from fallline.diagnosis.measured_data import MeasuredData
from fallline.diagnosis.measured_run import MeasuredRun


class Case(MeasuredRun, MeasuredData):
    """What is known of a run, and all that several checks measure of it, each once."""
