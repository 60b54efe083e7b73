"""A broker with every kind of listener, users and an authorizer that allows nobody anything that was not granted.

The plaintext listener is there for the test harness, which asks it whether the broker is ready; who comes that way, or
by TLS without a certificate, is User:ANONYMOUS and may do nothing.
"""

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from streams.access import ROLES
from streams.kafka_clients import administration
from streams.settings import Settings
from tests.kafka.certificates import Authority, Identity
from tests.kafka.cluster import KafkaCluster, start_cluster
from tests.kafka.place import Place
from tests.kafka.ports import HOST, Ports

Door = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "TLS", "MTLS", "SASL_PLAINTEXT"]
"""How a client comes in: by a password over TLS in three ways, by TLS and nothing else, by a certificate, by a password
in the clear."""

DOORS: tuple[Door, ...] = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "TLS", "MTLS", "SASL_PLAINTEXT")
_LISTENERS = ("PASSWORD", "TLS", "MTLS", "SASL_PLAINTEXT")
_BY_PASSWORD = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
"""Doors of the listener PASSWORD, by the mechanism."""
ANONYMOUS = "User:ANONYMOUS"
_LOGIN = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Secured:
    """A running secured broker."""

    cluster: KafkaCluster
    directory: Path
    authority: Authority
    ports: Mapping[str, int]
    """By listener."""
    passwords: Mapping[str, str]
    identities: dict[str, Identity] = field(default_factory=dict)

    def environment(self, door: Door, user: str) -> dict[str, str]:
        """The FENLIU_KAFKA_* variables by which a user comes through a door; through TLS everybody is anonymous."""
        listener = "PASSWORD" if door in _BY_PASSWORD else door
        protocol = {"PASSWORD": "SASL_SSL", "TLS": "SSL", "MTLS": "SSL"}.get(listener, listener)
        variables = {
            "FENLIU_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{self.ports[listener]}",
            "FENLIU_KAFKA_SECURITY_PROTOCOL": protocol,
        }
        if protocol != "SASL_PLAINTEXT":
            variables["FENLIU_KAFKA_SSL_CAFILE"] = str(self.authority.certificate)
        if door == "MTLS":
            identity = self.identity(user)
            variables["FENLIU_KAFKA_SSL_CERTFILE"] = str(identity.certificate)
            variables["FENLIU_KAFKA_SSL_KEYFILE"] = str(identity.key)
        if protocol.startswith("SASL"):
            variables["FENLIU_KAFKA_SASL_MECHANISM"] = door if door in _BY_PASSWORD else "PLAIN"
            variables["FENLIU_KAFKA_SASL_USERNAME"] = user
            variables["FENLIU_KAFKA_SASL_PASSWORD_FILE"] = str(self.password_file(user))
        if door == "SASL_PLAINTEXT":
            variables["FENLIU_ALLOW_PLAINTEXT_SASL"] = "1"
        return variables

    def principal(self, door: Door, user: str) -> str:
        """What the broker calls a user who came through a door."""
        return {"TLS": ANONYMOUS, "MTLS": f"User:CN={user}"}.get(door, f"User:{user}")

    def identity(self, user: str) -> Identity:
        """The user's certificate."""
        if user not in self.identities:
            self.identities[user] = self.authority.identity(user)
        return self.identities[user]

    def password_file(self, user: str) -> Path:
        """The user's password, readable by nobody else."""
        path = self.directory / f"{user}.password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(self.passwords[user] + "\n", encoding="utf-8")
        return path

    @asynccontextmanager
    async def administrator(self) -> AsyncIterator[Any]:
        """An admin client of the super user."""
        identity = self.identity("broker")
        settings = Settings.load(
            kafka_bootstrap_servers=f"{HOST}:{self.ports['MTLS']}",
            kafka_security_protocol="SSL",
            kafka_sasl_mechanism=None,
            kafka_sasl_username=None,
            kafka_sasl_password_file=None,
            kafka_ssl_cafile=self.authority.certificate,
            kafka_ssl_certfile=identity.certificate,
            kafka_ssl_keyfile=identity.key,
        )
        async with administration(settings.kafka_client_kwargs()) as admin:
            yield admin


@contextmanager
def start_secured(directory: Path) -> Iterator[Secured]:
    """Start one; its users are called as the roles of `streams.access`, with random passwords.

    Args:
        directory: for certificates and passwords; it must exist.
    """
    authority = Authority(directory)
    broker = authority.identity("broker")
    passwords: dict[str, str] = {role: f"hush-{role}-{secrets.token_hex(8)}" for role in ROLES}
    scram = [
        word
        for user, password in passwords.items()
        for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256")
        for word in ("--add-scram", f"{mechanism}=[name={user},password={password}]")
    ]
    with Ports() as held:
        ports = {listener: held.reserve() for listener in _LISTENERS}

        def properties(place: Place) -> dict[str, str]:
            return _properties(place, ports, authority, broker, passwords)

        with start_cluster(properties=properties, format_options=scram) as cluster:
            yield Secured(cluster, directory, authority, ports, passwords, {"broker": broker})


def _properties(
    place: Place, ports: Mapping[str, int], authority: Authority, broker: Identity, passwords: Mapping[str, str]
) -> dict[str, str]:
    outside = ",".join([f"PLAINTEXT://{place.address}", *(f"{name}://{HOST}:{port}" for name, port in ports.items())])
    users = " ".join(f'user_{user}="{password}"' for user, password in passwords.items())
    plain = f"{_LOGIN}.plain.PlainLoginModule required {users};"
    scram = f"{_LOGIN}.scram.ScramLoginModule required;"
    return {
        "listeners": f"{outside},CONTROLLER://{HOST}:{place.controller_port}",
        "advertised.listeners": outside,
        "inter.broker.listener.name": "MTLS",
        "listener.security.protocol.map": (
            "CONTROLLER:SSL,PLAINTEXT:PLAINTEXT,PASSWORD:SASL_SSL,TLS:SSL,MTLS:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(broker.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.certificate),
        "listener.name.mtls.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "listener.name.password.sasl.enabled.mechanisms": ",".join(_BY_PASSWORD),
        "listener.name.password.scram-sha-512.sasl.jaas.config": scram,
        "listener.name.password.scram-sha-256.sasl.jaas.config": scram,
        "listener.name.password.plain.sasl.jaas.config": plain,
        "listener.name.sasl_plaintext.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": plain,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:CN=broker",
    }
