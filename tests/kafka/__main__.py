"""A broker by hand: `python -m tests.kafka up` runs Apache Kafka in the foreground until Ctrl-C."""

import signal
import sys
import time
from contextlib import suppress

import click

from streams.errors import FenliuError
from tests.kafka.cluster import start_cluster

_LOOK_EVERY_S = 1.0


@click.group()
def main() -> None:
    """The Apache Kafka of the tests."""


@main.command()
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", show_default=True, help="How many.")
@click.option("--port", type=click.IntRange(1, 65533), help="Of the first; the next ones follow. Default: free ones.")
@click.option("--auto-create", is_flag=True, help="Create a topic when somebody asks for it.")
def up(brokers: str, port: int | None, *, auto_create: bool) -> None:
    """Run brokers in the foreground; Ctrl-C stops them and removes what they stored.

    The bootstrap servers are the only line on standard output.
    """
    count = int(brokers)
    ports = None if port is None else range(port, port + count)
    try:
        with start_cluster(count, auto_create=auto_create, ports=ports) as cluster, suppress(KeyboardInterrupt):
            # An exception, and no event that the handler sets: it may come while the event's own lock is held.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.default_int_handler)
            click.echo(cluster.bootstrap_servers)
            click.echo(f"logs and data are in {cluster.directory} until Ctrl-C", err=True)
            while True:
                time.sleep(_LOOK_EVERY_S)
                cluster.check_alive()
    except FenliuError as exc:
        click.echo(str(exc), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m tests.kafka")
