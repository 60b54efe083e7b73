"""The process of a worker: how it starts, and the ways it ends, each with its exit code.

`fenliu worker` and `faust -A streams.app worker` both run this class, so they do the same.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from typing import Any, NoReturn, Protocol, cast

import faust
from faust.cli.worker import worker as WorkerCommand  # noqa: N812  a class in spite of its name

from streams import logs
from streams.errors import ExitCode, FenliuError
from streams.lane import memory
from streams.lane.consumer import LaneApp
from streams.lane.errors import explained
from streams.settings import Settings

logger = logging.getLogger(__name__)


SAME_SIGNAL_S = 0.3
"""Ctrl-C reaches a whole process group, and whoever runs us may pass it on: what comes so soon is the same request."""


class CheckedApp(LaneApp, Protocol):
    """What the worker needs of its app."""

    async def boot_check(self) -> None:
        """Raise a FenliuError if the cluster is not as declared."""


STOP_WITHIN_S = 9.0
"""A worker that was asked to stop is gone after 10 s at the latest; this leaves one to the interpreter."""


def _no_banner(command: object, worker: object) -> None:
    """What `faust worker` does once the worker is made: Faust would print a table about itself."""


WorkerCommand.on_worker_created = _no_banner  # type: ignore[method-assign,assignment]


class LaneWorker(faust.Worker):
    """Runs the app until a signal or a failure ends it.

    A signal: the batches under way are committed, the group is left, exit 0; a second signal ends the process at once.
    A failure: nothing that was not committed is published, and the exit code says what it was.
    """

    def __init__(self, app: faust.App, *services: Any, **options: Any) -> None:
        # Faust would turn standard error into log warnings, word by word, and show a spinner.
        super().__init__(app, *services, **{**options, "redirect_stdouts": False})
        self.spinner = None
        self.override_logging = False
        self._failure: FenliuError | None = None
        self._ending = False

    @property
    def _fenliu(self) -> "CheckedApp":
        return cast("CheckedApp", self.app)

    @property
    def _settings(self) -> Settings:
        return self._fenliu.settings

    async def on_first_start(self) -> None:
        """Before anything is consumed: signals, and whether the cluster is as declared."""
        logs.configure(self._settings.log_format, self._settings.log_level)
        memory.collect_seldom()
        self._fenliu.lane.on_failure = self.fail
        self.install_signal_handlers()
        await self._fenliu.boot_check()

    def fail(self, exc: BaseException) -> None:
        """End this process because of an error; the first one counts."""
        if self._failure is not None:
            return
        self._failure = explained(exc, "worker")
        if self._failure.exit_code == ExitCode.DEFECT:
            logger.critical("%s", self._failure, exc_info=exc)
        else:
            logger.critical("%s", self._failure)
        self._end_in_time(self._failure.exit_code)
        self._signal_stop_future = asyncio.ensure_future(self._stop_after_failure(), loop=self.loop)

    async def _stop_after_failure(self) -> None:
        await self.stop()
        if self._starting_fut is not None:
            self._starting_fut.cancel()

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        if self._signal_stop_time is not None:
            if self.loop.time() - self._signal_stop_time < SAME_SIGNAL_S:
                return
            logger.warning("Second signal: ending at once; what is not committed will be routed again")
            os._exit(128 + signal)
        logger.info("%s: committing what is under way and leaving the group", signal.name)
        self._end_in_time(ExitCode.BROKER)
        super()._schedule_shutdown(signal)

    def _on_sigint(self) -> None:
        self._schedule_shutdown(signal.SIGINT)

    def _on_sigusr2(self) -> None:
        # Mode enters a debugger here, and nothing is routed while somebody, or nobody, types into it.
        logger.warning("SIGUSR2 does nothing here; SIGUSR1 shows where every task stands")

    def _end_in_time(self, code: int) -> None:
        """End the process hard if it cannot end by itself: what it did not commit is routed again by the next one."""
        if self._ending:
            return
        self._ending = True
        timer = threading.Timer(STOP_WITHIN_S, self._end_now, [code])
        timer.daemon = True
        timer.start()

    def _end_now(self, code: int) -> NoReturn:
        logger.critical("Not stopped after %.0f s (no answer from the brokers?): ending hard", STOP_WITHIN_S)
        logging.shutdown()
        os._exit(code)

    def execute_from_commandline(self) -> NoReturn:
        """Run until the end, and leave with the exit code that says why."""
        try:
            self._starting_fut = asyncio.ensure_future(self.start(), loop=self.loop)
            self.loop.run_until_complete(self._starting_fut)
        except asyncio.CancelledError:
            pass
        except Exception as exc:  # noqa: BLE001  reported, with its exit code
            self.fail_at_start(exc)
        self._end_in_time(ExitCode.DEFECT)
        try:
            self.stop_and_shutdown()
        except asyncio.CancelledError:
            pass
        except Exception as exc:  # noqa: BLE001  Faust raises again here what crashed one of its services
            self.fail_at_start(exc)
        sys.exit(ExitCode.DONE if self._failure is None else self._failure.exit_code)

    def fail_at_start(self, exc: Exception) -> None:
        """An error that came out of starting or of one of Faust's services; there is nothing left to stop."""
        if self._failure is None:
            self._failure = explained(exc, "worker")
            logger.critical("%s", self._failure, exc_info=exc if self._failure.exit_code == ExitCode.DEFECT else None)
