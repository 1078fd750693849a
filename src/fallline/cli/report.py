"""The output of commands: results as tables or one JSON object, and the files written."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from fallline.cli.function import names_a_function
from fallline.errors import FalllineError
from fallline.files import check_writable
from fallline.json_text import written
from fallline.results.comparison import Comparison
from fallline.results.repeats import is_told_by_rule, places_by_rule
from fallline.results.trajectory import Point, Trajectory
from fallline.tables import MOST_COORDINATES, text_table

if TYPE_CHECKING:
    from fallline.diagnosis import Diagnosis
    from fallline.fitting.result import Fit

USUAL_ROWS = 20


def say(text: str) -> None:
    """Print; after a broken pipe (`| head`) output is discarded, so that files are still written."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # This also discards what Python flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def trajectory_text(trajectory: Trajectory, every: int | None = None) -> str:
    """The run as a table, with the reason and the point where it stopped, and the verdict of the diagnosis.

    Arguments:
        every: print every `every`-th step, and the first and the last; None: about 20 steps.
    """
    final, best = trajectory.final, trajectory.best
    cost = trajectory.evaluations
    reading = trajectory.objective.reading if trajectory.objective is not None else None
    lines = [
        f"{trajectory.title}",
        *([f"read as {reading}"] if reading else []),
        f"{trajectory.optimizer}",
        "",
        _rows(trajectory, every),
        "",
        f"stopped: {trajectory.stop.message} ({trajectory.stop.reason})",
        f"final:   {_place(trajectory, final)}",
    ]
    if best.value < final.value or math.isnan(final.value):
        lines.append(f"best:    {_place(trajectory, best)}")
    kind = trajectory.gradient_kind
    lines.append(f"evaluations: {cost.value} of the value, {cost.gradient} of the gradient ({kind})")
    return "\n".join([*lines, verdict(trajectory)])


def trajectory_json(trajectory: Trajectory) -> str:
    """The run as one JSON object; NaN and infinities, which JSON lacks, are null."""
    final, best = trajectory.final, trajectory.best
    return written(
        {
            "objective": trajectory.title,
            "names": trajectory.names,
            "optimizer": trajectory.optimizer,
            "gradient": trajectory.gradient_kind,
            "start": trajectory.start.x,
            "x": final.x,
            "value": final.value,
            "gradient_norm": final.gradient_norm,
            "steps": trajectory.step_count,
            "stopped": trajectory.stop.reason,
            "converged": trajectory.stop.converged,
            "evaluations": trajectory.evaluations._asdict(),
            "best": {"step": best.step, "x": best.x, "value": best.value},
            "findings": findings(trajectory),
        }
    )


def check_save(save: Path | None, *whats: str) -> None:
    """Check, before any work, that a file of results, or a recipe, can be written.

    Arguments:
        whats: what OBJECTIVE and --gradient are, of which a recipe holds no function in a file.

    Raises:
        FalllineError: naming the path and what is wrong with it.
    """
    if save is not None:
        if save.suffix not in (".npz", ".toml"):
            raise FalllineError("--save", str(save), "its name must end in .npz (the runs) or .toml (the recipe)")
        for what in whats:
            if save.suffix == ".toml" and names_a_function(what):
                raise FalllineError(
                    "--save", str(save), f"a recipe is plain data, and cannot hold {what}: write a .npz"
                )
        check_writable(save, "--save")


def save(result: Trajectory | Comparison, path: Path | None) -> None:
    """Save a result, or the recipe that repeats it, by the ending of the file's name."""
    if path is not None:
        (result.save_recipe if path.suffix == ".toml" else result.save)(path)


def draw(
    runs: Trajectory | Comparison | Fit,
    *,
    plot: Path | None = None,
    picture: Mapping[str, Any],
    animate: Path | None = None,
    film: Mapping[str, Any] | None = None,
) -> None:
    """Write the picture and the film.

    Arguments:
        runs: the result to show.
        plot: the file of the picture; None: no picture.
        picture: the keywords of its `plot`; the film has the same coordinates and style.
        animate: the file of the film; None: no film.
        film: further keywords of its `animate`.

    Raises:
        FalllineError: naming the option and why there is no picture.
    """
    if plot is not None or animate is not None:
        from fallline.views import NothingToDraw

        shared = {name: value for name, value in picture.items() if name != "kind"}
        wanted: tuple[tuple[str, Path | None, Callable[..., object], Mapping[str, Any]], ...] = (
            ("--plot", plot, runs.plot, picture),
            ("--animate", animate, runs.animate, shared | dict(film or {})),
        )
        for flag, path, write, options in wanted:
            if path is not None:
                try:
                    write(path, **options)
                except NothingToDraw as error:
                    raise FalllineError(
                        flag, str(path), problem=f"but there is nothing to draw: {error.reason}"
                    ) from None
                except FalllineError as error:
                    if error.parameter == "path":
                        error.under(flag)
                    raise


def say_written(**files: Path | None) -> None:
    """Print where the files are."""
    written = [str(path) for path in files.values() if path is not None]
    if written:
        say("\nwritten: " + ", ".join(written))


def end(result: Trajectory | Comparison | Fit, *, json: bool, **files: Path | None) -> None:
    """Print, but not after JSON, where the files are and what did not converge; exit with 130 after Ctrl-C."""
    if not json:
        say_written(**files)
        _say_unless_converged(result)
    if any(run.stop.reason == "interrupted" for run in labelled_runs(result).values()):
        raise typer.Exit(130)


def _say_unless_converged(result: Trajectory | Comparison | Fit) -> None:
    """Print, last because the exit code is 0, which runs did not converge, and why; of repeated runs, how many."""
    runs = labelled_runs(result)
    if not isinstance(result, Comparison) or not is_told_by_rule(result):
        for label, run in runs.items():
            if not run.stop.converged:
                say(f"not converged{f', {label}' if label else ''}: {run.stop.message}")
        return
    for rule, places in places_by_rule(result.rules).items():
        reasons = [result[place].stop.reason for place in places if not result[place].stop.converged]
        if reasons:
            say(f"not converged, {rule}: {len(reasons)} of {len(places)} runs: {', '.join(dict.fromkeys(reasons))}")


def labelled_runs(result: Trajectory | Comparison | Fit) -> dict[str, Trajectory]:
    """The runs of a result by their labels; a single run has none."""
    if isinstance(result, Comparison):
        return dict(zip(result.labels, result, strict=True))
    return {"": result if isinstance(result, Trajectory) else result.trajectory}


def verdict(result: Trajectory | Comparison | Fit) -> str:
    """What the diagnosis says of a result, in two or three lines; no remedy is run for it."""
    return _diagnosis(result).verdict()


def findings(result: Trajectory | Comparison | Fit) -> list[dict[str, Any]]:
    """The names and titles of the findings about a result, and of a comparison the runs that have them."""
    return [
        {"name": finding.name, "title": finding.title, "runs": finding.runs}
        if finding.runs
        else {"name": finding.name, "title": finding.title}
        for finding in _diagnosis(result)
    ]


def _diagnosis(result: Trajectory | Comparison | Fit) -> Diagnosis:
    from fallline.diagnosis import diagnose

    return diagnose(result, proof=False)


def _rows(trajectory: Trajectory, every: int | None) -> str:
    if every is None:
        every = _round_number(trajectory.step_count / USUAL_ROWS)
    names = trajectory.names[:MOST_COORDINATES]
    hidden = len(trajectory.names) - len(names)
    header = ["iteration", *names, *(["..."] if hidden else []), "f", "|gradient|", "rate"]
    rows = []
    for row, step in enumerate(trajectory.steps):
        if step % every == 0 or row == len(trajectory) - 1:
            point, rate = trajectory[row], trajectory.rate[row]
            place = [f"{number:.8g}" for number in point.x[: len(names)]] + ([f"+{hidden}"] if hidden else [])
            figures = [
                f"{point.value:.8g}",
                f"{point.gradient_norm:.4g}",
                "" if np.isnan(rate) else f"{rate:.4g}",
            ]
            rows.append([str(step), *place, *figures])
    return text_table(header, rows)


def _round_number(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that is at least `least`.

    >>> [_round_number(least) for least in (0.3, 2.5, 51)]
    [1, 5, 100]
    """
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= least:
                return digit * power
        power *= 10


def _place(trajectory: Trajectory, point: Point) -> str:
    shown = zip(trajectory.names[:MOST_COORDINATES], point.x.tolist(), strict=False)
    place = ", ".join(f"{name} = {number!r}" for name, number in shown)
    if len(trajectory.names) > MOST_COORDINATES:
        place += f", and {len(trajectory.names) - MOST_COORDINATES} more"
    return f"{place}; f = {point.value!r}, |gradient| = {point.gradient_norm:.4g}, at iteration {point.step}"
