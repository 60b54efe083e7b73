"""Shop settings from YAML: what is read, and where each mistake is said to be."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_settings
from schemas.shop import ShopConfigChange
from streams.cli import main
from streams.errors import UsageError
from streams.shops_file import read_shops, usable_shops
from streams.yaml_source import dump_yaml, parse_yaml


@pytest.fixture
def shops_yaml(tmp_path: Path) -> Path:
    return tmp_path / "shops.yaml"


def changes(path: Path) -> list[ShopConfigChange]:
    return [shop.change for shop in usable_shops(path).shops]


def errors(path: Path, text: str) -> list[str]:
    """The complaints about a file, without its name."""
    path.write_text(text, encoding="utf-8")
    return [line.removeprefix(f"{path}:") for line in read_shops(path).errors]


def warnings(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    found = read_shops(path)
    assert found.errors == []
    return [line.removeprefix(f"{path}:") for line in found.warnings]


def test_entries_become_changes_in_the_files_order(shops_yaml: Path) -> None:
    shops_yaml.write_text(
        "- shop_id: 甲店\n  policy: pinduoduo\n- type: shop_config\n  shop_id: b\n  occurred_at_ms: 7\n"
        "- {shop_id: c, reset: true}\n",
        encoding="utf-8",
    )
    first, second, third = changes(shops_yaml)
    assert (first.shop_id, first.settings.policy, first.occurred_at_ms) == ("甲店", "pinduoduo", 0)
    assert (second.shop_id, second.occurred_at_ms) == ("b", 7)
    assert (third.version, third.given) == ("default", None)


def test_json_is_yaml_too_and_gives_the_same_version(shops_yaml: Path) -> None:
    shops_yaml.write_text('[{"shop_id": "a", "agents": [{"agent_id": "x", "weight": 3}]}]', encoding="utf-8")
    (change,) = changes(shops_yaml)
    assert change.version == parse_settings({"agents": [{"agent_id": "x", "weight": 3}]})[1]


def test_an_anchor_serves_as_template(shops_yaml: Path) -> None:
    shops_yaml.write_text(
        "- &usual\n  shop_id: a\n  busy_threshold: 9\n  rescue: stranded\n"
        "- <<: *usual\n  shop_id: b\n  busy_threshold: 2\n",
        encoding="utf-8",
    )
    first, second = changes(shops_yaml)
    assert (first.settings.busy_threshold, first.settings.rescue) == (9, "stranded")
    assert (second.settings.busy_threshold, second.settings.rescue) == (2, "stranded")


def test_a_mistake_is_shown_with_line_and_path(shops_yaml: Path) -> None:
    text = "- shop_id: a\n  agents:\n    - agent_id: x\n      weight: -1\n"
    assert errors(shops_yaml, text) == ["4: $[0].agents[0].weight: expected an integer from 0 to 10000"]


def test_every_wrong_entry_is_told(shops_yaml: Path) -> None:
    text = "- shop_id: a\n  policy: taobao\n- shop_id: b\n- 5\n- rescue: none\n"
    lines = errors(shops_yaml, text)
    assert [line.split(": ")[0:2] for line in lines] == [
        ["2", "$[0].policy"],
        ["4", "$[2]"],
        ["5", "$[3].shop_id"],
    ]


def test_the_line_of_an_item_in_a_list_over_several_lines(shops_yaml: Path) -> None:
    text = "- shop_id: a\n  groups: [{group_id: g, agent_ids: [x,\n      y,\n      x]}]\n"
    (line,) = errors(shops_yaml, text)
    assert line.startswith("4: $[0].groups[0].agent_ids[2]: ")


def test_an_id_that_looks_like_a_number_needs_quotes(shops_yaml: Path) -> None:
    (line,) = errors(shops_yaml, "- shop_id: 12\n")
    assert line.startswith("1: $[0].shop_id: expected a string")
    assert line.endswith("(put quotes around an id that looks like a number)")


def test_a_shop_that_stands_there_twice(shops_yaml: Path) -> None:
    assert errors(shops_yaml, "- shop_id: a\n- shop_id: b\n- shop_id: a\n") == [
        "3: $[2].shop_id: this shop stands in line 1 already"
    ]


def test_misspelt_settings_are_told_at_any_depth(shops_yaml: Path) -> None:
    text = "- shop_id: a\n  busy_treshold: 3\n  agents:\n    - agent_id: x\n      wieght: 3\n"
    assert warnings(shops_yaml, text) == [
        "2: $[0].busy_treshold: there is no such setting, it is ignored; do you mean busy_threshold?",
        "5: $[0].agents[0].wieght: there is no such setting, it is ignored; do you mean weight?",
    ]


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"- a\n- [", 2, "not YAML"),
        (b"- a\n- \xff\n", 2, "not UTF-8"),
        (b"- a\n- b: \x01\n", 2, "not YAML"),
        (b"a: 1\nb: 2\na: 3\n", 3, "a second time"),
        (b"- 1\n--- \n- 2\n", 2, "not YAML"),
        (b"- a\n- !!python/object:os.system x\n", 2, "JSON has no such value"),
        (b"- a\n- !!binary aGk=\n", 2, "JSON has no such value"),
        (b"? [a]\n: 1\n", 1, "a name must be a string"),
        (b"- a\n- &x [*x]\n", 2, "within what it names"),
        (b"- a: 1\n  <<: 3\n", 2, "not YAML"),
    ],
)
def test_what_is_no_yaml_or_has_what_json_has_not_is_refused_with_its_line(
    content: bytes, line: int, what: str
) -> None:
    with pytest.raises(UsageError, match=rf"^shops\.yaml:{line}: .*{what}"):
        parse_yaml(content, name="shops.yaml")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(UsageError, match="too deep"):
        parse_yaml(b"[" * 3000, name="shops.yaml")


def test_aliases_of_aliases_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.yaml_source.MAX_PARTS", 10_000)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(UsageError, match="aliases"):
        parse_yaml("\n".join(lines).encode(), name="shops.yaml")


@pytest.mark.parametrize("text", ["no", "yes", "on", "010", "2024-01-01", "12:30", "0x1f", "1_000", ".inf", "=", "a"])
def test_ids_that_old_yaml_takes_for_something_else_stay_strings(text: str) -> None:
    assert parse_yaml(f"[{text}]".encode(), name="x").value == [text]


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("null", None), ("~", None), ("-3", -3), ("1.5", 1.5), ("1e3", 1000.0), ("", None)],
)
def test_scalars_mean_what_they_mean_in_json(text: str, value: object) -> None:
    assert parse_yaml(f"a: {text}".encode(), name="x").value == {"a": value}


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.text(st.characters(exclude_categories=("Cs", "Cc"))),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text("abn01 :#-", max_size=5), inner, max_size=4)
        ),
        max_leaves=12,
    )
    | st.sampled_from(["no", "1e3", "010", "null", "~", "<<", "=", "true", "-", "1_0"])
)
def test_what_is_written_is_read_as_the_same(value: object) -> None:
    assert parse_yaml(dump_yaml(value).encode(), name="x").value == value


def check(path: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["config", "check", str(path), *options])


def test_config_check_of_a_good_file_is_0(shops_yaml: Path) -> None:
    shops_yaml.write_text("- shop_id: a\n", encoding="utf-8")
    result = check(shops_yaml)
    assert (result.exit_code, result.stdout) == (0, f"{shops_yaml}: 1 shop, nothing to mend\n")


@pytest.mark.parametrize("text", ["- shop_id: 3\n", "- shop_id: a\n  agnets: []\n"])
def test_config_check_with_findings_is_1(shops_yaml: Path, text: str) -> None:
    shops_yaml.write_text(text, encoding="utf-8")
    assert check(shops_yaml).exit_code == 1
    assert check(shops_yaml, "--json").exit_code == 1


@pytest.mark.parametrize("text", ["a: 1\n", "", "- [", None])
def test_config_check_of_what_is_no_list_is_2(shops_yaml: Path, text: str | None) -> None:
    if text is not None:
        shops_yaml.write_text(text, encoding="utf-8")
    result = check(shops_yaml)
    assert result.exit_code == 2
    assert str(shops_yaml) in result.stderr


def test_config_check_reads_standard_input() -> None:
    result = CliRunner().invoke(main, ["config", "check", "-"], input="- shop_id: 5\n")
    assert result.exit_code == 1
    assert result.stdout.startswith("standard input:1: ")
