"""Named landscapes: the classical test functions, as formula texts."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi


@dataclass(frozen=True)
class Landscape:
    """A test function of x and y.

    Attributes:
        name: its name in `minimize` and on the command line.
        formula: its text.
        bounds: (low, high) of each coordinate, the region that is usually searched or drawn.
        minima: its global minima, one point per row.
        lowest: the value there.
        source: where it comes from.
        called: its name in titles; empty if that is `name` with a capital.
    """

    name: str
    formula: str
    bounds: tuple[tuple[float, float], tuple[float, float]]
    minima: tuple[tuple[float, float], ...]
    lowest: float
    source: str
    called: str = ""

    @property
    def title(self) -> str:
        """Its name as papers spell it."""
        return self.called or self.name.capitalize()


def _square(low: float, high: float) -> tuple[tuple[float, float], tuple[float, float]]:
    return ((low, high), (low, high))


LANDSCAPES: dict[str, Landscape] = {
    landscape.name: landscape
    for landscape in (
        Landscape(
            "sphere",
            "x**2 + y**2",
            _square(-5.12, 5.12),
            ((0.0, 0.0),),
            0.0,
            "De Jong (1975), An analysis of the behavior of a class of genetic adaptive systems, F1",
        ),
        Landscape(
            "booth",
            "(x + 2*y - 7)**2 + (2*x + y - 5)**2",
            _square(-10, 10),
            ((1.0, 3.0),),
            0.0,
            "Jamil and Yang (2013), A literature survey of benchmark functions, no. 17",
        ),
        Landscape(
            "matyas",
            "0.26*(x**2 + y**2) - 0.48*x*y",
            _square(-10, 10),
            ((0.0, 0.0),),
            0.0,
            "Jamil and Yang (2013), A literature survey of benchmark functions, no. 71",
        ),
        Landscape(
            "rosenbrock",
            "100*(y - x**2)**2 + (1 - x)**2",
            ((-2.0, 2.0), (-1.0, 3.0)),
            ((1.0, 1.0),),
            0.0,
            "Rosenbrock (1960), An automatic method for finding the greatest or least value of a function",
        ),
        Landscape(
            "beale",
            "(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2",
            _square(-4.5, 4.5),
            ((3.0, 0.5),),
            0.0,
            "Beale (1958), On an iterative method for finding a local minimum of a function of more than one variable",
        ),
        Landscape(
            "himmelblau",
            "(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
            _square(-5, 5),
            (
                (3.0, 2.0),
                (-2.805118086952745, 3.131312518250573),
                (-3.779310253377747, -3.283185991286170),
                (3.584428340330492, -1.848126526964404),
            ),
            0.0,
            "Himmelblau (1972), Applied nonlinear programming",
        ),
        Landscape(
            "goldstein_price",
            "(1 + (x + y + 1)**2*(19 - 14*x + 3*x**2 - 14*y + 6*x*y + 3*y**2))"
            "*(30 + (2*x - 3*y)**2*(18 - 32*x + 12*x**2 + 48*y - 36*x*y + 27*y**2))",
            _square(-2, 2),
            ((0.0, -1.0),),
            3.0,
            "Goldstein and Price (1971), On descent from local minima",
            "Goldstein–Price",
        ),
        Landscape(
            "three_hump_camel",
            "2*x**2 - 1.05*x**4 + x**6/6 + x*y + y**2",
            _square(-5, 5),
            ((0.0, 0.0),),
            0.0,
            "Dixon and Szegő (1975), Towards global optimisation",
            "Three-hump camel",
        ),
        Landscape(
            "six_hump_camel",
            "(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (4*y**2 - 4)*y**2",
            ((-2.0, 2.0), (-1.0, 1.0)),
            ((0.089842013100318, -0.712656403020739), (-0.089842013100318, 0.712656403020739)),
            -1.031628453489877,
            "Dixon and Szegő (1978), The global optimization problem: an introduction",
            "Six-hump camel",
        ),
        Landscape(
            "mccormick",
            "sin(x + y) + (x - y)**2 - 1.5*x + 2.5*y + 1",
            ((-1.5, 4.0), (-3.0, 4.0)),
            ((1 / 2 - pi / 3, -1 / 2 - pi / 3),),
            -(3**0.5) / 2 - pi / 3,
            "McCormick (1976), Computability of global solutions to factorable nonconvex programs",
            "McCormick",
        ),
        Landscape(
            "branin",
            "(y - 5.1*x**2/(4*pi**2) + 5*x/pi - 6)**2 + 10*(1 - 1/(8*pi))*cos(x) + 10",
            ((-5.0, 10.0), (0.0, 15.0)),
            ((-pi, 12.275), (pi, 2.275), (3 * pi, 2.475)),
            5 / (4 * pi),
            "Branin (1972), Widely convergent method for finding multiple solutions of simultaneous nonlinear "
            "equations",
        ),
        Landscape(
            "styblinski_tang",
            "(x**4 - 16*x**2 + 5*x + y**4 - 16*y**2 + 5*y)/2",
            _square(-5, 5),
            ((-2.903534027771177, -2.903534027771177),),
            -78.33233140754282,
            "Styblinski and Tang (1990), Experiments in nonconvex optimization",
            "Styblinski–Tang",
        ),
        Landscape(
            "rastrigin",
            "20 + x**2 - 10*cos(2*pi*x) + y**2 - 10*cos(2*pi*y)",
            _square(-5.12, 5.12),
            ((0.0, 0.0),),
            0.0,
            "Rastrigin (1974), Systems of extremal control",
        ),
        Landscape(
            "ackley",
            "20 + e - 20*exp(-0.2*sqrt((x**2 + y**2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2)",
            _square(-5, 5),
            ((0.0, 0.0),),
            0.0,
            "Ackley (1987), A connectionist machine for genetic hillclimbing",
        ),
        Landscape(
            "griewank",
            "1 + (x**2 + y**2)/4000 - cos(x)*cos(y/sqrt(2))",
            _square(-10, 10),
            ((0.0, 0.0),),
            0.0,
            "Griewank (1981), Generalized descent for global optimization",
        ),
        Landscape(
            "levy",
            "u = 1 + (x - 1)/4; v = 1 + (y - 1)/4; "
            "sin(pi*u)**2 + (u - 1)**2*(1 + 10*sin(pi*u + 1)**2) + (v - 1)**2*(1 + sin(2*pi*v)**2)",
            _square(-10, 10),
            ((1.0, 1.0),),
            0.0,
            "Levy and Montalvo (1985), The tunneling algorithm for the global minimization of functions",
        ),
        Landscape(
            "easom",
            "-cos(x)*cos(y)*exp(-(x - pi)**2 - (y - pi)**2)",
            _square(0, 6),
            ((pi, pi),),
            -1.0,
            "Easom (1990), A survey of global optimization techniques",
        ),
    )
}
