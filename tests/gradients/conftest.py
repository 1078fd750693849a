"""Where `tests.mutation` changes the code, mutmut's frames are no more the user's than those of other libraries."""

from __future__ import annotations

from fallline.gradients.places import LIBRARIES

LIBRARIES.add("mutmut")
