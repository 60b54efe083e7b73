"""Whether fenliu can run here: settings, broker, topics, group, schemas. Each check says what is, or how to mend it.

A check that needs what an earlier one did not find says that it cannot tell.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas import catalog, generate
from streams import permissions
from streams.access import rights
from streams.errors import BrokerUnreachableError, ClusterError
from streams.group import describe_group, foreign_topics
from streams.input_findings import find
from streams.inputs_reader import inputs_reader
from streams.kafka_clients import administration
from streams.settings import Settings, unknown_variables
from streams.topic_findings import Problem, in_words
from streams.topics import check_topics, declared


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `fenliu check`: `summary` says what is, `findings` what is wrong and how to mend it."""

    name: str
    summary: str
    findings: list[Problem] = field(default_factory=list)
    told: Mapping[str, Any] = field(default_factory=dict)
    """The figures behind the summary."""
    cannot_tell: bool = False
    """Whether what it needs was not there."""
    usual: frozenset[str] = frozenset()
    """Names in `told` whose values are the defaults."""

    @property
    def ok(self) -> bool:
        """Whether it was looked at, and there is nothing to mend."""
        return not self.findings and not self.cannot_tell


async def check_all(settings: Settings) -> tuple[list[Check], BrokerUnreachableError | None]:
    """All checks in order, and the error of a broker that could not be reached."""
    checks = [check_settings(settings)]
    unreachable = None
    on_cluster = {
        "broker": check_broker,
        "access": check_access,
        "topics": check_declared_topics,
        "group": check_group,
    }
    try:
        for name, look in on_cluster.items():
            if name == "group" and any(right["resource"] == "Group" for right in checks[-2].told["missing"]):
                checks.append(Check(name, "cannot tell without that right", cannot_tell=True))
            else:
                checks.append(await look(settings))
    except BrokerUnreachableError as exc:
        unreachable = exc
        stopped_at, *later = list(on_cluster)[len(checks) - 1 :]
        checks.append(Check(stopped_at, "cannot be reached", [Problem(exc.what, exc.mend)]))
        checks += [Check(name, "cannot tell without a broker", cannot_tell=True) for name in later]
    except ClusterError as exc:
        done = len(checks)
        for name in list(on_cluster)[done - 1 :]:
            checks.append(Check(name, "cannot be checked", [Problem(exc.what, exc.mend)]))
    checks.append(check_schemas())
    return checks, unreachable


def check_settings(settings: Settings) -> Check:
    """The environment was valid, or we would not be here; variables that nothing reads are misspelt."""
    findings = [
        Problem(f"{name} is set, and no setting is called so", "unset it, or take the name from `fenliu check -v`")
        for name in unknown_variables(os.environ)
    ]
    usual = settings.at_defaults()
    changed = len(Settings.model_fields) - len(usual)
    summary = f"valid, {changed} of {len(Settings.model_fields)} not at their defaults"
    return Check("settings", summary, findings, settings.shown(), usual=usual)


async def check_broker(settings: Settings) -> Check:
    """Somebody answers, and the cluster has a controller."""
    async with administration(settings.kafka_client_kwargs()) as admin:
        cluster = await admin.describe_cluster()
    brokers, controller = len(cluster["brokers"]), cluster["controller_id"]
    findings = [] if controller >= 0 else [Problem("the cluster has no controller", "see which brokers are down")]
    return Check(
        "broker",
        f"{settings.kafka_bootstrap_servers}: {brokers} broker{'s' * (brokers != 1)}, cluster {cluster['cluster_id']}",
        findings,
        {"brokers": brokers, "cluster_id": cluster["cluster_id"], "controller_id": controller},
    )


async def check_access(settings: Settings) -> Check:
    """The brokers allow this user what a worker needs."""
    wanted = rights(settings, "worker")
    async with administration(settings.kafka_client_kwargs()) as admin:
        missing = await permissions.lacking(admin, wanted)
    told = {"needed": len(wanted), "missing": [right._asdict() for right in missing]}
    summary = f"{len(wanted) - len(missing)} of the {len(wanted)} rights that a worker needs"
    return Check("access", summary, [permissions.in_words(missing)] if missing else [], told)


async def check_declared_topics(settings: Settings) -> Check:
    """The topics are as declared."""
    findings = await check_topics(settings)
    wanted = len(declared(settings))
    wrong = len({finding.topic for finding in findings})
    return Check("topics", f"{wanted - wrong} of {wanted} as declared", in_words(findings), {"declared": wanted})


async def check_group(settings: Settings) -> Check:
    """The group's members, how far behind they are, and whatever keeps records from being routed."""
    group, kafka = settings.app_id, settings.kafka_client_kwargs()
    async with administration(kafka) as admin:
        described = await describe_group(admin, group)
    members, state = described.members, described.state
    findings = []
    if described.protocol_type not in ("", "consumer"):
        findings.append(Problem(f"{group} is a group of another kind ({described.protocol_type})", "set FENLIU_APP_ID"))
    others = foreign_topics(settings, described.topics)
    if others:
        findings.append(
            Problem(
                f"{group} is used for other topics ({', '.join(others)})",
                "set FENLIU_APP_ID, or FENLIU_TOPIC_PREFIX if it was changed",
            )
        )
    async with inputs_reader(settings) as inputs:
        findings += inputs.leaderless()
        standings = await inputs.standings(described.committed)
        waits = not members and await inputs.wait(standings)
        stuck = await inputs.stuck(standings)
    findings += find(standings, members=members, waits=waits, stuck=stuck)
    behind = sum(each.behind for each in standings)
    told = {"state": state, "members": members, "lag_records": behind}
    workers = "no worker" if members == 0 else f"{members} worker{'s' * (members != 1)}, {state}"
    return Check("group", f"{group}: {workers}, {behind:,} records behind", findings, told)


def check_schemas() -> Check:
    """The JSON Schemas that are shipped say what the code does."""
    findings = []
    current = generate.schemas()
    for name in catalog.NAMES:
        try:
            shipped = catalog.load(name)
        except (OSError, ValueError) as exc:
            findings.append(Problem(f"the schema {name} cannot be read: {exc}", "install fenliu anew"))
            continue
        if shipped != json.loads(generate.text(current[name])):
            findings.append(Problem(f"the schema {name} is of another version", "install fenliu anew"))
    return Check("schemas", f"{len(catalog.NAMES)} JSON Schemas, as the types say", findings)
