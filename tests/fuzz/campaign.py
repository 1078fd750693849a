"""Whatever Fallline reads, spoilt at random: `python -m tests.fuzz.campaign READER MINUTES`; the seed is printed.

A reader takes what it is given, or refuses it by one line of a FalllineError, within seconds. What does otherwise is
kept in tests/fuzz/corpus, which the tests replay.
"""

from __future__ import annotations

import functools
import io
import random
import secrets
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.explorer.formulas import Writer
from tests.results.samples import KINDS, named

import fallline
from fallline.fitting.fitted import FittedModel

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = Path(fallline.__file__).parent / "examples"
# One reading may take so many seconds.
PATIENCE = 10
MAGIC = [b"\0", b"\xff", b"\n", b'"', b"'", b"[", b"]]", b"{", b"=", b"-", b"1e999", b"nan", b"9" * 40, b"\xed\xa0\x80"]


def spoilt(content: bytes, draw: random.Random) -> bytes:
    """The content with some bytes changed, left out, repeated or put in."""
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        at, length = draw.randint(0, len(changed)), draw.choice([0, 1, 1, 2, 8, 64])
        new = draw.choice([draw.randbytes(length), bytes(changed[at : at + length]) * 2, b"", draw.choice(MAGIC)])
        changed[at : at + length] = new
    return bytes(changed)


def spoilt_archive(content: bytes, draw: random.Random) -> bytes:
    """The same of what stands in a zip archive, half of the time: its checksums are right then."""
    if draw.random() < 0.5:
        return spoilt(content, draw)
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        chosen = draw.choice(old.namelist())
        for name in old.namelist():
            new.writestr(name, spoilt(old.read(name), draw) if name == chosen else old.read(name))
    return written.getvalue()


@dataclass(frozen=True)
class Reader:
    """What reads a file of this ending, examples of it, and how they are spoilt."""

    ending: str
    examples: Callable[[], list[bytes]]
    read: Callable[[Path], object]
    spoilt: Callable[[bytes, random.Random], bytes] = spoilt


def saved(write: Callable[[Path], object], ending: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / f"a{ending}")
        return (Path(folder) / f"a{ending}").read_bytes()


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="surrogatepass")


def formula(path: Path) -> None:
    try:
        text = text_of(path)
    except UnicodeDecodeError:
        return
    objective = fallline.as_objective(text)
    point = np.linspace(0.3, 0.7, objective.dimension)
    objective.value(point)
    objective.gradient(point)


def formulas() -> list[bytes]:
    writer = Writer(0)
    return [writer.any().encode("utf-8", errors="surrogatepass") for _ in range(300)]


def csv(path: Path) -> None:
    fallline.fit(path, "y", model="linear", max_steps=3)


TABLES = [
    b"x,y\n1,2\n2,3.5\n3,5\n4,7\n",
    b"x;z;y\n1,5;a;2\n2,5;b;3\n3,5;a;5\n",
    b'"x"\t"y"\n1\t2\n\n2\tNA\n3\t4\n',
    "größe,y\n1e3,0\n-2,1\n.5,0\n".encode(),
]


def results(kind: type) -> list[bytes]:
    return [saved(named(name).save, ".npz") for name, other in KINDS.items() if other is kind]


def checkpoint(path: Path) -> None:
    fallline.minimize("x**2 + y**4", [1.0, 2.0], fallline.Adam(0.1), max_steps=30, checkpoint=path)


def store(path: Path) -> None:
    fallline.sweep("x**2", 1.0, fallline.GradientDescent(), {"learning_rate": [0.1, 0.2]}, max_steps=5, store=path)


def recipe(path: Path) -> None:
    fallline.explore(fallline.Recipe.load(path))


READERS: Mapping[str, Reader] = {
    "formula": Reader(".txt", formulas, formula),
    "recipe": Reader(".toml", lambda: [path.read_bytes() for path in sorted(EXAMPLES.glob("*.toml"))], recipe),
    "csv": Reader(".csv", lambda: TABLES, csv),
    "model": Reader(".json", lambda: [saved(named("fit").fitted.save, ".json")], FittedModel.load),
    "checkpoint": Reader(".ckpt", lambda: [saved(checkpoint, ".ckpt")], checkpoint, spoilt_archive),
    "store": Reader(".db", lambda: [saved(store, ".db")], store),
    **{
        kind.__name__.lower(): Reader(".npz", functools.partial(results, kind), kind.load, spoilt_archive)
        for kind in set(KINDS.values())
    },
}


def fault_of(reader: Reader, content: bytes) -> str | None:
    """What goes wrong when this is read: None where it is taken, or refused as it should be."""

    def late(*_: object) -> None:
        raise TimeoutError(f"more than {PATIENCE} s")

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"a{reader.ending}"
        path.write_bytes(content)
        usual = signal.signal(signal.SIGALRM, late)
        signal.alarm(PATIENCE)
        try:
            reader.read(path)
        except fallline.FalllineError as error:
            return None if len(str(error).splitlines()) == 1 else f"a message of several lines: {error}"
        except Exception:
            return traceback.format_exc()
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, usual)
    return None


def main() -> None:
    """Spoil and read for some minutes; keep the first input of each kind of fault."""
    name, minutes = sys.argv[1], float(sys.argv[2])
    reader, seed = READERS[name], secrets.randbits(32)
    draw, examples, seen, count = random.Random(seed), reader.examples(), set[str](), 0
    print(f"{name}: seed {seed}", flush=True)
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        content = reader.spoilt(draw.choice(examples), draw)
        count += 1
        fault = fault_of(reader, content)
        kind = fault.strip().splitlines()[-3:][0] if fault else ""
        if fault and kind not in seen:
            seen.add(kind)
            CORPUS.mkdir(exist_ok=True)
            kept = CORPUS / f"{name}-{len(list(CORPUS.glob(f'{name}-*')))}{reader.ending}"
            kept.write_bytes(content)
            print(f"{kept.name}: {fault}", flush=True)
    print(f"{name}: {count} inputs, {len(seen)} kinds of fault", flush=True)
    sys.exit(bool(seen))


if __name__ == "__main__":
    main()
