"""Settings of shops, drawn so that corners meet: every field of sections 3, 11 and 13, always valid (C2).

A `Source` makes the choices, so the same code serves a seeded generator and hypothesis.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol, TypeVar

from schemas.codec import parse_settings
from schemas.shop import DEFAULT_VERSION, ShopConfig, ShopConfigChange

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
Document = dict[str, object]

ORDER_STATES = ("待付款", "已发货", "售后", "unbound")
PAGES = ("page-1", "page-2", "page-without-rule")
GROUPS = ("售前", "售后", "g3")
NO_GROUP = "售后部"


class Source(Protocol):
    """Where choices come from. A failing case shrinks towards the first option, the low end and False."""

    def number(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""

    def chance(self, percent: int) -> bool:
        """True in `percent` of 100 cases or so."""


@dataclass(frozen=True)
class Cast:
    """Who takes part in a run."""

    shops: tuple[str, ...]
    agents: tuple[str, ...]
    buyers: tuple[str, ...]


def some(source: Source, options: Sequence[str], most: int) -> list[str]:
    """Up to `most` different options, in any order."""
    found: list[str] = []
    for _ in range(source.number(0, most)):
        one = source.pick(options)
        if one not in found:
            found.append(one)
    return found


def draw_settings(source: Source, cast: Cast, *, section_13: bool = False) -> Document:
    """Draw the settings of one shop as the shop would write them: any field may be left out."""
    document: Document = {}
    draw_ladder(source, cast, document)
    draw_presence(source, document)
    draw_share(source, cast, document)
    draw_beyond(source, document)
    if section_13:
        draw_asked_for(source, cast, document)
    return document


def draw_ladder(source: Source, cast: Cast, document: Document) -> None:
    """Policy, diversion, contacts, robots, leaving a message."""
    if source.chance(85):
        document["policy"] = source.pick(["qianniu", "pinduoduo"])
    if source.chance(40):
        document["offline_diversion"] = source.chance(40)
    if source.chance(40):
        document["recent_contact_window_h"] = source.pick([1, 72, 73, 8760, None])
    if source.chance(30):
        document["suspended_keeps_recent"] = source.chance(30)
    if source.chance(40):
        document["dedicated_direct"] = source.chance(85)
        document["dedicated_agents"] = {
            buyer: source.pick([*cast.agents, "nobody"]) for buyer in some(source, cast.buyers, 3)
        }
    if source.chance(35):
        document["robot_first"] = source.chance(60)
        document["robot_when_unattended"] = source.chance(60)
    if source.chance(10):
        document["robot_id"] = "小蜜"
    if source.chance(60):
        document["leave_message"] = draw_leave_message(source, cast)
    if source.chance(40):
        document["offline_receivers"] = some(source, [*cast.agents, "receiver"], 3)
    if source.chance(15):
        document["an_unknown_field"] = source.number(0, 3)


def draw_leave_message(source: Source, cast: Cast) -> Document:
    """Accounts are sometimes agents too (F6)."""
    accounts = ["main", "proxy-1", "proxy-2", cast.agents[0], cast.agents[-1]]
    kind = source.pick(["message_pool", "message_pool", "main_account", "proxy_account"])
    if kind == "main_account":
        return {"to": kind, "main_account_id": source.pick(accounts)}
    if kind == "proxy_account":
        return {"to": kind, "proxy_account_ids": some(source, accounts, 3) or ["proxy-1"]}
    return {"to": kind}


def draw_presence(source: Source, document: Document) -> None:
    """Detection, heartbeats, rescue."""
    heartbeats = source.chance(25)
    if source.chance(30):
        document["mobile_diversion"] = source.chance(70)
    if source.chance(50) or heartbeats:
        lags = [(60, 60), (30, 90), (30, 30), (120, 300)]
        low, high = source.pick(lags if heartbeats else [*lags, (0, 0), (0, 60)])
        document["detection_lag_s"] = {"min": low, "max": high}
    if heartbeats or source.chance(10):
        document["expect_heartbeats"] = heartbeats
    if source.chance(30):
        document["logout_is_immediate"] = source.chance(80)
    if source.chance(60):
        document["rescue"] = source.pick(["none", "stranded", "all_pending"])


def draw_share(source: Source, cast: Cast, document: Document) -> None:
    """Agents with weights and limits, groups that overlap, pages."""
    if source.chance(50):
        document["busy_threshold"] = source.number(1, 4)
    if source.chance(60):
        agents: list[Document] = []
        for agent_id in some(source, cast.agents, len(cast.agents)):
            agent: Document = {"agent_id": agent_id}
            if source.chance(70):
                agent["weight"] = source.pick([100, 0, 1, 50, 300, 10000])
            if source.chance(30):
                agent["max_pending"] = source.pick([1, 2, 3, None])
            agents.append(agent)
        document["agents"] = agents
    if source.chance(50):
        document["groups"] = [
            {
                "group_id": group_id,
                "order_states": some(source, ORDER_STATES[:3], 3),
                "robot": source.chance(20),
                "agent_ids": some(source, cast.agents, 3),
            }
            for group_id in some(source, GROUPS, 3)
        ]
        if source.chance(50):
            document["unbound_order_state"] = source.pick(["all_agents", "random_group"])
    if source.chance(40):
        pages = some(source, PAGES[:2], 2)
        document["pages"] = [{"page": page, "agent_ids": some(source, cast.agents, 3)} for page in pages]


def draw_beyond(source: Source, document: Document) -> None:
    """Section 11, and the drain of the pool."""
    if source.chance(20):
        document["pool_drain"] = source.chance(30)
    if source.chance(25):
        document["default_max_pending"] = source.pick([1, 2, 3, None])
    if source.chance(25):
        document["full_keeps_recent"] = source.chance(30)
    if source.chance(35):
        document["no_reply_reassign_s"] = source.pick([30, 60, 300, None])
    if source.chance(35):
        document["no_reply_limit"] = source.number(0, 3)


def draw_asked_for(source: Source, cast: Cast, document: Document) -> None:
    """Section 13, and more often what it needs: groups, and replies that are waited for."""
    if source.chance(40):
        document["suspended_keeps_recent_h"] = source.pick([1, 24, 72, None])
    if source.chance(50):
        document["recent_contact_scope"] = source.pick(["group", "shop"])
    if source.chance(40):
        document["fallback"] = source.pick(["queue", "all_agents"])
    if source.chance(60):
        document["agents"] = [
            {"agent_id": agent_id, "tier": source.pick([2, 1, 3]), "weight": source.pick([100, 0, 300])}
            for agent_id in some(source, cast.agents, 3)
        ]
    if source.chance(30):
        document["unlisted_agent_weight"] = source.pick([0, 50, 200])
    if source.chance(30):
        document["leave_message"] = {"to": "recent_contact"}
    if "groups" not in document and source.chance(60):
        document["groups"] = [
            {"group_id": group_id, "order_states": [state], "robot": source.chance(30), "agent_ids": [cast.agents[0]]}
            for group_id, state in zip(GROUPS, ORDER_STATES, strict=False)
        ]
    if source.chance(60):
        document["no_reply_reassign_s"] = source.pick([30, 60, 2000])
        document["no_reply_limit"] = source.pick([3, 1, 10])
    if source.chance(50):
        document["no_reply_else"] = source.pick(["leave_message", "stay"])
    if source.chance(50):
        document["no_reply_suspend_after"] = source.pick([1, 2, 3, None])


def without_unknown(document: Document) -> Document:
    """C1: the settings as given, without the fields that nobody knows (they stand at the top level only here)."""
    return {name: value for name, value in document.items() if name in ShopConfig.__struct_fields__}


def version_of(document: Document) -> str:
    """C1: the config_version of some settings."""
    text = json.dumps(without_unknown(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return blake2b(text.encode()).hexdigest()[:12]


def config_change(shop_id: str, occurred_at_ms: int, document: Document | None) -> ShopConfigChange:
    """The event that brings some settings; None is the reset to the defaults.

    Raises:
        InvalidEvent: The settings are not valid (C2).
    """
    settings, version, given = (ShopConfig(), DEFAULT_VERSION, None) if document is None else parse_settings(document)
    return ShopConfigChange(
        shop_id=shop_id, occurred_at_ms=occurred_at_ms, settings=settings, version=version, given=given
    )
