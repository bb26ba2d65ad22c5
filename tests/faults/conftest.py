"""A world of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest_asyncio

from tests.support.databases import Server
from tests.support.opening import open_world
from tests.support.world import World


@pytest_asyncio.fixture
async def world(
    fresh_broker: str, postgresql: Server, stores: Server | Literal["sqlite"], tmp_path: Path
) -> AsyncIterator[World]:
    """A world without a worker."""
    async with open_world(
        bootstrap=fresh_broker, server=postgresql, folder=tmp_path, stores=stores
    ) as made:
        yield made


@pytest_asyncio.fixture
async def gated(fresh_broker: str, postgresql: Server, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose CRM, billing and ledger the worker reaches through gates."""
    async with open_world(
        bootstrap=fresh_broker,
        server=postgresql,
        folder=tmp_path,
        gates=("crm", "billing", "ledger"),
    ) as made:
        yield made
