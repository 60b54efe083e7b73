"""`fenliu plan`: shops on partitions, partitions on workers, and what follows."""

from dataclasses import replace

import orjson
import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.errors import ExitCode
from streams.partitioner import partition_of
from streams.sizing.costs import MEASURED
from streams.sizing.plan import (
    UTILISATION,
    Demand,
    partition_loads,
    shop_places,
    shop_shares,
    size,
    worker_loads,
)
from tests.unit.docs.documents import read

DEMAND = Demand(shops=5_000, peak_messages_s=40_000)


def test_shares_fall_by_rank_and_add_up_to_one() -> None:
    shares = shop_shares(Demand(shops=100, peak_messages_s=1))
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    assert shares[0] / shares[9] == pytest.approx(10**0.8)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_if_the_largest_shop_is_known_none_is_larger(share: float) -> None:
    shares = shop_shares(Demand(shops=100, peak_messages_s=1, hot_share=share))
    assert shares[0] == pytest.approx(share, rel=0.01)
    assert max(shares) == shares[0]
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("partitions", [1, 12, 64])
def test_shops_lie_where_kafka_puts_them_and_none_is_lost(partitions: int) -> None:
    places = shop_places(50)
    assert places[7] % partitions == partition_of(b"taobao:%d" % (2_208_000_000 + 7 * 7919), partitions)
    loads = partition_loads([1.0] * 50, places, partitions)
    assert sum(loads) == 50
    assert loads[places[7] % partitions] >= 1


def test_partitions_are_dealt_out_in_turn() -> None:
    assert worker_loads([1, 2, 4, 8, 16], 2) == [21, 10]


def test_nobody_is_busier_than_wanted_while_no_shop_is_too_large() -> None:
    sizing = size(DEMAND, MEASURED)
    assert sizing.busiest_worker_utilisation <= UTILISATION
    assert sizing.workers * MEASURED.worker_events_s * UTILISATION >= sizing.events_s
    assert sizing.partitions >= 4 * sizing.workers
    assert sizing.fits


def test_twice_the_rate_of_a_worker_takes_fewer_workers() -> None:
    faster = replace(MEASURED, worker_events_s=2 * MEASURED.worker_events_s)
    assert size(DEMAND, faster).workers < size(DEMAND, MEASURED).workers


def test_more_workers_than_partitions_are_not_planned() -> None:
    sizing = size(DEMAND, MEASURED, partitions=2)
    assert (sizing.partitions, sizing.workers) == (2, 2)
    assert sizing.busiest_worker_utilisation > UTILISATION


def test_more_copies_cost_brokers_and_not_workers() -> None:
    one, three = (size(replace(DEMAND, copies=copies), MEASURED) for copies in (1, 3))
    assert three.broker_in_mb_s == pytest.approx(3 * one.broker_in_mb_s)
    assert three.workers == one.workers


def test_a_shop_that_is_more_than_a_worker_is_a_finding() -> None:
    result = CliRunner().invoke(main, ["plan", "--shops", "100", "--peak", "50000", "--hot-shop", "50"])
    assert result.exit_code == ExitCode.FINDINGS
    assert "docs/scaling.md" in result.stdout


def test_json_tells_demand_and_sizing() -> None:
    result = CliRunner().invoke(main, ["plan", "--shops", "1000", "--peak", "5000", "--json"])
    assert result.exit_code == ExitCode.DONE
    told = orjson.loads(result.stdout)
    assert told["demand"]["shops"] == 1000
    assert told["sizing"]["workers"] >= 1
    assert told["fits"] is True


def test_what_cannot_be_is_wrong_use() -> None:
    assert CliRunner().invoke(main, ["plan", "--shops", "0", "--peak", "5"]).exit_code == ExitCode.USAGE


def test_the_example_of_the_documentation_is_what_is_printed() -> None:
    """The figures of docs/scaling.md follow the costs."""
    text = read("docs/scaling.md")
    command, _, shown = text.split("$ fenliu ", 1)[1].split("\n```", 1)[0].partition("\n")
    result = CliRunner().invoke(main, command.split())
    assert [line.rstrip() for line in result.stdout.splitlines()] == shown.splitlines()
