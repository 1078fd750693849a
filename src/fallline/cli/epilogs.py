"""The epilog of each command's help: examples, and lists from the registries."""

from __future__ import annotations

from fallline.examples.data import recipes
from fallline.hyperparameters import hyperparameters
from fallline.line_search import LINE_SEARCHES
from fallline.objectives import LANDSCAPES
from fallline.optimizers import OPTIMIZERS
from fallline.results.sweep import OUTCOMES
from fallline.schedules import SCHEDULES, schedule_form


def _rules() -> str:
    """The update rules with their hyperparameters (--set) and conventions, from the registry."""
    lines = ["Optimizers, their hyperparameters (--set) and their conventions (RULE@CONVENTION):"]
    for name, rule in OPTIMIZERS.items():
        settings = " ".join(f"{setting}={known.default}" for setting, known in hyperparameters(rule).items())
        conventions = " ".join(f"@{convention}" for convention in rule.conventions if convention != "paper")
        lines.append(f"  {name}: {settings} {conventions}".rstrip())
    return "\n".join(lines)


def _schedules() -> str:
    """The schedules in the form that --schedule takes, from the registry."""
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
    # \b makes click keep the line breaks of a paragraph.
    return "\n\n".join(f"\b\n{paragraph}" for paragraph in paragraphs)


EPILOGS = {
    "run": _epilog(
        "Examples:\n"
        '  fallline run "x**2 + 8*sin(x)" --start 10 --optimizer momentum --learning-rate 0.05\n'
        '  fallline run "sin(x**2 + y**2)" --start 0,-1 --learning-rate 0.1 \\\n'
        "      --gradient perturbation:0.01 --schedule step:0.7:20 --plot path.png\n"
        "  fallline run rosenbrock --start -1.5,2 --plot arrows.png --picture arrows --style dark\n"
        '  fallline run "u = 2*x**2 - x - 2; y = 3*u + 1" --start x=2 --json\n'
        "  fallline run local_minimum --plot both.png --max-steps 200",
        f"Recipes: {', '.join(recipes())}",
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
    "diagnose": _epilog(
        "Example:\n"
        '  fallline run "x**2 + 30*y**2" --start 1,1 --learning-rate 0.04 --save run.npz\n'
        "  fallline diagnose run.npz"
    ),
    "explain": _epilog(
        "Examples:\n"
        "  fallline run rosenbrock --start -1.2,1 --optimizer adam --max-steps 100 --save run.npz\n"
        "  fallline explain run.npz --step 2\n"
        "  fallline explain race.npz --run nesterov --step 10 --latex"
    ),
    "explore": _epilog(
        "Examples:\n"
        "  fallline explore\n"
        '  fallline explore "x**2 + 10*y**2" --start 4,1 --optimizers momentum,adam --out page.html\n'
        "  fallline explore race.npz --open",
        f"Landscapes: {', '.join(LANDSCAPES)}",
        _rules(),
    ),
    "compare": _epilog(
        "Examples:\n"
        "  fallline compare rosenbrock --start -1.5,2 --optimizers adam@torch,adam@keras\n"
        '  fallline compare "x**2 + 10*y**2" --start 1,1 --optimizers momentum,nesterov --plot paths.png\n'
        '  fallline compare booth --start 0,0 --optimizers "adam(learning_rate=0.1), momentum(momentum=0.8)"',
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
    "landscapes": _epilog("Example:\n  fallline landscapes"),
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
