"""``erasure demo`` as a user starts it: the story, and that nothing is left, however it ends."""

from __future__ import annotations

import signal
import stat
import subprocess
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path

import orjson
import phonenumbers
import pytest

from tests.support.demo import CHECKOUT, ERASURE, Demo, nothing_left, short_directory
from tests.support.nordlys import today
from topics.subject import normalise
from worker.core.case_id import case_id
from worker.demo.company import find_company
from worker.demo.failing import DemoFailed
from worker.demo.people import make_people

SERVERS_AND_WORKER = 3
CHAPTERS = (
    "1. A newsletter subscriber withdraws consent",
    "2. A customer with a running contract asks for erasure",
    "3. A former customer objects to marketing",
    "4. The same event twice",
    "5. Events nobody can read",
    "6. A consent given again",
    "7. 1,000 people at once",
    "8. 12 years, 20,000 customers, and nobody asks",
)


@pytest.fixture
def directory() -> Iterator[Path]:
    """Give a demo a temporary directory."""
    with short_directory() as path:
        yield path


@pytest.mark.slow
def test_the_story_is_told_and_nothing_is_left(directory: Path) -> None:
    """The demo tells every chapter, with proof of each promise, exits with 0 and cleans up."""
    with Demo(directory) as demo:
        assert demo.end() == 0, demo.text
        text = demo.text
        positions = [text.find(chapter) for chapter in CHAPTERS]
        assert -1 not in positions
        assert positions == sorted(positions)
        assert "newsletter subscriber.email, name erased 1" in text
        newest = today() - timedelta(days=15)
        assert (
            f"The invoice of {newest} is kept until {newest.year + 6}-01-01 because of bookkeeping "
            "(GDPR art. 6(1)(c); bokføringsloven § 13)"
        ) in text
        assert f"may go on {newest.year + 4}-07-01" in text
        assert "survey_answer.respondent_name anonymised 1" in text
        assert "customer.notes retained 0 contact-consent until withdrawn" in text
        assert "Cases in the ledger: 4 before, 4 after; completions of this event: 1." in text
        for reason in ("not-json", "bad-identifier", "unsupported-type"):
            assert reason in text
        assert "has a tombstone" in text
        assert "superseded, because of a newer consent" in text
        assert "events done with: 1,000 of 1,000" in text
        assert "3,000 receipts" in text
        assert "it asks above 5,000, and nothing like it was done before" in text
        assert "is approved and goes on" in text
        assert "rows past their last ground: 0" in text
        assert "invoices older than they may be: 0." in text
        assert "demo --keep" in text
        assert nothing_left(demo)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "started"),
    [
        ("Starting a broker", 0),
        ("2. A customer", SERVERS_AND_WORKER),
        ("is approved and goes on", SERVERS_AND_WORKER),
    ],
    ids=["while servers start", "in the middle of the story", "while a sweep runs"],
)
def test_ctrl_c_cleans_up(directory: Path, moment: str, started: int) -> None:
    """Ctrl-C at any moment stops every process, removes every file and exits with 130."""
    with Demo(directory) as demo:
        demo.wait_for(moment)
        assert len(demo.processes()) >= started
        demo.send(signal.SIGINT)
        assert demo.end() == 128 + signal.SIGINT, demo.text
        assert "Stopped; nothing is left behind." in demo.text
        assert nothing_left(demo)


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_demo_with_1(directory: Path) -> None:
    """A dead worker ends the demo with exit code 1; only the logs stay, and it says where."""
    with Demo(directory) as demo:
        demo.wait_for("1. A newsletter subscriber")
        (worker,) = [process for process in demo.processes() if process.cmdline()[-1:] == ["run"]]
        worker.kill()
        assert demo.end() == 1
        assert "the worker ended by itself" in demo.text
        assert not demo.processes()
        (left,) = directory.iterdir()
        assert f"{left}/*.log" in demo.text
        logs = {path.name for path in left.iterdir()}
        assert logs == {"worker.log", "broker.log", "postgres.log"}


@pytest.mark.slow
def test_it_can_be_looked_at(directory: Path) -> None:
    """With --dashboard the page is there before the story, and its token signs in.

    With --keep the commands that it suggests work, and Ctrl-C is then the good end: 0.
    """
    with Demo(directory, "--dashboard", "--keep") as demo:
        demo.wait_for("1. A newsletter subscriber")
        url, token = demo.page
        page = HTTPConnection(url.removeprefix("http://").rstrip("/"))
        page.request("GET", "/cases", headers={"Authorization": f"Bearer {token}"})
        assert b"Parked cases" in page.getresponse().read()
        page.close()
        demo.wait_for("Ctrl-C here ends it")
        (source,) = [line.split()[1] for line in demo.lines if line.strip().startswith("source ")]
        assert stat.S_IMODE(Path(source).stat().st_mode) == 0o600
        case = str(case_id("/nordlys/demo", "erasure"))
        assert case in demo.text
        told = with_settings(source, "case", case, "--json")
        assert orjson.loads(told)["state"] == "closed"
        assert len(demo.processes()) >= SERVERS_AND_WORKER
        demo.send(signal.SIGINT)
        assert demo.end() == 0, demo.text
        assert nothing_left(demo)


def with_settings(source: str, *arguments: str) -> bytes:
    """Run an ``erasure`` command as somebody does who has sourced the file; returns its output."""
    script = 'set -e; source "$1"; shift; exec "$@"'
    command: Sequence[str] = ("bash", "-c", script, "bash", source, *ERASURE, *arguments)
    return subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE).stdout


def test_a_missing_policy_is_said_clearly(tmp_path: Path) -> None:
    """Outside a checkout the demo names the file that is missing and says what to do."""
    with pytest.raises(DemoFailed, match=r"nordlys\.yaml is missing.*clone the repository"):
        find_company(tmp_path)


def test_nobody_of_the_demo_exists() -> None:
    """Addresses end in reserved domains; telephone numbers are valid and in nobody's range."""
    cast, others = make_people(date(2026, 3, 10), 1997)
    people = [cast.subscriber, cast.customer, cast.former, *others]
    for person in people:
        assert person.email.endswith(("@example.no", "@example.com"))
        assert normalise("email", person.email, "NO") == person.email
        assert person.phone.startswith("+47799")
        assert phonenumbers.is_valid_number(phonenumbers.parse(person.phone))
    assert len({person.email for person in people}) == len(people)
    assert len({person.phone for person in people}) == len(people)


def test_the_same_people_every_day() -> None:
    """Two runs on one day make the same people; on another day only their dates have moved."""
    first = make_people(date(2026, 3, 10), 50)
    assert make_people(date(2026, 3, 10), 50) == first
    later = make_people(date(2026, 3, 11), 50)
    assert later != first
    assert [(p.name, p.email, p.notes) for p in later[1]] == [
        (p.name, p.email, p.notes) for p in first[1]
    ]
