"""Run the unit and conformance tests on the other Pythons that fenliu promises, as far as they can be had here.

`python -m tests.pythons`: each one found on the PATH or among pyenv's gets an environment from requirements.lock, kept
in .cache/pythons until the lock file changes. The one that runs this is left out: `make test` tests with it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".cache" / "pythons"
MINORS = (11, 12, 13)

# Left out is what says nothing about Python: documents, alerts, and the slowest of the core.
TESTS = ("tests/unit", "tests/conformance")
LEFT_OUT = (
    "tests/unit/deploy",
    "tests/unit/docs",
    "tests/unit/simulate",
    "tests/unit/routing/test_state_survives.py",
)


def main() -> int:
    """Test with every other Python that is here; the exit code is 1 if any test failed."""
    others = {minor: found for minor in MINORS if minor != sys.version_info.minor and (found := find(minor))}
    for minor in MINORS:
        if minor != sys.version_info.minor and minor not in others:
            _tell(f"Python 3.{minor}: not found, left out")
    failed = [minor for minor, python in others.items() if not _passes(minor, python)]
    if failed:
        _tell("failed on Python " + ", ".join(f"3.{minor}" for minor in failed))
    return 1 if failed else 0


def find(minor: int) -> Path | None:
    """A Python of this minor version, from the PATH or else the newest of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    installed = sorted((pyenv / "versions").glob(f"3.{minor}.*"), key=_patch)
    on_path = shutil.which(f"python3.{minor}")
    candidates = [*([Path(on_path)] if on_path else []), *(place / "bin" / "python" for place in reversed(installed))]
    return next((python for python in candidates if _is_version(python, minor)), None)


def _patch(place: Path) -> int:
    digits = re.match(r"3\.\d+\.(\d+)", place.name)
    return int(digits[1]) if digits else -1


def _is_version(python: Path, minor: int) -> bool:
    """Whether it runs at all (pyenv has shims for versions that are not chosen) and is what its name says."""
    program = "import sys; print(sys.version_info[:2], sys.implementation.name)"
    try:
        done = subprocess.run([python, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    except OSError:
        return False
    return done.stdout.split(") ") == [f"(3, {minor}", "cpython\n"]


def _passes(minor: int, python: Path) -> bool:
    started_s = time.monotonic()
    binary = _environment(minor, python)
    _tell(f"Python 3.{minor}: {python}, environment ready after {time.monotonic() - started_s:.0f} s")
    left_out = [f"--ignore={name}" for name in LEFT_OUT]
    command = [str(binary), "-m", "pytest", "-q", "-p", "no:cacheprovider", *left_out, *TESTS]
    done = subprocess.run(command, check=False, cwd=ROOT, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})
    _tell(f"Python 3.{minor}: exit code {done.returncode} after {time.monotonic() - started_s:.0f} s")
    return done.returncode == 0


def _environment(minor: int, python: Path) -> Path:
    """The environment's Python; it is made anew if the lock file or that Python is another than last time."""
    place = PLACE / f"3.{minor}"
    ready, binary = place / ".ready", place / "bin" / "python"
    mark = f"{python} {hashlib.sha256((ROOT / 'requirements.lock').read_bytes()).hexdigest()}"
    if ready.exists() and ready.read_text() == mark:
        return binary
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([python, "-m", "venv", place], check=True)
    pip = [str(binary), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    ready.write_text(mark)
    return binary


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
