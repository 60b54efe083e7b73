"""Every lock file installs with the oldest pip that this Python was released with, and with the newest there is.

The registry is asked, so it is done once for each state of a lock file: what was proved is remembered in .cache/locks.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.locks.pins import LOCKS, ROOT, read_here, unpinned

OLDEST = {11: "22.3", 12: "23.2.1", 13: "24.2"}
"""What ensurepip of 3.11.0, 3.12.0 and 3.13.0 brings."""
PIPS = (f"pip=={OLDEST.get(sys.version_info.minor, '24.2')}", "pip")
PLACE = ROOT / ".cache" / "locks"
CASES = [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in product(LOCKS, PIPS)]


Runs = dict[tuple[str, str], tuple[Path, Future["subprocess.CompletedProcess[str]"]]]
"""By lock file and pip: where the report of what it would install will lie, and the run."""


def proof(lock: str, pip: str) -> Path:
    """The file that says that this state of the lock installs; it lies there after it did."""
    state = hashlib.sha256(f"{lock} {pip} {sys.version}".encode() + (ROOT / lock).read_bytes())
    return PLACE / f"{state.hexdigest()}.proved"


def fetched(pip: str) -> Path:
    """The program of a pip, the newest one if it has no version."""
    target = PLACE / pip.replace("==", "-")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, pip], check=True)
    return target / "pip"


def dry_run(lock: str, program: Path, report: Path) -> "subprocess.CompletedProcess[str]":
    """Have it find, download and check all that it would install into an empty environment."""
    options = ["--quiet", "--disable-pip-version-check", "--dry-run", "--ignore-installed", "--report", str(report)]
    command = [sys.executable, str(program), "install", *options, "--require-hashes", "-r", str(ROOT / lock)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """All that is not proved yet, one for each processor: the old pip computes more than it waits."""
    waiting = [case for case in product(LOCKS, PIPS) if not proof(*case).exists()]
    programs = {pip: fetched(pip) for pip in PIPS if any(pip == each for _, each in waiting)}
    reports = tmp_path_factory.mktemp("reports")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {
            (lock, pip): (
                report := reports / f"{number}.json",
                pool.submit(dry_run, lock, programs[pip], report),
            )
            for number, (lock, pip) in enumerate(waiting)
        }


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("lock", "pip"), CASES)
def test_it_installs(runs: Runs, lock: str, pip: str) -> None:
    if (lock, pip) not in runs:
        pytest.skip("proved before: .cache/locks remembers it for this state of the lock file")
    report, future = runs[lock, pip]
    done = future.result()
    assert done.returncode == 0, f"{lock} does not install with {pip}:\n{done.stderr}"
    packages = [each["metadata"] for each in json.loads(report.read_text(encoding="utf-8"))["install"]]
    needs: dict[str, list[str]] = {canonicalize_name(each["name"]): each.get("requires_dist", []) for each in packages}
    pins = read_here(ROOT / lock)
    assert set(needs) == set(pins)
    assert unpinned(pins, needs.__getitem__) == [], "run make lock"
    proof(lock, pip).write_text(f"{lock} installs with {pip}\n", encoding="utf-8")
