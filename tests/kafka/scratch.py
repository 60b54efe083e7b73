"""Temporary directories of clusters: removed at the end, or by the next cluster if their process was killed before."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "fenliu-kafka-"
_LOCK = "owner.lock"


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A new directory for the length of the block; those whose process died without removing them go first."""
    _sweep()
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        # The kernel lets go of the lock when this process ends, however it does.
        with (directory / "new.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Under its name it has always been locked: nobody can find it in between.
            (directory / "new.lock").rename(directory / _LOCK)
            yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _sweep() -> None:
    for lock_file in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with lock_file.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock_file.parent, ignore_errors=True)
        except OSError:  # it is in use, somebody else's, or was removed meanwhile
            continue
