"""The part of the ledger's schema that operators write.

What they did, which stores rest, and what a broker has lost until they answer it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from worker.ledger.sweep_tables import metadata
from worker.ledger.tables import one_of
from worker.ledger.types import Id, Instant

__all__ = ["broker_losses", "metadata", "operator_actions", "pause_reports", "paused_stores"]

operator_actions = Table(
    "operator_actions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False, comment="who decided"),
    Column("origin", Text, nullable=False, comment="the command line or the page"),
    Column("what", Text, nullable=False, comment="a word of worker.ledger.actions.Did"),
    Column("target", Text, nullable=False, comment="as case:ID, store:NAME, sweep:7; no person"),
    Column("reason", Text),
    CheckConstraint(one_of("origin", ["cli", "page"]), name="origin"),
    CheckConstraint("by <> ''", name="by_somebody"),
    comment="What operators decided, in the transaction that did it; only ever added to",
)
Index("ix_operator_actions_target", operator_actions.c.target)

paused_stores = Table(
    "paused_stores",
    metadata,
    Column("id", Id, primary_key=True),
    Column("store", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("paused_at", Instant, nullable=False),
    Column(
        "draining",
        Boolean,
        nullable=False,
        comment="what workers have in hand is still finished; then nothing begins any more",
    ),
    Column("resumed_at", Instant),
    Column("resumed_by", Text),
    Column("resumed_because", Text),
    CheckConstraint("(resumed_at IS NULL) = (resumed_by IS NULL)", name="resumed_by_somebody"),
    comment="Stores that operators let rest: nothing of them is read or written meanwhile",
)
Index(
    "uq_paused_stores_standing",
    paused_stores.c.store,
    unique=True,
    postgresql_where=text("resumed_at IS NULL"),
    sqlite_where=text("resumed_at IS NULL"),
)

pause_reports = Table(
    "pause_reports",
    metadata,
    Column("pause_id", ForeignKey("paused_stores.id"), nullable=False),
    Column("worker", Text, nullable=False, comment="its name in leases"),
    Column("lane", Text, nullable=False),
    Column("in_hand", Integer, nullable=False, comment="messages that it still carries out"),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("pause_id", "worker", "lane"),
    comment="What each worker still has in hand of a store that is drained",
)

broker_losses = Table(
    "broker_losses",
    metadata,
    Column("id", Id, primary_key=True),
    Column("consumer_group", Text, nullable=False),
    Column(
        "messages",
        BigInteger,
        nullable=False,
        comment="how far the group's place lay beyond the end when it was seen",
    ),
    Column("seen_at", Instant, nullable=False),
    Column("recovered_at", Instant),
    Column("recovered_by", Text),
    Column("recovered_because", Text),
    CheckConstraint(
        "(recovered_at IS NULL) = (recovered_by IS NULL)", name="recovered_by_somebody"
    ),
    comment="Messages that a broker has lost: workers take nothing until somebody answers it",
)
Index(
    "uq_broker_losses_standing",
    broker_losses.c.consumer_group,
    unique=True,
    postgresql_where=text("recovered_at IS NULL"),
    sqlite_where=text("recovered_at IS NULL"),
)
