"""Without its library each bridge raises a one-line error that names the extra to install."""

from __future__ import annotations

import subprocess
import sys

# A process of its own, in which none of the libraries can be found.
SCRIPT = """
import sys

for name in ("torch", "optax", "jax", "scipy"):
    sys.modules[name] = None

import fallline
from fallline.bridges import jax, optax, scipy, torch

run = fallline.minimize("x**2", 1.0, fallline.GradientDescent(0.1), max_steps=2)
calls = {
    "torch": [lambda: torch.as_torch_optimizer(fallline.Adam()), lambda: torch.from_torch(None, None, None)],
    "jax": [lambda: jax.from_jax(lambda x: x, 1.0)],
    "optax": [lambda: optax.as_optax(fallline.Adam()), lambda: optax.from_optax(None)],
    "scipy": [lambda: scipy.method(fallline.Adam()), lambda: scipy.to_scipy(run)],
}
for extra, all_of_it in calls.items():
    for call in all_of_it:
        try:
            call()
        except fallline.FalllineError as error:
            print(extra, str(error))
"""


def test_the_bridges_are_at_hand_and_load_nothing_until_asked_for() -> None:
    script = (
        "import sys, fallline\n"
        "assert fallline.bridges.scipy.method\n"
        "assert not {'torch', 'optax', 'jax', 'scipy'} & set(sys.modules)\n"
        "assert not hasattr(fallline.bridges, 'numpy')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=600)


def test_each_call_names_its_extra() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=600)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["torch", "torch", "jax", "optax", "optax", "scipy", "scipy"]
    assert all(line.endswith(f'pip install "fallline[{line.split()[0]}]"') for line in lines)
