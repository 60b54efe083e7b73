# ruff: noqa: INP001  a script of the build, in no package
"""Compiles the routing core with mypyc while a wheel is built, if FENLIU_COMPILE=1: the same code, about twice as fast.

Needs a C compiler and Python's headers. Without the variable this does nothing, and the wheel is pure Python.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CORE = Path("streams/routing")
INTERPRETED = {"__init__.py", "records.py"}
"""The structs of records.py: mypyc drops the arguments of their class statements."""

_SETUP = """
from setuptools import setup
from mypyc.build import mypycify
setup(name="core", packages=[], ext_modules=mypycify({arguments!r}, opt_level="3", group_name="fenliu"))
"""


class CompiledCore(BuildHookInterface[Any]):
    """Adds the compiled modules to the wheel, beside their sources, and names Python and platform in its tag."""

    def dependencies(self) -> list[str]:
        """What an isolated build needs in addition."""
        return ["mypy[mypyc]>=1.14", "msgspec>=0.19", "orjson>=3.10", "setuptools>=65"] if _wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless this is an editable installation or nobody asked for it."""
        if not _wanted() or version == "editable":
            return
        place = Path(tempfile.mkdtemp(prefix="fenliu-compiled-"))
        self._place = place
        for library in compile_core(Path(self.root), place):
            build_data["force_include"][str(place / library)] = str(library)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the folder in which it was compiled."""
        if hasattr(self, "_place"):
            shutil.rmtree(self._place)


def compile_core(root: Path, place: Path) -> list[Path]:
    """Compile the core of the checkout `root` in the empty folder `place`: the libraries, relative to it.

    Raises:
        SystemExit: if mypyc or the C compiler fails; their own words stand above.
    """
    for package in ("schemas", "streams"):
        shutil.copytree(root / package, place / package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    modules = sorted(str(path.relative_to(place)) for path in (place / CORE).glob("*.py"))
    arguments = [
        "--strict",
        "--follow-imports=silent",
        *(module for module in modules if Path(module).name not in INTERPRETED),
    ]
    (place / "setup.py").write_text(_SETUP.format(arguments=arguments), encoding="utf-8")
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=place, check=False, stdout=sys.stderr)  # noqa: S603  our own program
    if done.returncode != 0:
        raise SystemExit(
            "fenliu: the core could not be compiled\n"
            "  to mend it: install a C compiler and Python's headers (Debian: gcc python3-dev), or build without "
            "FENLIU_COMPILE"
        )
    return sorted(path.relative_to(place) for path in place.rglob("*.so") if "build" not in path.parts[:-1])


def _wanted() -> bool:
    return os.environ.get("FENLIU_COMPILE", "") == "1"
