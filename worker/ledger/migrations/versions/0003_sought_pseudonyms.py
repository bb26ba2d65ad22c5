"""Whom cases that time asks for are about, while they stand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of their pseudonyms."""
    op.create_table(
        "sought_pseudonyms",
        sa.Column("pseudonym", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_sought_pseudonyms_case_id")
        ),
        sa.PrimaryKeyConstraint("pseudonym", "case_id", name=op.f("pk_sought_pseudonyms")),
        comment="Whom a standing case that time asks for is about; forgotten when it ends",
    )
    op.create_index("ix_sought_pseudonyms_case", "sought_pseudonyms", ["case_id"], unique=False)
