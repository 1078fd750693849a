"""The compiled engine: the rule, the objective and the conditions in one loop of machine code.

One source: the methods of the rule and of the conditions, run once on nodes of a graph (`trace`, `conditions`), and the
formula's own graph.
What depends on the step alone, such as the corrections of Adam, is computed once a step and not for each coordinate
and run. All arithmetic is done in the order and with the rounding of the reference engine. So where neither the rule
nor the formula has more than sums, products, quotients and roots, the two engines agree to the last bit.
"""

from __future__ import annotations

from fallline.engines.compiled.recorded import NAME, run
from fallline.engines.compiled.side_by_side import ends
from fallline.engines.compiled.trace import NotCompilable

__all__ = ["NAME", "NotCompilable", "ends", "run"]
