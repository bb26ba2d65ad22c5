"""How long each statement in a store takes, told to whoever listens; nothing of what it says."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext

from connectors.base import Timed

_BEGUN: Final = "erasure_begun"


def watch(engine: sa.Engine, pool: str, told: Timed) -> None:
    """Tell ``told`` the pool's name, ``read`` or ``write``, and the seconds of every statement.

    One that fails is told as well: a statement that ran into its time-out is the longest of all.
    """

    def ended(connection: sa.Connection) -> None:
        begun = connection.info.pop(_BEGUN, None)
        if begun is not None:
            writes = connection.get_execution_options().get("erasure_writes", False)
            told(pool, "write" if writes else "read", perf_counter() - begun)

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: sa.Connection, *_: Any) -> None:
        connection.info[_BEGUN] = perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(connection: sa.Connection, *_: Any) -> None:
        ended(connection)

    @event.listens_for(engine, "handle_error")
    def failed(context: ExceptionContext) -> None:
        # A line that broke has no connection to ask any more.
        if context.connection is not None and not context.is_disconnect:
            ended(context.connection)
