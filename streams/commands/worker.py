"""`fenliu worker`: one worker in the foreground."""

import signal
import sys

import click

from streams.errors import ExitCode


@click.command()
def worker() -> None:
    """Run one worker in the foreground: route what arrives, until SIGTERM or Ctrl-C.

    It then commits what is under way, leaves the group and exits within 10 s; a second signal ends it at once.
    `faust -A streams.app worker` is the same.
    """
    # Importing takes a second, and a supervisor may change its mind in it; the worker puts its own handlers in place.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ExitCode.DONE))

    from mode.utils.loops import get_event_loop  # noqa: PLC0415  Faust takes a second to import

    from streams.app import app  # noqa: PLC0415
    from streams.lane.worker import LaneWorker  # noqa: PLC0415

    app.finalize()
    app.worker_init()
    app.worker_init_post_autodiscover()
    LaneWorker(app, loop=get_event_loop()).execute_from_commandline()
