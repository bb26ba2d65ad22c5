"""Stores and tables as a policy file declares them: shapes and spelling, no cross-references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator

from worker.core.grounds import Declared, flaw

Category = Literal["name", "address", "email", "phone", "fax", "bank", "voluntary"]
ConnectorKind = Literal["crm", "newsletter", "billing"]


def _no_part(name: str) -> str:
    """Refuse the name of a part of the worker: consumer groups and ``--only`` go by these names."""
    if name == "intake":
        raise flaw("'intake' is a part of the worker itself; give the store another name")
    return name


StoreName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$"), AfterValidator(_no_part)]
"""Part of a topic's name, hence the narrow alphabet."""
Column = Annotated[str, Field(min_length=1, max_length=128)]

# "An HMAC is no anonymisation": recital 26 counts what can be led back as personal data.
_REVERSIBLE: Final = re.compile(
    r"(hash|hmac|pseudonym|encrypt|tokeni[sz]|\bmd5\b|\bsha[-_]?\d|\bbcrypt\b)", re.IGNORECASE
)


def _no_pseudonym(wish: object) -> object:
    """Refuse an action or overwrite that asks for a hash, a pseudonym or an encryption."""
    if isinstance(wish, str) and _REVERSIBLE.search(wish):
        raise flaw(
            f"'{wish}' is never anonymisation (GDPR art. 4(5), recital 26): what it leaves is "
            "still personal data; write action: erase, or action: anonymise with a fixed overwrite"
        )
    return wish


def _fixed_value(value: object) -> object:
    """Accept a text or a whole number, the two things that can stand in any row alike."""
    if value is None or (isinstance(value, (str, int)) and not isinstance(value, bool)):
        return _no_pseudonym(value)
    raise flaw("overwrite is a fixed text or a whole number")


def _as_rule(short: object) -> object:
    """Let ``email: column`` stand for ``email: {column: column}``."""
    return {"column": short} if isinstance(short, str) else short


class IdentifierRule(Declared):
    """The root column that holds an identifier."""

    column: Column
    ignore_case: StrictBool = False


class AnchorRule(Declared):
    """The date column that an anchor means in this table, and what an empty one means."""

    column: Column
    null: Literal["running", "unknown"]
    of: Literal["row", "parent"] = "row"


class ParentRule(Declared):
    """The table above, and own column: parent's column."""

    table: str
    columns: Mapping[Column, Column] = Field(min_length=1)


class FieldRule(Declared):
    """One column with personal data: what it is, why it is held, what happens to it after."""

    category: Category
    grounds: tuple[str, ...] = Field(min_length=1)
    action: Annotated[Literal["erase", "anonymise"], BeforeValidator(_no_pseudonym)]
    overwrite: Annotated[str | int | None, BeforeValidator(_fixed_value)] = None

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if self.action == "anonymise" and self.overwrite is None:
            raise flaw("action: anonymise leaves a fixed value; add overwrite: <value>")
        if self.action == "erase" and self.overwrite is not None:
            raise flaw("action: erase leaves nothing; drop overwrite, or write action: anonymise")
        return self


class TableRule(Declared):
    """One table: how it is found, how its rows are told apart, what they hold."""

    relation: str | None = Field(default=None, min_length=1)
    """Its name in the database; the policy's own name for it by default."""
    schema_: str | None = Field(default=None, alias="schema", min_length=1)
    parent: ParentRule | None = None
    key: tuple[Column, ...] = Field(min_length=1)
    rows_per_person: Literal["one", "many"] = "one"
    row: Literal["goes", "stays"] = "goes"
    identifiers: Mapping[str, Annotated[IdentifierRule, BeforeValidator(_as_rule)]] = Field(
        default_factory=dict
    )
    anchors: Mapping[str, AnchorRule] = Field(default_factory=dict)
    fields: Mapping[Column, FieldRule]


class Store(Declared):
    """One database or product that holds personal data."""

    connector: ConnectorKind
    tables: Mapping[str, TableRule] = Field(min_length=1)
