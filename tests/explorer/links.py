"""Links of the explorer's page, and what becomes of them when their characters change."""

from __future__ import annotations

import random

from tests.explorer.mutations import mutated

import fallline

# A link that says everything, each part otherwise than the page at first.
FULL = (
    "f=x**2%2B5*y**2%2Bz**4-x*y*z&box=-3,2.5,-1,4&start=1,2,-0.5&start=-1.25,0.5,1e-3&steps=77&axes=2,0&at=12&active=2,1"
    "&rule=adam@keras,rate=constant,learning_rate=0.07,beta1=0.8,beta2=0.95,epsilon=1e-06,look=3"
    "&rule=momentum@torch,rate=schedule:cosine@paper,learning_rate=0.02,rate.final=0.001,momentum=0.7,look=5,hidden=true"
    "&rule=lbfgs@paper,rate=search:strong_wolfe,rate.most_tries=20,memory=3,look=1"
    "&gradient=central,0.003&noise=0.25,17&target=0.001&view=surface&basins=yes&panel=rates"
)
SIGNS = "0123456789.xyz&=,@;:%<>'\"()x09e.-*/+^π√\\\0\u202e\u2028#?"
PIECES = ["__proto__", "1e308", "-1", "NaN", "**9", "</script>", "<!--", "${x}", "learning_rate=", "&rule=", "&start=",
          "%00", "%E2%80%A8", "constructor", "1e999", "sum(x[i],i=1..99)", "rate=search:", "Infinity"]  # fmt: skip


def mutated_links(seed: int, count: int) -> list[str]:
    """So many links with changed characters."""
    chance = random.Random(seed)
    rules = [fallline.Adam(0.1), fallline.Momentum(fallline.Cosine(0.01)), fallline.LBFGS()]
    whole = [
        FULL,
        fallline.explore("x**2 + 10*y**2 + sin(x*y)", [4.0, 1.0], rules, max_steps=100).link,
        fallline.explore("x**4 - x", 2.0, "rmsprop@keras").link + "&at=3&noise=0.5,7&target=0.1&view=surface",
        fallline.explore("rosenbrock", [[0.0, 1.0], [1.0, -1.0]], ["nesterov", "lion"]).link + "&panel=histories",
    ]
    return [mutated(chance.choice(whole), chance, SIGNS, PIECES) for _ in range(count)]
