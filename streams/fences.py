"""How often this worker was fenced, over its restarts: a fence ends the process, and a counter in memory with it.

Prometheus reads a worker every few seconds, and a process that is fenced is gone sooner.
"""

import logging

from streams.settings import Settings

logger = logging.getLogger(__name__)


class FenceCount:
    """A count in a file of FENLIU_DATA_DIR; each worker of a machine has its own, as they differ in their port.

    Where the file cannot be read it begins at 0, and where it cannot be written it ends with the process.
    """

    def __init__(self, settings: Settings) -> None:
        self._path = settings.data_dir / f"{settings.app_id}-{settings.http_port}.fenced"
        try:
            self.count = int(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            self.count = 0

    def add(self) -> None:
        """One more, and keep it."""
        self.count += 1
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(f"{self.count}\n", encoding="ascii")
        except OSError as exc:
            logger.warning("fenliu_fenced_total will begin anew: %s cannot be written (%s)", self._path, exc.strerror)
