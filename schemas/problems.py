"""Everything that is wrong with a shop_config: for people, who want to mend it in one go."""

from typing import Final

from schemas import careful
from schemas.codec import resets
from schemas.errors import InvalidEvent
from schemas.settings import problems_of_settings
from schemas.shop import ShopConfigEnvelope

_ENVELOPE: Final = careful.record(ShopConfigEnvelope, null_is_absent=True)


def problems_of_change(document: object) -> list[InvalidEvent]:
    """All that `schemas.codec.parse_change` could refuse a document for, with a time at hand; empty if it does not.

    Of a contradiction only one side is named: what is wrong with settings beside `reset` is not.
    """
    if not isinstance(document, dict):
        return [InvalidEvent.at("$", "an object")]
    found = []
    if document.get("type") != "shop_config":
        found.append(InvalidEvent.at("$.type", "shop_config"))
    mismatches: list[careful.Mismatch] = []
    _ENVELOPE.read(document, found=mismatches)
    found += [InvalidEvent.at(mismatch.path, mismatch.expected) for mismatch in mismatches]
    if "occurred_at_ms" in document and document["occurred_at_ms"] is None:
        found.append(InvalidEvent.at("$.occurred_at_ms", "an integer or no such field, never null", code="config"))
    try:
        if not resets(document):
            found += problems_of_settings(document)
    except InvalidEvent as invalid:
        found.append(invalid)
    return found
