"""The pure core: events in, decisions out. No I/O, no clock, no Kafka, no Faust."""

from streams.routing.merge import Head, Merger
from streams.routing.router import Router
from streams.routing.snapshot import TABLES, Change, StateError
from streams.routing.state import Decision
from streams.routing.stats import Gauges, Stats

__all__ = ["TABLES", "Change", "Decision", "Gauges", "Head", "Merger", "Router", "StateError", "Stats"]
