"""A function written in JAX as an objective: JAX itself computes and differentiates it, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.gradients.places import blamed, defined_at
from fallline.gradients.side_by_side import at_each
from fallline.gradients.subgradients import kink_at, with_subgradients
from fallline.gradients.traced import NotCarried
from fallline.gradients.trial import tried
from fallline.objectives.base import Objective, of_values
from fallline.objectives.function import FunctionObjective, described


class JaxObjective(Objective):
    """A JAX function of one vector, compiled, in float64 whatever JAX's precision is set to.

    The points of a batch are evaluated one by one. A root or a fractional power whose infinite slope at 0 meets a 0
    in the chain rule has the slope 0.

    Arguments:
        function: takes a JAX array of n numbers, returns one number.
        names: the coordinates' names.
        title: the function's name.
        few: whether there are so few coordinates that a slope which reverse mode loses can be found in forward mode,
            in one pass for each of them.
    """

    gradient_kind = "autodiff"

    def __init__(
        self, function: Callable[[Any], Any], names: tuple[str, ...], title: str, *, few: bool = False
    ) -> None:
        import jax

        def number(x: Any) -> Any:
            value = function(x)
            if value is None or np.size(value) != 1 or np.iscomplexobj(value):
                raise FalllineError(
                    problem=f"function {title} returned {described(value)}", allowed="it must return one real number"
                )
            return jax.numpy.reshape(value, ())

        self.names = names
        self._title = title
        self._number = number
        self._value = jax.jit(number)
        self._settled = with_subgradients(number)
        self._both = jax.jit(jax.value_and_grad(self._settled))
        self._again = jax.jit((jax.jacfwd if few else jax.grad)(with_subgradients(number, flat_roots=True)))
        self._forward = jax.jit(lambda x: jax.jvp(number, (x,), (jax.numpy.ones_like(x),))[1])

    @property
    def title(self) -> str:
        return self._title

    def value(self, x: FloatArray) -> FloatArray:
        return np.array([self._at(self._value, point) for point in x.reshape(-1, self.dimension)]).reshape(x.shape[:-1])

    def gradient(self, x: FloatArray) -> FloatArray:
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        made = [self._value_and_slopes(point) for point in x.reshape(-1, self.dimension)]
        values, gradients = ([pair[i] for pair in made] for i in (0, 1))
        return np.reshape(np.array(values, float), x.shape[:-1]), np.reshape(np.array(gradients, float), x.shape)

    def side_by_side(self, points: Any) -> tuple[Any, Any]:
        """Value and gradient of each point of a JAX array: to be traced by JAX."""
        return at_each(lambda x: (self._settled(x), ()), self._again, points)[:2]

    def raise_errors_at(self, x: FloatArray) -> None:
        for point in x.reshape(-1, self.dimension):
            value, slopes = self._value_and_slopes(point)
            lost = np.isnan(slopes)
            # Forward mode takes the slope of the chosen branch alone.
            if lost.any() and np.isfinite(value) and np.isfinite(self._at(self._forward, point)):
                raise FalllineError(
                    "gradient",
                    problem=f"of {self.title} is NaN in {self.names[int(lost.argmax())]}, though the value is finite: "
                    "reverse mode multiplies the slope of a branch that jnp.where leaves out by 0, and that slope is "
                    "infinite or NaN",
                    allowed="keep its argument in the domain: jnp.where(ok, jnp.sqrt(jnp.where(ok, x, 1)), 0)",
                )

    def kink(self, x: FloatArray) -> str | None:
        return kink_at(self._number, x)

    def _value_and_slopes(self, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        value, slopes = self._at(self._both, point)
        lost = np.isnan(slopes)
        if lost.any() and np.isfinite(value):
            slopes = np.where(lost, self._at(self._again, point), slopes)
        return value, slopes

    def _at(self, compiled: Callable[..., Any], point: FloatArray) -> Any:
        import jax

        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, compiled(point))


def as_it_is(objective: FunctionObjective, at: FloatArray) -> JaxObjective:
    """A user's function written in JAX, as JAX's own.

    Arguments:
        objective: the function.
        at: a point at which it is tried.

    Raises:
        NotCarried: when JAX cannot trace it, such as for an `if` on its values.
    """
    function, vector = objective.function, objective.vector
    made = JaxObjective(lambda x: function(x) if vector else function(*x), objective.names, objective.title, few=True)
    try:
        made.precision = str(made._value_and_slopes(at)[0].dtype)
    except Exception as error:
        # The function itself did not raise this at the point.
        said = f" ({type(error).__name__}: {' '.join(str(error).split())[:100]})"
        call, place = blamed(error)
        raise NotCarried(call or objective.title, said, place or defined_at(function)) from error
    made.gradient_kind += of_values(made.precision)
    return made


def in_double(objective: FunctionObjective, at: FloatArray) -> FunctionObjective:
    """The same function with JAX's arithmetic in float64, whatever JAX's precision is set to; tried at a point."""
    import jax

    def function(*point: Any) -> Any:
        with jax.enable_x64(True):
            return objective.function(*point)

    function.__name__ = objective.title
    doubled = FunctionObjective(function, objective.names, vector=objective.vector)
    tried(doubled, at)
    return doubled
