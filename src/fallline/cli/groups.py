"""Groups of options that several commands share; each group is one parameter of a command."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from fallline.cli.options import count_option, file_option, number_option
from fallline.cli.rules import rule_from, rules_from
from fallline.engines import ENGINES
from fallline.engines import Engine as AnyEngine
from fallline.errors import FalllineError, Verbatim, nearest
from fallline.files import check_writable
from fallline.hyperparameters import hyperparameters
from fallline.optimizers import Optimizer
from fallline.pictures.kinds import FILMS, KINDS, check_kind
from fallline.stopping import (
    Evaluations,
    GradientNorm,
    NotFinite,
    Seconds,
    StepSize,
    StoppingCondition,
    ValueChange,
)

if TYPE_CHECKING:
    from fallline.data.csv_format import Reading


class Group:
    """A dataclass whose fields are options; a command with a parameter of this type gets all of them."""


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the signature that typer reads: the options of each group in place of the group."""
    signature = inspect.signature(command, eval_str=True)
    groups = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, Group)
    }

    @functools.wraps(command)
    def called(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{option.name: given.pop(option.name) for option in _options_of(kind)})
        command(**given)

    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        parameters += _options_of(groups[name]) if name in groups else [parameter]
    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return called


def _options_of(kind: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in dataclasses.fields(kind)
    ]


@dataclass(frozen=True)
class CsvOptions(Group):
    """How a CSV file is written; what is not told is found in the file."""

    separator: Annotated[
        str | None, typer.Option(metavar="MARK", help="What separates columns, such as ';' or tab. [default: found]")
    ] = None
    decimal: Annotated[
        str | None, typer.Option(metavar=".|,", help="The decimal mark of numbers. [default: found]")
    ] = None
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Such as latin-1. [default: UTF-8, or UTF-16 with its mark]")
    ] = None
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether the first line names the columns. Else: x1, x2, ..."),
    ] = None
    na: Annotated[
        str, typer.Option(metavar="MARK,MARK", help="What marks a missing entry, besides blank, NA, ? and the like.")
    ] = ""

    @property
    def reading(self) -> Reading:
        """The options as keywords of `fallline.fit`."""
        return {
            "separator": self.separator,
            "decimal": self.decimal,
            "encoding": self.encoding,
            "header": self.header,
            "na": [mark.strip() for mark in self.na.split(",") if mark.strip()],
        }


@dataclass(frozen=True)
class Rule(Group):
    """The settings of an update rule."""

    learning_rate: Annotated[
        float | None, number_option("--learning-rate", "The length of a step; by default the rule's own.")
    ] = None
    schedule: Annotated[
        str | None,
        typer.Option("--schedule", metavar="SCHEDULE", help="How the rate changes, or a line search: see below."),
    ] = None
    momentum: Annotated[float | None, number_option("--momentum", "Short for --set momentum=NUMBER.")] = None
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any hyperparameter of the rule; may be repeated."),
    ] = None

    @property
    def given(self) -> bool:
        """Whether any of the options is given."""
        return any(getattr(self, field.name) is not None for field in dataclasses.fields(self))

    def of(self, name: str) -> Optimizer[Any]:
        """The rule of this name, with the settings.

        Raises:
            FalllineError: naming the option that is wrong.
        """
        return rule_from(name, self.learning_rate, self.schedule, self._settings)

    def each_of(self, names: str) -> dict[str, Optimizer[Any]]:
        """The rules of an --optimizers list, each with the settings of these options that the list does not give.

        Raises:
            FalllineError: naming the option that is wrong.
        """
        return rules_from(names, "--optimizers", self.learning_rate, self.schedule, self._settings)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The name and the text of each setting, the learning rate included.

        Raises:
            FalllineError: when one is not written as NAME=VALUE.
        """
        rate = [] if self.learning_rate is None else [f"learning_rate={self.learning_rate!r}"]
        pairs = [text.partition("=") for text in [*rate, *self._settings]]
        for name, equals, value in pairs:
            if not (name and equals and value):
                raise FalllineError("--set", name + equals + value, "write NAME=VALUE, such as beta1=0.8")
        return [(name, value) for name, _, value in pairs]

    @property
    def _settings(self) -> list[str]:
        """The settings from --set and --momentum, each as NAME=VALUE."""
        short = [] if self.momentum is None else [f"momentum={self.momentum!r}"]
        return [*short, *(self.settings or ())]


@dataclass(frozen=True)
class Stopping(Group):
    """The conditions that end a run before the step limit."""

    stop_step: Annotated[
        float | None,
        number_option("--stop-step", "Stop when every coordinate moves less; 0: never. [default: 5e-13 of itself]"),
    ] = None
    stop_gradient: Annotated[
        float | None, number_option("--stop-gradient", "Stop when the gradient's norm is at most this.")
    ] = None
    stop_change: Annotated[
        float | None, number_option("--stop-change", "Stop when the value's relative change is at most this.")
    ] = None
    max_evaluations: Annotated[
        int | None, count_option("--max-evaluations", "Stop after this many evaluations of value and gradient.")
    ] = None
    max_seconds: Annotated[float | None, number_option("--max-seconds", "Stop after this many seconds.")] = None

    @property
    def condition(self) -> StoppingCondition | None:
        """The conditions of the options, including a small step unless --stop-step is 0; None if no option is given.

        Raises:
            FalllineError: naming the option that is wrong.
        """
        kinds: tuple[tuple[str, Any, float | None], ...] = (
            ("--stop-step", StepSize, self.stop_step),
            ("--stop-gradient", GradientNorm, self.stop_gradient),
            ("--stop-change", ValueChange, self.stop_change),
            ("--max-evaluations", Evaluations, self.max_evaluations),
            ("--max-seconds", Seconds, self.max_seconds),
        )
        if all(number is None for _, _, number in kinds):
            return None
        stop: StoppingCondition = NotFinite()
        for flag, kind, number in kinds:
            (known,) = hyperparameters(kind).values()
            if kind is StepSize and number is None:
                stop = stop | StepSize()
            if number is None or (kind is StepSize and number == 0):
                continue
            if not known.range.allows(number):
                raise FalllineError(flag, Verbatim(f"{number:g}"), known.range)
            stop = stop | kind(number)
        return stop


@dataclass(frozen=True)
class Execution(Group):
    """The engine or cluster that executes the runs."""

    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="|".join(ENGINES),
            help="How the steps are executed: by NumPy, as machine code, or by JAX, also on a GPU.",
        ),
    ] = "auto"
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="cpu|gpu|gpu:1|...", help="Where --engine jax runs. [default: JAX's choice]"),
    ] = None
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="local:COUNT|tcp://HOST:PORT",
            help="Spread the work over COUNT processes of this machine, or over a scheduler's Dask workers.",
        ),
    ] = None

    @property
    def chosen(self) -> AnyEngine:
        """The engine, or the cluster of --cluster.

        Raises:
            FalllineError: when there is no such engine or cluster, or both are given.
        """
        if self.engine not in ENGINES:
            raise FalllineError("--engine", self.engine, nearest(self.engine, ENGINES))
        if self.cluster is None:
            return self.engine
        if self.engine != "auto":
            raise FalllineError(
                "--engine", self.engine, "give one of the two", problem=f"and --cluster {self.cluster!r}"
            )
        from fallline.engines.workers import Cluster

        return Cluster(self.cluster)


StyleOption = Annotated[str, typer.Option("--style", metavar="light|dark", help="The colours of pictures and films.")]
ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="notebook|paper|slide",
        help="What pictures and films are for: the sizes of text and lines. [default: notebook]",
    ),
]


def _look(style: str, context: str | None) -> dict[str, Any]:
    """The keywords of a picture for its look; empty for the usual one, for which Matplotlib is not imported.

    Raises:
        FalllineError: naming the option that is wrong.
    """
    look: dict[str, Any] = {"style": style} if context is None else {"style": style, "context": context}
    if look == {"style": "light"}:
        return {}
    from fallline.views import Look

    try:
        Look(**look)
    except FalllineError as error:
        raise error.under(f"--{error.parameter}") from None
    return look


@dataclass(frozen=True)
class Map(Group):
    """One picture of all runs together."""

    plot: Annotated[Path | None, file_option("--plot", "Draw it: .png, .svg, .pdf, ...")] = None
    style: StyleOption = "light"
    context: ContextOption = None

    def check(self) -> None:
        """Check, before any work, that the picture can be written and drawn.

        Raises:
            FalllineError: naming the option that is wrong.
        """
        _check_files(plot=self.plot)
        _look(self.style, self.context)

    @property
    def look(self) -> dict[str, Any]:
        """The keywords of the function that draws it."""
        return _look(self.style, self.context)


@dataclass(frozen=True)
class Views(Group):
    """A picture and a film of runs."""

    plot: Annotated[Path | None, file_option("--plot", "Draw it: .png, .svg, .pdf, .html, ...")] = None
    picture: Annotated[
        str,
        typer.Option(
            "--picture",
            metavar="KIND",
            help=f"What --plot draws: auto, {', '.join(KINDS)}.",
        ),
    ] = "auto"
    coordinates: Annotated[
        str | None,
        typer.Option(
            "--coordinates",
            metavar="NAME,NAME",
            help="Which two of more coordinates to draw; pca: the path's principal components.",
        ),
    ] = None
    style: StyleOption = "light"
    context: ContextOption = None
    animate: Annotated[Path | None, file_option("--animate", "Film it: .gif, .mp4, .webp, .html.")] = None
    film: Annotated[
        str | None,
        typer.Option("--film", metavar="KIND", help=f"What the film shows: {', '.join(FILMS)}."),
    ] = None
    frames: Annotated[
        int | None, count_option("--frames", "How many frames the film has, from the start to the end; 1: the end.")
    ] = None
    fps: Annotated[float | None, number_option("--fps", "Frames of the film per second.")] = None
    spacing: Annotated[
        str | None,
        typer.Option(
            "--spacing",
            metavar="CLOCK",
            help="The film's clock: length (the paths grow evenly) or time (all steps take as long).",
        ),
    ] = None
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="WxH", help="Width and height of the film in pixels, such as 1280x720."),
    ] = None
    quality: Annotated[int | None, count_option("--quality", "The quality of the film, from 1 to 100.")] = None
    turn: Annotated[
        float | None, number_option("--turn", "Degrees by which the camera turns, in three dimensions.")
    ] = None

    def check_files(self) -> None:
        """Check, before any work, that the files can be written.

        Raises:
            FalllineError: naming the option that is wrong.
        """
        _check_files(plot=self.plot, animate=self.animate, page=True)

    def chosen_picture(
        self, names: Sequence[str] | None, *, several: bool = False, more: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The keywords of `fallline.views.plot` for the picture that the options describe.

        Arguments:
            names: the names of the runs' coordinates; None: not known yet.
            several: whether there are several runs.
            more: the kinds that there are beside those of runs.

        Raises:
            FalllineError: naming the option that is wrong.
        """
        kind, coordinates = self.picture, self.coordinates
        if kind != "auto" and self.plot is None:
            raise FalllineError("--picture", kind, "give --plot FILE, too", problem="but no picture is asked for")
        if self.plot is None and self.animate is None:
            usual = {"coordinates": None, "style": "light", "context": None}
            for name, value in usual.items():
                if (given := getattr(self, name)) != value:
                    raise FalllineError(
                        f"--{name}", given, "give --plot FILE, too", problem="but no picture is asked for"
                    )
        look = _look(self.style, self.context)
        if (kind, coordinates, look) == ("auto", None, {}):
            return {}
        dimension, chosen = None if names is None else len(names), coordinates is not None
        check_kind(kind, dimension, several=several, chosen=chosen, more=more, parameter="--picture")
        if chosen and dimension == 1:
            raise FalllineError("--coordinates", coordinates, "leave it out", problem="but there is only one")
        pictured: dict[str, Any] = {"kind": kind, "style": self.style, **look}
        return pictured if coordinates is None else pictured | {"coordinates": _two(coordinates, names)}

    def chosen_film(self, dimension: int) -> dict[str, Any]:
        """The keywords of `fallline.views.animate` for the film that the options describe.

        Arguments:
            dimension: the number of the runs' coordinates.

        Raises:
            FalllineError: naming the option that is wrong, before the runs are made.
        """
        asked = {name: getattr(self, field) for name, field in _FILM.items()}
        film: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        if self.animate is None:
            for name, value in film.items():
                raise FalllineError(
                    f"--{_FILM[name]}", Verbatim(value), "give --animate FILE, too", problem="but no film is asked for"
                )
            return {}
        if self.size is not None:
            width, _, height = self.size.partition("x")
            if not (width.isdecimal() and height.isdecimal()):
                raise FalllineError("--size", self.size, "write width and height in pixels, such as 1280x720")
            film["size"] = int(width), int(height)
        from fallline.views import check_film

        try:
            check_film(dimension, self.animate, **film)
        except FalllineError as error:
            raise error.under(f"--{_FILM.get(error.parameter, 'animate')}") from None
        return film


# The options of a film, by the keywords of `fallline.views.animate`.
_FILM = {
    "kind": "film",
    "frames": "frames",
    "frames_per_second": "fps",
    "spacing": "spacing",
    "size": "size",
    "quality": "quality",
    "turn": "turn",
}


def _two(coordinates: str, names: Sequence[str] | None) -> Any:
    """The two coordinates that --coordinates names, or "pca"."""
    if coordinates == "pca":
        return "pca"
    two = [name.strip() for name in coordinates.split(",")]
    for name in two:
        if names is not None and name not in names:
            raise FalllineError("--coordinates", coordinates, nearest(name, names))
    if len(set(two)) != 2 or len(two) != 2:
        raise FalllineError("--coordinates", coordinates, "it must be two different names, or pca")
    return two


def _check_files(*, plot: Path | None, animate: Path | None = None, page: bool = False) -> None:
    if plot is None and animate is None:
        return
    from fallline.views import check_film_path, check_picture_path

    if plot is not None:
        check_picture_path(plot, "--plot", page=page)
    if animate is not None:
        check_film_path(animate, "--animate")
    if plot is not None and animate is not None and plot.resolve() == animate.resolve():
        raise FalllineError("--animate", str(animate), "give two files", problem="and so is --plot")
    for flag, path in (("--plot", plot), ("--animate", animate)):
        if path is not None:
            check_writable(path, flag)
