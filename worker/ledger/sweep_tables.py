"""The part of the ledger's schema that sweeps need: what was asked, how far it is, what it did.

``cursor``, ``span``, ``intent`` and ``left_out`` hold keys of a store and are encrypted.
``sweep_receipts.people`` holds pseudonyms of root keys, 32 bytes after 32 bytes: one value for all
those for whom the same was done, so that a receipt for 10,000 people is one row.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from worker.core.lifecycle import SweepState
from worker.ledger.tables import metadata, one_of
from worker.ledger.types import Id, Instant, Json

__all__ = ["brakes", "metadata", "schedules", "sweep_receipts", "sweeps"]

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("store", Text, nullable=False),
    Column("table", Text, comment="the rule's table; null: every table of the store"),
    Column("ground", Text, comment="the rule's ground; null: every ground"),
    Column("policy", Text, nullable=False),
    Column("as_of", Date, nullable=False, comment="the day by which a period must be over"),
    Column("cutoffs", Json, nullable=False, comment="per ground the latest anchor that is over"),
    Column("trigger", Text, nullable=False, comment="who asked: event, schedule or operator"),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("after_id", ForeignKey("sweeps.id"), comment="the sweep that must have ended before"),
    Column("state", Text, nullable=False),
    Column("reason", Json, comment="why it waits, asks or failed: words and counts, no values"),
    Column("asked_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("due_at", Instant, nullable=False, comment="redrive looks at it from then on"),
    Column("epoch", Integer, nullable=False, server_default="0", comment="of its runner's lease"),
    Column("leg", Integer, nullable=False, server_default="0", comment="counts walks of a table"),
    Column("cursor", LargeBinary, comment="encrypted: how far the leg has come"),
    Column("span", LargeBinary, comment="encrypted: the chunk that is under way"),
    Column("intent", LargeBinary, comment="encrypted keys of people who may lose data in it"),
    Column("left_out", LargeBinary, comment="encrypted keys of people whose data must stay"),
    Column("key_id", Text, nullable=False),
    Column("chunks", BigInteger, nullable=False, server_default="0"),
    Column(
        "receipts",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="written for people; one who lost data in two tables has two",
    ),
    Column("seconds", Float, nullable=False, server_default="0", comment="of work, no waiting"),
    Column("counts", Json, nullable=False, comment="rows per field group and result"),
    Column("estimate", Json, comment="rows and people that it would erase, and of how many"),
    Column("approved_by", Text),
    Column("approved_because", Text),
    Column("approved_at", Instant),
    Column("proof", Json, comment="the independent count at its end"),
    Column("told_at", Instant, comment="when upstream was told its end; null: it did not ask"),
    UniqueConstraint("source", "event_id", name="uq_sweeps_source"),
    CheckConstraint(one_of("state", [state.value for state in SweepState]), name="state"),
    CheckConstraint(one_of("trigger", ["event", "schedule", "operator"]), name="trigger"),
    CheckConstraint(
        "(state IN ('done', 'cancelled', 'failed')) = (ended_at IS NOT NULL)",
        name="ended_has_a_time",
    ),
    CheckConstraint("(state = 'done') = (proof IS NOT NULL)", name="done_has_a_proof"),
    CheckConstraint(
        "state NOT IN ('braked', 'failed') OR reason IS NOT NULL", name="asking_has_a_reason"
    ),
    CheckConstraint("(span IS NULL) = (intent IS NULL)", name="a_chunk_has_an_intent"),
    CheckConstraint(
        "(approved_at IS NULL) = (approved_by IS NULL)"
        " AND (approved_at IS NULL) = (approved_because IS NULL)",
        name="approved_by_somebody",
    ),
    comment="Runs of the retention rules over one store, and their proof",
)
Index(
    "ix_sweeps_standing",
    sweeps.c.due_at,
    postgresql_where=text("ended_at IS NULL"),
    sqlite_where=text("ended_at IS NULL"),
)
Index(
    "ix_sweeps_untold",
    sweeps.c.ended_at,
    postgresql_where=text("told_at IS NULL AND trigger = 'event'"),
    sqlite_where=text("told_at IS NULL AND trigger = 'event'"),
)

sweep_receipts = Table(
    "sweep_receipts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sweep_id", ForeignKey("sweeps.id"), nullable=False, index=True),
    Column("people", LargeBinary, nullable=False, comment="pseudonyms of keys, 32 bytes each"),
    Column("outcomes", Json, nullable=False),
    Column("settled_at", Instant, nullable=False),
    Column("verified", Boolean, nullable=False),
    CheckConstraint("verified", name="verified"),
    CheckConstraint("length(people) % 32 = 0", name="whole_pseudonyms"),
    comment="What a sweep did to all those people for whom it did the same, re-read",
)

schedules = Table(
    "schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("last_at", Instant, nullable=False, comment="the planned moment that was begun last"),
    comment="The policy's schedules, as far as they have run",
)

brakes = Table(
    "brakes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("store", Text, nullable=False),
    Column("asks", Json, nullable=False, comment="how many people, of how many; the usual"),
    Column("since", Instant, nullable=False),
    Column("approved_by", Text),
    Column("approved_because", Text),
    Column("approved_at", Instant),
    CheckConstraint(
        "(approved_at IS NULL) = (approved_by IS NULL)"
        " AND (approved_at IS NULL) = (approved_because IS NULL)",
        name="approved_by_somebody",
    ),
    comment="Stores for which a day's events would erase so much that somebody must look",
)
Index(
    "uq_brakes_asking",
    brakes.c.store,
    unique=True,
    postgresql_where=text("approved_at IS NULL"),
    sqlite_where=text("approved_at IS NULL"),
)
