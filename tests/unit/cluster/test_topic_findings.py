"""What is found to be wrong with a cluster's topics, and how each thing is said to be mended."""

from dataclasses import replace

import pytest

from streams.settings import Settings
from streams.topic_findings import ClusterState, DeclaredTopic, Finding, TopicState, compare, in_words
from streams.topics import declared

TOPICS = declared(Settings.load())
INPUTS = [topic.name for topic in TOPICS if topic.role == "input"]


def as_created(topic: DeclaredTopic, *, partitions: int = 8, replication: int = 3) -> TopicState:
    """A topic as `fenliu topics create` makes it."""
    in_sync = {"min.insync.replicas": "2" if replication > 2 else "1"}
    configs = {name: (value, True) for name, value in {**topic.configs, **in_sync}.items()}
    return TopicState(partitions=partitions, replication=replication, configs=configs)


def cluster(*, brokers: int = 3, replication: int = 3, partitions: int = 8) -> ClusterState:
    topics = {topic.name: as_created(topic, partitions=partitions, replication=replication) for topic in TOPICS}
    return ClusterState(brokers=brokers, topics=topics)


def changed(state: ClusterState, name: str, **changes: object) -> ClusterState:
    return replace(state, topics={**state.topics, name: replace(state.topics[name], **changes)})  # type: ignore[arg-type]


def with_config(state: ClusterState, name: str, config: str, value: str) -> ClusterState:
    configs = {**(state.topics[name].configs or {}), config: (value, True)}
    return changed(state, name, configs=configs)


def without(state: ClusterState, *names: str) -> ClusterState:
    return replace(state, topics={name: topic for name, topic in state.topics.items() if name not in names})


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


@pytest.mark.parametrize("brokers", [1, 3])
def test_topics_as_created_have_no_findings(brokers: int) -> None:
    assert compare(TOPICS, cluster(brokers=brokers, replication=brokers)) == []


def test_declared_are_four_inputs_three_outputs_and_a_changelog_for_each_table() -> None:
    names = [topic.name for topic in TOPICS]
    assert names[:4] == ["buyer-messages", "agent-status", "agent-replies", "shop-configs"]
    assert names[4:7] == ["assignments", "agent-presence", "dead-letters"]
    tables = ("pending_replies", "last_contacts", "shops", "shop_settings", "checkpoints")
    assert names[7:] == [f"fenliu-{table}-changelog" for table in tables]


def test_names_have_prefix_and_app_id() -> None:
    names = {topic.name for topic in declared(Settings.load(topic_prefix="dev-", app_id="two"))}
    assert {"dev-buyer-messages", "dev-dead-letters", "dev-two-shops-changelog"} <= names


def test_settings_and_state_are_compacted_and_nothing_else_is() -> None:
    compacted = {topic.name for topic in TOPICS if topic.configs["cleanup.policy"] == "compact"}
    assert compacted == {"shop-configs", *(topic.name for topic in TOPICS if topic.role == "changelog")}


def test_a_missing_topic_is_created_like_those_that_are_there() -> None:
    finding = only(compare(TOPICS, without(cluster(partitions=6, replication=2), "assignments")))
    assert (finding.kind, finding.severity, finding.topic) == ("missing", "error", "assignments")
    assert finding.mend == "fenliu topics create --partitions 6 --replication 2"


@pytest.mark.parametrize(
    ("brokers", "mend"),
    [
        (1, "fenliu topics create --replication 1"),
        (2, "fenliu topics create --replication 2"),
        (5, "fenliu topics create"),
    ],
)
def test_on_an_empty_cluster_the_mend_line_fits_its_size(brokers: int, mend: str) -> None:
    findings = compare(TOPICS, ClusterState(brokers=brokers))
    assert len(findings) == len(TOPICS)
    assert {finding.mend for finding in findings} == {mend}


@pytest.mark.parametrize("name", ["agent-status", "assignments", "agent-presence", "fenliu-shops-changelog"])
def test_partition_counts_that_differ_are_errors(name: str) -> None:
    finding = only(compare(TOPICS, changed(cluster(), name, partitions=4)))
    assert (finding.kind, finding.severity, finding.topic) == ("partitions", "error", name)
    assert "4 partitions, the inputs have 8" in finding.what


def test_dead_letters_may_have_more_partitions_and_not_fewer() -> None:
    assert compare(TOPICS, changed(cluster(), "dead-letters", partitions=9)) == []
    assert only(compare(TOPICS, changed(cluster(), "dead-letters", partitions=7))).kind == "partitions"


def test_a_changelog_of_other_partitions_is_not_simply_deleted() -> None:
    finding = only(compare(TOPICS, changed(cluster(), "fenliu-shops-changelog", partitions=4)))
    assert "if nothing was routed yet" in finding.mend
    assert "a new FENLIU_TOPIC_PREFIX and FENLIU_APP_ID" in finding.mend


def test_an_input_that_was_made_larger_is_not_made_anew() -> None:
    """As docs/how-to/operate-safely.md says; catches: advice that deletes messages."""
    finding = only(compare(TOPICS, changed(cluster(), "buyer-messages", partitions=12)))
    assert "a new FENLIU_TOPIC_PREFIX and FENLIU_APP_ID" in finding.mend
    assert "--partitions 12" in finding.mend


def test_fewer_copies_than_the_others_have_is_an_error() -> None:
    finding = only(compare(TOPICS, changed(cluster(), "assignments", replication=1)))
    assert (finding.kind, finding.severity) == ("replication", "error")
    assert "1 copies, those of other topics 3" in finding.what


def test_one_copy_of_everything_is_a_warning_where_there_could_be_more() -> None:
    finding = only(compare(TOPICS, cluster(brokers=3, replication=1)))
    assert (finding.kind, finding.severity) == ("replication", "warning")
    assert compare(TOPICS, cluster(brokers=1, replication=1)) == []


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("shop-configs", "delete"),
        ("fenliu-shops-changelog", "compact,delete"),
        ("buyer-messages", "compact"),
        ("dead-letters", "compact,delete"),
    ],
)
def test_another_cleanup_policy_is_an_error_with_the_command_that_mends_it(name: str, policy: str) -> None:
    finding = only(compare(TOPICS, with_config(cluster(), name, "cleanup.policy", policy)))
    assert (finding.kind, finding.severity, finding.topic) == ("cleanup_policy", "error", name)
    right = next(topic.configs["cleanup.policy"] for topic in TOPICS if topic.name == name)
    assert finding.mend.endswith(f"--topic {name} --add-config cleanup.policy={right}")


def test_a_topic_with_the_brokers_defaults_only_looks_auto_created() -> None:
    configs = {"cleanup.policy": ("delete", False), "max.message.bytes": ("1048588", False)}
    findings = compare(TOPICS, changed(cluster(), "assignments", configs=configs))
    assert only(findings).kind == "auto_created"
    assert only(findings).severity == "error"


def test_a_cluster_that_does_not_tell_configs_is_a_warning_for_each_topic() -> None:
    state = cluster()
    for topic in TOPICS:
        state = changed(state, topic.name, configs=None)
    findings = compare(TOPICS, state)
    assert [finding.topic for finding in findings] == [topic.name for topic in TOPICS]
    assert {(finding.kind, finding.severity) for finding in findings} == {("unknown", "warning")}
    assert "cannot tell" in findings[0].what


@pytest.mark.parametrize(
    ("name", "limit", "severity"),
    [
        ("buyer-messages", "1048588", "warning"),
        ("dead-letters", "1048588", "error"),
        ("dead-letters", str(3 << 20), "warning"),
        ("fenliu-shops-changelog", "1048588", "warning"),
    ],
)
def test_records_that_would_not_fit(name: str, limit: str, severity: str) -> None:
    finding = only(compare(TOPICS, with_config(cluster(), name, "max.message.bytes", limit)))
    assert (finding.kind, finding.severity) == ("config", severity)


def test_larger_records_than_declared_are_welcome() -> None:
    assert compare(TOPICS, with_config(cluster(), "dead-letters", "max.message.bytes", str(64 << 20))) == []


def test_timestamps_of_producers_are_a_warning_on_inputs() -> None:
    finding = only(compare(TOPICS, with_config(cluster(), "agent-status", "message.timestamp.type", "CreateTime")))
    assert (finding.kind, finding.severity) == ("config", "warning")


def test_three_copies_of_which_one_may_acknowledge_are_a_warning() -> None:
    finding = only(compare(TOPICS, with_config(cluster(), "assignments", "min.insync.replicas", "1")))
    assert (finding.kind, finding.severity) == ("config", "warning")
    assert "min.insync.replicas=2" in finding.mend


def test_a_partition_without_leader_is_told_and_stops_nobody() -> None:
    finding = only(compare(TOPICS, changed(cluster(), "assignments", leaderless=2)))
    assert (finding.kind, finding.severity) == ("leader", "warning")


def test_topics_of_which_the_same_is_to_be_said_stand_together() -> None:
    problems = in_words(compare(TOPICS, without(cluster(), "assignments", "agent-presence")))
    assert [str(problem) for problem in problems] == [
        "assignments, agent-presence: the topic does not exist\n    to mend it: fenliu topics create --partitions 8"
    ]
