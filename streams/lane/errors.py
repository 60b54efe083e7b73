"""What makes a worker stop, each with what it saw and the way out. Exit codes: docs/reference/exit-codes.md."""

import errno
import socket
from collections.abc import Iterable, Mapping

from schemas.codec import Topic
from streams.errors import ClusterError, DefectError, FenliuError, SettingsError
from streams.kafka_errors import causes, meaning_of

_NOT_BOUND = {errno.EADDRINUSE, errno.EADDRNOTAVAIL}
"""What the system says when nothing can listen at an address: it is taken, or not this machine's."""


FROM_CHANGELOGS = (
    "somebody has moved the group's offsets; the changelogs are whole. Stop all workers and run fenliu state rebuild "
    "--from-changelogs: the offsets become those of the checkpoint record"
)
FROM_INPUTS = (
    "a changelog was deleted, cut or written to. Stop all workers and run fenliu state rebuild --from-inputs: the "
    "inputs are routed again up to what the group has committed, and nothing is published"
)


def from_new_topics(topics: Iterable[str]) -> str:
    """The way out when only some topics have no offsets: Kafka forgets those of a topic that is deleted."""
    positions = " ".join(f"--positions {topic}=beginning" for topic in sorted(topics))
    return (
        "Kafka forgets the offsets of a topic that is deleted. If it was deleted and created anew: stop all workers "
        f"and run fenliu state rebuild --from-changelogs {positions}. If somebody deleted the offsets only: the same "
        "without --positions"
    )


class UntrustedStateError(ClusterError):
    """What the changelogs hold cannot be gone on from."""

    def __init__(self, partition: int, what: str, *, mend: str) -> None:
        super().__init__(what, where=f"partition {partition}", mend=mend)
        self.partition = partition


class CheckpointMismatchError(UntrustedStateError):
    """State, checkpoint record and committed offsets of a partition are not of one transaction."""

    def __init__(
        self, partition: int, app_id: str, *, committed: object, checkpoint: object, why: str, way_out: str
    ) -> None:
        super().__init__(
            partition,
            f"{why}. The group {app_id} has committed {committed}; the checkpoint record says {checkpoint}",
            mend=f"{way_out}. Or start over from the oldest records, publishing all decisions again: a new "
            "FENLIU_APP_ID and its topics",
        )


class OtherFormatError(UntrustedStateError):
    """The state was written by another version of fenliu, whose format this one does not read."""

    def __init__(self, partition: int, *, why: str, newer: bool) -> None:
        which = "a newer" if newer else "an older"
        super().__init__(
            partition,
            f"the state was written by {which} version of fenliu ({why})",
            mend=f"run that version, or {'a later one' if newer else 'one that reads both formats'}. To go on with "
            "this one: stop all workers and run fenliu state rebuild --from-inputs, which writes the state anew",
        )


class StateUnreadableError(UntrustedStateError):
    """A record of a changelog is none, or the tables contradict each other."""

    def __init__(self, partition: int, why: str) -> None:
        super().__init__(
            partition,
            f"the changelogs cannot be restored: {why}",
            mend="somebody else wrote to them, or deleted from them. Stop all workers and run fenliu state rebuild "
            "--from-inputs: the inputs are routed again up to what the group has committed, and nothing is published",
        )


class OtherPartitionsError(UntrustedStateError):
    """The state is of a time when the topics had another number of partitions."""

    def __init__(self, partition: int, *, shop_id: str, belongs_to: int, partitions: int) -> None:
        super().__init__(
            partition,
            f"the changelogs hold shop {shop_id}, which belongs to partition {belongs_to} of {partitions}: the number "
            "of partitions was changed, and every shop's past is elsewhere now",
            mend="it cannot be changed back. Set a new FENLIU_TOPIC_PREFIX and FENLIU_APP_ID, run fenliu topics create "
            f"--partitions {partitions} and let producers send there",
        )


class InputReplacedError(ClusterError):
    """An input topic ends before the position that was committed: it was deleted and made anew, or lost records."""

    def __init__(self, topic: str, partition: int, *, position: int, end: int) -> None:
        super().__init__(
            f"the next record to read is {position}, and the topic ended before it (now it ends at {end}): it was "
            "deleted and created anew, or its newest records were lost",
            where=f"topic {topic}, partition {partition}",
            mend="to keep the state and read the new topic from its beginning: stop all workers and run fenliu state "
            f"rebuild --from-changelogs --positions {topic}=beginning",
        )


class TopicReplacedError(ClusterError):
    """An input topic was deleted and made anew while this worker ran."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            "the topic was deleted and created anew while this worker ran: its offsets mean other records now",
            where=f"topic {topic}",
            mend="to keep the state and read the new topic from its beginning: stop all workers and run fenliu state "
            f"rebuild --from-changelogs --positions {topic}=beginning",
        )


class InputMissingError(ClusterError):
    """The group gives out partitions without one of the inputs."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(
            "the group gives this partition to nobody: the topic was deleted while this worker ran",
            where=f"topic {topic}, partition {partition}",
            mend="fenliu topics create, if it is not there again; then stop all workers and run fenliu state rebuild "
            f"--from-changelogs --positions {topic}=beginning, which keeps the state",
        )


class InputExpiredError(ClusterError):
    """Retention deleted records that were not read yet."""

    def __init__(self, topic: str, partition: int, *, position: int, begin: int) -> None:
        super().__init__(
            f"retention deleted the records {position} to {begin - 1} before they were read",
            where=f"topic {topic}, partition {partition}",
            mend="give the topic a longer retention.ms; a worker that starts now goes on with the oldest record left",
        )


def shown_offsets(offsets: Mapping[Topic, int | None] | Mapping[Topic, int]) -> str:
    """Offsets in words, for messages."""
    return ", ".join(f"{topic} {'nothing' if offset is None else offset}" for topic, offset in sorted(offsets.items()))


def explained(exc: BaseException, where: str) -> FenliuError:
    """What an error means for this worker; of several at once, the one that says most."""
    found = list(causes(exc))
    for cause in found:
        if isinstance(cause, FenliuError):
            return cause
    told = meaning_of(exc)
    if told is not None:
        meaning, cause = told
        return meaning.kind(f"{meaning.what} ({cause!r})", where=where, mend=meaning.mend)
    for cause in found:
        if isinstance(cause, OSError) and _is_of_listening(cause):
            return _not_bound(cause)
    return DefectError(f"{found[0]!r}", where=where, mend="report it, with the lines before it")


def _is_of_listening(exc: OSError) -> bool:
    # A port below 1024 needs a right; so do files, and only asyncio's text tells the two apart.
    forbidden = exc.errno == errno.EACCES and "bind on address" in str(exc)
    return forbidden or exc.errno in _NOT_BOUND or isinstance(exc, socket.gaierror)


def _not_bound(exc: OSError) -> SettingsError:
    """The web server is all that listens here."""
    return SettingsError(
        f"the pages of this worker cannot be served there: {exc.strerror or exc}",
        where="FENLIU_HTTP_PORT, FENLIU_HTTP_HOST",
        mend="set FENLIU_HTTP_PORT to a port that is free (each worker on a machine has its own), and FENLIU_HTTP_HOST "
        "to an address of this machine",
    )
