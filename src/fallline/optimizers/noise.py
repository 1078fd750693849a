"""Normal random numbers that are a function of seed, step and coordinate."""

from __future__ import annotations

import numpy as np

from fallline.arrays import Quantity
from fallline.proxy import Proxy

# The largest prime below 2²⁶: products of two numbers below it are exact in float64, and as it is 2 more than a
# multiple of 3, cubing permutes the numbers below it.
PRIME = 67108859
# Two streams, each of multipliers drawn at random; every draw is made from one number of each.
STREAMS = ((48271903, 19560113, 36969247), (61413397, 27182819, 5772157))


def standard_normal(seed: Quantity, step: Quantity, coordinate: Quantity) -> Quantity:
    """A number from the standard normal distribution for each (seed, step, coordinate), whole numbers at least 0.

    All arithmetic but the last line is exact in float64, so that every library, and every batch, gets the same
    number. Each argument in turn is mixed in by multiplying, adding and cubing modulo a prime: a cubic
    congruential generator (Eichenauer-Herrmann and Herrmann, 1997, Compound cubic congruential pseudorandom
    numbers) used as a hash. Two of the uniform numbers make a normal one (Box and Muller, 1958, A note on the
    generation of random normal deviates).

    >>> standard_normal(0, 1, np.array([1.0, 2.0])) == standard_normal(0, 1, np.array([[2.0, 1.0]]))[:, ::-1]
    array([[ True,  True]])
    """
    if isinstance(coordinate, Proxy) and standard_normal.__name__ in coordinate.library:
        return coordinate.__array_function__(standard_normal, (Proxy,), (seed, step, coordinate), {})
    uniform = []
    for multipliers in STREAMS:
        mixed = 1
        for part, multiplier in zip((seed, step, coordinate), multipliers, strict=True):
            mixed = (mixed * multiplier % PRIME + part) % PRIME
            mixed = mixed * mixed % PRIME * mixed % PRIME
        # Once more, because neighbouring coordinates differ only by one.
        mixed = mixed * multipliers[0] % PRIME
        mixed = mixed * mixed % PRIME * mixed % PRIME
        uniform.append((mixed + 0.5) / PRIME)
    return np.sqrt(-2 * np.log(uniform[0])) * np.cos(2 * np.pi * uniform[1])
