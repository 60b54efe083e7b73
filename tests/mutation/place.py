"""A copy of the core and of its tests, apart from the checkout, where mutmut can change what it likes."""

import shutil
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]

MUTATED = ("case", "ladder", "pick", "share", "standing")
"""The modules of streams/routing that are mutated: the ladders, and whom the share picks."""

_COPIED = (
    "schemas",
    "streams/__init__.py",
    "streams/routing",
    "tests/__init__.py",
    "tests/conformance",
    "tests/mutation/__init__.py",
    "tests/mutation/numbered_scenarios.py",
    "tests/reference",
    "tests/unit/__init__.py",
    "tests/unit/routing",
)

_TESTS = (
    "tests/mutation/numbered_scenarios.py",
    "tests/unit/routing",
)

# Left out: a subprocess and two long searches by hypothesis, which the random seeds beside them make up for, and ids
# that mutmut cannot hand on.
_LEFT_OUT = " and ".join(
    f"not {name}" for name in ("hash_randomisation", "no_sequence_of_events", "waits_for_one_owner", "no_known_format")
)

_SETTINGS = """
[tool.pytest.ini_options]
addopts = ["--strict-markers", "--strict-config", "-p", "no:cacheprovider"]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
filterwarnings = ["error"]
timeout = 60

[tool.mutmut]
source_paths = ["streams", "schemas"]
only_mutate = [{modules}]
pytest_add_cli_args = ["-k", "{left_out}"]
pytest_add_cli_args_test_selection = [{tests}]
timeout_multiplier = 10.0
timeout_constant = 60.0
track_dependencies = false
"""

# The same examples for every mutant, and no search for the smallest: one failure is enough.
_CONFTEST = """
from hypothesis import Phase, settings

settings.register_profile("mutation", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutation")
"""


def lay_out(place: Path) -> None:
    """Copy what is needed, and write the settings of pytest, hypothesis and mutmut beside it."""
    for name in _COPIED:
        source, target = ROOT / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    modules = _listed(f"streams/routing/{module}.py" for module in MUTATED)
    settings = _SETTINGS.format(modules=modules, tests=_listed(_TESTS), left_out=_LEFT_OUT)
    (place / "pyproject.toml").write_text(settings)
    (place / "tests" / "conftest.py").write_text(_CONFTEST)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
