"""`python -m tests.bench`: run the benches, print their tables, keep the figures as JSON."""

import argparse
import logging
import sys
from pathlib import Path

import msgspec

from tests.bench import (
    codec,
    compiled,
    core,
    crowds,
    growth,
    latency,
    memory,
    peers,
    pick,
    replay,
    restore,
    rolling,
    rungs,
    scale,
    takeover,
    timers,
    worker,
)
from tests.bench.harness import ROOT, Effort, Report, environment, load_average, now
from tests.bench.tables import as_text, update_document

ON_KAFKA = (worker, peers, latency, timers, takeover, rolling, scale)
"""These start Apache Kafka: Java 17 and Maven, and for Kafka Streams a JDK."""
BENCHES = {
    bench.__name__.rpartition(".")[2]: bench.run
    for bench in (core, rungs, compiled, pick, crowds, growth, codec, restore, memory, replay, *ON_KAFKA)
}


def main() -> None:
    """Run what the command line names; everything without names."""
    options = _options()
    if options.update_docs is not None:
        update_document([msgspec.json.decode(file.read_bytes(), type=Report) for file in options.update_docs])
        return
    # Retries while topics are made and groups are formed, which are expected.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    report = Report(
        date=now(),
        command=" ".join(["python -m tests.bench", *options.names, *["--quick"] * options.quick]),
        quick=options.quick,
        environment=environment() | {"load_average_before": load_average()},
        results=[],
    )
    for name in options.names or BENCHES:
        result = BENCHES[name](Effort(quick=options.quick))
        report.results.append(result)
        _say(as_text(result) + "\n")
    report.environment["load_average_after"] = load_average()
    file = options.json or ROOT / "bench-results" / f"{report.date.replace(':', '')}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    _say(f"written to {file}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], help="which benches; default: all")
    parser.add_argument("--quick", action="store_true", help="little of everything: does it work?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: bench-results/<date>.json")
    parser.add_argument(
        "--update-docs",
        type=Path,
        nargs="+",
        metavar="JSON",
        help="measure nothing; put the tables of these runs into docs/performance.md",
    )
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
