"""Stopping the worker: it finishes what it has in hand, and the next one goes on from there."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.installation import Installation, customers, event, wait_for

MANY = 60
"""Fewer than a day may have without the brake asking somebody."""


@pytest.fixture
def people(installation: Installation) -> list[dict[str, object]]:
    """Give requests for erasure of many customers."""
    mark = uuid4().hex[:8]
    numbers = [f"{mark}-{at}" for at in range(MANY)]
    customers(
        installation,
        [
            {
                "customer_no": number,
                "email": f"{number}@example.no",
                "contract_ended_on": "2020-01-01",
            }
            for number in numbers
        ],
    )
    return [event("erasure.requested", {"customer_id": number}) for number in numbers]


def test_told_to_end_it_ends_well_and_the_next_one_goes_on(
    installation: Installation, people: list[dict[str, object]]
) -> None:
    """SIGTERM while events come in and Ctrl-C later: exit code 0 each, and every case closes."""
    first, second = people[: MANY // 2], people[MANY // 2 :]
    installation.publish(*first)
    with installation.running() as worker:
        wait_for(lambda: installation.states(*first), "the first case")
        assert worker.stop(signal.SIGTERM) == 0
        assert worker.lines()[-1]["event"] == "stopped"
    installation.publish(*second)
    with installation.running() as worker:
        wait_for(
            lambda: installation.states(*people).count("closed") == MANY, "every case to be closed"
        )
        assert worker.stop(signal.SIGINT) == 0
        assert "error" not in {line["level"] for line in worker.lines()}
    told = installation.erasure("cases", "--state", "closed", "--limit", "100000", "--json").json
    assert {person["id"] for person in people} <= {case["event_id"] for case in told["cases"]}
    assert not installation.sql(
        "crm", f"SELECT 1 FROM crm.customer WHERE customer_no LIKE '{_mark(people)}-%'"
    )


def _mark(people: list[dict[str, object]]) -> str:
    data: Any = people[0]["data"]
    mark: str = data["subject"]["customer_id"].split("-")[0]
    return mark


def test_one_part_alone(installation: Installation) -> None:
    """``run --only crm`` runs that store's consumer and nothing else, and ends with 0."""
    with installation.running("--only", "crm") as worker:
        started = wait_for(
            lambda: [line for line in worker.lines() if line["event"] == "started"], "a start"
        )
        assert started[0]["parts"] == ["crm"]
        assert worker.stop() == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells it in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_told_to_end_while_it_starts(installation: Installation, number: signal.Signals) -> None:
    """A worker that is told to end before it has begun anything ends with 0 as well, silently."""
    with installation.running() as worker:
        wait_for(lambda: _catches_sigterm(worker.process.pid), "the start to begin")
        assert worker.stop(number) == 0
        assert "Traceback" not in worker.log.read_text()


def _catches_sigterm(pid: int) -> bool:
    """Whether a process has a handler of its own for SIGTERM, which Python has not."""
    (caught,) = re.findall(r"SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)
