"""Every decision of the demo's own traffic has a reason that a person understands."""

import pytest
from rich.cells import cell_len

from schemas.codec import decode_line
from schemas.decisions import AgentPresence, Assignment
from streams.demo.lines import LineMaker
from streams.demo.reader import RefusedRecord
from streams.demo.traffic import demo_options
from streams.demo.words import REASONS, because, presence, reason
from streams.routing import Decision, Router
from streams.simulate import simulate

pytestmark = pytest.mark.slow

NOW_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def decisions() -> list[Decision]:
    """What the router makes of the demo's backlog."""
    router = Router()
    made: list[Decision] = []
    for record in simulate(demo_options(NOW_MS)):
        if record.at_ms > NOW_MS:
            break
        if not record.spoiled:
            made += router.apply(decode_line(record.value or b"")[1])
    return made


def test_the_demo_shows_every_rule_and_has_words_for_it(decisions: list[Decision]) -> None:
    assert {decision.rule for decision in decisions if isinstance(decision, Assignment)} == REASONS.keys()


def test_the_demo_strands_buyers_and_rescues_some(decisions: list[Decision]) -> None:
    assert (
        sum(d.stranded_buyers or 0 for d in decisions if isinstance(d, AgentPresence) and d.presence == "offline") > 50
    )


def test_reasons_are_whole_sentences_without_gaps(decisions: list[Decision]) -> None:
    for decision in decisions:
        text = because(decision) if isinstance(decision, Assignment) else presence(decision)
        assert text
        assert "None" not in text
        assert "UNSET" not in text
        assert "{" not in text


def test_columns_stand_below_each_other_however_wide_the_characters_are(decisions: list[Decision]) -> None:
    maker = LineMaker(utc_offset_ms=0)
    for decision in decisions[::500]:
        line = maker.line(decision).plain
        text = because(decision) if isinstance(decision, Assignment) else presence(decision)
        assert line.endswith(text)
        lead = line.removesuffix(text)
        # Accounts with long names push what follows to the right.
        assert cell_len(lead) == 79 or "代理" in lead or "店主" in lead


def test_a_line_tells_the_time_of_day_in_the_shops() -> None:
    assert LineMaker(utc_offset_ms=8 * 3_600_000).time_of_day(1_762_821_000_000) == "08:30:00"


def test_narrow_terminals_keep_the_term_and_lose_the_rules_name(decisions: list[Decision]) -> None:
    assignment = next(d for d in decisions if isinstance(d, Assignment) and d.rule == "recent_contact")
    line = LineMaker(utc_offset_ms=0, compact=True).line(assignment).plain
    assert "最近联系人" in line
    assert "recent_contact" not in line


def test_a_dead_letter_says_what_is_wrong_with_which_topic() -> None:
    refused = RefusedRecord("schema", "$.shop_id: it is missing", "buyer-messages", NOW_MS, "tb-001")
    line = LineMaker(utc_offset_ms=0).line(refused).plain
    assert all(part in line for part in ("schema", "$.shop_id: it is missing", "buyer-messages", "tb-001", "死信"))


def test_a_rule_of_a_later_version_speaks_for_itself(decisions: list[Decision]) -> None:
    assignment = next(d for d in decisions if isinstance(d, Assignment))
    later = type(assignment)(
        **{**{f: getattr(assignment, f) for f in assignment.__struct_fields__}, "rule": "new_rule"}
    )
    assert reason(later).because(later) == "new rule"
