"""A worker whose metrics raise when they are told of something: `misled_worker batch_committed`."""

import sys

from streams.cli import main
from streams.metrics import Metrics


def misled(name: str) -> None:
    """Let an observer's method raise."""

    def refuse(*_: object) -> None:
        raise RuntimeError(f"{name} cannot be told")

    setattr(Metrics, name, refuse)


if __name__ == "__main__":
    misled(sys.argv[1])
    main(["worker"])
