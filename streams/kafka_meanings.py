"""The table of what the errors of the Kafka client mean: who must mend what, or that it passes.

Every class of `aiokafka.errors` stands in exactly one line of it. Whatever brokers answer has a meaning, since what is
wrong with a broker is no defect of fenliu; only misuse of the client is. It knows no connection and decides nothing.
"""

from typing import NamedTuple

from aiokafka import errors as kafka

from streams.errors import BrokerUnreachableError, ClusterError, DefectError, FencedError, FenliuError, SettingsError


class FencedInstanceIdError(kafka.BrokerResponseError):  # type: ignore[misc]  # aiokafka has no types
    """Kafka's error 82, which aiokafka does not know: another member has come with our group.instance.id."""

    errno = 82
    message = "FENCED_INSTANCE_ID"


# By this dictionary aiokafka makes an error of what a broker answers; without it 82 would be an UnknownError.
kafka.kafka_errors[FencedInstanceIdError.errno] = FencedInstanceIdError


class Meaning(NamedTuple):
    """What some errors of the client mean."""

    errors: tuple[type[BaseException], ...]
    kind: type[FenliuError]
    what: str
    mend: str

    @property
    def passes(self) -> bool:
        """Whether asking again, or starting again later, may be enough."""
        return self.kind is BrokerUnreachableError


_GRANT = (
    "an administrator grants the rights (ACLs) that `fenliu acls` prints; what a worker lacks, `fenliu check` names"
)
_LATER = "start it again in a moment, as a supervisor does. If it lasts, see which brokers are down"

MEANINGS = (
    Meaning(
        (kafka.ProducerFenced, kafka.InvalidProducerEpoch),
        FencedError,
        "another worker has taken the partition over, or the transaction took too long; nothing of it is published",
        "once: nothing, a supervisor starts this worker anew, and it joins the group again. Again and again: see "
        "whether another worker runs with the same FENLIU_GROUP_INSTANCE_ID, and what lets this machine stand still",
    ),
    Meaning(
        (FencedInstanceIdError,),
        SettingsError,
        "another worker has joined the group with the FENLIU_GROUP_INSTANCE_ID of this one",
        "give each worker a FENLIU_GROUP_INSTANCE_ID of its own; the other one goes on, with this one's partitions",
    ),
    Meaning(
        (kafka.TransactionalIdAuthorizationFailed,),
        ClusterError,
        "the brokers do not allow this user Write on the transactional ids that begin with FENLIU_APP_ID and a hyphen",
        _GRANT,
    ),
    Meaning(
        (kafka.GroupAuthorizationFailedError,),
        ClusterError,
        "the brokers do not allow this user Read on the group FENLIU_APP_ID",
        _GRANT,
    ),
    Meaning(
        (kafka.TopicAuthorizationFailedError, kafka.ClusterAuthorizationFailedError),
        ClusterError,
        "the brokers do not allow this user to read or write a topic",
        _GRANT,
    ),
    Meaning(
        (kafka.InvalidSessionTimeoutError,),
        SettingsError,
        "FENLIU_SESSION_TIMEOUT_S is not in the range that the brokers allow",
        "set it between their group.min.session.timeout.ms and group.max.session.timeout.ms",
    ),
    Meaning(
        (kafka.InconsistentGroupProtocolError, kafka.InvalidGroupIdError),
        ClusterError,
        "the group FENLIU_APP_ID cannot be joined: its members are of another kind, or its name is none for a group",
        "give this fenliu an id of its own (FENLIU_APP_ID, then fenliu topics create)",
    ),
    Meaning(
        (kafka.InvalidTransactionTimeout,),
        ClusterError,
        "the brokers take no transactions that may last a minute",
        "raise their transaction.max.timeout.ms to 60000 or more",
    ),
    Meaning(
        (kafka.UnsupportedCodecError,),
        ClusterError,
        "a producer compresses in a way that this installation cannot read",
        "install fenliu anew (it needs cramjam), or let the producer compress with lz4, snappy, gzip or zstd",
    ),
    Meaning(
        (kafka.InvalidTimestampError,),
        ClusterError,
        "the brokers refuse this worker's timestamps: its clock is fast by more than message.timestamp.after.max.ms",
        "set this machine's clock, best by NTP; a supervisor may then start the worker anew",
    ),
    Meaning(
        (kafka.MessageSizeTooLargeError, kafka.RecordListTooLargeError, kafka.RecordTooLargeError),
        ClusterError,
        "a topic takes no records of this size",
        "fenliu topics check names the topics whose max.message.bytes is less than declared: raise it",
    ),
    Meaning(
        (kafka.OffsetMetadataTooLargeError, kafka.InvalidCommitOffsetSizeError),
        ClusterError,
        "the brokers take no offsets of this size",
        "set their offset.metadata.max.bytes back to its default, 4096",
    ),
    Meaning(
        (
            kafka.InvalidTopicError,
            kafka.InvalidPartitionsError,
            kafka.InvalidReplicationFactorError,
            kafka.InvalidReplicationAssignmentError,
            kafka.InvalidConfigurationError,
            kafka.PolicyViolationError,
            kafka.TopicAlreadyExistsError,
            kafka.GroupIdNotFound,
            kafka.NonEmptyGroup,
        ),
        ClusterError,
        "the cluster does not take a topic, a setting or a group as it is",
        "fenliu topics check names what is not as declared; the brokers' logs say what they refuse",
    ),
    Meaning(
        (kafka.UnknownTopicOrPartitionError,),
        ClusterError,
        "a topic or a partition is not there; it was deleted, perhaps while this ran",
        "fenliu topics check names it, and fenliu state verify what the group still has",
    ),
    Meaning(
        (
            kafka.UnsupportedVersionError,
            kafka.IncompatibleBrokerVersion,
            kafka.UnrecognizedBrokerVersion,
            kafka.UnsupportedForMessageFormatError,
            kafka.InvalidRequestError,
            kafka.InvalidRequiredAcksError,
            kafka.InvalidFetchRequestError,
        ),
        ClusterError,
        "the brokers do not take a request of this client",
        "fenliu needs Apache Kafka 3.7 or later, or brokers that do what it does",
    ),
    Meaning(
        (
            kafka.SaslAuthenticationFailed,
            kafka.AuthenticationFailedError,
            kafka.AuthenticationMethodNotSupported,
            kafka.UnsupportedSaslMechanismError,
            kafka.IllegalSaslStateError,
            kafka.SecurityDisabled,
            kafka.InvalidPrincipalType,
            kafka.DelegationTokenAuthDisabled,
            kafka.DelegationTokenNotFound,
            kafka.DelegationTokenOwnerMismatch,
            kafka.DelegationTokenRequestNotAllowed,
            kafka.DelegationTokenAuthorizationFailed,
            kafka.DelegationTokenExpired,
        ),
        BrokerUnreachableError,
        "the brokers do not let this user in",
        "set FENLIU_KAFKA_SECURITY_PROTOCOL and _SASL_*, or let an administrator make the user",
    ),
    Meaning(
        (
            kafka.InvalidTxnState,
            kafka.InvalidProducerIdMapping,
            kafka.UnknownProducerId,
            kafka.OutOfOrderSequenceNumber,
            kafka.DuplicateSequenceNumber,
            kafka.ConcurrentTransactions,
            kafka.TransactionCoordinatorFenced,
            kafka.OperationNotAttempted,
        ),
        BrokerUnreachableError,
        "the brokers have ended or forgotten a transaction; nothing of it is published",
        "nothing: whoever starts next begins a new one from the last commit",
    ),
    Meaning(
        (
            kafka.RebalanceInProgressError,
            kafka.IllegalGenerationError,
            kafka.UnknownMemberIdError,
            kafka.MemberIdRequired,
            kafka.CommitFailedError,
        ),
        BrokerUnreachableError,
        "the group moved on without this member",
        "nothing: a supervisor starts this worker anew, and it joins again",
    ),
    Meaning(
        (kafka.OffsetOutOfRangeError, kafka.NoOffsetForPartitionError),
        BrokerUnreachableError,
        "records were deleted while they were read",
        "run it again: it begins with the oldest that are left",
    ),
    Meaning(
        (
            kafka.CorruptRecordException,
            kafka.KafkaStorageError,
            kafka.LogDirNotFound,
        ),
        BrokerUnreachableError,
        "a broker cannot read or write its disk, or a record arrived damaged",
        "see the brokers' logs and disks; a healthy copy takes over when the broker is stopped",
    ),
    Meaning(
        (
            kafka.KafkaConnectionError,
            kafka.KafkaTimeoutError,
            kafka.KafkaUnavailableError,
            kafka.NodeNotReadyError,
            kafka.NoBrokersAvailable,
            kafka.RequestTimedOutError,
            ConnectionError,
            TimeoutError,
        ),
        BrokerUnreachableError,
        "the brokers do not answer",
        "see whether they are up, and whether the partitions of fenliu's topics have leaders",
    ),
    Meaning(
        (
            kafka.NotEnoughReplicasError,
            kafka.NotEnoughReplicasAfterAppendError,
        ),
        BrokerUnreachableError,
        "a topic has fewer copies in sync than its min.insync.replicas",
        "bring back the brokers that are down",
    ),
    Meaning(
        (
            kafka.BrokerNotAvailableError,
            kafka.ReplicaNotAvailableError,
            kafka.LeaderNotAvailableError,
            kafka.NotLeaderForPartitionError,
            kafka.NotControllerError,
            kafka.StaleControllerEpochError,
            kafka.StaleLeaderEpochCodeError,
            kafka.GroupLoadInProgressError,
            kafka.GroupCoordinatorNotAvailableError,
            kafka.NotCoordinatorForGroupError,
            kafka.ListenerNotFound,
            kafka.ReassignmentInProgress,
            kafka.MetadataEmptyBrokerList,
            kafka.StaleMetadata,
            kafka.QuotaViolationError,
            kafka.FetchSessionIdNotFound,
            kafka.InvalidFetchSessionEpoch,
            kafka.ProducerClosed,
            kafka.ConsumerStoppedError,
        ),
        BrokerUnreachableError,
        "the brokers cannot do it just now: they start, stop, or choose leaders",
        _LATER,
    ),
    Meaning(
        (
            kafka.IllegalStateError,
            kafka.IllegalArgumentError,
            kafka.IllegalOperation,
            kafka.KafkaConfigurationError,
        ),
        DefectError,
        "the Kafka client was used wrongly",
        "report it, with the lines before it",
    ),
    Meaning(
        (
            kafka.UnknownError,
            kafka.NoError,
            kafka.KafkaProtocolError,
            kafka.CorrelationIdError,
            kafka.TooManyInFlightRequests,
            kafka.Cancelled,
            kafka.BrokerResponseError,
            kafka.KafkaError,
        ),
        BrokerUnreachableError,
        "the brokers answered with an error that the client has no name for",
        "see the brokers' logs, then start it again",
    ),
)
"""In the order in which they count when there are several at once."""
