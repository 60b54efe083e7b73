"""The programs of the environment that `make manifests` makes."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = REPOSITORY / ".cache" / "manifests"
DEPLOY = REPOSITORY / "deploy"
OVERLAYS = ("small", "production")
KUBERNETES = ("1.30", "1.37")
"""The manifests are held against the first and the last of these."""


def program(name: str) -> Path:
    """The path of one of them.

    Without the environment the test is skipped with the reason, or fails with CI set.
    """
    path = ENVIRONMENT / "bin" / name
    if path.exists():
        return path
    reason = f"no {name}: run `make manifests`, which makes the environment of these tests"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@cache
def overlay(name: str) -> list[dict[str, Any]]:
    """What kustomize makes of an overlay; not to be changed."""
    return rendered(DEPLOY / "kubernetes" / "overlays" / name)


def rendered(directory: Path) -> list[dict[str, Any]]:
    """What kustomize makes of a directory."""
    done = subprocess.run(
        [program("kubectl"), "kustomize", directory], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def findings(kind: str, documents: list[dict[str, Any]]) -> list[str]:
    """What is wrong with documents of a kind (`kubernetes`, `compose`), by the schemas of the environment."""
    done = subprocess.run(
        [program("python"), "-I", Path(__file__).with_name("findings.py"), kind, *KUBERNETES],
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def hadolint(dockerfile: Path) -> str:
    """What hadolint finds, of whatever severity."""
    done = subprocess.run(
        [program("hadolint"), "--no-color", "--failure-threshold", "style", dockerfile],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr
