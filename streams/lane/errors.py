"""What makes a worker stop, each with what it saw and the way out. Their exit codes are those of interfaces.md."""

from collections.abc import Iterator, Mapping

from aiokafka import errors as kafka

from schemas.codec import Topic
from streams.errors import BrokerUnreachableError, ClusterError, FencedError, FenliuError

_UNREACHABLE = (
    kafka.KafkaConnectionError,
    kafka.KafkaTimeoutError,
    kafka.NodeNotReadyError,
    kafka.RequestTimedOutError,
)
_FORBIDDEN = (
    kafka.TopicAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
    kafka.ClusterAuthorizationFailedError,
    kafka.TransactionalIdAuthorizationFailed,
)


class DefectError(FenliuError):
    """Something that the lane does not expect happened; nothing of the batch under way was committed."""


class CheckpointMismatchError(ClusterError):
    """State, checkpoint record and committed offsets of a partition are not of one transaction."""

    def __init__(self, partition: int, app_id: str, *, committed: object, checkpoint: object, why: str) -> None:
        super().__init__(
            f"{why}. The group {app_id} has committed {committed}; the checkpoint record says {checkpoint}",
            where=f"partition {partition}",
            mend=(
                "find out who moved them (a reset of the group's offsets, a changelog that was deleted or written to). "
                f"To trust the changelogs: stop all workers and delete the group's offsets (kafka-consumer-groups.sh "
                f"--delete --group {app_id}); a worker then goes on from the checkpoint. To start over from the oldest "
                "records with empty state: set a new FENLIU_APP_ID and create its topics"
            ),
        )
        self.partition = partition


class InputReplacedError(ClusterError):
    """An input topic ends before the position that was committed: it was deleted and made anew, or lost records."""

    def __init__(self, topic: str, partition: int, *, position: int, end: int) -> None:
        super().__init__(
            f"the next record to read is {position}, but the topic ends at {end}: it was deleted and created anew, or "
            "its newest records were lost",
            where=f"topic {topic}, partition {partition}",
            mend="set a new FENLIU_APP_ID and create its topics to start over, or restore the topic",
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
    """What an error of the Kafka client means for this worker; of several at once, the one that says most."""
    causes = list(_causes(exc))
    for cause in causes:
        if isinstance(cause, FenliuError):
            return cause
        if isinstance(cause, kafka.FencedInstanceIdError):
            return FencedError(
                "another worker has joined the group under this worker's FENLIU_GROUP_INSTANCE_ID",
                where=where,
                mend="give each worker a name of its own",
            )
        if isinstance(cause, kafka.ProducerFenced | kafka.InvalidProducerEpoch):
            return FencedError(
                "another worker has taken the partition over, or the transaction took too long; what was not committed "
                "is not published",
                where=where,
                mend="nothing: a supervisor starts this worker anew, and it joins the group again",
            )
    for cause in causes:
        if isinstance(cause, _FORBIDDEN):
            return ClusterError(f"the brokers refuse: {cause!r}", where=where, mend="grant fenliu's user the rights")
        if isinstance(cause, kafka.UnsupportedCodecError):
            return DefectError(
                f"{cause}", where=where, mend="pip install cramjam, which reads what producers compressed"
            )
        if isinstance(cause, _UNREACHABLE):
            return BrokerUnreachableError(f"no answer: {cause!r}", where=where, mend="see whether the brokers are up")
    return DefectError(f"{causes[0]!r}", where=where, mend="report it, with the lines before it")


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The error itself and what it wraps; of a group what is in it."""
    if isinstance(exc, BaseExceptionGroup):
        for inner in exc.exceptions:
            yield from _causes(inner)
        return
    seen: BaseException | None = exc
    while seen is not None:
        yield seen
        seen = seen.__cause__
