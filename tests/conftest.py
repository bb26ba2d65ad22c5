"""What every test has: shared fixtures, and a word on what cannot run on this machine."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from worker.memory import leave_what_stays

pytest_plugins = ["tests.support.brokers", "tests.support.databases"]

NEEDS = {
    "browser": ("Chromium", "no chromium is installed", (), ("chromium",)),
    "kafka": ("Apache Kafka", "KAFKA_JARS is not set", ("KAFKA_JARS",), ()),
    "mariadb": (
        "MariaDB",
        "MARIADB_URL is not set and no mariadbd is installed",
        ("MARIADB_URL",),
        ("mariadbd", "/usr/sbin/mariadbd"),
    ),
}
"""Marker: what a person calls the part, why it is missing, and the variables and programs any one
of which brings it."""

COMPLETE = "ERASURE_TESTS_COMPLETE"
"""When this is ``yes``, nothing is left out: a missing part is a failure. ``.ci/run`` sets it."""

_left_out: Counter[str] = Counter()


# No test fails for the time that it took: the machine may be full.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_configure() -> None:
    """Let a request to end (a time limit, say) unwind the fixtures, which stop their servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What a shell starts in the background ignores Ctrl-C, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep the garbage collector off all that was loaded: it lives as long as the tests."""
    leave_what_stays()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a part that is not there, and count it."""
    if os.environ.get(COMPLETE) == "yes":
        return
    missing = {
        marker
        for marker, (_, _, variables, programs) in NEEDS.items()
        if not any(map(os.environ.get, variables)) and not any(map(shutil.which, programs))
    }
    dropped = [item for item in items if any(item.get_closest_marker(m) for m in missing)]
    for item in dropped:
        _left_out.update(m for m in missing if item.get_closest_marker(m))
        items.remove(item)
    config.hook.pytest_deselected(items=dropped)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and where it runs."""
    for marker, count in sorted(_left_out.items()):
        name, why, *_ = NEEDS[marker]
        terminalreporter.write_line(
            f"Left out here: {count} test(s) that need {name}: {why}. "
            ".ci/run brings what they need and runs them.",
            yellow=True,
        )
