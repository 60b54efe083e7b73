"""Which of the fault tests run: a slice of a few minutes by default, all of them with FENLIU_FAULTS=all."""

import os

import pytest

long_run = pytest.mark.skipif(
    os.environ.get("FENLIU_FAULTS") != "all", reason="takes long; FENLIU_FAULTS=all runs it too"
)
