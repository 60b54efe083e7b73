"""A shop's settings from a document: read by the types, checked by the rules, named by their version (C1, C2, F9)."""

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import msgspec
import orjson

from schemas import careful
from schemas.errors import InvalidEvent
from schemas.shop import MIN_HEARTBEAT_LAG_S, DetectionLag, ShopConfig

SETTINGS = frozenset(ShopConfig.__struct_fields__)
"""The names of the settings of sections 3, 11 and 13."""

_SHOP_CONFIG = careful.record(ShopConfig, null_is_absent=False)
_LAG = DetectionLag()
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
        read = (_STORED if stored else _SHOP_CONFIG).read(document)
    except careful.Mismatch as mismatch:
        raise _invalid(mismatch.path, mismatch.expected) from None
    for contradiction in _contradictions(read):
        raise contradiction
    given = _SHOP_CONFIG.known(document)
    return msgspec.convert(read, ShopConfig), _version(given), orjson.dumps(given)


def problems_of_settings(document: dict[str, object]) -> list[InvalidEvent]:
    """Everything for which `parse_settings` refuses a document, its own error first; empty if it does not."""
    mismatches: list[careful.Mismatch] = []
    read = _SHOP_CONFIG.read(document, found=mismatches)
    paths = {mismatch.path for mismatch in mismatches}
    return [
        *(_invalid(mismatch.path, mismatch.expected) for mismatch in mismatches),
        *(contradiction for contradiction in _contradictions(read) if contradiction.path not in paths),
    ]


def unknown_settings(document: dict[str, object]) -> Iterator[str]:
    """The paths of what stands in a document and no setting has, however deep."""
    return _SHOP_CONFIG.unknown(document)


def _version(given: object) -> str:
    text = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return blake2b(text.encode()).hexdigest()[:12]  # C1


def _invalid(path: str, expected: str) -> InvalidEvent:
    return InvalidEvent.at(path, expected, code="config")


def _contradictions(read: Mapping[str, Any]) -> Iterator[InvalidEvent]:
    """What the types cannot say, of settings as they were read; what is UNFIT contradicts nothing."""
    yield from _of_leave_message(read.get("leave_message", {}))
    yield from _of_lag(read)
    yield from _duplicates(read)


def _of_leave_message(leave: object) -> Iterator[InvalidEvent]:
    if not isinstance(leave, dict):
        return
    to, main_account_id = leave.get("to"), leave.get("main_account_id")
    if main_account_id is None and (to == "main_account" or "main_account_id" in leave):
        yield _invalid("$.leave_message.main_account_id", "an id with main_account, and never null")
    if to == "proxy_account" and not leave.get("proxy_account_ids"):
        yield _invalid("$.leave_message.proxy_account_ids", "at least one id with proxy_account")


def _of_lag(read: Mapping[str, Any]) -> Iterator[InvalidEvent]:
    lag = read.get("detection_lag_s", {})
    if not isinstance(lag, dict):
        return
    least, most = lag.get("min", _LAG.min), lag.get("max", _LAG.max)
    if not isinstance(least, int):
        return
    if isinstance(most, int) and least > most:
        yield _invalid("$.detection_lag_s.min", f"no more than max (by default {_LAG.max})")
    elif read.get("expect_heartbeats") is True and least < MIN_HEARTBEAT_LAG_S:
        yield _invalid("$.detection_lag_s.min", f"at least {MIN_HEARTBEAT_LAG_S} with expect_heartbeats")


def _duplicates(read: Mapping[str, Any]) -> Iterator[InvalidEvent]:
    yield from _twice("$.leave_message.proxy_account_ids[{}]", _within(read.get("leave_message"), "proxy_account_ids"))
    yield from _twice("$.agents[{}].agent_id", [_within(each, "agent_id") for each in _items(read, "agents")])
    groups, pages = _items(read, "groups"), _items(read, "pages")
    yield from _twice("$.groups[{}].group_id", [_within(each, "group_id") for each in groups])
    for index, group in enumerate(groups):
        yield from _twice(f"$.groups[{index}].order_states[{{}}]", _within(group, "order_states"))
        yield from _twice(f"$.groups[{index}].agent_ids[{{}}]", _within(group, "agent_ids"))
    yield from _twice("$.pages[{}].page", [_within(each, "page") for each in pages])
    for index, page in enumerate(pages):
        yield from _twice(f"$.pages[{index}].agent_ids[{{}}]", _within(page, "agent_ids"))
    yield from _twice("$.offline_receivers[{}]", read.get("offline_receivers"))


def _items(read: Mapping[str, Any], name: str) -> list[object]:
    items = read.get(name)
    return items if isinstance(items, list) else []


def _within(part: object, name: str) -> object:
    return part.get(name) if isinstance(part, dict) else None


def _twice(path: str, ids: object) -> Iterator[InvalidEvent]:
    """The ids that stand in an earlier place of their list, too."""
    first: dict[str, int] = {}
    for index, item in enumerate(ids if isinstance(ids, list) else ()):
        if isinstance(item, str) and first.setdefault(item, index) != index:
            expected = f"an id that does not stand in an earlier place, not that of {first[item]}"
            yield _invalid(path.format(index), expected)
