"""The demo company's policy keeps what its notice promises, and fits its databases."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

import pytest

from connectors.mapping import Table
from tests.unit.core.policies import NORDLYS
from topics.events import EventKind
from worker.core.policy import Policy
from worker.policy_file import load

SCHEMAS = NORDLYS.parent / "nordlys-schema"
FILES = {
    "crm": "crm.postgresql.sql",
    "billing": "billing.postgresql.sql",
    "newsletter": "newsletter.sqlite.sql",
}


@cache
def policy() -> Policy:
    """Return the demo company's policy."""
    return load(NORDLYS)


@cache
def sql(store: str) -> str:
    """Return a store's CREATE statements without comments."""
    return re.sub(r"--.*", "", (SCHEMAS / FILES[store]).read_text(encoding="utf-8"))


def columns(store: str, table: Table) -> dict[str, str]:
    """Return a table's columns and how each is declared."""
    relation = f"{table.schema}.{table.relation}" if table.schema else table.relation
    body = re.search(rf"CREATE TABLE {re.escape(relation)} \((.*?)\n\);", sql(store), re.DOTALL)
    assert body, f"no table {relation}"
    lines = re.findall(r"^    (\w+) +(.*)$", body[1], re.MULTILINE)
    return {name: rest for name, rest in lines if name != "PRIMARY"}


def tables() -> list[tuple[str, Table]]:
    """Return every table of every store."""
    return [(store, table) for store in FILES for table in policy().mapping(store).tables]


def test_every_category_of_the_notice() -> None:
    """Each of the seven categories that the notice names has a field with an action."""
    held = {
        field.category
        for store in policy().stores
        for group in policy().mapping(store).groups()
        for field in group.fields
    }
    assert held == {"name", "address", "email", "phone", "fax", "bank", "voluntary"}


def test_every_ground_and_purpose_is_used() -> None:
    """No ground and no purpose is declared for nothing."""
    used = {
        use.ground
        for store in policy().stores
        for group in policy().mapping(store).groups()
        for use in group.grounds
    }
    assert used == set(policy().grounds)
    assert {ground.purpose for ground in policy().grounds.values()} >= set(policy().purposes)


def test_texts_in_both_languages() -> None:
    """Each ground and purpose says in Norwegian and English what a person is told."""
    texts = [ground.text for ground in policy().grounds.values()]
    texts += [purpose.text for purpose in policy().purposes.values()]
    assert all(set(text) == {"nb", "en"} for text in texts)


def test_bookkeeping() -> None:
    """An invoice of 10 March 2026 may go on 1 January 2032 (bokføringsloven § 13)."""
    assert policy().until("bookkeeping", date(2026, 3, 10)) == date(2032, 1, 1)
    assert policy().cutoffs("billing", date(2032, 1, 1))["bookkeeping"] == date(2026, 12, 31)
    assert policy().cutoffs("billing", date(2031, 12, 31))["bookkeeping"] == date(2025, 12, 31)


def test_secondary_material() -> None:
    """A packing slip of 10 March 2026 may go on 1 July 2030, its invoice on 1 January 2032."""
    assert policy().until("bookkeeping-secondary", date(2026, 3, 10)) == date(2030, 7, 1)


def test_claims() -> None:
    """Claims from a contract that ended on 10 March 2026 lapse three years after that day."""
    assert policy().until("claims", date(2026, 3, 10)) == date(2029, 3, 11)
    assert policy().until("claims", date(2024, 2, 29)) == date(2027, 3, 1)


LAW = {
    "consent": r"GDPR art\. 6\(1\)\(a\)",
    "contract": r"GDPR art\. 6\(1\)\(b\)",
    "legal-obligation": r"GDPR art\. 6\(1\)\(c\); bokføringsloven § 13",
    "legitimate-interest": r"GDPR art\. 6\(1\)\(f\)",
    "legal-claim": r"GDPR art\. 6\(1\)\(f\), 17\(3\)\(e\); foreldelsesloven § 2",
}


def test_every_ground_names_its_law() -> None:
    """The article that allows the holding, and the Norwegian act where one obliges or limits."""
    kinds = {ground.kind.value for ground in policy().grounds.values()}
    assert kinds == set(LAW)
    for ground in policy().grounds.values():
        assert re.match(LAW[ground.kind.value], ground.reference)


def test_objection_stops_marketing_and_nothing_else() -> None:
    """«Du har rett til å protestere mot direkte markedsføring»: newsletter and offers stop."""
    stopped = policy().stopped_purposes(EventKind.MARKETING_OBJECTED, ())
    assert stopped == ("marketing", "newsletter")


def test_erasure_stops_every_purpose() -> None:
    """No interest of the company's is declared overriding."""
    stopped = policy().stopped_purposes(EventKind.ERASURE_REQUESTED, ())
    assert set(stopped) == set(policy().purposes)


@pytest.mark.parametrize(("store", "table"), tables())
def test_columns_exist(store: str, table: Table) -> None:
    """Every column that the policy names stands in the store's CREATE TABLE."""
    there = columns(store, table)
    named = {*table.key, *(i.column for i in table.identifiers)}
    named |= {own for own, _ in table.parent.columns} if table.parent else set()
    for group in table.groups:
        named |= {field.column for field in group.fields}
        named |= {u.anchor.column for u in group.grounds if u.anchor and not u.anchor.of_parent}
    assert named <= set(there)


@pytest.mark.parametrize(("store", "table"), tables())
def test_what_is_erased_may_be_null(store: str, table: Table) -> None:
    """A field that is emptied while its row stays takes null."""
    there = columns(store, table)
    for group in table.groups:
        for field in group.fields:
            if field.overwrite is None:
                assert "NOT NULL" not in there[field.column]


@pytest.mark.parametrize(("store", "table"), tables())
def test_what_is_looked_up_is_indexed(store: str, table: Table) -> None:
    """Each identifier and each link to a parent leads an index or a key."""
    there = columns(store, table)
    wanted = {i.column for i in table.identifiers}
    wanted |= {table.parent.columns[0][0]} if table.parent else set()
    relation = f"{table.schema}.{table.relation}" if table.schema else table.relation
    for column in wanted:
        own_key = re.search(r"PRIMARY KEY|UNIQUE", there[column])
        index = re.search(rf"ON {re.escape(relation)} \({column}\)", sql(store))
        assert own_key or index or table.key[0] == column, f"no index on {relation}.{column}"


@pytest.mark.parametrize(("store", "table"), tables())
def test_links_are_foreign_keys(store: str, table: Table) -> None:
    """Each link to a parent is a foreign key without a cascade that would outrun the policy."""
    if table.parent is not None:
        own, above = table.parent.columns[0]
        link = rf"REFERENCES [\w.]*{table.parent.table} \({above}\)"
        assert re.search(link, columns(store, table)[own])
    assert "CASCADE" not in sql(store)
