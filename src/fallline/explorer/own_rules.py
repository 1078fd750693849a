"""A user's own rules for the page: JavaScript that a script in the page hands to it, once it is sure to do the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines import rehearsal
from fallline.engines.problem import Problem, Unable, is_ours
from fallline.errors import FalllineError, Verbatim
from fallline.explorer.rules import Writer, name_of
from fallline.explorer.settings import settings_offered, variants
from fallline.explorer.tracing import StepGraph, trace_rule
from fallline.machine_code.graph import ALL, ANY, FINITE, LANE, LARGEST, SUM, Node
from fallline.machine_code.javascript import CALL, OF_MATH, RUNNING_SUM
from fallline.objectives import as_objective
from fallline.optimizers import Optimizer
from fallline.results.trajectory import Record
from fallline.stopping import conditions

# What a rule is tried on: no two coordinates are alike.
_TRIAL, _START = "x**2 + 2*y**2 + 3*z**4 + x*y - z", (1.5, -0.8, 0.6)
