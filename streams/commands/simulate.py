"""`fenliu simulate`: believable traffic, to a file or to Kafka."""

import asyncio
import time

import click

from streams.commands.instants import EventInstant
from streams.commands.output import load_settings
from streams.settings import Settings
from streams.simulate import SimulationOptions
from streams.simulate import simulate as simulated
from streams.simulate.files import write_lines
from streams.simulate.options import SINGLES_DAY_MS
from streams.simulate.progress import Counts
from streams.simulate.publisher import check_start, default_start_ms, publisher


@click.command()
@click.option("--seed", default=1, show_default=True, help="Another seed gives other traffic of the same kind.")
@click.option("--shops", default=20, show_default=True, help="Taobao and Pinduoduo shops, of ten kinds by turns.")
@click.option("--agents", default=8, show_default=True, help="Agents in each shop.")
@click.option("--buyers", default=2000, show_default=True, help="Buyers of each shop.")
@click.option(
    "--rate",
    default=200.0,
    show_default=True,
    help="Buyer messages a second, the mean over all shops and all hours: about RATE x HOURS x 3600 in all. Replies, "
    "automatic answers and status events come on top, about one for each message. Agents are as fast as it needs.",
)
@click.option("--hours", default=24.0, show_default=True, help="Hours of event time.")
@click.option(
    "--start",
    metavar="ISO",
    type=EventInstant(),
    help="The first instant, ISO 8601 (Beijing time without an offset) or ms since 1970. Default: "
    "2025-11-11T08:30:00+08:00 (Singles' Day); with --kafka such that the traffic ends now, or with --speed has caught "
    "up with the clock at its end.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    help="With --kafka: event time against wall time, 1 is live. Default, and 0: as fast as the brokers take it.",
)
@click.option(
    "--bad-share",
    default=0.0,
    show_default=True,
    help="Bad records for each good one, of every kind by turns. They change no other record.",
)
@click.option(
    "--replies",
    type=click.Choice(["router", "sticky"]),
    default="router",
    show_default=True,
    help="Who answers a buyer: the agent whom the router assigns, or, faster, the one of the last time.",
)
@click.option(
    "--out", metavar="FILE", help="Write JSON lines here; compressed if it ends in .gz, - is standard output."
)
@click.option("--kafka", is_flag=True, help="Send to the four input topics.")
def simulate(
    *, seed: int, shops: int, agents: int, buyers: int, rate: float, hours: float, start: int | None,
    speed: float | None, bad_share: float, replies: str, out: str | None, kafka: bool,
) -> None:  # fmt: skip
    """Make believable traffic of online shops, to a file (--out) or to Kafka (--kafka).

    Two peaks a day, a promotion, shifts and breaks, network drops, second devices and phones, suspensions (挂起),
    returning buyers, slow and fast agents, order states and pages, nights without anybody. Agents answer the buyers
    that the router gives them. The same options give the same bytes; --start is one of them, and so is the version of
    fenliu, where its router decides differently.

    With --kafka, records carry the time of sending. A worker that reads along at full speed may see one topic a little
    before another and decide some events late; let it read afterwards, or use --speed, where that matters.
    """
    if (out is None) == (not kafka):
        raise click.UsageError("say where the traffic goes: either --out FILE or --kafka")
    if speed is not None and not kafka:
        raise click.UsageError("--speed needs --kafka: a file is written as fast as possible")

    def options(start_ms: int) -> SimulationOptions:
        return SimulationOptions(
            seed=seed, shops=shops, agents=agents, buyers=buyers, rate=rate, hours=hours, start_ms=start_ms,
            bad_share=bad_share, bad_routing=kafka, replies="sticky" if replies == "sticky" else "router",
        )  # fmt: skip

    if out is not None:
        counts = Counts(options(SINGLES_DAY_MS if start is None else start))
        write_lines(counts.watch(simulated(counts.options)), out)
    else:
        settings, now_ms = load_settings(), time.time_ns() // 1_000_000
        span_ms = options(SINGLES_DAY_MS).span_ms
        start_ms = default_start_ms(now_ms, span_ms, speed) if start is None else start
        check_start(start_ms, now_ms, span_ms, speed, settings.max_clock_skew_s)
        counts = Counts(options(start_ms))
        asyncio.run(_to_kafka(counts, settings, speed))
    by_topic = ", ".join(f"{count:,} {topic}" for topic, count in sorted(counts.by_topic.items()))
    click.echo(f"{counts.total:,} records: {by_topic}", err=True)


async def _to_kafka(counts: Counts, settings: Settings, speed: float | None) -> None:
    async with publisher(settings) as to_topics:
        await to_topics.publish(counts.watch(simulated(counts.options)), speed)
