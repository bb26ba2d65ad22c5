"""On which day a person asked: a deadline that is extended is counted from it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of cases that are there nobody knows it any more."""
    op.add_column(
        "cases",
        sa.Column(
            "asked_on",
            sa.Date(),
            nullable=True,
            comment="from which day its deadline counts; null: nobody asked, time did",
        ),
    )
