"""The programs that runbooks call, on a path of their own: fenliu of this environment, and Kafka's own tools."""

import stat
import sys
from pathlib import Path

from tests.kafka.available import find_java
from tests.kafka.distribution import jars
from tests.kafka.errors import KafkaTestError

POM = Path(__file__).with_name("pom.xml")

_CLASSES = {
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-transactions.sh": "org.apache.kafka.tools.TransactionsCommand",
}


def make(directory: Path) -> Path:
    """Write the programs into a directory, to be the first on PATH.

    Raises:
        KafkaTestError: if Java or Maven is missing.
    """
    java, classes = find_java(), jars(POM)
    if java is None:
        raise KafkaTestError("Java is missing", mend="install it")
    directory.mkdir()
    for name, main in _CLASSES.items():
        options = "-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error"
        _write(directory / name, f'exec "{java}" {options} -cp "{classes}/*" {main} "$@"')
    _write(directory / "fenliu", f'exec "{sys.executable}" -m streams "$@"')
    return directory


def _write(program: Path, line: str) -> None:
    program.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
