"""Diagnosis of a run: why it went as it did. Each file of `findings` looks for one finding."""

from __future__ import annotations

from fallline.diagnosis.diagnosing import diagnose
from fallline.diagnosis.finding import Finding, Remedy
from fallline.diagnosis.result import Diagnosis

__all__ = ["Diagnosis", "Finding", "Remedy", "diagnose"]
