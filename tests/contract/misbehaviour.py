"""Stores that do not do what they are told: triggers and constraints for the contract suite."""

from __future__ import annotations

from tests.contract.world import World
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


async def swallow_delete(world: World, level: str) -> None:
    """Let every DELETE of a table pass without effect; MariaDB's triggers cannot."""
    if world.dialect == POSTGRESQL:
        await world.run(
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NULL; END $$",
            f"CREATE TRIGGER swallow BEFORE DELETE ON {world.name(level)} "
            "FOR EACH ROW EXECUTE FUNCTION swallow()",
        )
    else:
        await world.run(
            f"CREATE TRIGGER swallow BEFORE DELETE ON {_local(world, level)} "
            "BEGIN SELECT RAISE(IGNORE); END"
        )


async def swallow_update(world: World, level: str, column: str) -> None:
    """Let every UPDATE of a column pass without effect."""
    name = world.quoted(column)
    if world.dialect == POSTGRESQL:
        await world.run(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN NEW.{name} := OLD.{name}; RETURN NEW; END $$",
            f"CREATE TRIGGER keep BEFORE UPDATE ON {world.name(level)} "
            "FOR EACH ROW EXECUTE FUNCTION keep()",
        )
    elif world.dialect == MARIADB:
        await world.run(
            f"CREATE TRIGGER {_trigger(world, 'keep')} BEFORE UPDATE ON {world.name(level)} "
            f"FOR EACH ROW SET NEW.{name} = OLD.{name}"
        )
    else:
        await world.run(
            f"CREATE TRIGGER keep BEFORE UPDATE ON {_local(world, level)} "
            "BEGIN SELECT RAISE(IGNORE); END"
        )


async def raise_on_change(world: World, level: str, words: str) -> None:
    """Let every DELETE and UPDATE of a table fail with an error that says ``words``."""
    for event in ("DELETE", "UPDATE"):
        if world.dialect == POSTGRESQL:
            await world.run(
                f"CREATE FUNCTION refuse_{event}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{words}'; END $$",
                f"CREATE TRIGGER refuse_{event} BEFORE {event} ON {world.name(level)} "
                f"FOR EACH ROW EXECUTE FUNCTION refuse_{event}()",
            )
        elif world.dialect == MARIADB:
            await world.run(
                f"CREATE TRIGGER {_trigger(world, 'refuse_' + event)} BEFORE {event} "
                f"ON {world.name(level)} FOR EACH ROW "
                f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{words}'"
            )
        else:
            await world.run(
                f"CREATE TRIGGER refuse_{event} BEFORE {event} ON {_local(world, level)} "
                f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
            )


async def point_at(world: World, level: str, key: tuple[object, ...], *, late: bool) -> None:
    """Add a table that the policy does not know, with a row that points at a row of ours.

    ``late``: the constraint is checked at the commit (PostgreSQL and SQLite).
    """
    names = world.layout.own_key(level)
    table = world.tables[level]
    types = [
        table.c[world.layout.column(name)].type.compile(world.dialect_object) for name in names
    ]
    columns = ", ".join(f"{n} {t}" for n, t in zip(names, types, strict=True))
    theirs = ", ".join(world.quoted(name) for name in names)
    values = ", ".join(f"'{value}'" for value in key)
    referenced = _local(world, level) if world.dialect == SQLITE else world.name(level)
    deferred = " DEFERRABLE INITIALLY DEFERRED" if late else ""
    await world.run(
        f"CREATE TABLE stranger ({columns}, FOREIGN KEY ({', '.join(names)}) "
        f"REFERENCES {referenced} ({theirs}){deferred})",
        f"INSERT INTO stranger VALUES ({values})",
    )


async def copy_into_log(world: World, level: str) -> None:
    """Whenever a row of a table goes, note it in the person's log, address and all."""
    links = world.layout.links("log")
    columns = ", ".join(world.quoted(own) for own, _ in links)
    olds = ", ".join(f"OLD.{world.quoted(own)}" for own, _ in world.layout.links(level))
    insert = (
        f"INSERT INTO {{log}} (log_no, address, {columns}) VALUES (9999, 'kept after all', {olds})"
    )
    if world.dialect == POSTGRESQL:
        await world.run(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {insert.format(log=world.name('log'))}; RETURN OLD; END $$",
            f"CREATE TRIGGER note AFTER DELETE ON {world.name(level)} "
            "FOR EACH ROW EXECUTE FUNCTION note()",
        )
    elif world.dialect == MARIADB:
        await world.run(
            f"CREATE TRIGGER {_trigger(world, 'note')} AFTER DELETE ON {world.name(level)} "
            f"FOR EACH ROW {insert.format(log=world.name('log'))}"
        )
    else:
        await world.run(
            f"CREATE TRIGGER note AFTER DELETE ON {_local(world, level)} "
            f"BEGIN {insert.format(log=_local(world, 'log'))}; END"
        )


def _local(world: World, level: str) -> str:
    """SQLite wants no schema before the table of a trigger or a foreign key."""
    return world.name(level).removeprefix("main.")


def _trigger(world: World, name: str) -> str:
    """MariaDB wants a trigger in the database of its table."""
    return f"{world.schema}.{name}" if world.schema else name
