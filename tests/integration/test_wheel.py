"""The wheel holds what it must, and works outside the checkout.

It is installed into an environment of its own, which sees the dependencies of this one through a .pth file, so that
nothing is downloaded. (A .pth file adds a folder to the path without reading the .pth files in it, so the checkout,
installed here in editable mode, stays out of sight.)
"""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Run = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it."""
    place = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", str(wheel)], check=True)
    library = sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)})
    (Path(library) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Run:
    """Run a program of the environment in an empty folder: what it wrote to standard output."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FENLIU_"))}

    def run_program(program: str, *args: str) -> str:
        command = [str(environment / "bin" / program), *args]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_program


def test_it_holds_the_contract_and_the_types_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    checked_in = {str(path.relative_to(ROOT)) for path in (ROOT / "schemas" / "v1").glob("*.json")}
    assert len(checked_in) == 7
    assert checked_in | {"schemas/asyncapi.yaml", "schemas/py.typed", "streams/py.typed"} <= names
    packages = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert packages == {"schemas", "streams"}
    assert not [name for name in names if "test" in name.lower() or name.endswith((".pyc", ".orig"))]


def test_it_holds_every_module_of_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {str(path.relative_to(ROOT)) for part in ("schemas", "streams") for path in (ROOT / part).rglob("*.py")}
    assert modules <= names


def test_its_metadata_name_the_licence_the_readme_and_python(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata
    assert "Description-Content-Type: text/markdown" in metadata


def test_what_runs_is_the_wheel_and_not_the_checkout(run: Run, environment: Path) -> None:
    program = "import streams, schemas; print(streams.__file__); print(schemas.__file__); print(streams.__version__)"
    streams_file, schemas_file, version = run("python", "-c", program).splitlines()
    assert Path(streams_file).is_relative_to(environment)
    assert Path(schemas_file).is_relative_to(environment)
    assert run("fenliu", "--version") == f"fenliu {version}\n"
    assert run("python", "-m", "streams", "--version") == f"fenliu {version}\n"


def test_it_prints_the_schemas(run: Run) -> None:
    listed = run("fenliu", "schema")
    assert all(path.stem in listed for path in (ROOT / "schemas" / "v1").glob("*.json"))
    checked_in = (ROOT / "schemas" / "v1" / "assignment.json").read_bytes()
    assert json.loads(run("fenliu", "schema", "assignment")) == json.loads(checked_in)


def test_it_makes_traffic_and_routes_it(run: Run, tmp_path: Path) -> None:
    made = ["--shops", "2", "--agents", "3", "--rate", "1", "--hours", "0.5"]
    run("fenliu", "simulate", *made, "--out", "traffic.jsonl.gz")
    decisions = [json.loads(line) for line in run("fenliu", "replay", "traffic.jsonl.gz").splitlines()]
    assert len(decisions) > 100
    assert {decision["type"] for decision in decisions} == {"assignment"}
    assert [path.name for path in tmp_path.iterdir()] == ["traffic.jsonl.gz"]


def test_every_command_is_there(run: Run) -> None:
    program = (
        "import click\n"
        "from streams.cli import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    assert main.get_command(click.Context(main), name).get_help(click.Context(main, info_name=name))\n"
    )
    run("python", "-c", program)


def test_the_app_can_be_imported_without_a_broker(run: Run, tmp_path: Path) -> None:
    assert run("python", "-c", "import streams.app; print(streams.app.app.conf.id)") == "fenliu\n"
    assert list(tmp_path.iterdir()) == []
