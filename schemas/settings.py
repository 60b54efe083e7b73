"""A shop's settings from a document: read by the types, checked by the rules, named by their version (C1, C2, F9)."""

import json
from collections.abc import Sequence
from hashlib import blake2b

import msgspec
import orjson

from schemas import careful
from schemas.errors import InvalidEvent
from schemas.shop import MIN_HEARTBEAT_LAG_S, ShopConfig

SETTINGS = frozenset(ShopConfig.__struct_fields__)
"""The names of the settings of sections 3, 11 and 13."""

_SHOP_CONFIG = careful.record(ShopConfig, null_is_absent=False)
_STORED = careful.record(ShopConfig, null_is_absent=False, stored=True)


def parse_settings(document: dict[str, object], *, stored: bool = False) -> tuple[ShopConfig, str, bytes]:
    """Read the settings of a shop; other fields of the document are unknown and ignored.

    Args:
        document: a JSON object, or one from YAML.
        stored: an earlier version took these settings, perhaps with ids that end blank. A shop keeps what it has.

    Returns:
        The settings with their defaults, their `config_version`, and what was given as JSON: read again with this
        function it gives the same settings and version.

    Raises:
        InvalidEvent: `config`, with the path of the first wrong setting.
    """
    try:
        settings = msgspec.convert((_STORED if stored else _SHOP_CONFIG).read(document), ShopConfig)
    except careful.Mismatch as mismatch:
        raise _invalid(mismatch.path, mismatch.expected) from None
    given = _SHOP_CONFIG.known(document)
    _check_leave_message(settings, document.get("leave_message"))
    _check_lag(settings)
    _check_duplicates(settings)
    return settings, _version(given), orjson.dumps(given)


def _version(given: object) -> str:
    text = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return blake2b(text.encode()).hexdigest()[:12]  # C1


def _invalid(path: str, expected: str) -> InvalidEvent:
    return InvalidEvent.at(path, expected, code="config")


def _check_leave_message(settings: ShopConfig, given: object) -> None:
    leave = settings.leave_message
    absent = leave.main_account_id is None
    if absent and (leave.to == "main_account" or (isinstance(given, dict) and "main_account_id" in given)):
        raise _invalid("$.leave_message.main_account_id", "an id with main_account, and never null")
    if leave.to == "proxy_account" and not leave.proxy_account_ids:
        raise _invalid("$.leave_message.proxy_account_ids", "at least one id with proxy_account")


def _check_lag(settings: ShopConfig) -> None:
    lag = settings.detection_lag_s
    if lag.min > lag.max:
        raise _invalid("$.detection_lag_s.min", "no more than max (by default 300)")
    if settings.expect_heartbeats and lag.min < MIN_HEARTBEAT_LAG_S:
        raise _invalid("$.detection_lag_s.min", f"at least {MIN_HEARTBEAT_LAG_S} with expect_heartbeats")


def _check_duplicates(settings: ShopConfig) -> None:
    _check_unique("$.leave_message.proxy_account_ids[{}]", settings.leave_message.proxy_account_ids)
    _check_unique("$.agents[{}].agent_id", [agent.agent_id for agent in settings.agents])
    _check_unique("$.groups[{}].group_id", [group.group_id for group in settings.groups])
    for index, group in enumerate(settings.groups):
        _check_unique(f"$.groups[{index}].order_states[{{}}]", group.order_states)
        _check_unique(f"$.groups[{index}].agent_ids[{{}}]", group.agent_ids)
    _check_unique("$.pages[{}].page", [page.page for page in settings.pages])
    for index, page in enumerate(settings.pages):
        _check_unique(f"$.pages[{index}].agent_ids[{{}}]", page.agent_ids)
    _check_unique("$.offline_receivers[{}]", settings.offline_receivers)


def _check_unique(path: str, ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(ids):
        if item in seen:
            raise _invalid(
                path.format(index), f"an id that does not stand in an earlier place, not that of {ids.index(item)}"
            )
        seen.add(item)
