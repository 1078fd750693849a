"""What the commands have in common: options, the texts of their help, and checks before any work begins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from fallline.errors import FalllineError, nearest
from fallline.files import whole_file
from fallline.hyperparameters import hyperparameters
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.objectives import LANDSCAPES
from fallline.optimizers import OPTIMIZERS, Optimizer, optimizer_from_name
from fallline.schedules import SCHEDULES, parse_schedule, schedule_form
from fallline.stopping import (
    Evaluations,
    GradientNorm,
    NotFinite,
    Seconds,
    StepSize,
    StoppingCondition,
    Target,
    ValueChange,
)
from fallline.sweep import OUTCOMES


def number(text: str) -> float:
    """What an option of type NUMBER takes; typer says which option it was."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


def count(text: str) -> int:
    """What an option of type COUNT takes."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def path(text: str) -> Path:
    """What an option of type FILE or DIR takes."""
    if not text:
        raise typer.BadParameter("'' is no name of a file or folder")
    return Path(text)


def _number_option(flag: str, text: str) -> Any:
    return typer.Option(flag, parser=number, metavar="NUMBER", help=text)


def _count_option(flag: str, text: str) -> Any:
    return typer.Option(flag, parser=count, metavar="COUNT", help=text)


def _file_option(flag: str, text: str) -> Any:
    return typer.Option(flag, parser=path, metavar="FILE", help=text)


LearningRateOption = Annotated[
    float | None, _number_option("--learning-rate", "The length of a step; by default the rule's own.")
]
ScheduleOption = Annotated[
    str | None,
    typer.Option("--schedule", metavar="SCHEDULE", help="How the rate changes, or a line search: see below."),
]
MomentumOption = Annotated[float | None, _number_option("--momentum", "Short for --set momentum=NUMBER.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any hyperparameter of the rule; may be repeated."),
]
MaxStepsOption = Annotated[int, _count_option("--max-steps", "Stop after so many steps.")]
StopStepOption = Annotated[
    float | None,
    _number_option("--stop-step", "Stop when every coordinate moves less than this; 0: never. [default: 1e-12]"),
]
StopGradientOption = Annotated[
    float | None, _number_option("--stop-gradient", "Stop when the gradient's norm is at most this.")
]
StopChangeOption = Annotated[
    float | None,
    _number_option("--stop-change", "Stop when the value changes by at most this part of itself."),
]
TargetOption = Annotated[float | None, _number_option("--target", "Stop when the value is at most this.")]
MaxEvaluationsOption = Annotated[
    int | None, _count_option("--max-evaluations", "Stop after so many evaluations of value and gradient.")
]
MaxSecondsOption = Annotated[float | None, _number_option("--max-seconds", "Stop after so many seconds.")]
BatchSizeOption = Annotated[int | None, _count_option("--batch-size", "Rows a step. [default: all]")]
SeedOption = Annotated[int, _count_option("--seed", "The seed of the order in which batches take the data.")]
EveryOption = Annotated[int | None, _count_option("--every", "Print every so many steps. [default: about 20 rows]")]
PlotOption = Annotated[Path | None, _file_option("--plot", "Draw the run: .png, .svg, .pdf, ...")]
AnimateOption = Annotated[Path | None, _file_option("--animate", "Film the run: .gif, .mp4, .webp, .html.")]
SaveOption = Annotated[Path | None, _file_option("--save", "Keep the whole trajectory: .npz, for Trajectory.load.")]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object instead; a number that is not finite is null."),
]


def parse_start(text: str) -> list[float] | dict[str, float]:
    """A start: numbers in order, or each with its name.

    Raises:
        FalllineError: quoting what is wrong.

    >>> parse_start("0,-1"), parse_start("x=0,y=-1")
    ([0.0, -1.0], {'x': 0.0, 'y': -1.0})
    """
    named: dict[str, float] = {}
    numbers: list[float] = []
    for part in text.split(","):
        name, equals, figure = part.rpartition("=")
        name = name.strip()
        try:
            value = float(figure)
        except ValueError:
            raise FalllineError(
                f"--start is {text!r}, where {part!r} is not a number; write 10, or 0,-1, or x=0,y=-1"
            ) from None
        if not equals:
            numbers.append(value)
        elif name in named:
            raise FalllineError(f"--start is {text!r}, which gives {name} twice; give each coordinate once")
        else:
            named[name] = value
    if named and numbers:
        raise FalllineError(f"--start is {text!r}; name every coordinate, or none")
    return named or numbers


def chosen_rule(
    name: str,
    learning_rate: float | None,
    schedule: str | None,
    momentum: float | None,
    settings: Iterable[str],
) -> Optimizer[Any]:
    """The update rule that the options describe.

    Raises:
        FalllineError: naming the option that is wrong.
    """
    rule = OPTIMIZERS.get(name.rpartition(":")[2].partition("@")[0])
    known = hyperparameters(rule) if rule else {}
    given: dict[str, Any] = {}
    if learning_rate is not None:
        given["learning_rate"] = learning_rate
    if momentum is not None:
        if rule is not None and "momentum" not in known:
            raise FalllineError(
                f"--momentum is {momentum:g}, but momentum is not a hyperparameter of {rule.name}; "
                f"{nearest('momentum', known)}"
            )
        given["momentum"] = momentum
    for text in settings:
        setting, equals, number = text.partition("=")
        if not (setting and equals):
            raise FalllineError(f"--set is {text!r}; write NAME=VALUE, such as --set beta1=0.8")
        if setting in given:
            raise FalllineError(f"--set is {text!r}, but {setting} is given already; give it once")
        default = getattr(rule, setting, None)
        if isinstance(default, bool) and number in ("true", "false"):
            given[setting] = number == "true"
            continue
        if isinstance(default, str):
            given[setting] = number
            continue
        try:
            given[setting] = int(number) if setting in known and known[setting].range.whole else float(number)
        except ValueError:
            allowed = known[setting].range if setting in known else "a number"
            raise FalllineError(f"--set is {text!r}; {setting} must be {allowed}") from None
    if schedule in LINE_SEARCHES:
        first = {"initial": given["learning_rate"]} if "learning_rate" in given else {}
        given["learning_rate"] = LINE_SEARCHES[schedule](**first)
    elif schedule is not None:
        if "learning_rate" not in given:
            own = optimizer_from_name(name).learning_rate
            if isinstance(own, LineSearch):
                raise FalllineError(
                    f"--schedule is {schedule!r}, but {name} searches its rate along a line; give --learning-rate too"
                )
            given["learning_rate"] = own
        given["learning_rate"] = parse_schedule(schedule, given["learning_rate"])
    return optimizer_from_name(name, **given)


def chosen_stop(
    step: float | None,
    gradient: float | None,
    change: float | None,
    target: float | None,
    evaluations: int | None,
    seconds: float | None,
) -> StoppingCondition:
    """The stopping conditions that the options describe; a small step is one unless --stop-step is 0.

    Raises:
        FalllineError: naming the option that is wrong.
    """
    stop: StoppingCondition = NotFinite()
    kinds: tuple[tuple[str, Any, float | None], ...] = (
        ("--stop-step", StepSize, 1e-12 if step is None else step),
        ("--stop-gradient", GradientNorm, gradient),
        ("--stop-change", ValueChange, change),
        ("--target", Target, target),
        ("--max-evaluations", Evaluations, evaluations),
        ("--max-seconds", Seconds, seconds),
    )
    for flag, kind, number in kinds:
        (known,) = hyperparameters(kind).values()
        if number is None or (flag == "--stop-step" and number == 0):
            continue
        if not known.range.allows(number):
            raise FalllineError(f"{flag} is {number:g}; it must be {known.range}")
        stop = stop | kind(number)
    return stop


class _OnlyTried(Exception):
    """Leaves `whole_file` before anything is written."""


def check_writable(path: Path, flag: str) -> None:
    """Refuse a file that could not be written, by beginning to.

    Raises:
        FalllineError: naming the flag, the path and what is wrong with it.
    """
    try:
        with whole_file(path, flag):
            raise _OnlyTried
    except _OnlyTried:
        pass


def _rules() -> str:
    """The update rules with what --set changes and their conventions, from the registry."""
    lines = ["Optimizers, their hyperparameters (--set) and their conventions (RULE@CONVENTION):"]
    for name, rule in OPTIMIZERS.items():
        settings = " ".join(f"{setting}={known.default}" for setting, known in hyperparameters(rule).items())
        conventions = " ".join(f"@{convention}" for convention in rule.conventions if convention != "paper")
        lines.append(f"  {name}: {settings} {conventions}".rstrip())
    return "\n".join(lines)


def _schedules() -> str:
    """The schedules as --schedule takes them, from the registry."""
    lines = ["Schedules, of the rate that --learning-rate gives:"]
    for schedule in SCHEDULES.values():
        form = schedule_form(schedule)
        lines.append(f"  {form}" + "".join(f" | {form}:{other}" for other in schedule.conventions if other != "paper"))
    lines.append(f"Line searches, which begin at that rate: {', '.join(LINE_SEARCHES)}")
    return "\n".join(lines)


def _outcomes() -> str:
    """The outcomes of a sweep's runs, from their one definition."""
    return "\n".join(["Outcomes:", *(f"  {name}: {about}" for name, about in OUTCOMES.items())])


def _epilog(*paragraphs: str) -> str:
    # \b keeps the line breaks of a paragraph.
    return "\n\n".join(f"\b\n{paragraph}" for paragraph in paragraphs)


EPILOGS = {
    "fallline": _epilog(
        'Example:\n  fallline run "x**2 + 8*sin(x)" --start 10 --optimizer momentum --learning-rate 0.05'
    ),
    "run": _epilog(
        "Examples:\n"
        '  fallline run "x**2 + 8*sin(x)" --start 10 --optimizer momentum --learning-rate 0.05\n'
        '  fallline run "sin(x**2 + y**2)" --start 0,-1 --learning-rate 0.1 \\\n'
        "      --gradient perturbation:0.01 --schedule step:0.7:20 --plot path.png\n"
        '  fallline run "u = 2*x**2 - x - 2; y = 3*u + 1" --start x=2 --json',
        _rules(),
        _schedules(),
    ),
    "fit": _epilog(
        "Example:\n  fallline fit launches.csv --target distress --features temperature_F --plot fit.png",
        _rules(),
    ),
    "compare": _epilog(
        "Examples:\n"
        "  fallline compare rosenbrock --start -1.5,2 --optimizers adam@torch,adam@keras\n"
        '  fallline compare "x**2 + 10*y**2" --start 1,1 --optimizers momentum,nesterov --plot paths.png',
        f"Landscapes: {', '.join(LANDSCAPES)}",
        _rules(),
        _schedules(),
    ),
    "basins": _epilog(
        "Examples:\n"
        "  fallline basins himmelblau --optimizer momentum --learning-rate 0.01 --resolution 512 --plot basins.png\n"
        '  fallline basins "(x**2 - 1)**2 + y**2 + z**2" --box x=-2:2,y=-1:1 --at z=0.5',
        f"Landscapes: {', '.join(LANDSCAPES)}",
        _rules(),
        _schedules(),
    ),
    "sweep": _epilog(
        "Examples:\n"
        "  fallline sweep rosenbrock --start -1.2,1 --optimizer momentum --target 1e-6 \\\n"
        "      --grid learning_rate=1e-5:0.01:40:log --grid momentum=0:0.99:30 --plot heat.png --store runs.db\n"
        '  fallline sweep "x**2 + 10*y**2" --start 1,1 --start 2,-1 --optimizer adam --optimizer rmsprop \\\n'
        "      --grid learning_rate=0.01,0.1,1 --csv runs.csv",
        _outcomes(),
        _rules(),
        _schedules(),
    ),
    "tune": _epilog(
        "Examples:\n"
        "  fallline tune rosenbrock --start -1.2,1 --optimizer momentum --target 1e-6 \\\n"
        "      --space learning_rate=1e-5:0.1:log --space momentum --store trials.db\n"
        "  fallline tune booth --start 0,0 --start 5,-5 --optimizer adam --trials 100",
        _rules(),
        _schedules(),
    ),
    "optimizers": _epilog("Example:\n  fallline optimizers adam lion"),
    "conventions": _epilog("Example:\n  fallline conventions adam"),
    "demo": _epilog("Example:\n  fallline demo --out demo"),
}
