"""Recipe: what a recipe file holds, read, written and run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fallline.arguments import rules_of
from fallline.engines import Engine
from fallline.errors import FalllineError
from fallline.experiments.compare import compare
from fallline.gradients import Perturbation
from fallline.minimizing import minimize
from fallline.objectives import Objective, as_objective
from fallline.optimizers import Optimizer
from fallline.recipes import toml
from fallline.recipes.content import BLOCKS, content_of, read_content
from fallline.results.trajectory import Record, Trajectory
from fallline.stopping import StoppingCondition
from fallline.tables import Printed, Summary, names_text, one_line, summary_of

if TYPE_CHECKING:
    from fallline.fitting.result import Fit
    from fallline.results.comparison import Comparison

# The attributes that are arguments of another name in the calls.
_OURS = {"x0": "starts", "optimizer": "optimizers"}


@dataclass(frozen=True, kw_only=True, repr=False)
class Recipe(Printed):
    """Everything that repeats a run, a comparison or a fit, as a TOML file of plain data holds it.

    The keys of the file are the attributes, and in their tables those of the classes: see docs/recipes.md.

    Attributes:
        title: what it shows, in a few words.
        text: what is to be told with it, in Markdown.
        objective: the text of a formula, the name of a landscape, or a model with data.
        fit: arguments of `fallline.fit`, in place of an objective.
        starts: where the runs start: numbers, lists of numbers, or mappings of names to numbers. For a fit at most one,
            in the data's own units.
        optimizers: the rules by their labels; a sequence of rules is labelled as in `compare`. For a fit at most one.
        gradient, max_steps, stop, record, seed, engine: as in `minimize`, or for a fit as in `fit`.
        seeds: as in `compare`; none stand for `seed` alone. A fit has none.
        views: the pictures to show of it: the kind of each, and the keywords of the function that makes its data.

    >>> from fallline import Adam, GradientDescent
    >>> recipe = Recipe(objective="x**2", starts=[3.0], optimizers=[GradientDescent(0.1), Adam(0.1)], max_steps=50)
    >>> recipe.run().labels
    ('gradient_descent, learning_rate 0.1', 'adam, learning_rate 0.1')
    """

    title: str = ""
    text: str = ""
    objective: Any = None
    fit: Mapping[str, Any] = field(default_factory=dict)
    starts: Sequence[Any] = ()
    optimizers: Mapping[str, Optimizer[Any]] | Sequence[Optimizer[Any]] = ()
    gradient: str | Perturbation = "auto"
    max_steps: int | None = None
    stop: StoppingCondition | None = None
    record: Record | None = None
    seed: int = 0
    seeds: Sequence[int] = ()
    engine: str = "auto"
    views: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        rules = dict(zip(*rules_of(self.optimizers), strict=True)) if self.optimizers else {}
        lists = {name: tuple(getattr(self, name)) for name in ("starts", "seeds", "views")}
        for name, value in (lists | {"optimizers": rules}).items():
            object.__setattr__(self, name, value)
        if self.fit:
            self._check_fit()
            return
        if not isinstance(self.objective, str) and not (
            isinstance(self.objective, Objective) and self.objective.recipe() is not None
        ):
            allowed = "it must be a formula, a landscape, or a model with data that are not large"
            raise FalllineError("objective", self.objective, allowed)
        for name in ("starts", "optimizers"):
            if not getattr(self, name):
                raise FalllineError(name, problem="is empty", allowed="give at least one")

    def _check_fit(self) -> None:
        """Refuse what `fit` has not."""
        if self.objective is not None or self.gradient != "auto":
            name = "gradient" if self.objective is None else "objective"
            raise FalllineError(name, getattr(self, name), "leave it out", problem="but the recipe is of a fit")
        if self.seeds:
            raise FalllineError("seeds", [*self.seeds], "give one seed", problem="but the recipe is of a fit")
        for name in ("starts", "optimizers"):
            if len(getattr(self, name)) > 1:
                raise FalllineError(name, problem="has several", allowed="a fit has one")
        if self.optimizers and "optimizer" in self.fit:
            raise FalllineError("fit.optimizer", self.fit["optimizer"], "give it or optimizers, not both")

    @classmethod
    def of(cls, result: Trajectory | Comparison | Fit) -> Self:
        """The recipe that repeats a result, also a trajectory or a comparison that was loaded from a file.

        Raises:
            FalllineError: naming what a recipe cannot hold: a function of the user's, large data, ...

        >>> import fallline
        >>> run = fallline.minimize("x**2", 3.0, "adam")
        >>> Recipe.of(run).run() == run
        True
        """
        from fallline.recipes.recorded import attributes_of

        return cls(**attributes_of(result))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a recipe file.

        Raises:
            FalllineError: naming the file and in it the line, or the key by its place, that is wrong.
        """
        content = toml.read(path)
        try:
            return cls(**read_content(content, Path(path).parent))
        except FalllineError as error:
            error.of = f"{path}: {error.of}" if error.of else str(path)
            raise

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a TOML file, with every setting, so that it means the same without Fallline's defaults.

        Raises:
            FalllineError: when the file cannot be written, or something is not plain data, such as a user's own rule.

        >>> import fallline, tempfile
        >>> recipe = Recipe(objective="x**2", starts=[3.0], optimizers=[fallline.Adam(0.1)])
        >>> path = tempfile.mkdtemp() + "/recipe.toml"
        >>> recipe.save(path)
        >>> Recipe.load(path) == recipe
        True
        """
        toml.write(path, content_of(self, Path(path).parent), blocks=BLOCKS)

    def run(
        self,
        *,
        engine: Engine | None = None,
        device: str | None = None,
        progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Trajectory | Comparison | Fit:
        """Run it: a fit, one run, or, of several rules, starts or seeds, a comparison.

        Arguments:
            engine: another engine than the recipe's, such as a `Cluster`.
            device, progress, checkpoint: as in `minimize`.

        Raises:
            FalllineError: naming the attribute that is wrong.
        """
        shared: dict[str, Any] = {"max_steps": self.max_steps, "stop": self.stop, "record": self.record}
        shared = {name: value for name, value in shared.items() if value is not None}
        shared |= {"seed": self.seed, "engine": self.engine if engine is None else engine, "device": device}
        shared |= {"progress": progress, "checkpoint": checkpoint}
        try:
            return self._fitted(shared) if self.fit else self._ran(shared | {"gradient": self.gradient})
        except FalllineError as error:
            raise error.under(_OURS.get(error.parameter, error.parameter)) from None

    def _fitted(self, shared: Mapping[str, Any]) -> Fit:
        from fallline.fitting.fit import fit

        # Of both there is at most one.
        own = [("x0", start) for start in self.starts] + [("optimizer", rule) for rule in self.rules.values()]
        return fit(**self.fit, **dict(own), **shared)

    def _ran(self, shared: Mapping[str, Any]) -> Trajectory | Comparison:
        if len(self.starts) == len(self.rules) == 1 and not self.seeds:
            (rule,) = self.rules.values()
            return minimize(self.objective, self.starts[0], rule, **shared)
        objective = as_objective(self.objective)
        # A list of numbers would be a single start.
        places = [{objective.names[0]: start} if isinstance(start, int | float) else start for start in self.starts]
        return compare(
            objective, places if len(places) > 1 else places[0], self.rules, seeds=self.seeds or None, **shared
        )

    @property
    def repeats(self) -> int:
        """The number of runs of each rule: one from each start with each seed."""
        return len(self.starts) * max(1, len(self.seeds))

    @property
    def rules(self) -> dict[str, Optimizer[Any]]:
        """The optimizers by their labels."""
        assert isinstance(self.optimizers, Mapping)
        return dict(self.optimizers)


@summary_of.register
def _of_recipe(recipe: Recipe) -> Summary:
    objective = recipe.objective
    text = objective.title if isinstance(objective, Objective) else objective
    what = f"fit to {recipe.fit['data']}" if recipe.fit else text
    facts = [
        ("objective", one_line(what)),
        ("starts", f"{len(recipe.starts)}" if len(recipe.starts) > 1 else one_line(str(*recipe.starts))),
        ("seeds", f"{len(recipe.seeds)}" if recipe.seeds else ""),
        ("optimizers", names_text(list(recipe.rules))),
        ("gradient", str(recipe.gradient)),
        ("views", names_text([view["kind"] for view in recipe.views])),
    ]
    head = f"Recipe: {one_line(recipe.title)}" if recipe.title else "Recipe"
    return Summary(head, [fact for fact in facts if fact[1]])
