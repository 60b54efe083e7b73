"""Believable traffic of Chinese online shops: a pure model, and writers to a file or to Kafka.

`simulate(options)` is an iterator of records in order of time. The same options give the same bytes, on every machine
and Python version: nothing here reads a clock, and every draw is a call of `Random.random()`.
"""

from streams.simulate.options import OptionsError, SimulationOptions
from streams.simulate.record import Record
from streams.simulate.traffic import simulate

__all__ = ["OptionsError", "Record", "SimulationOptions", "simulate"]
