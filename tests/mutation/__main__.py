"""Run mutmut over the ladder and the share, and hold the survivors against those that are explained.

`python -m tests.mutation [--keep FOLDER]`, in the environment of requirements.txt; ends with 1 if a mutant survives
without an explanation, or if an explanation fits no survivor any more.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.mutation.explained import Mutation, explanations, mutation_of
from tests.mutation.place import MUTATED, lay_out

_KILLED = {1, 3}
_SURVIVED = 0
_TIMED_OUT = {24, -24, 36, 152, 255}


def main() -> int:
    """Run everything; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work in this folder, and go on where it stands")
    keep: Path | None = parser.parse_args().keep
    if keep is not None:
        return _run(keep.absolute())
    with tempfile.TemporaryDirectory(prefix="fenliu-mutation-") as folder:
        return _run(Path(folder))


def _run(place: Path) -> int:
    place.mkdir(parents=True, exist_ok=True)
    lay_out(place)
    variables = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    mutmut = [sys.executable, "-m", "mutmut"]
    ended = subprocess.run([*mutmut, "run", "--max-children", "1"], cwd=place, env=variables, check=False)
    if ended.returncode:
        return ended.returncode
    survivors: dict[Mutation, str] = {}
    _tell(f"\n{'module':<12}{'mutants':>9}{'killed':>9}{'timed out':>11}{'survived':>10}{'other':>7}")
    total: Counter[str] = Counter()
    for module in MUTATED:
        counts: Counter[str] = Counter()
        for name, exit_code in _results(place, module):
            end = _end(exit_code)
            counts[end] += 1
            if end in {"survived", "other"}:
                shown = subprocess.run(
                    [*mutmut, "show", name], cwd=place, env=variables, check=True, capture_output=True, text=True
                )
                survivors[mutation_of(name, shown.stdout)] = name
        total += counts
        _tell_row(module, counts)
    _tell_row("all", total)
    return _compare(survivors)


def _results(place: Path, module: str) -> Iterator[tuple[str, int | None]]:
    meta = place / "mutants" / "streams" / "routing" / f"{module}.py.meta"
    yield from json.loads(meta.read_bytes())["exit_code_by_key"].items()


def _end(exit_code: int | None) -> str:
    if exit_code in _KILLED:
        return "killed"
    if exit_code == _SURVIVED:
        return "survived"
    return "timed out" if exit_code in _TIMED_OUT else "other"


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tell_row(name: str, counts: Counter[str]) -> None:
    columns = f"{counts['killed']:>9}{counts['timed out']:>11}{counts['survived']:>10}{counts['other']:>7}"
    _tell(f"{name:<12}{counts.total():>9}{columns}")


def _compare(survivors: dict[Mutation, str]) -> int:
    explained = explanations()
    unexplained = [mutation for mutation in survivors if mutation not in explained]
    outdated = [mutation for mutation in explained if mutation not in survivors]
    for mutation in unexplained:
        _tell(f"\nsurvived without an explanation: {survivors[mutation]}\n{mutation}")
    for mutation in outdated:
        _tell(f"\nexplained in survivors.yaml, but no survivor any more:\n{mutation}")
    return 1 if unexplained or outdated else 0


if __name__ == "__main__":
    sys.exit(main())
