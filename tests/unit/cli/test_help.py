"""The command line itself: every command explains itself, and short forms mean what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from worker.cli.app import app

COMMANDS = {
    "run", "demo", "check", "status", "lag", "doctor", "publish", "token",
    "cases", "case", "case show", "case resume", "case reject", "case extend",
    "dead-letters", "dead-letters list", "dead-letters retry", "topics", "topics create",
    "topics list", "topics check", "topics recover", "topics schemas",
    "ledger", "ledger upgrade", "ledger status",
    "obligations", "hold", "hold place", "hold release", "hold list",
    "policy", "policy check", "policy diff", "policy explain", "policy forecast", "policy list",
    "policy scaffold",
    "policy show",
    "stores", "stores list", "stores pause", "stores drain", "stores resume",
    "retention", "retention trigger", "retention plan", "retention run", "retention pause",
    "retention resume",
    "retention cancel", "retention approve", "retention status", "retention receipts",
}  # fmt: skip


def all_commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command below one, by its whole name."""
    for part, inner in getattr(command, "commands", {}).items():
        whole = f"{name} {part}".strip()
        yield whole, inner
        yield from all_commands(inner, whole)


def test_the_commands_are_those_of_the_list() -> None:
    """No command is missing and none is there that nobody asked for."""
    assert {name for name, _ in all_commands(get_command(app))} == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    """``--help`` says what a command does; a command that acts also shows an example."""
    answer = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "120"})
    assert answer.exit_code == 0
    found = dict(all_commands(get_command(app)))[name]
    assert found.help
    if not getattr(found, "commands", None):
        assert re.search(r"erasure \w|Exit codes", found.epilog or ""), "no example"


def test_the_exit_code_of_wrong_usage_is_2() -> None:
    """An unknown command and an unknown option are wrong usage."""
    assert CliRunner().invoke(app, ["publsh"]).exit_code == 2
    assert CliRunner().invoke(app, ["cases", "--stat", "open"]).exit_code == 2


def test_case_id_is_short_for_case_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """``case ID``, ``case --event S I`` and ``case show ID`` all show; ``case resume`` does not."""
    seen: list[Any] = []

    def which(case: str | None, event: tuple[str, str] | None) -> None:
        seen.append((case, event))
        raise KeyboardInterrupt

    monkeypatch.setattr("worker.cli.cases._which", which)
    for arguments in (["abc"], ["show", "abc"], ["--event", "/shop", "4711"], ["abc", "--json"]):
        CliRunner().invoke(app, ["case", *arguments])
    assert seen == [("abc", None), ("abc", None), (None, ("/shop", "4711")), ("abc", None)]
    CliRunner().invoke(app, ["case", "resume"])
    assert len(seen) == 4


def test_help_loads_no_database() -> None:
    """All commands are known without SQL, Kafka and the page: whoever asks has them at once."""
    script = "import sys, worker.cli.app; print(*{name.split('.')[0] for name in sys.modules})"
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert not {"sqlalchemy", "aiokafka", "faust", "aiohttp", "alembic"} & {
        *said.stdout.decode().split()
    }
