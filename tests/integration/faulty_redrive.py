"""`fenliu dlq redrive` that kills itself at a point, the n-th time: `faulty_redrive POINT N OPTION...`."""

import os
import signal
import sys

from streams.cli import main
from streams.lane import faults
from streams.redrive import run


def kill_at(point: str, times: int) -> None:
    """Put a function in the place of `faults.reached` that ends this process as a power failure would."""
    left = times

    def reached(point_here: faults.Point) -> None:
        nonlocal left
        if point_here == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    faults.reached = reached  # type: ignore[assignment]  # a parameter of another name


if __name__ == "__main__":
    run.LETTERS_A_TRANSACTION = 10
    kill_at(sys.argv[1], int(sys.argv[2]))
    main(["dlq", "redrive", *sys.argv[3:]])
