"""Which table is the root of a draft, and what hangs below it."""

from __future__ import annotations

from connectors.seen import Kind, SeenColumn, SeenLink, SeenTable
from worker.core.arranging import arrange
from worker.scaffold import draft


def table(name: str, *texts: str, key: str = "id", **links: str) -> SeenTable:
    """Describe a table; ``links`` are column to table, each by its ``id``, ``_`` ends optional."""
    columns = [SeenColumn(text, Kind.TEXT, True) for text in texts]
    columns += [SeenColumn(own.rstrip("_"), Kind.NUMBER, own.endswith("_")) for own in links]
    if key:
        columns.insert(0, SeenColumn(key, Kind.NUMBER, False))
    keys = tuple(SeenLink(None, other, ((own.rstrip("_"), "id"),)) for own, other in links.items())
    return SeenTable(None, name, tuple(columns), (key,) if key else (), keys)


CUSTOMER = table("customer", "name", "email")


def test_parents_come_before_children() -> None:
    """The people are first, and each table after those that it points at."""
    line = table("a_line", "text", order="order")
    order = table("order", "text", customer="customer")
    arranged = arrange([line, order, CUSTOMER])
    assert [one.table.name for one in arranged.placed] == ["customer", "order", "a_line"]
    assert [one.parent.table for one in arranged.placed if one.parent] == ["customer", "order"]


def test_the_parent_is_the_link_that_every_row_has() -> None:
    """Of several links, one that may be empty is a reference; that a choice was made is marked."""
    order = table("order", "text", customer="customer")
    note = table("zz_note", "text", customer_="customer", order="order")
    *_, placed = arrange([CUSTOMER, order, note]).placed
    assert placed.parent is not None
    assert (placed.parent.table, [r.table for r in placed.references]) == ("order", ["customer"])
    content = draft("shop", "sql", [CUSTOMER, order, note], whole=False).content
    assert "parent: {table: order, columns: {order: id}, guess: true}" in content
    assert "references: [{table: customer, columns: {customer: id}}]" in content


def test_circles_are_detached() -> None:
    """A pointer at oneself, or at a table that comes later, is emptied before the row goes."""
    people = table("customer", "email", boss_="customer", last_="order")
    order = table("order", "text", customer="customer")
    first, second = arrange([people, order]).placed
    assert [name for name, _ in first.detach] == ["customer"]
    assert [name for name, _ in second.detach] == ["customer"]
    content = draft("shop", "sql", [people, order], whole=False).content
    assert "detach: [{table: customer, columns: {id: boss}}]" in content
    assert "detach: [{table: customer, columns: {id: last}}]" in content


def test_what_leads_to_nobody_is_told() -> None:
    """Tables without a way to a person stand as comments, with the reason for it."""
    home = table("home", "street")
    people = table("customer", "email", home_="home")
    log = table("mail_log", "sent_to_email", "words")
    keyless = table("notes", "words", key="", customer="customer")
    other = table("weather", "status")
    visits = table("visits", "customer_no", "words")
    made = draft("shop", "sql", [home, people, log, keyless, other, visits], whole=False)
    assert (made.tables, made.left_out) == (1, 5)
    said = {line.split()[1]: line for line in made.content.splitlines() if "was left out" in line}
    assert "shared_by: {table: customer, columns: {id: home}}" in said["home"]
    assert "columns: {sent_to_email: email}, ignore_case: true" in said["mail_log"]
    assert "columns: {customer_no: id}" in said["visits"]
    assert "no primary key" in said["notes"]
    assert "no foreign key leads from it to customer" in said["weather"]
    assert "#   street looks like address" in made.content


def test_nobody_at_all() -> None:
    """Without a table of people there is nothing to draft but the reasons."""
    made = draft("shop", "sql", [table("weather", "status")], whole=False)
    assert (made.tables, made.left_out) == (0, 1)
    assert "looks like one whose rows are people" in made.content
