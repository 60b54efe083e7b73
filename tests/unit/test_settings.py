"""The FENLIU_* environment: defaults, errors that name the variable, secrets that stay secret."""

import os
import ssl
from pathlib import Path

import pytest

from streams.errors import ExitCode, SettingsError
from streams.settings import PREFIX, Settings, unknown_variables

SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "scram-sha-512", "KAFKA_SASL_USERNAME": "u"}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(PREFIX + name, value)
    return Settings.load()


def test_defaults_are_those_of_the_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch)
    assert settings.kafka_client_kwargs() == {
        "bootstrap_servers": ["127.0.0.1:9092"],
        "security_protocol": "PLAINTEXT",
    }
    assert (settings.app_id, settings.http_host, settings.http_port) == ("fenliu", "127.0.0.1", 8080)
    assert (settings.session_timeout_s, settings.max_clock_skew_s) == (10, 60)


def test_names_on_the_cluster_have_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, TOPIC_PREFIX="eu.", APP_ID="router")
    assert settings.topic("assignments") == "eu.assignments"
    assert settings.changelog("shops") == "eu.router-shops-changelog"
    assert settings.transactional_id(3) == "router-3"


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, HTTP_PORT="", METRICS_SHOPS="").http_port == 8080


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, METRICS_SHOPS="s1, s2", KAFKA_BOOTSTRAP_SERVERS="k1:9092, [::1]:9093")
    assert settings.metrics_shops == ("s1", "s2")
    assert settings.kafka_client_kwargs()["bootstrap_servers"] == ["k1:9092", "[::1]:9093"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "many"),
        ("HTTP_PORT", "70000"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:0"),
        ("APP_ID", "with space"),
        ("TOPIC_PREFIX", "总"),
        ("LOG_FORMAT", "xml"),
        ("SESSION_TIMEOUT_S", "1"),
        ("MAX_BATCH_EVENTS", "0"),
        ("KAFKA_SSL_CAFILE", "/nowhere"),
        ("KAFKA_SASL_USERNAME", "u"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI"),
    ],
)
def test_an_error_names_the_variable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=PREFIX + name) as refused:
        given(monkeypatch, **{name: value})
    assert refused.value.exit_code == ExitCode.USAGE


def test_all_errors_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"(?s)FENLIU_HTTP_PORT.*FENLIU_LOG_LEVEL"):
        given(monkeypatch, HTTP_PORT="many", LOG_LEVEL="loud")


def test_a_password_comes_from_a_file_and_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\n", encoding="utf-8")
    settings = given(monkeypatch, **SASL, KAFKA_SASL_PASSWORD_FILE=str(secret))
    kwargs = settings.kafka_client_kwargs()
    assert kwargs["sasl_plain_password"] == "hunter2"  # noqa: S105  made up
    assert kwargs["sasl_mechanism"] == "SCRAM-SHA-512"
    assert isinstance(kwargs["ssl_context"], ssl.SSLContext)
    assert "hunter2" not in str(settings.shown()) + repr(settings) + repr(settings.sasl_password)


@pytest.mark.parametrize("missing", ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD_FILE"])
def test_sasl_needs_all_its_parts(missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2", encoding="utf-8")
    parts = SASL | {"KAFKA_SASL_PASSWORD_FILE": str(secret)}
    del parts[missing]
    with pytest.raises(SettingsError, match=PREFIX + missing):
        given(monkeypatch, **parts)


def test_an_empty_password_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.touch()
    with pytest.raises(SettingsError, match="is empty"):
        given(monkeypatch, **SASL, KAFKA_SASL_PASSWORD_FILE=str(secret))


def test_sasl_without_tls_must_be_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2", encoding="utf-8")
    parts = SASL | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_PASSWORD_FILE": str(secret)}
    with pytest.raises(SettingsError, match="FENLIU_ALLOW_PLAINTEXT_SASL=1"):
        given(monkeypatch, **parts)
    assert given(monkeypatch, ALLOW_PLAINTEXT_SASL="1").kafka_client_kwargs()["security_protocol"] == "SASL_PLAINTEXT"


@pytest.mark.parametrize("name", ["KAFKA_SSL_CAFILE", "KAFKA_SSL_CERTFILE"])
def test_a_file_that_is_no_certificate_is_named(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("nothing", encoding="utf-8")
    both = {"KAFKA_SSL_KEYFILE": str(other)} if name.endswith("CERTFILE") else {}
    settings = given(monkeypatch, KAFKA_SECURITY_PROTOCOL="ssl", **{name: str(other)}, **both)
    with pytest.raises(SettingsError, match=PREFIX + name):
        settings.kafka_client_kwargs()


def test_a_certificate_goes_with_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.touch()
    with pytest.raises(SettingsError, match="FENLIU_KAFKA_SSL_KEYFILE"):
        given(monkeypatch, KAFKA_SSL_CERTFILE=str(other))


def test_misspelt_variables_are_found() -> None:
    assert unknown_variables({"FENLIU_APPID": "x", "FENLIU_APP_ID": "y", "PATH": ""}) == ["FENLIU_APPID"]


def test_a_password_in_the_place_of_its_file_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load(
            kafka_security_protocol="SASL_SSL",
            kafka_sasl_mechanism="PLAIN",
            kafka_sasl_username="worker",
            kafka_sasl_password_file="hush-hush",  # noqa: S106  that is the slip
        )
    assert "FENLIU_KAFKA_SASL_PASSWORD_FILE" in str(refused.value)
    assert "hush" not in str(refused.value)
