"""What an error of the Kafka client means, however it is wrapped. The table of meanings is `streams.kafka_meanings`.

Errors that pass are asked about again by whoever can (`streams.kafka_clients`, aiokafka itself); the others, and those
that do not pass in time, end the process with the exit code of their meaning.
"""

import re
from collections.abc import Iterator

from aiokafka import errors as kafka

import streams.coordination  # noqa: F401  from here on consumers talk to coordinators with all that Kafka has for it
from streams.kafka_meanings import MEANINGS, FencedInstanceIdError, Meaning

_RANK = {error: rank for rank, meaning in enumerate(MEANINGS) for error in meaning.errors}
_UNNAMED = _RANK[kafka.KafkaError]
_CLASS_NAME = re.compile(r"[A-Z][A-Za-z]+")


def meaning_of(exc: BaseException) -> tuple[Meaning, BaseException] | None:
    """What an error means; of several at once, and of those that it wraps, the one that says most.

    Returns:
        The meaning and the error that has it; None if none of them is the client's.
    """
    found = list(causes(exc))
    ranked = [(rank, cause) for cause in found if (rank := _rank(cause)) is not None]
    if not ranked:
        return None
    rank, cause = min(ranked, key=lambda each: each[0])
    if rank == _UNNAMED and len(ranked) < len(found):
        return None  # an error that is not the client's says more
    return MEANINGS[rank], cause


def passes(exc: BaseException) -> bool:
    """Whether asking again may be enough."""
    found = meaning_of(exc)
    return found is not None and found[0].passes


def causes(exc: BaseException) -> Iterator[BaseException]:
    """The error itself and what it wraps; of a group what is in it.

    aiokafka wraps errors in a KafkaError that names them in its text, with the error itself as the cause or without it;
    such a wrapper says nothing itself.
    """
    if isinstance(exc, BaseExceptionGroup):
        for inner in exc.exceptions:
            yield from causes(inner)
        return
    wrapped = exc.__cause__
    if type(exc) is kafka.KafkaError:
        named = [error for word in _CLASS_NAME.findall(str(exc)) if (error := _client_error(word)) is not None]
        yield from (error(*exc.args) for error in named)
        if named or wrapped is not None:
            if wrapped is not None:
                yield from causes(wrapped)
            return
    yield exc
    if wrapped is not None:
        yield from causes(wrapped)


def _rank(exc: BaseException) -> int | None:
    return next((_RANK[each] for each in type(exc).__mro__ if each in _RANK), None)


def _client_error(name: str) -> type[BaseException] | None:
    error = {"FencedInstanceIdError": FencedInstanceIdError}.get(name, getattr(kafka, name, None))
    known = isinstance(error, type) and issubclass(error, kafka.KafkaError) and error is not kafka.KafkaError
    return error if known else None
