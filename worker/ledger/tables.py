"""The ledger's schema. What must always hold is a constraint here, not a habit of the code.

One row a case, a suppression per identifier and purpose; one row for 500 people is a batch (what
intake committed together), one a command (what one store is told), and one a receipt (what became
of all those in one store for whom the same was done).
No column holds an identifier in the clear: ``batches.payload`` and ``commands.payload`` are
encrypted and dropped when they are no longer needed; ``suppressions.pseudonym`` is an HMAC.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    event,
    text,
)

from worker.core.lifecycle import CaseState
from worker.ledger import guards
from worker.ledger.types import CaseIds, Id, Instant, Json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, values: list[str]) -> str:
    """The condition that a column holds one of some words."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


batches = Table(
    "batches",
    metadata,
    Column("id", Id, primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("payload", LargeBinary, comment="encrypted identifiers of its open cases"),
    Column("key_id", Text, nullable=False),
    Column("stores_left", Json, nullable=False, comment="stores whose planning is not final"),
    Column("policy", Text, comment="version of the policy it was planned under"),
    Column("stopped_at", Instant, comment="when the stop was published"),
    Column("planned_at", Instant, comment="when the last store was planned"),
    Column("finished_at", Instant),
    Column("due_at", Instant, nullable=False, comment="redrive looks at it from then on"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="of redrive"),
    Column(
        "lane",
        Text,
        nullable=False,
        server_default="people",
        comment="which topic its commands travel on: what a person asked waits behind no sweep",
    ),
    CheckConstraint(one_of("lane", ["people", "sweeps"]), name="lane"),
    CheckConstraint("finished_at IS NULL OR payload IS NULL", name="finished_holds_no_payload"),
    CheckConstraint("finished_at IS NULL OR planned_at IS NOT NULL", name="finished_is_planned"),
)
Index(
    "ix_batches_waiting",
    batches.c.due_at,
    postgresql_where=text("planned_at IS NULL OR stopped_at IS NULL"),
    sqlite_where=text("planned_at IS NULL OR stopped_at IS NULL"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", Id, primary_key=True),
    Column("batch_id", ForeignKey("batches.id"), nullable=False, index=True),
    Column("store", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("shape", Json, nullable=False, comment="revocable grounds that still live"),
    Column("policy", Text, nullable=False),
    Column("case_ids", CaseIds, nullable=False),
    Column("payload", LargeBinary, comment="encrypted keys of its tasks, in the order of case_ids"),
    Column("key_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column(
        "failures",
        Integer,
        nullable=False,
        server_default="0",
        comment="attempts that rolled back for certain",
    ),
    Column("fault", Text, comment="code and hint of the last failure, never a value"),
    Column("created_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("attempted_at", Instant),
    Column("settled_at", Instant),
    Column("due_at", Instant, nullable=False, comment="redrive looks at it from then on"),
    Column(
        "drives", Integer, nullable=False, server_default="0", comment="times redrive published it"
    ),
    Column(
        "lane",
        Text,
        nullable=False,
        server_default="people",
        comment="the topic it travels on, as its batch says",
    ),
    CheckConstraint(one_of("kind", ["erase", "restrict"]), name="kind"),
    CheckConstraint(one_of("lane", ["people", "sweeps"]), name="lane"),
    CheckConstraint(one_of("state", ["open", "settled", "dead"]), name="state"),
    CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled_has_a_time"),
    CheckConstraint("(state = 'settled') = (payload IS NULL)", name="settled_holds_no_payload"),
    CheckConstraint("state <> 'dead' OR fault IS NOT NULL", name="dead_has_a_fault"),
    CheckConstraint("failures <= attempts", name="failures_within_attempts"),
)
Index(
    "ix_commands_open",
    commands.c.due_at,
    postgresql_where=text("state = 'open'"),
    sqlite_where=text("state = 'open'"),
)
Index(
    "ix_commands_dead",
    commands.c.id,
    postgresql_where=text("state = 'dead'"),
    sqlite_where=text("state = 'dead'"),
)
Index("ix_commands_created", commands.c.created_at)
Index(
    "ix_commands_settled",
    commands.c.settled_at,
    postgresql_where=text("state = 'settled'"),
    sqlite_where=text("state = 'settled'"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("batch_id", ForeignKey("batches.id"), nullable=False, index=True),
    Column("command_id", ForeignKey("commands.id"), comment="null: closed without a command"),
    Column("created_at", Instant, nullable=False),
    Column("published_at", Instant, comment="when receipts and completions were published"),
    comment="What one transaction settled and closed, and whether upstream was told",
)
Index(
    "uq_answers_command",
    answers.c.command_id,
    unique=True,
    postgresql_where=text("command_id IS NOT NULL"),
    sqlite_where=text("command_id IS NOT NULL"),
)
Index(
    "ix_answers_unpublished",
    answers.c.created_at,
    postgresql_where=text("published_at IS NULL"),
    sqlite_where=text("published_at IS NULL"),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Uuid, primary_key=True, comment="made of the event's source and id: dedupe"),
    Column("batch_id", ForeignKey("batches.id"), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("purposes", Json, nullable=False),
    Column("channel", Text),
    Column("event_time", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Json, comment="why it waits or was rejected: words and counts, no values"),
    Column("impact", Json, comment="running contracts that it touches, per store"),
    Column("closed_at", Instant),
    Column("answer_id", ForeignKey("answers.id"), index=False),
    Column("follows", ForeignKey("cases.id"), comment="the case whose obligation fell due"),
    Column(
        "asked_on",
        Date,
        comment="from which day its deadline counts; null: nobody asked, time did",
    ),
    CheckConstraint(one_of("state", [state.value for state in CaseState]), name="state"),
    CheckConstraint(
        "(state IN ('open', 'parked', 'held')) = (closed_at IS NULL)", name="ended_has_a_time"
    ),
    CheckConstraint("(closed_at IS NULL) = (answer_id IS NULL)", name="ended_has_an_answer"),
    CheckConstraint(
        "state NOT IN ('parked', 'held') OR reason IS NOT NULL", name="waiting_has_a_reason"
    ),
)
Index("ix_cases_answer_id", cases.c.answer_id)
Index(
    "ix_cases_follows",
    cases.c.follows,
    postgresql_where=text("follows IS NOT NULL"),
    sqlite_where=text("follows IS NOT NULL"),
)
Index(
    "ix_cases_standing",
    cases.c.due_on,
    postgresql_where=text("state IN ('open', 'parked', 'held')"),
    sqlite_where=text("state IN ('open', 'parked', 'held')"),
)
Index(
    "ix_cases_aside",
    cases.c.state,
    cases.c.due_on,
    cases.c.id,
    postgresql_where=text("state IN ('parked', 'held')"),
    sqlite_where=text("state IN ('parked', 'held')"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("pseudonym", LargeBinary, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("effect", Text, nullable=False),
    Column("at", Instant, nullable=False, comment="the event's own time"),
    PrimaryKeyConstraint("pseudonym", "purpose", "case_id"),
    CheckConstraint(one_of("effect", ["withdrawn", "objected", "given"]), name="effect"),
    comment="The record of consents ended and given (GDPR art. 7(1)); the newest time wins",
)
Index("ix_suppressions_case", suppressions.c.case_id)

restrictions = Table(
    "restrictions",
    metadata,
    Column("pseudonym", LargeBinary, nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("restricted", Boolean, nullable=False, comment="false: lifted"),
    Column("at", Instant, nullable=False, comment="the event's own time"),
    PrimaryKeyConstraint("pseudonym", "case_id"),
    comment="The record of restrictions asked for and lifted (GDPR art. 18); the newest time wins",
)
Index("ix_restrictions_case", restrictions.c.case_id)

receipts = Table(
    "receipts",
    metadata,
    Column("answer_id", ForeignKey("answers.id"), nullable=False),
    Column("store", Text, nullable=False),
    Column("number", Integer, nullable=False, comment="counts an answer's receipts of a store"),
    Column("case_ids", CaseIds, nullable=False),
    Column("outcomes", Json, nullable=False),
    Column("verified", Boolean, nullable=False),
    PrimaryKeyConstraint("answer_id", "store", "number"),
    CheckConstraint("verified", name="verified"),
    comment="Outcomes of tasks that ended alike, re-read and without personal data",
)
Index("ix_receipts_cases", receipts.c.case_ids, postgresql_using="gin").ddl_if("postgresql")
for _guard in guards.ON_RECEIPTS:
    _ddl = DDL(_guard.sql)  # type: ignore[no-untyped-call] # SQLAlchemy left it untyped
    event.listen(receipts, "after_create", _ddl.execute_if(dialect=_guard.dialect))

obligations = Table(
    "obligations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("command_id", ForeignKey("commands.id"), nullable=False, comment="which left it"),
    Column("store", Text, nullable=False),
    Column("look_on", Date, nullable=False, comment="when something of it may be due"),
    Column("case_ids", CaseIds, nullable=False),
    Column("payload", LargeBinary, comment="encrypted keys of its tasks, in the order of case_ids"),
    Column("key_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("batch_id", ForeignKey("batches.id"), comment="the batch that looked again"),
    UniqueConstraint("command_id", "look_on", name="uq_obligations_command"),
    CheckConstraint("(batch_id IS NULL) = (payload IS NOT NULL)", name="looked_at_holds_no_keys"),
    comment="What was retained and must be looked at again on a date; no identifier, only keys",
)
Index(
    "ix_obligations_ahead",
    obligations.c.look_on,
    postgresql_where=text("batch_id IS NULL"),
    sqlite_where=text("batch_id IS NULL"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("by", Text, nullable=False, comment="who decided"),
    Column("reason", Text, nullable=False),
    Column("review_on", Date, nullable=False, comment="when somebody must look at it again"),
    Column("placed_at", Instant, nullable=False),
    Column("released_at", Instant),
    Column("released_by", Text),
    CheckConstraint("(released_at IS NULL) = (released_by IS NULL)", name="released_by_somebody"),
    comment="Orders that nothing of a subject be erased (GDPR art. 17(3)(e))",
)

held_pseudonyms = Table(
    "held_pseudonyms",
    metadata,
    Column("pseudonym", LargeBinary, nullable=False),
    Column("hold_id", ForeignKey("holds.id"), nullable=False),
    PrimaryKeyConstraint("pseudonym", "hold_id"),
)

sought_pseudonyms = Table(
    "sought_pseudonyms",
    metadata,
    Column("pseudonym", LargeBinary, nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    PrimaryKeyConstraint("pseudonym", "case_id"),
    comment="Whom a standing case that time asks for is about; forgotten when it ends",
)
Index("ix_sought_pseudonyms_case", sought_pseudonyms.c.case_id)

policies = Table(
    "policies",
    metadata,
    Column("version", Text, primary_key=True),
    Column("digest", Text, nullable=False, comment="SHA-256 of its file, in hexadecimal"),
    Column("content", LargeBinary, nullable=False, comment="its file, to the letter"),
    Column("taken_up_at", Instant, nullable=False, comment="when a worker first ran on it"),
    comment="The policies that decisions were taken under; a version never changes",
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
