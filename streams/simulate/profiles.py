"""The settings of simulated shops: ten characters, so that every rule of the router meets its case.

Each is a function of a shop's people and gives the document that goes to the topic `shop-configs`. It knows the names
of settings and nothing of how they act.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from streams.simulate.cast import Cast

Document = dict[str, object]

UNPAID, PAID, SHIPPED, DONE, REFUND = "unpaid", "paid", "shipped", "completed", "refunding"
ORDER_STATES = ("no_order", UNPAID, PAID, SHIPPED, DONE, REFUND)
PAGES = ("item", "promotion", "live", "cart", "order_list", "refund")


def _agents(cast: Cast) -> list[Document]:
    return [{"agent_id": agent.agent_id, "weight": agent.weight} for agent in cast.agents]


def _presale_aftersale(cast: Cast) -> tuple[list[str], list[str]]:
    """Before and after the sale (售前, 售后); a shop of one agent has the same one in both."""
    ids = cast.agent_ids
    # By turns, so that both kinds of work are staffed in every shift.
    return ids[: len(ids) // 5 + 1] + ids[len(ids) // 5 + 1 :: 2], ids[len(ids) // 5 + 2 :: 2] or ids[:1]


def _groups(cast: Cast, *, robot: bool = False) -> list[Document]:
    presale, aftersale = _presale_aftersale(cast)
    return [
        {"group_id": "售前", "order_states": ["no_order", UNPAID, PAID], "agent_ids": presale},
        {"group_id": "售后", "order_states": [DONE, REFUND], "agent_ids": aftersale, "robot": robot},
    ]


def _groups_shop(cast: Cast, _: Random) -> Document:
    """Two groups by order state, everything else as the platform has it; nights go to the message pool."""
    return {"agents": _agents(cast), "groups": _groups(cast)}


def _pages_shop(cast: Cast, _: Random) -> Document:
    """Pinduoduo with page rules, and people who are pushed to when nobody is online."""
    presale, aftersale = _presale_aftersale(cast)
    return {
        "policy": "pinduoduo",
        "agents": _agents(cast),
        "pages": [
            {"page": "item", "agent_ids": presale},
            {"page": "promotion", "agent_ids": presale},
            {"page": "order_list", "agent_ids": aftersale},
            {"page": "refund", "agent_ids": aftersale[:1]},
        ],
        "offline_receivers": cast.agent_ids[:2],
    }


def _robot_shop(cast: Cast, _: Random) -> Document:
    """A robot before the people, at night, too; phones count; whoever is stranded is fetched back."""
    return {
        "agents": _agents(cast),
        "groups": _groups(cast, robot=True),
        "robot_first": True,
        "robot_id": "店小蜜",
        "robot_when_unattended": True,
        "mobile_diversion": True,
        "rescue": "stranded",
    }


def _dedicated_shop(cast: Cast, rng: Random) -> Document:
    """Regular customers have their own agent (专属客服); nights go to the owner's account."""
    regulars = {buyer_id(int(rng.random() * cast.buyers)) for _ in range(min(200, cast.buyers // 20 + 1))}
    ids = cast.agent_ids
    return {
        "agents": _agents(cast),
        "dedicated_direct": True,
        "dedicated_agents": {buyer: ids[index % len(ids)] for index, buyer in enumerate(sorted(regulars))},
        "leave_message": {"to": "main_account", "main_account_id": f"{cast.shop_id}:店主"},
        "suspended_keeps_recent": False,
    }


def _capacity_shop(cast: Cast, _: Random) -> Document:
    """Pinduoduo with a limit for everybody (X1), night duty, and rescue of all who wait."""
    agents = _agents(cast)
    agents[-1]["max_pending"] = 3
    return {
        "policy": "pinduoduo",
        "agents": agents,
        "default_max_pending": 8,
        "full_keeps_recent": False,
        "rescue": "all_pending",
        "busy_threshold": 3,
    }


def _no_reply_shop(cast: Cast, _: Random) -> Document:
    """Whoever waits too long goes to the next one (X2); unbound order states go by lot; proxies at night."""
    return {
        "agents": _agents(cast),
        "groups": _groups(cast),
        "unbound_order_state": "random_group",
        "no_reply_reassign_s": 180,
        "no_reply_limit": 2,
        "leave_message": {"to": "proxy_account", "proxy_account_ids": [f"{cast.shop_id}:代理{n}" for n in (1, 2)]},
    }


def _stubborn_shop(cast: Cast, _: Random) -> Document:
    """Diversion off, a log-out counts at once, a short memory of contacts."""
    return {
        "agents": _agents(cast),
        "offline_diversion": False,
        "logout_is_immediate": True,
        "recent_contact_window_h": 2,
        "pool_drain": False,
    }


def _heartbeat_shop(cast: Cast, _: Random) -> Document:
    """The chat client sends heartbeats, so silence counts as gone (L9); a robot after the sale; rescue."""
    return {
        "agents": _agents(cast),
        "groups": _groups(cast, robot=True),
        "expect_heartbeats": True,
        "detection_lag_s": {"min": 90, "max": 180},
        "rescue": "stranded",
    }


def _lean_pinduoduo_shop(cast: Cast, _: Random) -> Document:
    """Pinduoduo with next to no settings: weights, a window for contacts, and reassignment of who waits (X2)."""
    return {
        "policy": "pinduoduo",
        "agents": _agents(cast),
        "recent_contact_window_h": 72,
        "no_reply_reassign_s": 300,
    }


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of shop.

    Args:
        platform: what its shop ids begin with.
        settings: its settings, or None for a shop that never sent any (C3).
        night_duty: somebody works at night.
        heartbeats: its chat client sends them.
        greets: the platform answers every new conversation by itself (`auto`).
        promotion: it takes part, and has other settings while it lasts.
    """

    platform: Literal["tb", "pdd"]
    settings: Callable[[Cast, Random], Document] | None
    night_duty: bool = False
    heartbeats: bool = False
    greets: bool = False
    promotion: bool = True


PROFILES: Sequence[Profile] = (
    Profile("tb", _groups_shop, greets=True),
    Profile("pdd", _pages_shop),
    Profile("tb", _robot_shop),
    Profile("tb", _dedicated_shop, promotion=False),
    Profile("pdd", _capacity_shop, night_duty=True),
    Profile("tb", _no_reply_shop),
    Profile("tb", _stubborn_shop, promotion=False),
    Profile("tb", _heartbeat_shop, heartbeats=True, greets=True),
    Profile("tb", None, promotion=False),
    Profile("pdd", _lean_pinduoduo_shop),
)


def promotion_settings(settings: Document) -> Document:
    """The settings while the promotion lasts: agents count as busy later, and nobody stays stranded."""
    return {**settings, "busy_threshold": 8, "rescue": "stranded"}


def buyer_id(index: int) -> str:
    """The id of a shop's buyer number `index`."""
    return f"b{index:06d}"
