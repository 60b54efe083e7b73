"""Records for property tests: right ones, and right ones with one thing changed."""

import copy
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import strategies as st

from schemas.events import MAX_TIME_MS, MIN_TIME_MS
from tests.unit.schemas.golden import TOPIC_OF_TYPE

Document = dict[str, Any]

ids: Final = st.text(
    st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("a é买😀\u2028\u00a0"), min_size=1, max_size=8
).map(str.strip).filter(bool) | st.sampled_from(["a", "b", "x" * 128])
times: Final = st.integers(MIN_TIME_MS, MAX_TIME_MS) | st.integers(MIN_TIME_MS, MAX_TIME_MS).map(float)
flags: Final = st.booleans()
counts: Final = st.integers(1, 10000)
id_lists: Final = st.lists(ids, max_size=3, unique=True)


def _object(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries(required, optional=optional)


def _event(kind: str, *names: str) -> dict[str, Any]:
    return {"type": st.just(kind), "occurred_at_ms": times, **dict.fromkeys(("event_id", "shop_id", *names), ids)}


buyer_messages: Final = _object(
    _event("buyer_message", "buyer_id"),
    order_state=st.none() | ids,
    entry_page=st.none() | ids,
    addressed_agent_id=st.none() | ids,
    wants_human=st.none() | flags,
    priority=st.none() | st.integers(0, 9) | st.just(9.0),
)
agent_statuses: Final = _object(
    _event("agent_status", "agent_id")
    | {"status": st.sampled_from(["online", "offline", "logged_out", "suspended", "resumed"])},
    device=st.sampled_from([None, "pc", "mobile"]),
    device_id=st.none() | st.just("") | ids,
)
_reply: Final = _event("agent_reply", "agent_id", "buyer_id")
agent_replies: Final = (
    _object(
        _reply,
        kind=st.sampled_from([None, "reply", "close", "auto"]),
        to_agent_id=st.none() | ids,
        to_group_id=st.none() | ids,
    )
    | _object(_reply | {"kind": st.just("transfer"), "to_agent_id": ids}, to_group_id=st.none())
    | _object(_reply | {"kind": st.just("transfer"), "to_group_id": ids}, to_agent_id=st.none())
)

_lags: Final = st.tuples(st.integers(30, 3600), st.integers(30, 3600)).map(
    lambda pair: {"min": min(pair), "max": max(pair)}
)
_settings: Final[dict[str, Any]] = {
    "policy": st.sampled_from(["qianniu", "pinduoduo"]),
    "offline_diversion": flags,
    "mobile_diversion": flags,
    "detection_lag_s": _lags | st.just({}),
    "logout_is_immediate": flags,
    "expect_heartbeats": flags,
    "rescue": st.sampled_from(["none", "stranded", "all_pending"]),
    "recent_contact_window_h": st.none() | st.integers(1, 8760),
    "suspended_keeps_recent": flags,
    "dedicated_direct": flags,
    "dedicated_agents": st.dictionaries(ids, ids, max_size=2),
    "robot_first": flags,
    "robot_id": ids,
    "robot_when_unattended": flags,
    "leave_message": _object({}, to=st.just("message_pool"))
    | _object({"to": st.just("main_account"), "main_account_id": ids})
    | _object({"to": st.just("proxy_account"), "proxy_account_ids": id_lists.filter(bool)})
    | _object({"to": st.just("recent_contact")}),
    "busy_threshold": counts | counts.map(float),
    "agents": st.lists(
        _object(
            {"agent_id": ids}, weight=st.integers(0, 10000), tier=st.integers(1, 9), max_pending=st.none() | counts
        ),
        max_size=3,
        unique_by=lambda agent: agent["agent_id"],
    ),
    "groups": st.lists(
        _object({"group_id": ids}, order_states=id_lists, robot=flags, agent_ids=id_lists),
        max_size=2,
        unique_by=lambda group: group["group_id"],
    ),
    "unbound_order_state": st.sampled_from(["all_agents", "random_group"]),
    "pages": st.lists(_object({"page": ids}, agent_ids=id_lists), max_size=2, unique_by=lambda page: page["page"]),
    "offline_receivers": id_lists,
    "pool_drain": flags,
    "default_max_pending": st.none() | counts,
    "full_keeps_recent": flags,
    "no_reply_reassign_s": st.none() | st.integers(30, 86400),
    "no_reply_limit": st.integers(0, 10000),
    "suspended_keeps_recent_h": st.none() | st.integers(1, 8760),
    "recent_contact_scope": st.sampled_from(["shop", "group"]),
    "fallback": st.sampled_from(["all_agents", "queue"]),
    "unlisted_agent_weight": st.integers(0, 10000),
    "no_reply_else": st.sampled_from(["stay", "leave_message"]),
    "no_reply_suspend_after": st.none() | st.integers(1, 100),
}
_config: Final = {"type": st.just("shop_config"), "shop_id": ids}
shop_configs: Final = _object(
    _config, event_id=st.none() | ids, occurred_at_ms=times, reset=st.sampled_from([None, False]), **_settings
) | _object(_config | {"reset": st.just(True)}, occurred_at_ms=times)

documents: Final = st.one_of(buyer_messages, agent_statuses, agent_replies, shop_configs)
"""Right events of every input topic."""

_anything: Final = st.one_of(
    st.none(),
    flags,
    st.sampled_from([-1, 0, 1, 1.0, 1.5, 29, 31, 10001, 1e3, 1e300, -0.0, 2**63, 2**64, 10**40]),
    st.sampled_from([MIN_TIME_MS - 1, MIN_TIME_MS, MAX_TIME_MS, MAX_TIME_MS + 1, 1781172000, 1781172000123456]),
    st.sampled_from(["", "a", "b", "a\n", "\n", "\x7f", "\x85", "x" * 128, "x" * 129, "transfer", "proxy_account"]),
    st.sampled_from([" ", " a", "a ", "a b", "a\u3000", "\u2028a", "\u00a0", "a\ufeff", "\u200ba"]),
    st.sampled_from(list(TOPIC_OF_TYPE)),
    st.sampled_from(
        [[], ["a"], ["a", "a"], [1], [None], {}, {"a": "a"}, {"min": 400}, {"": "a"}, {"to": "main_account"}]
    ),
)


@st.composite
def changed_documents(draw: st.DrawFn) -> Document:
    """An event with one place of it replaced, removed, added or doubled."""
    document = copy.deepcopy(draw(documents))
    holder, key = draw(st.sampled_from(list(_places(document))))
    match draw(st.sampled_from(["replace", "remove", "add", "double"])):
        case "replace":
            holder[key] = draw(_anything)
        case "remove":
            del holder[key]
        case "add" if isinstance(holder, dict):
            holder[
                draw(st.sampled_from(["unknown", "to_agent_id", "to_group_id", "priority", "reset", *_settings]))
            ] = draw(_anything)
        case _ if isinstance(holder, list):
            holder.append(holder[key])
        case _:
            holder[key] = [holder[key], holder[key]]
    return document


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every place below `part`, as its holder and its key there."""
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, item in list(items):
        yield part, key
        yield from _places(item)
