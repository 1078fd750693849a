"""JAX: a function of any pytree of arrays as an objective."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.gradients.jax_function import JaxObjective
from fallline.libraries import jax_library
from fallline.objectives.function import title_of
from fallline.objectives.points import one_point


class TreeObjective(JaxObjective):
    """A JAX function of a pytree of arrays as a function of one float64 vector of all their elements.

    Made by `from_jax`. The points of a batch are evaluated one by one.

    Attributes:
        start: the elements of the tree it was made with: a starting point.
        names: the path of each leaf with the index in it, such as "layer.weight[0,1]".
    """

    gradient_kind = "exact"

    def __init__(self, function: Callable[[Any], Any], tree: Any) -> None:
        import jax
        from jax.flatten_util import ravel_pytree

        with jax.enable_x64(True):
            leaves = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree)
            vector, self._unravel = ravel_pytree(leaves)
        self.start: FloatArray = np.array(vector)
        paths = jax.tree_util.tree_flatten_with_path(leaves)[0]
        names = tuple(itertools.chain.from_iterable(_entry_names(*entry) for entry in paths))
        super().__init__(lambda x: function(self._unravel(x)), names, title_of(function))

    def tree(self, x: Any) -> Any:
        """A point as the tree that the function takes.

        Raises:
            FalllineError: when the point has the wrong shape.
        """
        import jax

        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, self._unravel(one_point(self, x, "x")))


def from_jax(function: Callable[[Any], Any], tree: Any) -> TreeObjective:
    """A JAX function of a pytree of arrays (a dict, a list, a named tuple, ...) as an objective.

    It is compiled and differentiated by JAX in float64, whatever JAX's precision is set to.

    Arguments:
        function: takes a tree and returns one number.
        tree: such a tree; its elements are the objective's `start`.

    Raises:
        FalllineError: when JAX is not installed or an argument is wrong.

    >>> import fallline
    >>> from jax import numpy as jnp
    >>> bowl = from_jax(lambda p: (p["a"] - 1)**2 + jnp.sum(p["b"]**2), {"a": 3.0, "b": np.array([2.0, 4.0])})
    >>> bowl.names
    ('a', 'b[0]', 'b[1]')
    >>> bowl.tree(fallline.minimize(bowl, bowl.start, fallline.GradientDescent(0.5)).final.x)
    {'a': array(1.), 'b': array([0., 0.])}
    """
    jax_library()
    import jax

    if not callable(function):
        raise FalllineError("function", function, "it must be a function of a tree of arrays")
    leaves = jax.tree.leaves(tree)
    if not leaves or any(np.asarray(leaf).dtype.kind not in "fiu" for leaf in leaves):
        raise FalllineError("tree", tree, "it must hold real numbers or arrays of them")
    return TreeObjective(function, tree)


def _entry_names(path: Any, leaf: Any) -> list[str]:
    import jax

    name = jax.tree_util.keystr(path, simple=True, separator=".") or "x"
    return [f"{name}[{','.join(map(str, index))}]" if index else name for index in np.ndindex(np.shape(leaf))]
