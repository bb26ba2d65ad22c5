"""How stores look to workers, samples of a day, and an index for what was settled lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.ledger.types import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what lets any process show how things stand."""
    op.create_table(
        "store_states",
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column(
            "holder",
            sa.Text(),
            nullable=False,
            comment="the worker that says so: its name in leases",
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "fault",
            sa.Text(),
            nullable=True,
            comment="the kind of the last failure: a word, never a value",
        ),
        sa.Column("hint", sa.Text(), nullable=True, comment="what an operator can do about it"),
        sa.Column("since", Instant(), nullable=False, comment="when this state began"),
        sa.Column(
            "next_try", Instant(), nullable=True, comment="when it is tried again, by itself"
        ),
        sa.Column(
            "seen_at", Instant(), nullable=False, comment="when the worker was last heard of"
        ),
        sa.CheckConstraint("lane IN ('people', 'sweeps')", name=op.f("ck_store_states_lane")),
        sa.CheckConstraint("state IN ('serving', 'away')", name=op.f("ck_store_states_state")),
        sa.CheckConstraint(
            "(state = 'away') = (fault IS NOT NULL)",
            name=op.f("ck_store_states_away_has_a_fault"),
        ),
        sa.PrimaryKeyConstraint("store", "lane", "holder", name=op.f("pk_store_states")),
        comment="How each store looks to each worker that serves it; "
        "old rows are of workers that died",
    )
    op.create_table(
        "samples",
        sa.Column("at", Instant(), nullable=False, comment="a whole minute"),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column(
            "lag", sa.Integer(), nullable=False, comment="people in open commands of both lanes"
        ),
        sa.Column(
            "oldest",
            sa.Float(),
            nullable=True,
            comment="age of the oldest open command, in seconds",
        ),
        sa.Column("dead", sa.Integer(), nullable=False, comment="dead letters"),
        sa.Column(
            "away", sa.Integer(), nullable=False, comment="1 when a worker found the store away"
        ),
        sa.PrimaryKeyConstraint("at", "store", name=op.f("pk_samples")),
        comment="A store's lag, minute by minute, for a day",
    )
    op.create_index("ix_samples_store", "samples", ["store", "at"], unique=False)
    settled = sa.text("state = 'settled'")
    op.create_index(
        "ix_commands_settled",
        "commands",
        ["settled_at"],
        unique=False,
        postgresql_where=settled,
        sqlite_where=settled,
    )
