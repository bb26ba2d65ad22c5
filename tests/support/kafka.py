"""Apache Kafka from its jars: one process, started, killed and started again on the same data.

As a program it starts one and keeps it until it is told to end:
``python -m tests.support.kafka JARS DIRECTORY`` writes its address into ``DIRECTORY/bootstrap``.
"""

from __future__ import annotations

import base64
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from string import Template
from types import FrameType, TracebackType
from typing import Self

from worker.embedded.child import Child, ServerFailed, free_port, listens

TEMPLATE = Path(__file__).parents[2] / "deploy" / "kafka" / "server.properties"

_READY_SECONDS = 120.0
_OLDEST_JAVA = 17
# A broker for tests has little to hold; quick compilation saves seconds of every start.
_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_LOG_LEVEL = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"


class KafkaServer:
    """One Apache Kafka, broker and controller in one process, as a context manager.

    Its ports and its data are chosen once, so that ``kill`` and ``start`` bring the same broker
    back at the same address with the same topics and offsets.
    """

    def __init__(self, jars: Path, directory: Path) -> None:
        """Format its storage; the server is not started yet (some 2 s).

        Args:
            jars: directory with the jars that deploy/kafka/pom.xml brings.
            directory: empty or missing; holds data, configuration and log.

        Raises:
            ServerFailed: there is no Java, it is too old, or there are no jars.
        """
        if not any(jars.glob("kafka_*.jar")):
            raise ServerFailed(f"no Kafka in {jars}; let Maven bring it (see deploy/kafka/pom.xml)")
        self._port = free_port()
        controller_port = free_port()
        while controller_port == self._port:
            controller_port = free_port()
        directory.mkdir(parents=True, exist_ok=True)
        directory = directory.resolve()
        properties = directory / "server.properties"
        properties.write_text(
            Template(TEMPLATE.read_text()).substitute(
                PORT=self._port, CONTROLLER_PORT=controller_port, DATA=directory / "data"
            )
        )
        java = (_java(), *_JVM, _LOG_LEVEL, "-cp", str(jars.resolve() / "*"))
        _format_storage(java, properties)
        self._child = Child(
            "Apache Kafka", (*java, "kafka.Kafka", str(properties)), directory / "kafka.log"
        )

    @property
    def bootstrap(self) -> str:
        """Where clients connect, ``host:port``; the same for the whole life of the object."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id, or None while it does not run."""
        return self._child.pid

    def start(self) -> None:
        """Start the broker, or start it again, and wait until it accepts connections (4-6 s).

        Raises:
            ServerFailed: it ended at once or is not ready after two minutes.
        """
        self._child.start(lambda: listens(self._port), _READY_SECONDS)

    def stop(self) -> None:
        """Stop it in good order. Harmless twice."""
        self._child.stop(grace=30)

    def kill(self) -> None:
        """Kill it at once (SIGKILL); ``start`` brings it back."""
        self._child.kill()

    def __enter__(self) -> Self:
        """Start the broker."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the broker, also after an exception."""
        self.stop()


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise ServerFailed(f"there is no java; Kafka needs Java {_OLDEST_JAVA} or newer")
    # "openjdk version "17.0.15" 2025-04-15", on standard error for historical reasons.
    said = subprocess.run((java, "-version"), capture_output=True, text=True, check=True).stderr
    version = said.split('"')[1] if '"' in said else ""
    if not version.split(".")[0].isdigit() or int(version.split(".")[0]) < _OLDEST_JAVA:
        raise ServerFailed(f"java is {version or 'unknown'}; Kafka needs {_OLDEST_JAVA} or newer")
    return java


def _format_storage(java: tuple[str, ...], properties: Path) -> None:
    # Joined by "=": an id may begin with a dash.
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    # "--ignore-formatted" is not given: a directory that holds a Kafka already is a mistake.
    command = (*java, "kafka.tools.StorageTool", "format")
    answer = subprocess.run(
        (*command, f"--cluster-id={cluster_id}", "--config", str(properties)),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise ServerFailed(f"Kafka's storage could not be formatted: {answer.stderr.strip()}")


def _main(jars: Path, directory: Path) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    with KafkaServer(jars, directory) as server:
        (directory / "bootstrap").write_text(server.bootstrap)
        signal.pause()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
