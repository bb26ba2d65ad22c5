"""The part of the ledger's schema that lets any process show how things stand.

Nothing is decided by it: it may be emptied at any time.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from worker.ledger.operating_tables import metadata
from worker.ledger.tables import one_of
from worker.ledger.types import Instant

__all__ = ["metadata", "samples", "store_states"]

store_states = Table(
    "store_states",
    metadata,
    Column("store", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("holder", Text, nullable=False, comment="the worker that says so: its name in leases"),
    Column("state", Text, nullable=False),
    Column("fault", Text, comment="the kind of the last failure: a word, never a value"),
    Column("hint", Text, comment="what an operator can do about it"),
    Column("since", Instant, nullable=False, comment="when this state began"),
    Column("next_try", Instant, comment="when it is tried again, by itself"),
    Column("seen_at", Instant, nullable=False, comment="when the worker was last heard of"),
    PrimaryKeyConstraint("store", "lane", "holder"),
    CheckConstraint(one_of("lane", ["people", "sweeps"]), name="lane"),
    CheckConstraint(one_of("state", ["serving", "away"]), name="state"),
    CheckConstraint("(state = 'away') = (fault IS NOT NULL)", name="away_has_a_fault"),
    comment="How each store looks to each worker that serves it; old rows are of workers that died",
)

samples = Table(
    "samples",
    metadata,
    Column("at", Instant, nullable=False, comment="a whole minute"),
    Column("store", Text, nullable=False),
    Column("lag", Integer, nullable=False, comment="people in open commands of both lanes"),
    Column("oldest", Float, comment="age of the oldest open command, in seconds"),
    Column("dead", Integer, nullable=False, comment="dead letters"),
    Column("away", Integer, nullable=False, comment="1 when a worker found the store away"),
    PrimaryKeyConstraint("at", "store"),
    comment="A store's lag, minute by minute, for a day",
)
Index("ix_samples_store", samples.c.store, samples.c.at)
