"""The statements of one mapping under one shape, in the order in which they are run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from connectors.mapping import Shape, StoreMapping
from connectors.sql import documents, portable, postgresql
from connectors.sql.alongside import cascading
from connectors.sql.arrays import PostgreSQL
from connectors.sql.detach import detaching
from connectors.sql.dialect import Dialect
from connectors.sql.fading import StillThere, fades
from connectors.sql.predicates import rules
from connectors.sql.reflect import Reflection, full_name
from connectors.sql.sharing import Shared, find
from connectors.sql.steps import Step
from connectors.sql.verify import Look, reread


@dataclass(frozen=True, slots=True)
class Plan:
    """The statements of one shape, children before parents, histories last."""

    erase: tuple[Step, ...]
    verify: tuple[Look, ...]
    shared: tuple[Shared, ...] = ()
    last: tuple[Step, ...] = ()
    """What cleans the histories that all the others feed."""


def draw(dialect: Dialect, mapping: StoreMapping, seen: Reflection, shape: Shape) -> Plan:
    """Build the statements of a mapping under a shape; ``seen`` is what its store is made of."""
    relations = {
        table.name: seen.relations[table.name].declared_as(table) for table in mapping.tables
    }
    on_postgresql = isinstance(dialect, PostgreSQL)
    cascades = cascading(mapping, seen.catalogue)
    erase: list[Step] = []
    verify: list[Look] = []
    last: list[Step] = []
    shared: list[Shared] = []
    for table in reversed(mapping.tables):
        its = rules(dialect, mapping, relations, table.name, shape)
        build = portable.steps
        if on_postgresql:
            build = partial(postgresql.steps, lock=table.name in cascades)
        again = reread(its, postgresql.alike if on_postgresql else None)
        if table.shared_by is None:
            steps = [*documents.rewriting(its), *detaching(its, relations), *build(its)]
            (last if table.after else erase).extend(steps)
            looks = (*(() if again is None else (again,)), *documents.rereading(its))
            verify += looks
            if fades(mapping, table):
                erase.append(StillThere(full_name(table), looks))
        elif again is not None:
            names = tuple(group.name for group in table.groups)
            statement, root = find(its, mapping, relations, table)
            key = relations[table.name].key
            goes = (*detaching(its, relations), *build(its))
            shared.append(Shared(full_name(table), statement, root, key, names, goes, again))
    return Plan(tuple(erase), tuple(verify), tuple(shared), tuple(last))
