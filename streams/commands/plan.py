"""`fenliu plan`: a cluster for a peak, from measured costs."""

from dataclasses import asdict, replace

import click
from rich.console import Console
from rich.table import Table

from streams.commands.output import json_option, write_json
from streams.errors import ExitCode
from streams.sizing.costs import MEASURED
from streams.sizing.plan import UTILISATION, Demand, Sizing, size


@click.command()
@click.option("--shops", type=click.IntRange(1, 1_000_000), required=True, metavar="N", help="How many shops.")
@click.option(
    "--peak", type=click.FloatRange(1, 1e8), required=True, metavar="MSG/S", help="Buyer messages a second at the peak."
)
@click.option(
    "--hours", type=click.FloatRange(0.1, 24), default=12.0, show_default=True, metavar="H",
    help="How long it is busy within 72 hours, at half the peak on average: whoever writes then is remembered.",
)  # fmt: skip
@click.option(
    "--hot-shop", type=click.FloatRange(0, 100), metavar="PERCENT",
    help="What the largest shop has of all messages.  [default: shop sizes by Zipf's law, exponent 0.8]",
)  # fmt: skip
@click.option(
    "--partitions", type=click.IntRange(1, 16_384), metavar="N",
    help="Partitions of each topic, if they are there already.  [default: as many as it takes]",
)  # fmt: skip
@click.option(
    "--worker-rate", type=click.FloatRange(100, 1e7), default=MEASURED.worker_events_s, show_default=True,
    metavar="EVENTS/S", help="What one worker routes on your machines: `python -m tests.bench worker` measures it.",
)  # fmt: skip
@click.option("--copies", type=click.IntRange(1, 9), default=3, show_default=True, help="Copies of each partition.")
@json_option
def plan(
    shops: int, peak: float, hours: float, hot_shop: float | None, partitions: int | None,
    worker_rate: float, copies: int, as_json: bool,
) -> int:  # fmt: skip
    """Size a cluster for a peak: partitions, workers, brokers, memory, and how long a take-over takes.

    It puts shops of unequal size on partitions as Kafka's partitioner does, and partitions on workers, at the costs
    that docs/performance.md tells. Exit code 1 says that some worker has more than it can route.
    """
    demand = Demand(
        shops=shops,
        peak_messages_s=peak,
        hours=hours,
        hot_share=None if hot_shop is None else hot_shop / 100,
        copies=copies,
    )
    sizing = size(demand, replace(MEASURED, worker_events_s=worker_rate), partitions=partitions)
    if as_json:
        write_json({"demand": asdict(demand), "sizing": asdict(sizing), "fits": sizing.fits})
    else:
        _show(sizing, worker_rate)
    return ExitCode.DONE if sizing.fits else ExitCode.FINDINGS


def _show(sizing: Sizing, worker_rate: float) -> None:
    rows = (
        ("events at the peak", f"{sizing.events_s:,.0f} /s", "messages, replies, statuses"),
        ("partitions", f"{sizing.partitions:,}", "of each topic, for good"),
        ("workers", f"{sizing.workers:,}", f"a core each, {worker_rate:,.0f} events/s"),
        ("busiest worker", f"{sizing.busiest_worker_utilisation:.0%}", f"{UTILISATION:.0%} is wanted"),
        ("with one worker fewer", f"{sizing.one_fewer_utilisation:.0%}", "the busiest worker"),
        ("busiest partition", f"{sizing.busiest_partition_share:.2%}", "of all events"),
        (
            "largest shop",
            f"{sizing.largest_shop_events_s:,.0f} /s",
            f"{sizing.largest_shop_utilisation:.0%} of a worker",
        ),
        ("transactions", f"{sizing.transactions_s_at_most:,.0f} /s", "at most"),
        ("brokers", f"{sizing.broker_cores:,.1f} cores", f"{sizing.broker_in_mb_s:,.0f} MB/s written, all copies"),
        ("stored", f"{sizing.stored_gb:,.0f} GB", "of the busy hours, all copies"),
        ("remembered buyers", f"{sizing.remembered_buyers:,.0f}", "of 72 hours"),
        ("memory of a worker", f"{sizing.worker_memory_gb:,.1f} GB", "the fullest one"),
        ("take-over", f"{sizing.take_over_s:,.0f} s", "after a kill -9"),
    )
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value, remark in rows:
        table.add_row(name, f"[bold]{value}[/bold]", f"[dim]{remark}[/dim]")
    console = Console(highlight=False)
    console.print(table)
    if not sizing.fits:
        console.print(
            "\nSome worker has more than it can route: it will lag at the peak. "
            "docs/scaling.md says what to do about large shops."
        )
