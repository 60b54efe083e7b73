"""The core compiled with mypyc: built as a wheel, unpacked, and put through the same tests as the interpreted one.

`python -m tests.compiled` builds and tests; `python -m tests.compiled --build` builds, and says where it is. The place
looks like a checkout in which `streams` and `schemas` are the wheel's, so the tests run there as they are.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".cache" / "compiled"
TESTS = ("tests/conformance", "tests/reference", "tests/unit/routing")
NOT_OF_THE_WHEEL = {"schemas", "streams"}
PROGRAM = "from streams.routing import COMPILED, router; print(COMPILED, router.__file__)"


def main() -> int:
    """Build, and unless told otherwise test; the exit code is that of pytest, or 0 without a compiler outside CI."""
    missing = missing_tools()
    if missing:
        _tell(f"the compiled core is left out: {missing} not found (Debian: gcc, python3-dev)")
        return 2 if os.environ.get("CI") else 0
    place = compiled_checkout()
    if "--build" in sys.argv[1:]:
        _tell(str(place))
        return 0
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile", *TESTS],
        check=False,
        cwd=place,
        env=environment(),
    ).returncode


def missing_tools() -> str:
    """What a C extension needs and this machine has not; the empty string if nothing."""
    header = Path(sysconfig.get_path("include")) / "Python.h"
    missing = [] if shutil.which("gcc") or shutil.which("cc") else ["a C compiler"]
    return " and ".join(missing if header.exists() else [*missing, str(header)])


def compiled_checkout() -> Path:
    """A folder with the wheel's packages and links to all else; built anew when a source is another than last time.

    Raises:
        RuntimeError: if Python would not take the compiled core there.
    """
    mark, ready = _fingerprint(), PLACE / ".ready"
    if not (ready.exists() and ready.read_text() == mark):
        shutil.rmtree(PLACE, ignore_errors=True)
        wheels = PLACE / "wheel"
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT)]
        subprocess.run(build, check=True, env=os.environ | {"FENLIU_COMPILE": "1"}, stdout=subprocess.DEVNULL)
        (wheel,) = wheels.glob("*.whl")
        shutil.unpack_archive(wheel, PLACE, "zip")
        for path in ROOT.iterdir():
            if path.name not in NOT_OF_THE_WHEEL and not path.name.startswith("."):
                (PLACE / path.name).symlink_to(path)
        ready.write_text(mark)
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, cwd=PLACE, env=environment(), capture_output=True, text=True
    ).stdout.strip()
    if not found.startswith(f"True {PLACE}"):
        raise RuntimeError(f"Python takes {found} instead of the compiled core in {PLACE}")
    return PLACE


def environment() -> dict[str, str]:
    """For a Python that runs there, with the compiled packages before those of the checkout."""
    return os.environ | {"PYTHONPATH": str(PLACE), "PYTHONDONTWRITEBYTECODE": "1"}


def _fingerprint() -> str:
    """Of all that goes into the wheel, and of this Python."""
    digest = hashlib.sha256(sys.version.encode())
    for package in (*sorted(NOT_OF_THE_WHEEL), "deploy/compiled"):
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
