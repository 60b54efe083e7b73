"""The FENLIU_* environment, validated once at the start. It knows nothing of Faust and opens no connection."""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from streams.errors import SettingsError

PREFIX = "FENLIU_"
_KAFKA_NAME = re.compile(r"[A-Za-z0-9._-]*")
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:,\[\]]+):(\d{1,5})")


def _kafka_name(value: str) -> str:
    if _KAFKA_NAME.fullmatch(value) is None or len(value) > 100:
        raise ValueError("use at most 100 letters, digits, dots, underscores and hyphens, as topic names do")
    return value


KafkaName = Annotated[str, AfterValidator(_kafka_name)]


def _default_data_dir() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "fenliu"


class Settings(BaseSettings):
    """Every setting of fenliu; docs/reference/environment.md says what each means. Build it with `Settings.load()`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password_file: Path | None = None
    kafka_ssl_cafile: Path | None = None
    kafka_ssl_certfile: Path | None = None
    kafka_ssl_keyfile: Path | None = None
    allow_plaintext_sasl: bool = False
    app_id: Annotated[KafkaName, Field(min_length=1)] = "fenliu"
    topic_prefix: KafkaName = ""
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    data_dir: Path = Field(default_factory=_default_data_dir)
    # Brokers refuse less than 6 s and more than 30 min unless they are told otherwise (group.*.session.timeout.ms).
    session_timeout_s: Annotated[int, Field(ge=6, le=1800)] = 10
    # A worker that was killed and comes back under the same name has its partitions again at once; without a name it is
    # a new member, and waits until the session of the old one has timed out.
    group_instance_id: Annotated[KafkaName, Field(min_length=1)] | None = None
    max_batch_events: Annotated[int, Field(ge=1, le=50_000)] = 4000
    min_batch_interval_ms: Annotated[int, Field(ge=0, le=10_000)] = 15
    max_clock_skew_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    metrics_shops: Annotated[tuple[str, ...], NoDecode] = ()
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment; `overrides` (by field name) come before it.

        Raises:
            SettingsError: naming each variable that cannot be used, and how to mend it.
        """
        try:
            return cls(**overrides)
        except ValidationError as exc:
            raise SettingsError("\n".join(_line(error) for error in exc.errors(include_url=False))) from None

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _servers(cls, value: str) -> str:
        servers = [server.strip() for server in value.split(",")]
        for server in servers:
            match = _SERVER.fullmatch(server)
            if match is None or not 1 <= int(match[2]) <= 65535:
                raise ValueError("give host:port, several separated by commas, as in kafka-1:9092,kafka-2:9092")
        return ",".join(servers)

    @field_validator("kafka_security_protocol", "kafka_sasl_mechanism", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("log_format", "log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("metrics_shops", mode="before")
    @classmethod
    def _shops(cls, value: Any) -> Any:
        return tuple(shop.strip() for shop in value.split(",") if shop.strip()) if isinstance(value, str) else value

    @field_validator(
        "kafka_sasl_password_file", "kafka_ssl_cafile", "kafka_ssl_certfile", "kafka_ssl_keyfile", mode="after"
    )
    @classmethod
    def _readable(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not os.access(value, os.R_OK):
            if info.field_name == "kafka_sasl_password_file":  # maybe it is no path but the password itself
                raise ValueError("it names no file that can be read: give the path of a file with the password in it")
            raise ValueError(f"this worker cannot read {value}: check the path and who may read it")
        if value is not None and info.field_name == "kafka_sasl_password_file" and not value.read_bytes().strip():
            raise ValueError(f"{value} is empty: put the password on its first line")
        return value

    @model_validator(mode="after")
    def _security(self) -> Self:
        sasl = self.kafka_security_protocol.startswith("SASL_")
        if self.kafka_security_protocol == "SASL_PLAINTEXT" and not self.allow_plaintext_sasl:
            raise ValueError(
                "FENLIU_KAFKA_SECURITY_PROTOCOL: SASL_PLAINTEXT sends the password unencrypted. "
                "Use SASL_SSL, or set FENLIU_ALLOW_PLAINTEXT_SASL=1 if the network is trusted"
            )
        for name in ("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password_file"):
            if sasl and getattr(self, name) is None:
                raise ValueError(f"{variable(name)}: {self.kafka_security_protocol} needs it. Set it")
            if not sasl and getattr(self, name) is not None:
                raise ValueError(
                    f"{variable(name)}: is set, but FENLIU_KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}. "
                    "Set that to SASL_SSL, or unset this"
                )
        if (self.kafka_ssl_certfile is None) != (self.kafka_ssl_keyfile is None):
            raise ValueError("FENLIU_KAFKA_SSL_CERTFILE: goes with FENLIU_KAFKA_SSL_KEYFILE. Set both or neither")
        return self

    @property
    def sasl_password(self) -> SecretStr | None:
        """The first line of FENLIU_KAFKA_SASL_PASSWORD_FILE; it is read when asked for and never shown."""
        if self.kafka_sasl_password_file is None:
            return None
        return SecretStr(self.kafka_sasl_password_file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r"))

    def topic(self, name: str) -> str:
        """The name on the cluster of the topic that the documents call `name`."""
        return f"{self.topic_prefix}{name}"

    def changelog(self, table: str) -> str:
        """The name on the cluster of a table's changelog."""
        return f"{self.topic_prefix}{self.app_id}-{table}-changelog"

    def transactional_id(self, partition: int) -> str:
        """Fixed for a partition, so whoever takes it over fences the one before."""
        return f"{self.app_id}-{partition}"

    def kafka_client_kwargs(self) -> dict[str, Any]:
        """What every aiokafka client is given: where the brokers are, and how to prove who we are.

        Raises:
            SettingsError: if a certificate file is not one.
        """
        kwargs: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap_servers.split(","),
            "security_protocol": self.kafka_security_protocol,
        }
        if self.kafka_security_protocol.endswith("SSL"):
            kwargs["ssl_context"] = self._ssl_context()
        password = self.sasl_password
        if password is not None:
            kwargs["sasl_mechanism"] = self.kafka_sasl_mechanism
            kwargs["sasl_plain_username"] = self.kafka_sasl_username
            kwargs["sasl_plain_password"] = password.get_secret_value()
        return kwargs

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.kafka_ssl_cafile)
        except (ssl.SSLError, OSError) as exc:
            raise SettingsError(f"FENLIU_KAFKA_SSL_CAFILE: {self.kafka_ssl_cafile} holds no PEM certificate") from exc
        if self.kafka_ssl_certfile is not None:
            try:
                context.load_cert_chain(self.kafka_ssl_certfile, self.kafka_ssl_keyfile)
            except (ssl.SSLError, OSError) as exc:
                raise SettingsError(
                    f"FENLIU_KAFKA_SSL_CERTFILE: {self.kafka_ssl_certfile} and FENLIU_KAFKA_SSL_KEYFILE "
                    f"{self.kafka_ssl_keyfile} are not a PEM certificate and its key without a passphrase"
                ) from exc
        return context

    def shown(self) -> dict[str, str]:
        """Every variable and its value in words; of secrets there is only the file: for `fenliu check` and /info."""
        return {variable(name): _shown(value) for name, value in self}

    def at_defaults(self) -> frozenset[str]:
        """The variables that have their default values."""
        fields = type(self).model_fields
        return frozenset(
            variable(name) for name, value in self if value == fields[name].get_default(call_default_factory=True)
        )


def variable(field: str) -> str:
    """The environment variable of a field of `Settings`."""
    return f"{PREFIX}{field.upper()}"


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """FENLIU_* variables that no setting reads: misspelt ones, mostly."""
    known = {variable(name) for name in Settings.model_fields}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _line(error: Mapping[str, Any]) -> str:
    """One validation error as `VARIABLE: what is wrong`; errors over several fields name theirs themselves."""
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    if error["loc"][0] == "kafka_sasl_password_file":
        return f"{variable(str(error['loc'][0]))}: {message}"
    return f"{variable(str(error['loc'][0]))}: {message} (it is {str(error['input'])!r})"
