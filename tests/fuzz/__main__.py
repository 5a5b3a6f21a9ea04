"""Coverage-guided fuzzing of the decoders: `python -m tests.fuzz [--seconds N] [TARGET ...]`, all of them by default.

With atheris (the extra `fuzz`) each target runs in its own process, as libFuzzer requires; without it, inputs are
mutated at random. A failing input is printed as a line for corpus/TARGET.txt, where it stays as a test. With `--keep`,
inputs that reached new code are added there too.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.fuzz.corpus import FOLDER, load, save

ROOT: Final = Path(__file__).parents[2]
NAMES: Final = sorted(file.stem for file in FOLDER.glob("*.txt"))
MAX_BYTES: Final = 4_096
MAX_KEPT_BYTES: Final = 400
GUIDED: Final = importlib.util.find_spec("atheris") is not None


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", action="store_true", help="add inputs that reach new code to the corpus")
    parser.add_argument("targets", nargs="*", metavar="TARGET", default=NAMES, help=f"of {', '.join(NAMES)}")
    args = parser.parse_args(argv)
    if not GUIDED:
        print("atheris is not installed (pip install '.[fuzz]'): changes at random, not guided by coverage")
    fuzz = functools.partial(_guided if GUIDED else _at_random, seconds=args.seconds, keep=args.keep)
    with ThreadPoolExecutor(os.cpu_count() if GUIDED else 1) as workers:  # each thread waits for a process
        went_well = dict(zip(args.targets, workers.map(fuzz, args.targets), strict=True))
    failed = [target for target, well in went_well.items() if not well]
    print(f"failed: {', '.join(failed)}" if failed else "no failures")
    return 1 if failed else 0


def _at_random(target: str, seconds: int, *, keep: bool) -> bool:
    """Returns whether no input failed."""
    from tests.fuzz.mutate import mutated  # noqa: PLC0415 - only needed without atheris
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415

    del keep  # without coverage, new inputs are not recognised
    dice, corpus, count, end = random.Random(), load(target), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        one = mutated(dice, corpus)
        count += 1
        try:
            TARGETS[target](one)
        except Exception as error:  # noqa: BLE001 - any exception is a finding
            print(f"{target}: {error!r} for\n{one!r}")
            return False
    print(f"{target}: {count} inputs")
    return True


def _guided(target: str, seconds: int, *, keep: bool) -> bool:
    """Returns whether no input failed."""
    with tempfile.TemporaryDirectory() as folder:
        found, kept = Path(folder, "found"), Path(folder, "kept")
        found.mkdir()
        kept.mkdir()
        _write(kept, load(target))
        code = _libfuzzer(target, f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", found, kept)
        for artifact in Path(folder).glob("*-*"):
            print(f"{target}: {artifact.name}, keep it:\n{artifact.read_bytes()!r}")
        if keep and code == 0:
            new = [path.read_bytes() for path in found.iterdir()]
            save(target, [*load(target), *(one for one in new if len(one) <= MAX_KEPT_BYTES)])
    return code == 0


def _write(folder: Path, inputs: Iterable[bytes]) -> None:
    for number, one in enumerate(inputs):
        (folder / str(number)).write_bytes(one)


def _libfuzzer(target: str, *arguments: str | Path) -> int:
    """Run libFuzzer in a child process. Print the end of its output, or all of it after a failure."""
    command = [sys.executable, "-m", "tests.fuzz.guided", target, f"-max_len={MAX_BYTES}", "-timeout=10"]
    done = subprocess.run([*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stderr.splitlines()
    print(f"{target}: {said[-1] if said else done.returncode}" if done.returncode == 0 else done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
