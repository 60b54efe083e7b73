"""Picks that look random and are the same on every replay: R1, R2 and the detection lag (L4)."""

from hashlib import blake2b


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def draw_for_message(shop_id: str, buyer_id: str, event_id: str, count: int) -> int:
    """The index, below `count`, that R1 picks among candidates sorted by id."""
    return _number(f"{shop_id}|{buyer_id}|{event_id}") % count


def draw_for_buyer(shop_id: str, buyer_id: str, count: int) -> int:
    """The index, below `count`, that R2 picks: one buyer stays with one receiver."""
    return _number(f"{shop_id}|{buyer_id}") % count


def detection_lag_ms(shop_id: str, agent_id: str, t0_ms: int, min_ms: int, max_ms: int) -> int:
    """How long the platform takes to notice that the agent left at `t0_ms` (L4), in milliseconds."""
    if min_ms == max_ms:
        return min_ms
    return min_ms + int((max_ms - min_ms) * (_number(f"{shop_id}|{agent_id}|{t0_ms}") / 2**64))


def digest(event_id: str) -> bytes:
    """Eight bytes that stand for a message when duplicates are looked for (O4)."""
    return blake2b(event_id.encode(), digest_size=8).digest()
