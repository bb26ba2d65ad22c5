"""The same path on other parts: a ledger in SQLite, a newsletter in MariaDB, keys that rotate."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.databases import Server, mariadb_server
from tests.support.judging import (
    assert_gone_honestly,
    assert_receipts_published,
    assert_told_once,
)
from tests.support.nordlys import (
    Person,
    about,
    consent,
    customer,
    erasure,
    objection,
    traces,
    withdrawal,
)
from tests.support.opening import open_world
from tests.support.world import World


async def test_the_path_on_a_ledger_in_sqlite(
    fresh_broker: str, postgresql: Server, tmp_path: Path
) -> None:
    """One file is enough of a ledger: every kind of event, duplicates included, is carried out."""
    async with open_world(
        bootstrap=fresh_broker, server=postgresql, folder=tmp_path, ledger="sqlite"
    ) as world:
        gone, reader, objector = [Person() for _ in range(30)], customer(), customer()
        giver, late = customer(), customer()
        await world.stores.add(*gone, reader, objector, giver, late)
        before = await world.stores.dump()
        requests = [(person, erasure(person)) for person in gone]
        events = [
            *(request for _, request in requests),
            withdrawal(reader),
            objection(objector),
            consent(giver),
            erasure(Person()),
        ]
        with world.worker() as worker:
            await world.publish(*events, *events)
            await world.until_told(*events)
            assert await worker.stop() == 0
        await assert_gone_honestly(world, before, requests)
        await assert_told_once(world, events)
        await assert_receipts_published(world, events)
        after = await world.stores.dump()
        assert about(after, [giver, late]) == about(before, [giver, late])
        for person in (reader, objector):
            assert "newsletter.subscriber" not in traces(after, person)


async def test_payload_keys_rotate_while_payloads_lie_in_the_ledger(
    fresh_broker: str, postgresql: Server, tmp_path: Path
) -> None:
    """What an old key sealed opens with it beside the new one; without it nothing is lost."""
    async with open_world(
        bootstrap=fresh_broker, server=postgresql, folder=tmp_path, gates=["crm", "billing"]
    ) as world:
        people = [Person() for _ in range(6)]
        await world.stores.add(*people)
        before = await world.stores.dump()
        requests = [(person, erasure(person)) for person in people]
        with world.worker(only="intake") as intake:
            # Three become commands, three wait to be planned: both hold payloads of the old key.
            await world.publish(*(request for _, request in requests[:3]))

            async def planned() -> bool:
                rows = await world.fetch(sa.text("SELECT count(DISTINCT store) FROM commands"))
                return int(rows[0][0]) == 3 and not await world.unsaid()

            await world.until(planned, "commands")
            await world.gates["crm"].shut()
            await world.publish(*(request for _, request in requests[3:]))
            await world.until_planned_later()
            assert await intake.stop() == 0
        await world.gates["crm"].open()

        old = json.loads(world.settings["ERASURE_PAYLOAD_KEYS"])
        new = {"second": base64.b64encode(os.urandom(32)).decode()}
        world.settings["ERASURE_PAYLOAD_KEY"] = "second"
        world.settings["ERASURE_PAYLOAD_KEYS"] = json.dumps(new)
        newcomer = Person()
        await world.stores.add(newcomer)
        with world.worker() as forgetful:
            fresh = erasure(newcomer)
            await world.publish(fresh)
            await world.until_log("'first' is missing")
            assert forgetful.ended is None
            assert {await world.state(request) for _, request in requests} == {"open"}
            assert await forgetful.stop() == 0
        world.settings["ERASURE_PAYLOAD_KEYS"] = json.dumps({**old, **new})
        events = [*(request for _, request in requests), fresh]
        with world.worker() as worker:
            await world.until_told(*events)
            assert await worker.stop() == 0
        await assert_gone_honestly(world, before, requests)
        await assert_told_once(world, events)
        keys = await world.fetch(sa.text("SELECT DISTINCT key_id FROM commands"))
        assert {row[0] for row in keys} == {"first", "second"}


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Server]:
    """The MariaDB that is given, or one of our own."""
    with mariadb_server() as server:
        yield server


@pytest_asyncio.fixture
async def newsletter(mariadb: Server) -> AsyncIterator[sa.URL]:
    """A newsletter like that of Nordlys, in MariaDB."""
    database = await mariadb.create()
    engine = create_async_engine(database.url, poolclass=NullPool)
    async with engine.begin() as connection:
        for statement in (
            "CREATE TABLE subscriber (id BIGINT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(254),"
            " name VARCHAR(200), INDEX (email))",
            "CREATE TABLE subscription_event (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
            " subscriber_id BIGINT NOT NULL, sent_to VARCHAR(254),"
            " FOREIGN KEY (subscriber_id) REFERENCES subscriber (id))",
        ):
            await connection.exec_driver_sql(statement)
    await engine.dispose()
    yield database.url
    await database.drop()


@pytest.mark.mariadb
async def test_the_path_with_a_store_in_mariadb(world: World, newsletter: sa.URL) -> None:
    """PostgreSQL and MariaDB side by side: a person goes from both, another stays in both."""
    gone, stay = Person(), Person()
    await world.stores.add(gone, stay)
    before = await world.stores.dump()
    engine = create_async_engine(newsletter, poolclass=NullPool)
    async with engine.begin() as connection:
        for number, person in enumerate((gone, stay), start=1):
            await connection.execute(
                sa.text("INSERT INTO subscriber VALUES (:id, :email, :name)"),
                {"id": number, "email": person.email.upper(), "name": person.name},
            )
            await connection.execute(
                sa.text("INSERT INTO subscription_event VALUES (:id, :id, :email)"),
                {"id": number, "email": person.email},
            )
    urls = json.loads(world.settings["ERASURE_STORES"])
    urls["newsletter"] = newsletter.render_as_string(hide_password=False)
    world.settings["ERASURE_STORES"] = json.dumps(urls)
    request = erasure(gone)
    with world.worker() as worker:
        await world.publish(request)
        await world.until_told(request)
        assert await worker.stop() == 0
    outcomes = await world.outcomes(request)
    assert outcomes["newsletter/subscriber.email+name"] == {
        "group": "subscriber.email+name", "result": "erased", "rows": 1
    }  # fmt: skip
    async with engine.begin() as connection:
        rows = (await connection.execute(sa.text("SELECT id FROM subscriber"))).all()
        sent = (await connection.execute(sa.text("SELECT id FROM subscription_event"))).all()
    await engine.dispose()
    assert [row.id for row in rows] == [row.id for row in sent] == [2]
    after = await world.stores.dump()
    assert not [table for table in traces(after, gone) if not table.startswith("newsletter.")]
    assert about(after, [stay]) == about(before, [stay])
