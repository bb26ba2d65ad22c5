"""Whatever a store is made of, the draft for it is a policy once its guesses are confirmed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.seen import Kind, SeenColumn, SeenLink, SeenTable
from tests.contract.test_scaffold import confirmed
from worker.core.holes import holes
from worker.policy_file import parse
from worker.scaffold import draft

NAMES = ("kunde", "ordre", "note", "Odd name", "log", "true")
COLUMNS = (
    "id", "navn", "epost", "kundenr", "kunde_id", "merknad", "opprettet", "antall", "on: y", "null",
)  # fmt: skip

ASKED = ("no column looks like one", "nothing but keys")
"""What a draft asks a person to add, as it cannot even be guessed."""


@st.composite
def stores(draw: st.DrawFn) -> list[SeenTable]:
    """Some tables with some columns and foreign keys, circles among them."""
    tables: list[SeenTable] = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True))
        made = tuple(
            SeenColumn(
                column,
                draw(st.sampled_from(Kind)),
                draw(st.booleans()),
                draw(st.none() | st.integers(1, 40)),
                draw(st.booleans()),
            )
            for column in columns
        )
        key = tuple(draw(st.lists(st.sampled_from(columns), max_size=2, unique=True)))
        tables.append(SeenTable(draw(st.sampled_from([None, "crm"])), name, made, key))
    schema = tables[0].schema
    tables = [replace(table, schema=schema) for table in tables]
    return [replace(table, links=_links(draw, table, tables)) for table in tables]


def _links(draw: st.DrawFn, table: SeenTable, tables: list[SeenTable]) -> tuple[SeenLink, ...]:
    """Foreign keys as a database has them: each names columns that are unique over there."""
    links: list[SeenLink] = []
    for other in tables:
        own = [column.name for column in table.columns]
        if other.key and len(own) >= len(other.key) and draw(st.booleans()):
            mine = draw(st.permutations(own))[: len(other.key)]
            links.append(
                SeenLink(other.schema, other.name, tuple(zip(mine, other.key, strict=True)))
            )
    return tuple(links)


@settings(deadline=None)
@given(stores())
def test_a_confirmed_draft_is_a_policy(tables: list[SeenTable]) -> None:
    """It can be read, has no hole, and names every column of its tables once it has people."""
    made = draft("shop", "sql", tables, whole=True)
    if not made.tables or any(words in made.content for words in ASKED):
        return
    policy = parse(confirmed(made.content).encode(), "draft")
    assert holes(policy) == []
    assert len(policy.stores["shop"].tables) == made.tables
