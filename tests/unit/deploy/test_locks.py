"""A lock file pins the extras as well: pip 23 looks for `coverage[toml]` by itself where only `coverage` is pinned."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.locks.pins import ELSEWHERE, LOCKS, ROOT, needed_by, read, read_here, unpinned

OURS = ("streams", "schemas")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def needs(name: str) -> list[str] | None:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return None


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_its_extras(lock: str) -> None:
    """As far as the lock's packages are installed here; tests/locks asks for the others."""
    assert unpinned(read_here(ROOT / lock), needs) == [], "run make lock"


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if not lock.startswith("tests/")])
def test_all_of_it_is_installed_where_the_tests_run(lock: str) -> None:
    """Else the test above would look at less than it says."""
    assert [name for name in read_here(ROOT / lock) if needs(name) is None] == []


def test_a_stripped_extra_is_found(tmp_path: Path) -> None:
    """As it was in the lock that stopped installing when coverage 7.17.4 appeared."""
    whole = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "\ncoverage[toml]==" in whole
    stripped = tmp_path / "requirements.lock"
    stripped.write_text(whole.replace("\ncoverage[toml]==", "\ncoverage=="), encoding="utf-8")
    (finding,) = unpinned(read_here(stripped), needs)
    assert finding.startswith("pytest-cov needs coverage[toml]")
    assert finding.endswith("coverage is locked without [toml]")


def test_what_an_extra_needs_is_pinned_too(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"sampled[fast]==1.0 \\\n    --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    of_sampled = ['quick>=2; extra == "fast"', 'slow; extra == "other"', 'old; python_version < "3.11"']
    (finding,) = unpinned(read_here(lock), {"sampled": of_sampled}.get)
    assert finding.startswith("sampled needs quick>=2")


@pytest.mark.parametrize("lock", ["demo.lock", "deploy/docker/requirements.lock", "deploy/docker/build.lock"])
def test_what_runs_is_what_is_tested(lock: str) -> None:
    tested = {(pin.name, pin.version, pin.hashes) for pin in read(ROOT / "requirements.lock")}
    for pin in read(ROOT / lock):
        assert (pin.name, pin.version, pin.hashes) in tested, f"{pin.name}: run make lock"


def test_the_demo_gets_what_runs_fenliu_and_what_installs_it_and_no_tool_of_the_tests() -> None:
    project = PROJECT["project"]
    runs = needed_by([*project["dependencies"], *project["optional-dependencies"]["demo"]])
    installs = needed_by([*PROJECT["build-system"]["requires"], "editables"])
    locked = {pin.name for pin in read(ROOT / "demo.lock")}
    assert runs | installs <= locked
    assert locked - runs - installs <= ELSEWHERE


def imports(file: Path) -> Iterator[str]:
    """The packages that a module imports anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_fenliu_imports_nothing_that_the_demo_does_not_get() -> None:
    """The tests have more: an import of theirs would pass there and fail where only fenliu is."""
    files = [file for folder in OURS for file in (ROOT / folder).rglob("*.py")]
    imported = {name for file in files for name in imports(file)} - {*OURS, *sys.stdlib_module_names}
    assert {"faust", "aiokafka", "orjson"} <= imported
    packages = packages_distributions()
    locked = {pin.name for pin in read(ROOT / "demo.lock")}
    assert {name for name in imported if not {canonicalize_name(each) for each in packages[name]} & locked} == set()
