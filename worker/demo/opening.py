"""Setting the stage: servers, topics, ledger, worker, people, in the order that wastes no time."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from topics import admin, names
from topics.events import EventKind
from worker.core.policy import Policy
from worker.demo.chapters import NEWSLETTER
from worker.demo.company import CompanyFiles
from worker.demo.dashboard import Dashboard
from worker.demo.narrate import Narrator
from worker.demo.outbound import Outbound
from worker.demo.people import Cast, Person, make_people
from worker.demo.servers import Servers
from worker.demo.stage import Stage
from worker.demo.stores import Stores
from worker.demo.upstream import Said, Upstream
from worker.demo.worker_process import WorkerProcess
from worker.ledger.database import Ledger
from worker.ledger.upgrade import upgrade
from worker.policy_file import load as load_policy
from worker.sealing import Sealer


@asynccontextmanager
async def open_stage(
    narrator: Narrator,
    company: CompanyFiles,
    servers: Servers,
    people: int,
    dashboard: Dashboard | None = None,
) -> AsyncIterator[tuple[Stage, Cast, list[Person]]]:
    """Build the company on running servers, start the worker, and yield when it listens.

    Raises DemoFailed, PolicyError or TopicFailed; whatever was opened is closed again.
    """
    policy = load_policy(company.policy)
    variables = servers.settings(company, dashboard)
    async with AsyncExitStack() as stack:
        ledger = Ledger(variables["ERASURE_LEDGER"])
        stack.push_async_callback(ledger.close)
        await upgrade(ledger)
        await admin.create(servers.broker.bootstrap, names.catalogue(policy.stores))
        stores = await Stores.open(
            servers.postgres.url("crm", "postgresql"),
            servers.postgres.url("billing", "postgresql"),
            servers.newsletter,
        )
        stack.push_async_callback(stores.close)
        await stores.create(company.schema)
        worker = WorkerProcess(variables, servers.worker_log)
        worker.start()
        stack.callback(worker.stop)
        # While the worker gets up and joins its groups, the stores fill.
        cast, others = make_people(_today(policy), people - len(Cast.__slots__))
        await stores.fill([cast.subscriber, cast.customer, cast.former, *others])
        upstream = Upstream(servers.broker.bootstrap)
        outbound = Outbound(servers.broker.bootstrap)
        stack.push_async_callback(upstream.stop)
        stack.push_async_callback(outbound.stop)
        await upstream.start()
        await outbound.start()
        stage = Stage(
            narrator,
            policy,
            stores,
            upstream,
            outbound,
            ledger,
            _sealer(variables),
            worker,
            variables,
        )
        await _listening(stage, cast.subscriber)
        yield stage, cast, list(others)


async def _listening(stage: Stage, person: Person) -> None:
    """Wait until intake acts on events: the first is the consent that the subscriber once gave."""
    then = datetime.now(UTC) - timedelta(days=400)
    subject = {"email": person.email}
    said = Said("first-consent", EventKind.CONSENT_GIVEN, subject, NEWSLETTER, time=then)
    await stage.upstream.publish(said)
    await stage.acted(said)


def _sealer(variables: Mapping[str, str]) -> Sealer:
    """The worker's own keys: only they can tell whose pseudonym something is."""
    key_id = variables["ERASURE_PAYLOAD_KEY"]
    payload, pseudonym = (
        base64.b64decode(variables[f"ERASURE_{name}"])
        for name in (f"PAYLOAD_KEYS__{key_id.upper()}", "PSEUDONYM_KEY")
    )
    return Sealer({key_id: payload}, key_id, pseudonym)


def _today(policy: Policy) -> date:
    return datetime.now(ZoneInfo(policy.time_zone)).date()
