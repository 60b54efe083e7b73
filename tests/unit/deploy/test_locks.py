"""A lock file pins the extras as well: pip 23 looks for `coverage[toml]` by itself where only `coverage` is pinned."""

from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

from tests.locks.pins import LOCKS, ROOT, read_here, unpinned


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
