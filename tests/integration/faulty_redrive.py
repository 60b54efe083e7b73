"""`fenliu dlq redrive` that kills itself at a point, the n-th time: `faulty_redrive POINT N OPTION...`."""

import sys

from streams.cli import main
from streams.redrive import run
from tests.integration.faulty_worker import kill_at

if __name__ == "__main__":
    run.LETTERS_A_TRANSACTION = 10
    kill_at(sys.argv[1], int(sys.argv[2]))
    main(["dlq", "redrive", *sys.argv[3:]])
