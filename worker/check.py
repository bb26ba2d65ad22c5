"""Looking over an installation: is each part there, and as it must be? Changes nothing.

Every part is looked at even if another one fails, each for a few seconds at the most. What a part
needs and lacks (a store its mapping, for one) makes it *skipped*, never silently left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from aiokafka.errors import KafkaError

from connectors.faults import Fault, RetryLater
from connectors.registry import connect
from topics import admin, names
from worker.core.policy import Policy
from worker.hold import overdue
from worker.ledger import holds, obligations
from worker.ledger.database import LedgerAway, LedgerConflict
from worker.observe import tracing
from worker.policy_file import PolicyError, review
from worker.ready import LedgerBehind, LedgerRefuses, ledger_of, make_sure
from worker.settings import Settings, SettingsError
from worker.settings import load as load_settings

LIMIT_SECONDS = 8.0
"""How long one part may take to answer."""

Level = Literal["ok", "warning", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing there is to say about a part; ``todo`` says what to do, empty when it is well.

    ``error``: the worker cannot do its work; ``warning``: it can, but somebody should know;
    ``skipped``: not looked at, because something that it needs is wrong.
    """

    part: str
    level: Level
    what: str
    todo: str = ""


def is_wrong(findings: Iterable[Found]) -> bool:
    """Whether anything forbids the worker to do its work."""
    return any(found.level in ("error", "skipped") for found in findings)


async def check() -> list[Found]:
    """Look at everything that the settings name, in the order in which one would mend it."""
    try:
        settings = load_settings()
    except SettingsError as error:
        wrong = [_error("settings", line, _SET) for line in str(error).splitlines()]
        rest = ("policy", "broker", "topics", "ledger", "stores")
        return wrong + [_skipped(part, "the settings cannot be used") for part in rest]
    policy, said = _policy(settings)
    looks = [
        _broker(settings, sorted(policy.stores if policy else settings.stores)),
        _ledger(settings),
        *_stores(settings, policy),
    ]
    answers = await asyncio.gather(*looks)
    return [*_traces(settings), *said, *(f for found in answers for f in found)]


def _traces(settings: Settings) -> list[Found]:
    if settings.traces_endpoint is not None and not tracing.installed():
        return [_error("settings", *tracing.NOT_INSTALLED.split("; ", 1))]
    return [Found("settings", "ok", "complete")]


_SET = "set the variable, or the key of the file that ERASURE_SETTINGS names"


def _error(part: str, what: str, todo: str) -> Found:
    return Found(part, "error", what, todo)


def _skipped(part: str, why: str) -> Found:
    return Found(part, "skipped", f"not looked at: {why}")


def _policy(settings: Settings) -> tuple[Policy | None, list[Found]]:
    try:
        policy, holes = review(settings.policy)
    except PolicyError as error:
        todo = "correct the file; look at it alone with: erasure policy check"
        return None, [_error("policy", line, todo) for line in str(error).splitlines()]
    except OSError as error:
        what = f"{settings.policy} cannot be read ({error.strerror})"
        return None, [_error("policy", what, "correct ERASURE_POLICY, or give the worker access")]
    if holes:
        todo = "correct the file; look at it alone with: erasure policy check"
        return policy, [
            _error("policy", f"{settings.policy}:{hole.line}: {hole.what}", todo) for hole in holes
        ]
    what = f"{policy.company}, version {policy.version}, {len(policy.stores)} stores"
    return policy, [Found("policy", "ok", what)]


async def _broker(settings: Settings, stores: Sequence[str]) -> list[Found]:
    """The broker and, when it answers, its topics."""
    address = settings.broker.bootstrap
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            differences = await admin.compare(address, names.catalogue(stores))
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        what = f"{address} does not answer ({type(error).__name__})"
        todo = "see that it runs and that ERASURE_BROKER__BOOTSTRAP leads to it"
        return [_error("broker", what, todo), _skipped("topics", "the broker does not answer")]
    found = [Found("broker", "ok", f"{address} answers")]
    wrong = [_error("topics", *str(one).split("; ", 1)) for one in differences if one.comparable]
    untold = sorted({one.topic for one in differences if not one.comparable})
    if untold:
        what = f"this broker does not tell the settings of {len(untold)} topics"
        todo = "check clean-up and retention with its own tools; see: erasure topics list"
        found.append(Found("topics", "warning", what, todo))
    elif not wrong:
        found.append(Found("topics", "ok", "all there, as they should be"))
    return found + wrong


async def _ledger(settings: Settings) -> list[Found]:
    try:
        ledger = ledger_of(settings)
    except SettingsError as error:
        return [_error("ledger", str(error), "correct ERASURE_LEDGER")]
    try:
        await make_sure(ledger)
        async with ledger.begin() as connection:
            late = overdue(await holds.listed(connection), datetime.now(UTC).date())
            sealed = await obligations.keys_in_use(connection)
    except (LedgerBehind, LedgerRefuses) as error:
        return [_error("ledger", *str(error).split("; ", 1))]
    except (LedgerAway, LedgerConflict) as error:
        todo = "see that it runs and that ERASURE_LEDGER leads to it"
        return [_error("ledger", f"it does not answer ({error})", todo)]
    finally:
        await ledger.close()
    found = [Found("ledger", "ok", f"{ledger.dialect}, up to date")]
    if late:
        what = f"{len(late)} holds are past their review date"
        found.append(Found("ledger", "warning", what, "decide on them; see: erasure hold list"))
    return found + [
        _error(
            "ledger",
            f"{count} obligations are sealed with the payload key '{key_id}', which is not there",
            "add it to ERASURE_PAYLOAD_KEYS again: without it nobody can erase what they keep",
        )
        for key_id, count in sorted(sealed.items())
        if key_id not in settings.payload_keys
    ]


def _stores(settings: Settings, policy: Policy | None) -> list[Awaitable[list[Found]]]:
    if policy is None:
        return [
            _said(_skipped(f"store {name}", "the policy cannot be used"))
            for name in sorted(settings.stores)
        ]
    looks: list[Awaitable[list[Found]]] = []
    for name in sorted({*policy.stores, *settings.stores}):
        variable = f"ERASURE_STORES__{name.upper()}"
        if name not in policy.stores:
            what, todo = "has a URL, but is not in the policy", f"take {variable} away"
            looks.append(_said(_error(f"store {name}", what, todo)))
        elif name not in settings.stores:
            what = f"{variable} is not set, but the policy declares the store"
            looks.append(_said(_error(f"store {name}", what, _SET)))
        else:
            looks.append(_store(name, policy, settings.stores[name].get_secret_value(), variable))
    return looks


async def _said(found: Found) -> list[Found]:
    return [found]


async def _store(name: str, policy: Policy, url: str, variable: str) -> list[Found]:
    """One store against its mapping, as its connector sees it."""
    part = f"store {name}"
    connector = None
    try:
        connector = connect(policy.stores[name].connector, policy.mapping(name), url)
        async with asyncio.timeout(LIMIT_SECONDS):
            findings = await connector.check()
    except RetryLater as fault:
        todo = f"see that it runs and that {variable} leads to it"
        return [_error(part, f"it does not answer ({fault.code})", todo)]
    except Fault as fault:
        return [_error(part, fault.hint or fault.code, f"correct the store, or {variable}")]
    except TimeoutError:
        todo = f"see that it runs and that {variable} leads to it"
        return [_error(part, f"no answer within {LIMIT_SECONDS:g} s", todo)]
    finally:
        if connector is not None:
            await connector.close()
    if findings:
        return [
            Found(
                part,
                "error" if one.level == "error" else "warning",
                f"{one.what}: {one.why}" if one.why else one.what,
                one.todo,
            )
            for one in findings
        ]
    tables = len(connector.mapping.tables)
    return [Found(part, "ok", f"answers, and its {tables} declared tables fit the policy")]
