"""Certificates for a test: an authority of its own, a broker's and clients', as PEM files made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.errors import KafkaTestError
from tests.kafka.ports import HOST

_WITHIN_S = 60
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_DAYS = ("-days", "2")


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key."""

    certificate: Path
    key: Path
    both: Path
    """The key and the certificate in one file, as Kafka wants them."""


class Authority:
    """Signs certificates; its own is what the others trust.

    Args:
        directory: for all files; it must exist.

    Raises:
        KafkaTestError: if openssl is missing or fails.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.certificate = directory / "authority.pem"
        self._key = directory / "authority.key"
        config = self._write(
            "authority.cnf",
            "[req]\ndistinguished_name=name\nx509_extensions=ext\n[name]\n[ext]\nbasicConstraints=critical,CA:TRUE\n"
            "keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
        )
        _openssl("req", "-x509", *_KEY, *_DAYS, "-config", config, "-subj", "/CN=authority",
                 "-keyout", self._key, "-out", self.certificate)  # fmt: skip

    def identity(self, name: str) -> Identity:
        """A certificate for CN=`name`, valid for the loopback's address."""
        request, certificate = self._directory / f"{name}.csr", self._directory / f"{name}.pem"
        key, both = self._directory / f"{name}.key", self._directory / f"{name}-both.pem"
        extensions = self._write(
            f"{name}.ext",
            f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nsubjectAltName=IP:{HOST}\n"
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
        )
        _openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                 *_DAYS, "-extfile", extensions, "-out", certificate)  # fmt: skip
        both.write_text(key.read_text(encoding="utf-8") + certificate.read_text(encoding="utf-8"), encoding="utf-8")
        return Identity(certificate, key, both)

    def _write(self, name: str, text: str) -> Path:
        path = self._directory / name
        path.write_text(text, encoding="utf-8")
        return path


def _openssl(*arguments: str | Path) -> None:
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    except FileNotFoundError:
        raise KafkaTestError("no openssl on PATH: the tests make certificates with it", mend="install it") from None
    if done.returncode != 0:
        raise KafkaTestError(f"openssl {arguments[0]} failed: {done.stderr[-1000:]}")
