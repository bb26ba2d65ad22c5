"""Everything the demo starts, in a directory of its own that goes when the demo ends."""

from __future__ import annotations

import base64
import os
import secrets
import shlex
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from worker.demo.company import CompanyFiles
from worker.demo.dashboard import Dashboard
from worker.demo.failing import DemoFailed
from worker.embedded.broker import EmbeddedBroker
from worker.embedded.postgres import EmbeddedPostgres

DATABASES = ("ledger", "crm", "billing")
_BRAKE = 'brake: {share: "5%", times_usual: 3, people: 100}'


class Servers:
    """An embedded broker and PostgreSQL, and a directory for them and for the newsletter.

    As a context manager: at its end the servers are stopped and the directory is removed, unless
    ``keep_logs`` was called; then the log files stay.
    """

    directory: Path
    broker: EmbeddedBroker
    postgres: EmbeddedPostgres

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._keep_logs = False

    @property
    def newsletter(self) -> Path:
        """The newsletter's SQLite file."""
        return self.directory / "newsletter.db"

    @property
    def worker_log(self) -> Path:
        """Where the worker's lines go."""
        return self.directory / "worker.log"

    @property
    def source_file(self) -> Path:
        """A file for a shell to ``source``: the worker's settings."""
        return self.directory / "erasure.env"

    def keep_logs(self) -> None:
        """Leave the log files behind, for somebody to look what went wrong."""
        self._keep_logs = True

    def __enter__(self) -> Self:
        """Start the servers with an empty database for the ledger and for each store there."""
        with ExitStack() as stack:
            self.directory = Path(tempfile.mkdtemp(prefix="erasure-demo-"))
            stack.callback(self._remove)
            self.broker = stack.enter_context(EmbeddedBroker(self.directory / "broker"))
            self.postgres = stack.enter_context(EmbeddedPostgres(self.directory / "postgres"))
            for database in DATABASES:
                self.postgres.create_database(database)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the servers and remove what they kept."""
        self._stack.close()

    def settings(self, company: CompanyFiles, dashboard: Dashboard | None) -> dict[str, str]:
        """Environment variables of a worker on these servers, with fresh keys; writes them down.

        They stand in :attr:`source_file` too, which only its owner may read.
        """
        variables = {
            "POLICY": str(self._policy(company)),
            "LEDGER": self.postgres.url("ledger", "postgresql"),
            "STORES__CRM": self.postgres.url("crm", "postgresql"),
            "STORES__BILLING": self.postgres.url("billing", "postgresql"),
            "STORES__NEWSLETTER": f"sqlite:///{self.newsletter}",
            "BROKER__BOOTSTRAP": self.broker.bootstrap,
            "BROKER__IDEMPOTENT": "false",
            "PSEUDONYM_KEY": _key(),
            "PAYLOAD_KEYS__DEMO": _key(),
            "PAYLOAD_KEY": "demo",
            "LOG_FORMAT": "console",
            "DATA_DIR": str(self.directory / "faust"),
            **({"WEB__PORT": "0"} if dashboard is None else dashboard.settings()),
        }
        settings = {f"ERASURE_{name}": value for name, value in variables.items()}
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
        descriptor = os.open(self.source_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)
        return settings

    def _policy(self, company: CompanyFiles) -> Path:
        """Write the company's policy with a brake that lets a thousand people go in a minute."""
        declared = company.policy.read_text(encoding="utf-8")
        lenient = declared.replace(_BRAKE, 'brake: {share: "5%", people: 5000}')
        if lenient == declared:
            raise DemoFailed(f"{company.policy} does not say '{_BRAKE}', as the demo expects")
        file = self.directory / "policy.yaml"
        file.write_text(lenient, encoding="utf-8")
        return file

    def _remove(self) -> None:
        if not self._keep_logs:
            shutil.rmtree(self.directory, ignore_errors=True)
            return
        for path in self.directory.iterdir():
            if path.is_dir():
                for log in path.glob("*.log"):
                    log.rename(self.directory / log.name)
                shutil.rmtree(path, ignore_errors=True)
            elif path.suffix != ".log":
                path.unlink()


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
