"""A fenliu of its own on the secured broker: its names, its users, and what they are granted."""

import asyncio
import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result

from streams.access import Right, Role, rights
from streams.cli import main
from streams.embedded import free_port
from streams.settings import PREFIX, Settings
from tests.kafka.acls import grant, revoke
from tests.kafka.secured import Door, Secured

_AUDIT = re.compile(
    r"Principal = (?P<principal>\S+) is (?P<verdict>Allowed|Denied) operation = (?P<operation>\w+) from host = \S+ "
    r"on resource = (?P<resource>\w+):LITERAL:(?P<name>\S+) for request = (?P<request>\w+)"
)


@dataclass
class Tenant:
    """One app id and topic prefix; each role is a user of that name."""

    secured: Secured
    name: str
    directory: Path
    door: Door = "SCRAM-SHA-512"
    _log_begins: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """What the broker's log said before is not about this one."""
        self._log_begins = self.secured.cluster.brokers[0].place.log_file.stat().st_size

    def environment(self, role: Role, **more: str) -> dict[str, str]:
        """All FENLIU_* variables of a user."""
        return {
            **self.secured.environment(self.door, role),
            "FENLIU_TOPIC_PREFIX": f"{self.name}-",
            "FENLIU_APP_ID": f"app-{self.name}",
            "FENLIU_HTTP_PORT": str(free_port()),
            "FENLIU_DATA_DIR": str(self.directory),
            "FENLIU_SESSION_TIMEOUT_S": "6",
            **more,
        }

    def settings(self, role: Role) -> Settings:
        """The settings of a user."""
        variables = self.environment(role)
        return Settings.load(**{name.removeprefix(PREFIX).lower(): value for name, value in variables.items()})

    def rights(self, role: Role) -> list[Right]:
        """What a role needs."""
        return rights(self.settings(role), role)

    def fenliu(self, role: Role, *arguments: str, **more: str) -> Result:
        """A command as a user."""
        # `fenliu check` counts a variable that it does not know as a mistake; this one is the tests'.
        return CliRunner().invoke(main, arguments, env={**self.environment(role, **more), "FENLIU_FAULTS": None})

    def grant(self, role: Role, wanted: Iterable[Right] | None = None) -> None:
        """Grant rights; None: all that the role needs."""
        asyncio.run(self._change(role, list(self.rights(role) if wanted is None else wanted), given=True))

    def revoke(self, role: Role, unwanted: Iterable[Right]) -> None:
        """Take rights back."""
        asyncio.run(self._change(role, list(unwanted), given=False))

    async def _change(self, role: Role, which: list[Right], *, given: bool) -> None:
        async with self.secured.administrator() as admin:
            await (grant if given else revoke)(admin, self.secured.principal(self.door, role), which)

    @contextlib.contextmanager
    def without(self, role: Role, right: Right) -> Iterator[None]:
        """One right less for the length of the block."""
        self.revoke(role, [right])
        yield
        self.grant(role, [right])

    def secrets_in(self, output: str) -> list[str]:
        """The passwords, and lines of private keys, that an output tells."""
        secrets = set(self.secured.passwords.values())
        for identity in self.secured.identities.values():
            secrets |= {line for line in identity.key.read_text(encoding="utf-8").splitlines() if "PRIVATE" not in line}
        return [secret for secret in secrets if secret in output]

    def audit(self, role: Role) -> set[tuple[str, str, str, str]]:
        """What the broker was asked to let a user do: verdict, operation, kind of resource, name."""
        log = self.secured.cluster.brokers[0].place.log_file.read_bytes()[self._log_begins :].decode(errors="replace")
        principal = self.secured.principal(self.door, role)
        return {
            (match["verdict"], match["operation"], match["resource"], match["name"])
            for match in _AUDIT.finditer(log)
            if match["principal"] == principal
        }
