"""The pure core: events in, decisions out. No I/O, no clock, no Kafka, no Faust."""

from streams.routing import router
from streams.routing.merge import Merger
from streams.routing.router import Router
from streams.routing.snapshot import TABLES, Change, StateError
from streams.routing.state import Decision
from streams.routing.stats import Gauges, Stats

COMPILED = not router.__file__.endswith(".py")
"""Whether mypyc made this core (deploy/compiled)."""

__all__ = ["COMPILED", "TABLES", "Change", "Decision", "Gauges", "Merger", "Router", "StateError", "Stats"]
