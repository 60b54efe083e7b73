"""How every aiokafka client of a command is started: with patience, and with words when nobody answers.

The lane's own clients are Faust's business; this is for administration, the boot check, `config`, `tail` and the like.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError
from aiokafka.protocol.metadata import MetadataRequest

from streams.errors import BrokerUnreachableError, FenliuError
from streams.kafka_errors import meaning_of, passes

PATIENCE_S = 10.0
"""How long a command tries to reach a broker: longer than a leader's election or a broker's restart on a good day, and
short enough for somebody who mistyped an address."""
ACKNOWLEDGED_WITHIN_S = 60.0
"""How long a command waits for what it has sent: an idempotent producer itself would wait for ever."""

_RETRY_S = 0.3
_NO_ANSWER = (KafkaConnectionError, NodeNotReadyError)
"""Of these the addresses are worth a look."""

_TURNED_AWAY = (
    (
        "SaslAuthenticationFailed",
        "the broker knows no such user with this password",
        "set FENLIU_KAFKA_SASL_USERNAME, _MECHANISM and _PASSWORD_FILE, or let an administrator make the user",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the broker's certificate is not trusted",
        "set FENLIU_KAFKA_SSL_CAFILE to the authority that signed it, and connect by a name that it holds",
    ),
    (
        "UnsupportedSaslMechanism",
        "the broker does not take this SASL mechanism",
        "set FENLIU_KAFKA_SASL_MECHANISM",
    ),
)
"""What a complaint of the client contains, what it means, and how to mend it."""
_HUNG_UP = re.compile(r"ConnectionResetError|IllegalSaslStateError|Connection at \S+ closed")
"""Somebody is there, and does not like how the conversation begins."""


class KafkaClient(Protocol):
    """What aiokafka's producer and consumer have in common."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Disconnect; also after a start that failed."""


Client = TypeVar("Client", bound=KafkaClient)
Answer = TypeVar("Answer")


class PatientAdmin(AIOKafkaAdminClient):  # type: ignore[misc]  # aiokafka has no types
    """Asks again while brokers start, stop or choose leaders. All that fenliu asks for may be asked for twice."""

    async def _send_request(self, *args: Any) -> Any:
        return await patiently(partial(super()._send_request, *args))

    async def _send_request_to_node(self, *args: Any) -> Any:
        return await patiently(partial(super()._send_request_to_node, *args))


@asynccontextmanager
async def administration(kafka: Mapping[str, Any], *, patience_s: float | None = None) -> AsyncIterator[PatientAdmin]:
    """A connected AIOKafkaAdminClient that is patient.

    Args:
        kafka: the client arguments, as `Settings.kafka_client_kwargs()` gives them.
        patience_s: how long to try to connect, in seconds; None: PATIENCE_S.

    Raises:
        BrokerUnreachableError: if no broker answered in time, or it went away afterwards.
        ClusterError: if the cluster does not let this user do what was asked.
    """
    client = PatientAdmin(**kafka, request_timeout_ms=20_000)
    try:
        with failures_in_words(kafka):
            await _connected(client.start, kafka, patience_s)
            yield client
    finally:
        await client.close()


async def partition_counts(kafka: Mapping[str, Any]) -> dict[str, int]:
    """How many partitions each topic of the cluster has.

    All topics are asked for: asking for one by its name would create it where auto-creation is on.

    Raises:
        BrokerUnreachableError: as `administration`.
        ClusterError: as `administration`.
    """
    async with administration(kafka) as admin:
        return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}


async def topics_as_each_broker_knows(admin: Any) -> list[dict[str, Any]]:
    """The metadata of all topics by name, once for each live broker: brokers learn of a change one after the other.

    aiokafka's own `describe_topics` asks any one of them.
    """
    answers: list[dict[str, Any]] = []
    for broker in (await admin.describe_cluster())["brokers"]:
        answer = await admin._send_request_to_node(broker["node_id"], MetadataRequest(None))
        answers.append({topic["topic"]: topic for topic in answer.to_object()["topics"]})
    return answers


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until there is an answer, or an error that does not pass, for PATIENCE_S.

    A broker that comes back loads its groups first, and a new cluster makes its topic of offsets at the first question.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        try:
            return await ask()
        except (KafkaError, TimeoutError) as exc:
            if not passes(exc) or asyncio.get_running_loop().time() + _RETRY_S > deadline:
                raise
        await asyncio.sleep(_RETRY_S)


@asynccontextmanager
async def started(
    client: Client, kafka: Mapping[str, Any], *, patience_s: float | None = None
) -> AsyncIterator[Client]:
    """Start an aiokafka producer or consumer that was made with the arguments `kafka`, and stop it at the end.

    Raises:
        BrokerUnreachableError: as `administration`.
        ClusterError: as `administration`.
    """
    try:
        with failures_in_words(kafka):
            await _connected(client.start, kafka, patience_s)
            yield client
    except BaseException:
        await _give_up(client)
        raise
    finally:
        await asyncio.sleep(0)  # aiokafka trips over a consumer that is stopped before its tasks have begun
        await client.stop()


async def acknowledged(sent: Sequence[asyncio.Future[Answer]]) -> list[Answer]:
    """Wait until the brokers have what was sent.

    What is waited for is not cancelled when they do not answer in time: aiokafka trips over a batch that is.

    Raises:
        TimeoutError: if they do not answer within ACKNOWLEDGED_WITHIN_S.
        KafkaError: if one was refused.
    """
    _, pending = await asyncio.wait(sent, timeout=ACKNOWLEDGED_WITHIN_S)
    if pending:
        raise TimeoutError(f"what was sent was not acknowledged within {ACKNOWLEDGED_WITHIN_S:.0f} s")
    failures = [failure for each in sent if (failure := each.exception()) is not None]
    if failures:
        raise failures[0]
    return [each.result() for each in sent]


async def _give_up(client: KafkaClient) -> None:
    """Stop a producer without what it could not send: by itself it would wait for the brokers first, for ever."""
    if isinstance(client, AIOKafkaProducer) and not client._closed:
        client._closed = True
        with suppress(Exception):  # what it was doing may fail once more
            await client._sender.close()
        await client.client.close()


@contextmanager
def failures_in_words(kafka: Mapping[str, Any]) -> Iterator[None]:
    """Turn aiokafka's errors into ours.

    Raises:
        FenliuError: of the kind that `streams.kafka_meanings` says.
    """
    try:
        yield
    except (KafkaError, TimeoutError) as exc:
        error = in_words(exc, kafka)
        if error is None:
            raise
        raise error from exc


def in_words(exc: BaseException, kafka: Mapping[str, Any]) -> FenliuError | None:
    """Our error for one of aiokafka's; None if it is none of them."""
    told = meaning_of(exc)
    if told is None:
        return None
    meaning, cause = told
    if isinstance(cause, _NO_ANSWER):
        return _unreachable(kafka, str(cause))
    return meaning.kind(f"{meaning.what} ({cause!r})", where=_servers(kafka), mend=meaning.mend)


async def _connected(start: Callable[[], Awaitable[None]], kafka: Mapping[str, Any], patience_s: float | None) -> None:
    """Call `start` until it succeeds; aiokafka logs each failed address, we keep the last to say it once."""
    deadline = asyncio.get_running_loop().time() + (PATIENCE_S if patience_s is None else patience_s)
    with _last_complaint() as complaint:
        while True:
            try:
                return await start()
            except KafkaConnectionError as exc:
                if asyncio.get_running_loop().time() + _RETRY_S > deadline:
                    raise _unreachable(kafka, complaint.text or str(exc), connecting=True) from None
            await asyncio.sleep(_RETRY_S)


def _unreachable(kafka: Mapping[str, Any], detail: str, *, connecting: bool = False) -> BrokerUnreachableError:
    for sign, what, mend in _TURNED_AWAY:
        if sign in detail:
            return BrokerUnreachableError(f"{what} at {_servers(kafka)} ({detail})", mend=mend)
    if connecting and _HUNG_UP.search(detail):
        protocol = kafka.get("security_protocol", "PLAINTEXT")
        return BrokerUnreachableError(
            f"something listens at {_servers(kafka)} and hangs up when it is spoken to in {protocol} ({detail})",
            mend=f"set FENLIU_KAFKA_SECURITY_PROTOCOL (now {protocol}) as the listener of that port has it, and if it "
            "wants a certificate too, FENLIU_KAFKA_SSL_CERTFILE",
        )
    return BrokerUnreachableError(
        f"no Kafka broker can be reached at {_servers(kafka)} ({detail})",
        mend="start it, or set FENLIU_KAFKA_BOOTSTRAP_SERVERS (and _SECURITY_PROTOCOL, _SASL_*, _SSL_*)",
    )


def _servers(kafka: Mapping[str, Any]) -> str:
    servers = kafka["bootstrap_servers"]
    return servers if isinstance(servers, str) else ",".join(servers)


class _Complaint(logging.Handler):
    """Keeps the newest message of a logger; an error without a text is named at its end."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()
        reason = record.args[-1] if isinstance(record.args, tuple) and record.args else None
        if isinstance(reason, BaseException) and not str(reason):
            self.text += type(reason).__name__


@contextmanager
def _last_complaint() -> Iterator[_Complaint]:
    """Keep what aiokafka logs while it connects, instead of showing the same line for every attempt."""
    logger = logging.getLogger("aiokafka")
    complaint, propagate = _Complaint(logging.WARNING), logger.propagate
    logger.addHandler(complaint)
    logger.propagate = False
    try:
        yield complaint
    finally:
        logger.propagate = propagate
        logger.removeHandler(complaint)
