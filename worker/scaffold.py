"""A first draft of a store's part of a policy, from what a running store is made of.

What was guessed is marked, and ``erasure policy check`` refuses each mark until a person has
confirmed it by taking it away. On which grounds fields are held cannot be guessed at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.seen import SeenColumn, SeenLink, SeenTable
from worker.core.arranging import Arranged, Placed, arrange
from worker.core.drafting import field_line, not_personal_line, text
from worker.core.guessing import category, dated, identifier

UNDECIDED = "to-be-decided"
"""The ground of a draft for an existing policy, which has none of this name."""
_PART = (
    "# A draft that goes under stores: of your policy. On which grounds fields are held is for you",
    f"# to decide ({UNDECIDED}); go over each guess, correct it, and take its mark away.",
)
_FORMS = {"email": "email", "phone": "phone", "customer_id": "text"}


@dataclass(frozen=True, slots=True)
class Draft:
    """The text, and how much of it a person has to go over."""

    content: str
    tables: int
    left_out: int


def draft(store: str, connector: str, tables: Sequence[SeenTable], *, whole: bool) -> Draft:
    """Write the draft; ``whole`` makes it a policy file of its own."""
    arranged = arrange(tables)
    lines = [*(_head(arranged) if whole else _PART)]
    lines += ["stores:", f"  {store}:", f"    connector: {connector}", "    tables:"]
    ground = "customer-consent" if whole else UNDECIDED
    for placed in arranged.placed:
        lines += _table(placed, arranged, ground)
    if not arranged.placed:
        lines[-1] = "    tables: {}"
    for table, why in arranged.left_out:
        lines += ["", f"      # {table.name} was left out: {why}."]
        lines += [f"      #   {line}" for line in _likely(table)]
    return Draft("\n".join(lines) + "\n", len(arranged.placed), len(arranged.left_out))


def _head(arranged: Arranged) -> Iterator[str]:
    yield from (
        "# A draft. Go over every guess, correct it, and take its mark away; then look again with:",
        "# erasure policy check FILE --live",
        'version: "draft-1"',
        'company: "guess: the company that is responsible"',
        'country: "NO"               # whose public holidays move a deadline',
        "time_zone: Europe/Oslo      # in which a day begins",
        "identifiers:",
    )
    for kind in [kind for kind, _ in _identifiers(arranged)] or ["email"]:
        strong = "false" if kind == "phone" else "true"
        yield f"  {kind}: {{form: {_FORMS[kind]}, strong: {strong}, guess: true}}"
    yield from (
        "purposes:",
        '  customer: {text: {nb: "guess: Kundeforhold", en: "guess: Customer relation"}}',
        "grounds:",
        "  # One ground to begin with. A field may have several, and lives while any does.",
        "  customer-consent:",
        "    kind: consent",
        "    purpose: customer",
        "    evidence: ledger",
        "    reference: GDPR art. 6(1)(a)",
        "    text: {nb: Du har samtykket til dette., en: You have consented to this.}",
        "    guess: true",
        "  # customer-contract:",
        "  #   kind: contract",
        "  #   reference: GDPR art. 6(1)(b)",
        "  #   anchor: contract-end      # each table says under anchors: which column it is",
        "  #   period: 0d",
        "  #   text: {nb: Du har en avtale med oss., en: You have a contract with us.}",
        "  # bookkeeping:",
        "  #   kind: legal-obligation",
        "  #   reference: GDPR art. 6(1)(c); bokføringsloven § 13",
        "  #   anchor: document-date",
        "  #   period: 5y",
        "  #   rounding: end-of-year",
        "  #   text: {nb: Bokføringsloven krever det., en: The Bookkeeping Act requires it.}",
    )


def _identifiers(arranged: Arranged) -> Iterator[tuple[str, SeenColumn]]:
    """The kinds by which the root could be looked up, each with the first column that fits."""
    seen: set[str] = set()
    for column in arranged.placed[0].table.columns if arranged.placed else ():
        kind = identifier(column)
        if kind is not None and kind not in seen:
            seen.add(kind)
            yield kind, column


def _table(placed: Placed, arranged: Arranged, ground: str) -> Iterator[str]:
    table = placed.table
    yield ""
    yield f"      {text(table.name)}:"
    if table.schema:
        yield f"        schema: {text(table.schema)}"
    yield f"        key: [{', '.join(text(name) for name in table.key)}]"
    named = {*table.key, *_pointed(arranged, table)}
    if placed.parent is None:
        yield "        identifiers:"
        found = list(_identifiers(arranged))
        for kind, column in found:
            case = ", ignore_case: true" if kind == "email" else ""
            yield f"          {kind}: {{column: {text(column.name)}{case}, guess: true}}"
            named |= {column.name} if category(column) is None or kind == "customer_id" else set()
        if not found:
            yield "          {}  # no column looks like one: add <kind>: <column>"
    else:
        mark = ", guess: true" if placed.chosen else ""
        yield f"        parent: {{{_link(placed.parent)}{mark}}}"
    if placed.references:
        links = ", ".join(f"{{{_link(link)}}}" for link in placed.references)
        yield f"        references: [{links}]"
    yield from _detach(placed)
    dates = [c.name for c in table.columns if dated(c) and category(c) is None]
    for name in dates:
        yield (
            f"        # if a period runs from it: anchors: {{<anchor>: {{column: {text(name)}, "
            '"null": unknown, guess: true}}'
        )
    named |= {own for link in table.links for own, _ in link.columns if _leads(link, placed)}
    held = any(
        link.table == table.name
        for other in arranged.placed
        for link in (*other.references, *((other.parent,) if other.parent else ()))
    )
    yield from _columns(placed, named, ground, stays=held)


def _leads(link: SeenLink, placed: Placed) -> bool:
    """Whether the draft names the columns of a foreign key."""
    return link in (placed.parent, *placed.references) or link in [one for _, one in placed.detach]


def _pointed(arranged: Arranged, table: SeenTable) -> set[str]:
    """The columns of a table by which others of the draft name its rows, or that are emptied."""
    found: set[str] = set()
    for other in arranged.placed:
        for link in (*other.references, *((other.parent,) if other.parent else ())):
            found |= {theirs for _, theirs in link.columns if link.table == table.name}
        for name, link in other.detach:
            found |= {own for own, _ in link.columns if name == table.name}
    return found


def _link(link: SeenLink) -> str:
    pairs = ", ".join(f"{text(own)}: {text(theirs)}" for own, theirs in link.columns)
    return f"table: {text(link.table)}, columns: {{{pairs}}}"


def _detach(placed: Placed) -> Iterator[str]:
    if not placed.detach:
        return
    turned = (
        _link(SeenLink(None, name, tuple((theirs, own) for own, theirs in link.columns)))
        for name, link in placed.detach
    )
    yield f"        detach: [{', '.join(f'{{{one}}}' for one in turned)}]"


def _columns(placed: Placed, named: set[str], ground: str, *, stays: bool) -> Iterator[str]:
    """The columns that nothing names, as fields or as nobody's data."""
    table = placed.table
    rest = [c for c in table.columns if c.name not in named and not c.generated]
    pointing = {own for link in table.links for own, _ in link.columns}
    fields = [c for c in rest if category(c) is not None and c.name not in pointing]
    # The rows of a table go by its fields: where none is personal, one will do that is not.
    fields = fields or [c for c in rest if c.name not in pointing][:1] or rest[:1]
    fields = fields or ([] if stays else _key(placed))
    nobody = [c for c in rest if c not in fields]
    if nobody:
        yield "        not_personal:"
        yield from (f"          {not_personal_line(c, c.name in pointing)}" for c in nobody)
    if not fields:
        yield "        fields: {}  # nothing but keys, on which others hang: add a column"
        return
    yield "        fields:"
    yield from (f"          {field_line(c, [ground], stays=stays)}" for c in fields)


def _key(placed: Placed) -> list[SeenColumn]:
    """A column of the key that may be a field, in a table whose rows always go whole."""
    refers = {own for link in placed.references for own, _ in link.columns}
    free = [name for name in placed.table.key if name not in refers]
    return [placed.table.column(name) for name in free[-1:]]


def _likely(table: SeenTable) -> Iterator[str]:
    """The columns of a table left out that look personal all the same."""
    for column in table.columns:
        found = category(column)
        if found is not None:
            yield f"{column.name} looks like {found}"
