"""The engine on XLA: the rule, the objective and the conditions as one loop, compiled by JAX for any of its devices.

The rule's own methods and the conditions' own run on JAX arrays, as they do on NumPy's; formulas by their graph, models
by their passes, functions as JAX follows them. Runs are lanes of a batch, in float64. The results are those of the
reference engine up to rounding: XLA orders and contracts operations as it likes.
"""

from __future__ import annotations

from fallline.engines.xla.devices import device_named
from fallline.engines.xla.recorded import NAME, ends, run

__all__ = ["NAME", "device_named", "ends", "run"]
