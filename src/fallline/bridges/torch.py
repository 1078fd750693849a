"""PyTorch: an update rule as a `torch.optim.Optimizer`, and a module's loss as an objective."""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.bridges.elementwise import check_elementwise
from fallline.errors import FalllineError, Verbatim, nearest, shortened
from fallline.hyperparameters import hyperparameters
from fallline.libraries import torch_library
from fallline.line_search import Line, LineSearch
from fallline.objectives.base import Cost, Objective
from fallline.objectives.points import one_point
from fallline.optimizers import Optimizer
from fallline.optimizers.base import layers
from fallline.proxy import carried
from fallline.schedules import Schedule, watches_values
from fallline.state import map_state, named_leaves, with_x

# Tensors of up to this many elements are joined to one vector for a step if the rule allows it: for small ones the
# overhead of an operation is larger than its work.
SMALL = 2**14

# The rows of the data for which a module shows its answers.
ANSWERED = 200


def as_torch_optimizer(rule: Optimizer[Any]) -> type[Any]:
    """An update rule as a torch optimizer class, to be instantiated with a module's parameters.

    The rule's own code runs on the tensors, in their dtype and on their device. An elementwise rule takes each
    parameter separately and skips those without a gradient, as torch's own optimizers do; any other rule takes all
    parameters of a group as one vector, with zeros for a missing gradient, so layer-wise LARS or LAMB needs one group
    per layer.

    A group may have its own `lr` and its own value of every other hyperparameter. A rule's momentum, or that of the
    rule in a wrapper, stands there under torch's names, `momentum` or `betas`, where `OneCycleLR` and `CyclicLR` change
    it. A rule with a schedule sets `lr` itself; one with a line search needs a closure, as `torch.optim.LBFGS` does.

    With a rule that looks ahead (Nesterov, FISTA, schedule-free) the parameters are the point where it evaluates the
    gradient: `optimizer.eval()` replaces them by the rule's own point, to be evaluated or saved, `optimizer.train()`
    puts them back. For every other rule both do nothing.

    Example::

        Lion = as_torch_optimizer(fallline.Lion(0.001))
        optimizer = Lion(module.parameters(), lr=0.01)

    Arguments:
        rule: the update rule, one of the library's or your own.

    Raises:
        FalllineError: when torch is not installed, or the rule cannot run on tensors.
    """
    torch_library()
    if not isinstance(rule, Optimizer):
        raise FalllineError("rule", rule, "it must be an update rule such as Adam(0.1)")
    rate = rule.learning_rate
    if watches_values(rate):
        raise FalllineError(
            "learning_rate",
            Verbatim(rate.name),
            "give a number, and to torch its ReduceLROnPlateau",
            problem="which watches the value",
        )
    check_elementwise(rule)
    return _class_of(rule)


class _OnTensors:
    """A rule running on tensors."""

    def __init__(self, rule: Optimizer[Any]) -> None:
        self.rule = rule
        self.init = carried(rule.init, torch_library())
        self.update = carried(rule.update, torch_library())
        self._lookahead = carried(rule.lookahead, torch_library())
        self._looks_ahead = type(rule).lookahead is not Optimizer.lookahead

    def lookahead(self, x: Any, state: Any) -> Any:
        return self._lookahead(x, state) if self._looks_ahead else x

    def of(self, group: Mapping[str, Any]) -> _OnTensors:
        """The rule with the hyperparameters of a group."""
        rule = _with_settings(self.rule, group)
        return self if rule is self.rule else _OnTensors(rule)

    def state(self, kept: Sequence[Mapping[str, Any]]) -> Any:
        """The rule's state from its parts in a state_dict, for one tensor or for several joined to one x."""
        leaves = iter([_one([parts[name] for parts in kept]) for name in self._names])
        return map_state(lambda _: next(leaves), self._form)

    def stand(self, kept: Sequence[Mapping[str, Any]], here: Any, *, evaluating: bool) -> tuple[Any, Any]:
        """The rule's own point and its state before a step, from the saved state and the parameters."""
        if "step" not in kept[0]:
            return here, self.init(here)
        if "point" not in kept[0]:
            # The caller may have changed the parameters, for example clipped or loaded them.
            return here, with_x(self.state(kept), here)
        if evaluating:
            raise FalllineError(
                problem=f"{type(self.rule).__name__}: step after eval()", allowed="call the optimizer's train() first"
            )
        return _one([parts["point"] for parts in kept]), self.state(kept)

    @functools.cached_property
    def _form(self) -> Any:
        return self.rule.init(np.zeros(1))

    @functools.cached_property
    def _names(self) -> list[str]:
        return [f"state.{name}" for name, _ in named_leaves(self._form)]


class _Defaults(dict[str, Any]):
    """The settings of a group by default; they refuse torch's schedulers that cycle a momentum which is not there."""

    def __init__(self, settings: Mapping[str, Any] = MappingProxyType({}), *, name: str = "") -> None:
        super().__init__(settings)
        self.name = name

    def __contains__(self, key: object) -> bool:
        known = self.keys()
        # OneCycleLR and CyclicLR ask for the first, then for the second.
        if key == "betas" and not known & {"momentum", "betas"}:
            raise FalllineError(
                "optimizer",
                Verbatim(self.name),
                "give the scheduler cycle_momentum=False, or take a rule with momentum, such as "
                "Momentum(convention='torch')",
                problem="which has no momentum to cycle",
            )
        return key in known


class _RuleOptimizer:
    """The mixin that, placed before `torch.optim.Optimizer` in the bases, makes the optimizer class of a rule."""

    rule: Optimizer[Any]
    on_tensors: _OnTensors
    param_groups: list[dict[str, Any]]
    state: dict[Any, dict[str, Any]]

    def __init__(self, params: Iterable[Any], lr: float | None = None) -> None:
        rate = self.rule.learning_rate
        self._given_lr = lr is not None
        own = float(rate.initial if isinstance(rate, LineSearch) else self.rule.rate(1))
        usual = {"lr": own if lr is None else lr, "evaluating": False, "rule": _kind(self.rule), **_momenta(self.rule)}
        super().__init__(params, _Defaults(usual, name=type(self.rule).__name__))  # type: ignore[call-arg]

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.rule,), self.__getstate__()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        given_lr = self._given_lr or "lr" in param_group
        super().add_param_group(_with_betas(self.rule, param_group))  # type: ignore[misc]
        try:
            _check_group(self.rule, self.param_groups, given_lr)
        except FalllineError:
            self.param_groups.pop()
            raise

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load the state of an optimizer of the same rule.

        Raises:
            FalllineError: when it is no state, or of another rule, of one with another memory, or of parameters of
                other shapes.
        """
        _check_saved(self.rule, state_dict)
        _check_shapes(self.rule, state_dict, self.param_groups)
        super().load_state_dict(state_dict)  # type: ignore[misc]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of the rule.

        Arguments:
            closure: clears the gradients, computes the loss, calls its `backward()` and returns it.
        """
        import torch

        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        elif isinstance(self.rule.learning_rate, LineSearch):
            raise FalllineError(
                "closure", problem="is None", allowed=f"{self.rule.label} searches along a line: give step a closure"
            )
        with torch.no_grad():
            for group in self.param_groups:
                for tensors in self._together(group):
                    self._move(group, tensors, loss, closure)
        return loss

    def eval(self) -> None:
        """Set the parameters to the rule's own point, to be evaluated or saved."""
        self._place(evaluating=True)

    def train(self) -> None:
        """Set the parameters to the point where the rule evaluates the gradient."""
        self._place(evaluating=False)

    def _place(self, *, evaluating: bool) -> None:
        import torch

        with torch.no_grad():
            for group in self.param_groups:
                group["evaluating"] = evaluating
                for tensors in _parts(self.rule, group):
                    kept = self.state.get(tensors[0], {})
                    if "point" in kept:
                        rule, point = self.on_tensors.of(group), kept["point"]
                        _write(tensors, point if evaluating else rule.lookahead(point, rule.state([kept])))

    def _together(self, group: Mapping[str, Any]) -> list[list[Any]]:
        """The tensors with a gradient, in lists that are joined to one vector for the step.

        Besides those that a rule must see at once, small tensors of the same kind are joined if the numbers in their
        state, such as the step, are equal. Tensors that share memory are stepped one after another.
        """
        import torch

        together: dict[Any, list[Any]] = {}
        sharing: Counter[int] = Counter()
        apart = _joint(self.rule) or isinstance(group["lr"], torch.Tensor)
        for tensors in _parts(self.rule, group):
            if all(tensor.grad is None for tensor in tensors):
                continue
            first = tensors[0]
            if apart or first.numel() > SMALL:
                together[id(first)] = tensors
            else:
                numbers = [part for part in self.state[first].values() if isinstance(part, int | float)]
                memory = first.untyped_storage().data_ptr()
                kind = (sharing[memory], first.dtype, first.device, *numbers)
                together.setdefault(kind, []).append(first)
                sharing[memory] += 1
        return list(together.values())

    def _move(self, group: dict[str, Any], tensors: list[Any], loss: Any, closure: Callable[[], Any] | None) -> None:
        """One step of some tensors, joined to one x."""
        # Tensors that the rule must see at once share one state.
        owners = tensors[:1] if _joint(self.rule) else tensors
        on_tensors, kept = self.on_tensors.of(group), [self.state[owner] for owner in owners]
        here, gradient = _joined(tensors), _slopes(tensors)
        x, state = on_tensors.stand(kept, here, evaluating=group["evaluating"])
        step = kept[0].get("step", 0) + 1
        rate = on_tensors.rule.learning_rate
        if isinstance(rate, Schedule):
            group["lr"] = float(on_tensors.rule.rate(step))  # torch.load refuses NumPy scalars
        elif isinstance(rate, LineSearch):
            import torch

            direction = on_tensors.update(gradient, state, 1.0, step)[0]
            group["lr"] = _searched(rate, tensors, (x, direction, torch.as_tensor(loss).item(), gradient), closure)
        change, state = on_tensors.update(gradient, state, group["lr"], step)
        point = x - change
        ahead = on_tensors.lookahead(point, state)
        leaves = {f"state.{name}": leaf for name, leaf in named_leaves(state)} | {"step": step}
        if ahead is not point:
            leaves["point"] = point
        _keep(kept, leaves, tensors)
        _write(tensors, ahead)


def _class_of(rule: Optimizer[Any]) -> type[Any]:
    import torch

    return type(
        type(rule).__name__,
        (_RuleOptimizer, torch.optim.Optimizer),
        {"rule": rule, "on_tensors": _OnTensors(rule), "__doc__": type(rule).__doc__},
    )


def _unpickled(rule: Optimizer[Any]) -> Any:
    kind: Any = _class_of(rule)
    return kind.__new__(kind)


def _check_group(rule: Optimizer[Any], groups: list[dict[str, Any]], given_lr: bool) -> None:
    """Refuse settings of the last group that the rule does not support."""
    group, name = groups[-1], type(rule).__name__
    own = (setting for setting in hyperparameters(rule) if setting != "learning_rate")
    known = list(dict.fromkeys(["params", "lr", *own, *_momenta(rule)]))
    for setting in group:
        if setting not in (*known, "evaluating", "rule", "param_names"):
            raise FalllineError("params", problem=f"has a group with {setting!r}", allowed=nearest(setting, known))
    if not float(group["lr"]) >= 0:
        raise FalllineError("lr", group["lr"], "it must be a number at least 0")
    if given_lr and isinstance(rule.learning_rate, Schedule | LineSearch):
        raise FalllineError(
            "lr", group["lr"], "give one of the two", problem=f"but {name} has {rule.learning_rate.name}"
        )
    if isinstance(rule.learning_rate, LineSearch) and len(groups) > 1:
        raise FalllineError(
            "params", problem=f"has {len(groups)} groups", allowed=f"{name} searches along one line: give one group"
        )
    _OnTensors(rule).of(group)
    tensors = group["params"]
    if any(tensor.is_complex() for tensor in tensors):
        raise FalllineError(
            "params",
            problem="has a complex tensor",
            allowed="an update rule takes real ones: give torch.view_as_real of it",
        )
    kinds = sorted({f"{tensor.dtype} on {tensor.device}" for tensor in tensors})
    if len(kinds) > 1 and _joint(rule):
        raise FalllineError(
            "params",
            problem=f"has a group of {' and '.join(kinds)}",
            allowed=f"{name} takes a group as one vector: give each its own group",
        )


def _kind(rule: Optimizer[Any]) -> str:
    """What a rule's state belongs to: its class, its convention and the rules inside it."""
    kind = ""
    for one in reversed(layers(rule)):
        convention = "" if one.convention == "paper" else f"@{one.convention}"
        kind = f"{type(one).__name__}{convention}" + (f"({kind})" if kind else "")
    return kind


def _check_saved(rule: Optimizer[Any], saved: Mapping[str, Any]) -> None:
    """Refuse what is no state_dict, or that of an optimizer that is not of this rule."""
    if not (isinstance(saved, Mapping) and {"state", "param_groups"} <= saved.keys()):
        raise FalllineError("state_dict", saved, "it must be what state_dict() of such an optimizer returns")
    for of_group in saved["param_groups"]:
        kind = of_group.get("rule", "no update rule of Fallline")
        if kind != _kind(rule):
            raise FalllineError("state_dict", problem=f"is of {kind}", allowed=f"give one of {_kind(rule)}")
        # Rules with another memory have other parts.
        names = {f"state.{name}" for name, _ in named_leaves(_with_settings(rule, of_group).init(np.zeros(1)))}
        for key in of_group["params"]:
            kept = {name for name in saved["state"].get(key, ()) if name.startswith("state.")}
            if kept not in (set(), names):
                raise FalllineError(
                    "state_dict",
                    problem=f"has {len(kept)} parts for a parameter where {type(rule).__name__} has {len(names)}",
                    allowed="give the rule the hyperparameters with which it was saved",
                )


def _check_shapes(rule: Optimizer[Any], saved: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> None:
    """Refuse the state_dict of an optimizer with other parameters; torch itself compares their numbers."""
    for of_group, group in zip(saved["param_groups"], groups, strict=False):
        own = _with_settings(rule, of_group)
        keys = of_group["params"][:1] if _joint(rule) else of_group["params"]
        for key, tensors in zip(keys, _parts(rule, group), strict=False):
            shape = tuple(tensors[0].shape) if len(tensors) == 1 else (sum(tensor.numel() for tensor in tensors),)
            parts = saved["state"].get(key, {})
            leaves = {f"state.{name}": np.shape(leaf) for name, leaf in named_leaves(own.init(np.zeros(shape)))}
            for name in ("point", *(name for name, of in leaves.items() if of == shape)):
                if name in parts and tuple(np.shape(parts[name])) != shape:
                    raise FalllineError(
                        "state_dict",
                        problem=f"is of a parameter of shape {tuple(np.shape(parts[name]))} where the optimizer has "
                        f"one of shape {shape}",
                        allowed="give one of the same parameters",
                    )


# The hyperparameters of a rule that torch's optimizers have together, as `betas`.
BETA = re.compile(r"beta\d")


def _betas(rule: Optimizer[Any]) -> list[str]:
    return [name for name in hyperparameters(rule) if BETA.fullmatch(name)]


def _momenta(rule: Optimizer[Any]) -> dict[str, Any]:
    """The momentum of a rule, or of the rule inside it, by torch's names."""
    for one in layers(rule):
        if betas := _betas(one):
            return {"betas": tuple(getattr(one, name) for name in betas)}
        if "momentum" in hyperparameters(one):
            return {"momentum": one.momentum}  # type: ignore[attr-defined]
    return {}


def _with_betas(rule: Optimizer[Any], group: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a group with its beta1, beta2, ... as `betas`, so that they stand there once."""
    betas = _betas(rule)
    if not any(name in group for name in betas):
        return {**group}
    others = {name: value for name, value in group.items() if name not in betas}
    return {"betas": tuple(group.get(name, getattr(rule, name)) for name in betas), **others}


def _with_settings(rule: Optimizer[Any], group: Mapping[str, Any]) -> Optimizer[Any]:
    """The rule with the hyperparameters of a group; itself if it has them already."""
    betas, (_, *inside) = _betas(rule), layers(rule)
    own = {name: group[name] for name in hyperparameters(rule) if name in group}
    if betas and "betas" in group:
        if len(group["betas"]) != len(betas):
            raise FalllineError("betas", group["betas"], f"it must be {len(betas)} numbers, {', '.join(betas)}")
        own = dict(zip(betas, group["betas"], strict=True)) | own
    elif inside:
        own["rule"] = _with_settings(inside[0], {name: group[name] for name in _momenta(inside[0]) if name in group})
    changed = {name: value for name, value in own.items() if value != getattr(rule, name)}
    return dataclasses.replace(rule, **changed) if changed else rule


def _joint(rule: Optimizer[Any]) -> bool:
    """Whether the rule must see all coordinates at once."""
    return not rule.elementwise or isinstance(rule.learning_rate, LineSearch)


def _parts(rule: Optimizer[Any], group: Mapping[str, Any]) -> list[list[Any]]:
    """The tensors of a group, in lists that the rule takes as one x each."""
    return [group["params"]] if _joint(rule) else [[tensor] for tensor in group["params"]]


def _joined(tensors: list[Any]) -> Any:
    """A copy of a single tensor in its own shape, or several as one vector."""
    from torch._utils import _flatten_dense_tensors

    return tensors[0].clone() if len(tensors) == 1 else _flatten_dense_tensors(tensors)


def _slopes(tensors: list[Any]) -> Any:
    """The gradients, joined like the tensors; zeros for a tensor without one."""
    import torch

    for tensor in tensors:
        if tensor.grad is not None and tensor.grad.layout != torch.strided:
            raise FalllineError(
                problem=f"gradient of a parameter of shape {tuple(tensor.shape)} is sparse",
                allowed="an update rule needs a dense one, such as of an Embedding with sparse=False",
            )
    return _joined([torch.zeros_like(tensor) if tensor.grad is None else tensor.grad for tensor in tensors])


def _one(parts: list[Any]) -> Any:
    """One part of the state, from one tensor's or several joined; a plain number is the same for all of them."""
    return parts[0] if len(parts) == 1 or isinstance(parts[0], int | float | np.ndarray) else _joined(parts)


def _apart(x: Any, tensors: list[Any]) -> Sequence[Any]:
    """The inverse of `_joined`: an x, or an array of its shape, split into one part for each tensor."""
    from torch._utils import _unflatten_dense_tensors

    return [x] if len(tensors) == 1 else _unflatten_dense_tensors(x, tensors)


def _keep(kept: Sequence[dict[str, Any]], leaves: Mapping[str, Any], tensors: list[Any]) -> None:
    """Store each leaf of a state: whole, or split by tensor if each tensor has its own state."""
    import torch

    for name, leaf in leaves.items():
        apart = len(kept) > 1 and isinstance(leaf, torch.Tensor)
        for parts, piece in zip(kept, _apart(leaf, tensors) if apart else [leaf] * len(kept), strict=True):
            parts[name] = piece


def _write(tensors: list[Any], x: Any) -> None:
    """Write an x as returned by `_joined` back into the tensors, in place."""
    import torch

    torch._foreach_copy_(tensors, _apart(x, tensors))


def _searched(
    search: LineSearch,
    tensors: list[Any],
    line: tuple[Any, Any, float, Any],
    closure: Callable[[], Any] | None,
) -> float:
    """The rate that the line search finds; it leaves the tensors at x.

    Arguments:
        line: x, the direction, and value and gradient at x.
    """
    import torch

    assert closure is not None

    def both_at(point: Any) -> tuple[float, Any]:
        _write(tensors, point)
        with torch.enable_grad():
            value = torch.as_tensor(closure()).item()
        return value, _slopes(tensors)

    try:
        return search.rate(Line(lambda point: both_at(point)[0], both_at, *line))
    finally:
        _write(tensors, line[0])


class ModuleObjective(Objective):
    """The loss of a module on data as a function of the module's parameters, joined to one float64 vector.

    Made by `from_torch`. The points of a batch are evaluated one by one.

    Attributes:
        module: the user's module, which only `write_back` changes.
        names: the parameters' names with their indices, such as "weight[0,1]".
        loss_name: the name of the loss.
    """

    gradient_kind = "exact"

    def __init__(self, module: Any, loss: Callable[[Any, Any], Any], data: tuple[Any, Any]) -> None:
        import torch

        self.module = module
        # In evaluation mode there is no randomness and no buffer changes: the loss depends on the parameters only.
        self._copy = _in_double(module).eval()
        self._loss = _in_double(loss) if isinstance(loss, torch.nn.Module) else loss
        self._data = tuple(_in_double(part) for part in data)
        self.loss_name = _title(loss)
        self._title = f"{self.loss_name} of {_title(module)}"
        self.names = tuple(itertools.chain.from_iterable(_entry_names(*entry) for entry in self._parameters()))

    @property
    def title(self) -> str:
        return self._title

    @property
    def start(self) -> FloatArray:
        """The module's current parameters: a starting point."""
        pieces = [parameter.detach().double().cpu().numpy().ravel() for _, parameter in _trained(self.module)]
        return np.concatenate(pieces)

    def write_back(self, x: Any) -> None:
        """Write a point into the module's parameters, in their dtype and on their device.

        Raises:
            FalllineError: when the point has the wrong shape.
        """
        import torch

        vector = torch.from_numpy(one_point(self, x, "x"))
        with torch.no_grad():
            parameters = [parameter for _, parameter in _trained(self.module)]
            for parameter, piece in zip(parameters, vector.split([p.numel() for p in parameters]), strict=True):
                parameter.copy_(piece.view(parameter.shape))

    def value(self, x: FloatArray) -> FloatArray:
        import torch

        with torch.no_grad():
            values = [float(self._loss_at(self._leaf(point))) for point in x.reshape(-1, self.dimension)]
        return np.array(values).reshape(x.shape[:-1])

    def gradient(self, x: FloatArray) -> FloatArray:
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        import torch

        values, gradients = [], []
        with torch.enable_grad():
            for point in x.reshape(-1, self.dimension):
                vector = self._leaf(point).requires_grad_()
                value = self._loss_at(vector)
                values.append(float(value.detach()))
                (slopes,) = torch.autograd.grad(value, vector)
                gradients.append(slopes.cpu().numpy())
        return np.array(values).reshape(x.shape[:-1]), np.array(gradients).reshape(x.shape)

    @property
    def cost_of_gradient(self) -> Cost:
        return Cost(value=1, gradient=1)

    def answers(self, x: FloatArray) -> FloatArray:
        """What the module answers with the parameters x, shape (dimension,), for the first rows of the data.

        The first axis of the inputs is that of the rows.
        """
        import torch

        with torch.no_grad():
            answers: FloatArray = self._output(self._leaf(x), self._data[0][:ANSWERED]).double().cpu().numpy()
        return answers

    def targets(self) -> npt.NDArray[Any]:
        """The targets."""
        targets: npt.NDArray[Any] = self._data[1].cpu().numpy()
        return targets

    def _parameters(self) -> list[tuple[str, Any]]:
        return _trained(self._copy)

    def _leaf(self, point: FloatArray) -> Any:
        import torch

        return torch.tensor(point, dtype=torch.float64, device=self._parameters()[0][1].device)

    def _output(self, vector: Any, inputs: Any) -> Any:
        import torch

        named = self._parameters()
        pieces = vector.split([parameter.numel() for _, parameter in named])
        places = {name: piece.view(parameter.shape) for (name, parameter), piece in zip(named, pieces, strict=True)}
        return torch.func.functional_call(self._copy, places, (inputs,))

    def _loss_at(self, vector: Any) -> Any:
        import torch

        inputs, targets = self._data
        value = self._loss(self._output(vector, inputs), targets)
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            raise FalllineError(
                problem=f"loss {_title(self._loss)} returned {shortened(value)}", allowed="it must return one number"
            )
        return value.reshape(())


def from_torch(module: Any, loss: Callable[[Any, Any], Any], data: tuple[Any, Any]) -> ModuleObjective:
    """The loss of a module on data as an objective of the module's parameters.

    It is computed in float64 on a copy of the module in evaluation mode: dropout is off and batch normalisation uses
    its running averages, so that the loss depends on the parameters only. Parameters that do not require a gradient
    stay as they are.

    Example::

        objective = from_torch(module, torch.nn.functional.mse_loss, (inputs, targets))
        run = fallline.minimize(objective, objective.start, fallline.LBFGS())
        objective.write_back(run.final.x)

    Arguments:
        module: the module; it is called with the inputs.
        loss: takes the module's output and the targets, and returns one number.
        data: the inputs and the targets, two tensors on the module's device.

    Raises:
        FalllineError: when torch is not installed or an argument is wrong.
    """
    torch_library()
    import torch

    if not isinstance(module, torch.nn.Module):
        raise FalllineError("module", module, "it must be a torch.nn.Module")
    if not callable(loss):
        raise FalllineError("loss", loss, "it must be a function of the module's result and the targets")
    if not (isinstance(data, tuple | list) and len(data) == 2):
        raise FalllineError("data", type(data), "it must be a pair, the inputs and the targets")
    if not _trained(module):
        raise FalllineError("module", Verbatim(_title(module)), problem="which has no parameters that need a gradient")
    return ModuleObjective(module, loss, (data[0], data[1]))


def _trained(module: Any) -> list[tuple[str, Any]]:
    return [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]


def _in_double(part: Any) -> Any:
    """A copy of a module, or a tensor, with real floats converted to float64."""
    import torch

    if isinstance(part, torch.nn.Module):
        return copy.deepcopy(part).double()
    return part.double() if isinstance(part, torch.Tensor) and part.is_floating_point() else part


def _entry_names(name: str, parameter: Any) -> Iterator[str]:
    for index in np.ndindex(*parameter.shape):
        yield f"{name}[{','.join(map(str, index))}]" if index else name


def _title(part: Any) -> str:
    return str(getattr(part, "__name__", type(part).__name__))
