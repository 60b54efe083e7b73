"""Programs that are no Python packages: a test that needs one runs where it is found, and must run with CI set."""

import os
import shutil

import pytest


def find(program: str, *, debian_package: str) -> str:
    """The path of a program.

    Where it is missing the test is skipped with the reason, or fails with CI set.
    """
    path = shutil.which(program)
    if path is not None:
        return path
    reason = f"no {program} on PATH: install it (Debian: apt-get install {debian_package})"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
