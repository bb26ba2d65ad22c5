"""What operators did, and which stores they let rest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.ledger.types import Id, Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables that operators write."""
    op.create_table(
        "operator_actions",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, comment="who decided"),
        sa.Column("origin", sa.Text(), nullable=False, comment="the command line or the page"),
        sa.Column("what", sa.Text(), nullable=False, comment="a word of worker.ledger.actions.Did"),
        sa.Column(
            "target",
            sa.Text(),
            nullable=False,
            comment="as case:ID, store:NAME, sweep:7; no person",
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("origin IN ('cli', 'page')", name=op.f("ck_operator_actions_origin")),
        sa.CheckConstraint("by <> ''", name=op.f("ck_operator_actions_by_somebody")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_actions")),
        comment="What operators decided, in the transaction that did it; only ever added to",
    )
    op.create_index("ix_operator_actions_target", "operator_actions", ["target"], unique=False)
    op.create_table(
        "paused_stores",
        sa.Column("id", Id, nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paused_at", Instant(), nullable=False),
        sa.Column(
            "draining",
            sa.Boolean(),
            nullable=False,
            comment="what workers have in hand is still finished; then nothing begins any more",
        ),
        sa.Column("resumed_at", Instant(), nullable=True),
        sa.Column("resumed_by", sa.Text(), nullable=True),
        sa.Column("resumed_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(resumed_at IS NULL) = (resumed_by IS NULL)",
            name=op.f("ck_paused_stores_resumed_by_somebody"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paused_stores")),
        comment="Stores that operators let rest: nothing of them is read or written meanwhile",
    )
    standing = sa.text("resumed_at IS NULL")
    op.create_index(
        "uq_paused_stores_standing",
        "paused_stores",
        ["store"],
        unique=True,
        postgresql_where=standing,
        sqlite_where=standing,
    )
    op.create_table(
        "pause_reports",
        sa.Column("pause_id", Id, nullable=False),
        sa.Column("worker", sa.Text(), nullable=False, comment="its name in leases"),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column(
            "in_hand",
            sa.Integer(),
            nullable=False,
            comment="messages that it still carries out",
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pause_id"], ["paused_stores.id"], name=op.f("fk_pause_reports_pause_id")
        ),
        sa.PrimaryKeyConstraint("pause_id", "worker", "lane", name=op.f("pk_pause_reports")),
        comment="What each worker still has in hand of a store that is drained",
    )
