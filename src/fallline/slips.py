"""Errors for calls with wrong arguments, which translate the keywords of other libraries into Fallline's."""

from __future__ import annotations

import functools
import inspect
import re
from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fallline.errors import FalllineError, listed, nearest

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Keywords of other libraries: Fallline's names. The first entry is used whose names are all parameters of the callable.
NAMES_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    # of rules
    **dict.fromkeys(("lr", "rate", "eta", "stepsize", "learning_rate_init", "eta0"), ("learning_rate", "initial")),
    "alpha": ("learning_rate or beta", "learning_rate", "initial"),
    "step_size": ("learning_rate", "every"),
    "betas": ("beta1, beta2 and beta3", "beta1 and beta2", "beta"),
    **{f"{letter}{number}": (f"beta{number}",) for letter in ("b", "beta_") for number in (1, 2, 3)},
    **dict.fromkeys(("rho", "decay_rate", "smoothing"), ("beta", "decay", "factor")),
    **dict.fromkeys(("eps", "epsilon_hat", "fudge"), ("epsilon",)),
    "eps_root": ("epsilon_root",),
    "mu": ("momentum",),
    "momentum": ("beta1", "beta"),
    **dict.fromkeys(("wd", "weight_decay"), ("weight_decay", "decay")),
    "lambd": ("decay",),
    **dict.fromkeys(("history_size", "memory_size", "max_cor"), ("memory",)),
    **dict.fromkeys(("max_norm", "clip", "max_delta"), ("limit",)),
    "sync_period": ("period",),
    "slow_step_size": ("pull",),
    # of schedules
    **dict.fromkeys(("init_value", "base_lr", "initial_learning_rate"), ("initial",)),
    "gamma": ("factor", "decay"),
    **dict.fromkeys(("T_max", "T_0", "total_steps", "decay_steps", "total_iters", "transition_steps"), ("steps",)),
    "T_mult": ("growth",),
    **dict.fromkeys(("eta_min", "end_value"), ("final",)),
    **dict.fromkeys(("max_lr", "peak_value"), ("peak",)),
    **dict.fromkeys(("warmup", "warmup_steps"), ("warm_up", "steps")),
    "min_lr": ("least",),
    # of stopping conditions and of calls that run
    **dict.fromkeys(("tol", "atol", "xtol", "ftol", "gtol"), ("tolerance",)),
    **dict.fromkeys(("method", "algorithm", "solver", "rule"), ("optimizer", "optimizers")),
    **dict.fromkeys(
        ("maxiter", "max_iter", "n_iter", "niter", "num_steps", "n_steps", "iterations", "steps"),
        ("max_steps", "steps", "limit"),
    ),
    **dict.fromkeys(("jac", "grad", "fprime"), ("gradient",)),
    **dict.fromkeys(("fun", "func", "f", "function", "loss"), ("objective",)),
    **dict.fromkeys(("x", "start", "init", "theta0", "initial", "starts"), ("x0", "starts")),
    "x0": ("starts",),
    **dict.fromkeys(("disp", "verbose"), ("progress",)),
    **dict.fromkeys(("random_state", "rng"), ("seed",)),
    # of data
    **dict.fromkeys(("sep", "delimiter", "delim"), ("separator",)),
    **dict.fromkeys(("na_values", "missing_values"), ("na",)),
    **dict.fromkeys(("weights", "weight", "sample_weights"), ("sample_weight",)),
    **dict.fromkeys(("class_weights",), ("class_weight",)),
    "optimizer": ("optimizers",),
    "optimizers": ("optimizer",),
}
_RATE = "a rate belongs to the rule, as in Adam(learning_rate=0.1)"
_BETAS = "it belongs to the rule, as in Adam(beta1=0.9, beta2=0.999)"
_TOLERANCE = "a tolerance is a stopping condition's, as in stop=GradientNorm(1e-6) or stop=StepSize(1e-9)"
# Keywords of other libraries for which Fallline has no keyword: what to write instead.
SAID_OTHERWISE: Mapping[str, str] = {
    **dict.fromkeys(("lr", "rate", "eta", "alpha", "step_size", "stepsize", "learning_rate"), _RATE),
    **dict.fromkeys(("betas", "beta1", "beta2", "b1", "b2"), _BETAS),
    **dict.fromkeys(("tol", "atol", "xtol", "ftol", "gtol", "tolerance"), _TOLERANCE),
    **dict.fromkeys(("wd", "weight_decay"), "take AdamW, or put WeightDecay(rule, decay) around the rule"),
    "nesterov": "take the rule Nesterov",
    "amsgrad": "take the rule AMSGrad",
    "momentum": "take the rule Momentum",
    "maximize": "minimise the negative of the objective",
    **dict.fromkeys(("clipnorm", "max_norm", "global_clipnorm"), "put ClipNorm(rule, limit) around the rule"),
    "clipvalue": "put ClipValue(rule, limit) around the rule",
    "use_ema": "put Lookahead(rule) around the rule, or take AveragedDescent",
    "args": "bind the data, as in functools.partial(f, X=X, y=y)",
    "bounds": "put Projected(rule, onto=Box(low, high)) around the rule",
    "schedule": "a schedule is the rule's rate, as in Adam(Cosine(0.1, steps=100))",
    "epochs": "count steps: max_steps is the epochs times the batches of one",
}


def meant(word: str, allowed: Iterable[str]) -> str:
    """The end of an error text: Fallline's keyword, what to write instead, or the nearest one; then all that exist.

    >>> meant("betas", ["learning_rate", "beta1", "beta2"])
    'write beta1 and beta2. Allowed: learning_rate, beta1, beta2'
    """
    words = list(allowed)
    ours = (text for text in NAMES_ELSEWHERE.get(word, ()) if {*re.findall(r"\w+", text)} <= {*words, "and", "or"})
    name = next(ours, None)
    said = f"write {name}" if name else SAID_OTHERWISE.get(word)
    return f"{said}. Allowed: {listed(words)}" if said else nearest(word, words)


def in_our_words(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, raising FalllineError instead of Python's TypeError when called with wrong arguments.

    >>> @in_our_words
    ... def run(objective, *, max_steps=10): return max_steps
    >>> run("x**2", maxiter=5)
    Traceback (most recent call last):
    fallline.errors.FalllineError: maxiter is not an argument of run; write max_steps. Allowed: objective, max_steps
    """

    @functools.wraps(function)
    def called(*arguments: Arguments.args, **settings: Arguments.kwargs) -> Result:
        try:
            return function(*arguments, **settings)
        except TypeError:
            check_call(function, arguments, settings)
            raise

    return called


class CalledInOurWords(ABCMeta):
    """The metaclass of abstract classes whose constructors check their calls as `in_our_words` does."""

    # Type checkers look at __init__.
    if not TYPE_CHECKING:

        def __call__(cls, *arguments: Any, **settings: Any) -> Any:
            try:
                return super().__call__(*arguments, **settings)
            except TypeError:
                check_call(cls, arguments, settings)
                raise

    @property
    def __signature__(cls) -> inspect.Signature:
        # Without this Python would show the signature of __call__ above.
        signature = inspect.signature(cls.__init__)  # type: ignore[misc]
        return signature.replace(parameters=list(signature.parameters.values())[1:])


def check_call(callee: Callable[..., Any], arguments: tuple[Any, ...], settings: Mapping[str, Any]) -> None:
    """Refuse a call with wrong arguments.

    Raises:
        FalllineError: naming the argument that does not exist, is missing, superfluous or given twice.
    """
    name, parameters = callee.__name__, inspect.signature(callee).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    by_name = [key for key, each in parameters.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    by_place = [
        key for key, each in parameters.items() if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    for word in settings:
        if word not in by_name and inspect.Parameter.VAR_KEYWORD not in kinds:
            kind = "a hyperparameter" if isinstance(callee, type) else "an argument"
            raise FalllineError(word, problem=f"is not {kind} of {name}", allowed=meant(word, by_name))
    if len(arguments) > len(by_place) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        raise FalllineError(
            problem=f"{name} was given {len(arguments)} arguments without a name",
            allowed=f"it takes at most {len(by_place)}: {', '.join(by_place)}",
        )
    for word in by_place[: len(arguments)]:
        if word in settings:
            raise FalllineError(problem=f"{name} was given {word} twice, by place and by name", allowed="give it once")
    given = {*settings, *by_place[: len(arguments)]}
    required = [key for key in by_name if parameters[key].default is inspect.Parameter.empty]
    missing = [key for key in required if key not in given]
    if missing:
        raise FalllineError(
            name, problem=f"lacks {' and '.join(missing)}", allowed=f"write {name}({', '.join(required)})"
        )
