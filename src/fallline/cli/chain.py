"""`fallline chain`: the chain rule of a formula, factor by factor."""

from __future__ import annotations

from typing import Annotated

import typer

from fallline.cli import options, report
from fallline.cli.groups import Map, with_groups
from fallline.errors import FalllineError
from fallline.json_text import written


@with_groups
def chain(
    formula: Annotated[
        str, typer.Argument(metavar="FORMULA", help='A formula with named steps: "u = x**2 - 1; y = 3*u".')
    ],
    *,
    at: Annotated[
        str, typer.Option("--at", metavar="POINT", help="Where: 10, or 0,-1 in the order of the names, or x=0,y=-1.")
    ],
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX instead.")] = False,
    picture: Map,
    json: options.JsonOption = False,
) -> None:
    """Show the chain rule, evaluated at a point: every factor, the product along each path, and the sums."""
    if latex and json:
        raise FalllineError("--latex", problem="is given, and --json too", allowed="give one of the two")
    picture.check()
    from fallline.gradients.chain import chain_rule

    shown = chain_rule(formula, options.parse_start(at, "--at"))
    if json:
        report.say(
            written(
                {
                    "name": shown.name,
                    "values": shown.values,
                    "factors": [
                        {"of": f.of, "by": f.by, "formula": str(f.formula), "number": f.number} for f in shown.factors
                    ],
                    "paths": {
                        name: [{"names": path.names, "product": path.product} for path in paths]
                        for name, paths in shown.paths.items()
                    },
                    "gradient": shown.gradient,
                }
            )
        )
    else:
        report.say(shown.latex if latex else shown.text)
    if picture.plot is not None:
        from fallline.views import plot

        plot(shown, picture.plot, **picture.look)
        if not json and not latex:
            report.say_written(plot=picture.plot)
