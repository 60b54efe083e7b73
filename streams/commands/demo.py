"""`fenliu demo`: everything once, on a broker of its own."""

import asyncio
import sys

import click

from streams.demo.run import Demo
from streams.demo.screen import Screen

_WITHOUT_A_TERMINAL_S = 30.0


@click.command()
@click.option(
    "--seconds",
    metavar="N",
    type=click.FloatRange(min=0, min_open=True),
    help="How long to show what the worker does. Default: until Ctrl-C on a terminal, 30 without one. On a slow "
    "machine it takes a little longer, until the backlog is routed.",
)
def demo(*, seconds: float | None) -> None:
    """Show everything once: an embedded broker, simulated shops, a worker, and what it decides.

    Ten Taobao and Pinduoduo shops, the last six hours of their traffic at once and then as it comes, with some bad
    records among it. Nothing of it stays: broker, topics and worker are in a temporary directory and end with the demo.
    """
    screen = Screen()
    if seconds is None and not sys.stdout.isatty():
        seconds = _WITHOUT_A_TERMINAL_S
    asyncio.run(Demo(screen, seconds).run())
