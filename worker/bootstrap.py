"""The composition root: the only place that builds the parts and puts them together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from pydantic import SecretStr

from connectors.base import Connector
from connectors.faults import Misfit
from connectors.mapping import StoreMapping
from connectors.registry import connect
from worker.context import Context, Timing
from worker.core.policy import Policy
from worker.ledger.database import Ledger
from worker.observe import tracing as traced
from worker.observe.counted import Metrics
from worker.observe.tracing import Tracing
from worker.policy_file import load as load_policy
from worker.sealing import Sealer
from worker.settings import Settings, SettingsError, key_bytes
from worker.streams.publish import KafkaPublisher

STATEMENT_TIMEOUT: Final = 30.0
"""Seconds that one statement in a store may take."""


@asynccontextmanager
async def open_context(
    settings: Settings,
    *,
    policy: Policy | None = None,
    timing: Timing | None = None,
    tracing: Tracing | None = None,
) -> AsyncIterator[Context]:
    """Everything that the use cases need, closed again at the end.

    Nothing connects yet: a store or a broker that is away does not keep a worker from starting.
    Raises SettingsError or the policy's own error when they do not fit together.
    """
    policy = policy or load_policy(settings.policy)
    tracing = tracing or Tracing()
    metrics = Metrics(policy.objectives)
    metrics.begin(policy.stores)
    connectors = open_connectors(settings, policy)
    for name, connector in connectors.items():
        connector.watch(partial(metrics.statement, name))
    ledger = Ledger(settings.ledger.get_secret_value())
    publisher = KafkaPublisher(
        settings.broker.bootstrap, idempotent=settings.broker.idempotent, tracing=tracing
    )
    try:
        yield Context(
            policy=policy,
            ledger=ledger,
            sealer=make_sealer(settings),
            publisher=publisher,
            connectors=connectors,
            now=now,
            timing=timing or Timing(),
            metrics=metrics,
            tracing=tracing,
        )
    finally:
        await publisher.close()
        for connector in connectors.values():
            await connector.close()
        await ledger.close()


@asynccontextmanager
async def open_tracing(settings: Settings, instance: str) -> AsyncIterator[Tracing]:
    """Traces if the settings want them; at the end what is left of them is sent.

    ``instance`` is this process's name. Raises SettingsError where what sends them is missing.
    """
    if settings.traces_endpoint is None:
        yield Tracing()
        return
    if not traced.installed():
        raise SettingsError(traced.NOT_INSTALLED)
    from worker.observe.otlp import Traces

    traces = Traces(settings.traces_endpoint.get_secret_value(), instance)
    try:
        yield traces
    finally:
        await traces.close()


def open_connectors(
    settings: Settings, policy: Policy, *, statement_timeout: float = STATEMENT_TIMEOUT
) -> dict[str, Connector]:
    """A connector for each store of the policy. Raises SettingsError when a URL is missing.

    ``statement_timeout`` is in seconds.
    """
    missing = sorted(set(policy.stores) - set(settings.stores))
    if missing:
        names = ", ".join(f"ERASURE_STORES__{name.upper()}" for name in missing)
        raise SettingsError(f"{names}: is not set, but the policy declares the store")
    unknown = sorted(set(settings.stores) - set(policy.stores))
    if unknown:
        raise SettingsError(f"stores {', '.join(unknown)}: have a URL, but not in the policy")
    return {
        name: open_connector(
            settings.stores, name, store.connector, policy.mapping(name), statement_timeout
        )
        for name, store in policy.stores.items()
    }


def open_connector(
    urls: Mapping[str, SecretStr],
    name: str,
    kind: str,
    mapping: StoreMapping,
    statement_timeout: float,
) -> Connector:
    """A connector to a store whose URL is in the settings. Raises SettingsError for a bad one."""
    url = urls[name].get_secret_value()
    try:
        return connect(kind, mapping, url, statement_timeout=statement_timeout)
    except Misfit as fault:
        raise SettingsError(f"ERASURE_STORES__{name.upper()}: {fault.hint}") from None


def make_sealer(settings: Settings) -> Sealer:
    """The keys of the settings, ready for use."""
    return Sealer(
        {key_id: key_bytes(key) for key_id, key in settings.payload_keys.items()},
        settings.payload_key,
        key_bytes(settings.pseudonym_key),
    )


def now() -> datetime:
    """The worker's clock."""
    return datetime.now(UTC)
