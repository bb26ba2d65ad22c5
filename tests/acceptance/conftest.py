"""One installation for all acceptance tests: the servers take longer to start than a test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, install


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Give a broker, a ledger that is up to date, the topics and three empty stores."""
    folder = Path(tempfile.mkdtemp(prefix="erasure-acceptance-"))
    folder.chmod(0o755)  # The database server runs as a user of its own when we are root.
    try:
        with install(folder) as installed:
            yield installed
    finally:
        shutil.rmtree(folder, ignore_errors=True)
