"""What the commands have in common: options, the texts of their help, and checks before any work begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fallline.engines import ENGINES, Cluster, Engine
from fallline.errors import FalllineError, nearest
from fallline.hyperparameters import hyperparameters
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.objectives import LANDSCAPES
from fallline.optimizers import OPTIMIZERS, Optimizer, optimizer_from_name
from fallline.optimizers.spelling import spelt
from fallline.results.sweep import OUTCOMES
from fallline.schedules import SCHEDULES, parse_schedule, schedule_form
from fallline.slips import meant
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


def count_option(flag: str, text: str) -> Any:
    """An option that takes a whole number."""
    return typer.Option(flag, parser=count, metavar="COUNT", help=text)


def file_option(flag: str, text: str) -> Any:
    """An option that takes the name of a file."""
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
MaxStepsOption = Annotated[int, count_option("--max-steps", "Stop after so many steps.")]
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
    int | None, count_option("--max-evaluations", "Stop after so many evaluations of value and gradient.")
]
MaxSecondsOption = Annotated[float | None, _number_option("--max-seconds", "Stop after so many seconds.")]
BatchSizeOption = Annotated[int | None, count_option("--batch-size", "Rows a step. [default: all]")]
GradientOption = Annotated[
    str, typer.Option("--gradient", metavar="KIND", help="auto, symbolic, autodiff, or perturbation:STEP:SCHEME.")
]
SeedOption = Annotated[int, count_option("--seed", "The seed of the order in which batches take the data.")]
EngineOption = Annotated[
    str,
    typer.Option("--engine", metavar="|".join(ENGINES), help="What makes the steps: NumPy, or machine code."),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="local:COUNT|tcp://HOST:PORT",
        help="Spread the work over so many processes of this machine, or over a scheduler's Dask workers.",
    ),
]
EveryOption = Annotated[int | None, count_option("--every", "Print every so many steps. [default: about 20 rows]")]
PlotOption = Annotated[Path | None, file_option("--plot", "Draw the run: .png, .svg, .pdf, ...")]
PictureOption = Annotated[
    str,
    typer.Option(
        "--picture",
        metavar="KIND",
        help="What --plot draws: auto, curve, contour, contour_3d, surface, histories, steps, arrows or epochs.",
    ),
]
CoordinatesOption = Annotated[
    str | None,
    typer.Option(
        "--coordinates",
        metavar="NAME,NAME",
        help="The two to draw where there are more; pca: along the path's principal components.",
    ),
]
StyleOption = Annotated[str, typer.Option("--style", metavar="light|dark", help="The colours of pictures and films.")]
AnimateOption = Annotated[Path | None, file_option("--animate", "Film the run: .gif, .mp4, .webp, .html.")]
FilmOption = Annotated[
    str | None,
    typer.Option("--film", metavar="KIND", help="What the film shows: curve, contour, contour_3d or surface."),
]
FramesOption = Annotated[
    int | None, count_option("--frames", "Frames of the film at most: the start, the end and between; 1: the end.")
]
FpsOption = Annotated[float | None, _number_option("--fps", "Frames of the film a second.")]
SizeOption = Annotated[
    str | None, typer.Option("--size", metavar="WxH", help="Width and height of the film in pixels, such as 1280x720.")
]
QualityOption = Annotated[int | None, count_option("--quality", "How little the film loses, from 1 to 100.")]
TurnOption = Annotated[float | None, _number_option("--turn", "Degrees by which the camera turns, in space.")]
SaveOption = Annotated[Path | None, file_option("--save", "Keep the whole trajectory: .npz, for Trajectory.load.")]
CheckpointOption = Annotated[
    Path | None,
    file_option("--checkpoint", "Save as it goes; the same command goes on from there, even after kill -9."),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object instead; a number that is not finite is null."),
]


def parse_start(text: str, flag: str = "--start") -> list[float] | dict[str, float]:
    """A start, or another point: numbers in order, or each with its name.

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
                f"{flag} is {text!r}, where {part!r} is not a number; write 10, or 0,-1, or x=0,y=-1"
            ) from None
        if not equals:
            numbers.append(value)
        elif name in named:
            raise FalllineError(f"{flag} is {text!r}, which gives {name} twice; give each coordinate once")
        else:
            named[name] = value
    if named and numbers:
        raise FalllineError(f"{flag} is {text!r}; name every coordinate, or none")
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
    rule = OPTIMIZERS.get(spelt(name.rpartition(":")[2].partition("@")[0], OPTIMIZERS))
    known = hyperparameters(rule) if rule else {}
    given: dict[str, Any] = {}
    if learning_rate is not None:
        given["learning_rate"] = learning_rate
    if momentum is not None:
        if rule is not None and "momentum" not in known:
            raise FalllineError(
                f"--momentum is {momentum:g}, but momentum is not a hyperparameter of {rule.name}; "
                f"{meant('momentum', known)}"
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


def chosen_engine(name: str) -> str:
    """Who executes the run.

    Raises:
        FalllineError: when there is no such engine.
    """
    if name not in ENGINES:
        raise FalllineError(f"--engine is {name!r}; {nearest(name, ENGINES)}")
    return name


def engine_on(cluster: str | None) -> Engine:
    """Who executes the runs, or sums the rows: the workers that --cluster names, or what suits the work best.

    Raises:
        FalllineError: when it names none.
    """
    return "auto" if cluster is None else Cluster(cluster)


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


def chosen_picture(
    kind: str,
    coordinates: str | None,
    style: str,
    names: Sequence[str] | None,
    *,
    plot: Path | None,
    animate: Path | None = None,
    several: bool = False,
) -> dict[str, Any]:
    """What `fallline.views.plot` is to be told for the picture that the options describe.

    Arguments:
        names: the runs' coordinates; None: not known yet.
        plot, animate: the files that --plot and --animate name.
        several: whether there are several runs.

    Raises:
        FalllineError: naming the option that is wrong.
    """
    if kind != "auto" and plot is None:
        raise FalllineError(f"--picture is {kind!r}, but no picture is asked for; give --plot FILE, too")
    if plot is None and animate is None:
        for flag, value, usual in (("--coordinates", coordinates, None), ("--style", style, "light")):
            if value != usual:
                raise FalllineError(f"{flag} is {value!r}, but no picture is asked for; give --plot FILE, too")
    if (kind, coordinates, style) == ("auto", None, "light"):
        # As pictures are by themselves; a run without one is spared Matplotlib.
        return {}
    from fallline.views import check_kind, check_style

    check_style(style, "--style")
    dimension, chosen = None if names is None else len(names), coordinates is not None
    check_kind(kind, dimension, several=several, chosen=chosen, parameter="--picture")
    if chosen and dimension == 1:
        raise FalllineError(f"--coordinates is {coordinates!r}, but there is only one; leave it out")
    pictured: dict[str, Any] = {"kind": kind, "style": style}
    if coordinates is None:
        return pictured
    if coordinates == "pca":
        return pictured | {"coordinates": "pca"}
    two = [name.strip() for name in coordinates.split(",")]
    for name in two:
        if names is not None and name not in names:
            raise FalllineError(f"--coordinates is {coordinates!r}; {nearest(name, names)}")
    if len(set(two)) != 2 or len(two) != 2:
        raise FalllineError(f"--coordinates is {coordinates!r}; it must be two different names, or pca")
    return pictured | {"coordinates": two}


def chosen_style(style: str) -> Any:
    """The style of a picture, looked at before any work.

    Raises:
        FalllineError: when there is no such style.
    """
    if style != "light":
        # What is as usual is spared Matplotlib.
        from fallline.views import check_style

        check_style(style, "--style")
    return style


# The options of a film, by the names that `fallline.views.animate` has for them.
_FILM_FLAGS = {
    "path": "--animate",
    "kind": "--film",
    "frames": "--frames",
    "frames_per_second": "--fps",
    "size": "--size",
    "quality": "--quality",
    "turn": "--turn",
}


def chosen_film(
    path: Path | None,
    dimension: int,
    *,
    kind: str | None,
    frames: int | None,
    fps: float | None,
    size: str | None,
    quality: int | None,
    turn: float | None,
) -> dict[str, Any]:
    """What `fallline.views.animate` is to be told for the film that the options describe.

    Arguments:
        path: the file that --animate names.
        dimension: how many coordinates the runs will have.

    Raises:
        FalllineError: naming the option that is wrong, before the runs are made.
    """
    asked = {"kind": kind, "frames": frames, "frames_per_second": fps, "size": size, "quality": quality, "turn": turn}
    film: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if path is None:
        for name, value in film.items():
            raise FalllineError(f"{_FILM_FLAGS[name]} is {value}, but no film is asked for; give --animate FILE, too")
        return {}
    if size is not None:
        width, _, height = size.partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            raise FalllineError(f"--size is {size!r}; write width and height in pixels, such as 1280x720")
        film["size"] = int(width), int(height)
    from fallline.views import check_film

    try:
        check_film(dimension, path, **film)
    except FalllineError as error:
        name, _, rest = str(error).partition(" ")
        raise FalllineError(f"{_FILM_FLAGS[name]} {rest}") from None
    return film


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
        "  fallline run rosenbrock --start -1.5,2 --plot arrows.png --picture arrows --style dark\n"
        '  fallline run "u = 2*x**2 - x - 2; y = 3*u + 1" --start x=2 --json',
        _rules(),
        _schedules(),
    ),
    "fit": _epilog(
        "Examples:\n"
        "  fallline fit launches.csv --target distress --features temperature_F --plot fit.png --animate fit.gif\n"
        "  fallline fit digits.csv --target digit --model network --hidden 64 --optimizer adam \\\n"
        "      --batch-size 32 --epochs 30 --constant drop --holdout 0.2 --save digits.json\n"
        "  fallline predict digits.json new.csv --out predicted.csv",
        _rules(),
    ),
    "predict": _epilog("Example:\n  fallline predict model.json new.csv --out predicted.csv"),
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
    "check": _epilog(
        "Examples:\n"
        "  fallline check rosenbrock --at -1.2,1 --gradient perturbation:0.01\n"
        '  fallline check "u = 2*x**2 - x - 2; y = 3*u + 1" --at 2 --derivative "3*(2*x - 1)"\n'
        "  fallline check losses.py:loss --at 1,2 --gradient losses.py:slope"
    ),
    "chain": _epilog(
        "Examples:\n"
        '  fallline chain "u = 2*x**2 - x - 2; y = 3*u + 1" --at x=2\n'
        '  fallline chain "u = 3*a**2 - 2*a + b**2 + 1; y = 2*u + c" --at 1,1,1 --plot chain.png'
    ),
    "demo": _epilog("Example:\n  fallline demo --out demo"),
}
