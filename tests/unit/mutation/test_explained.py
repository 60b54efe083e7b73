"""tests/mutation/survivors.yaml speaks of lines that are there; `make mutation` checks the rest, and is slow."""

from pathlib import Path

import streams.routing
from tests.mutation.explained import explanations


def test_every_explained_mutant_is_of_a_line_that_is_there() -> None:
    place = Path(streams.routing.__file__).parent
    for mutation in explanations():
        source = (place / f"{mutation.function.partition('.')[0]}.py").read_text(encoding="utf-8")
        assert mutation.was in " ".join(source.split()), mutation
