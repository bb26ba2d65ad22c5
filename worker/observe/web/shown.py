"""How moments, days and numbers are shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context


def filters(time_zone: str) -> dict[str, Callable[..., str]]:
    """The filters of the templates; moments are shown in the policy's time zone."""
    zone = ZoneInfo(time_zone)

    def moment(at: datetime | None) -> str:
        return "" if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M")

    def iso(at: datetime | date | None) -> str:
        return "" if at is None else at.isoformat()

    @pass_context
    def in_language(context: Context, value: float | None) -> str:
        return number(value, context["lang"])

    return {"moment": moment, "iso": iso, "number": in_language}


def number(value: float | None, language: str) -> str:
    """A number with thin spaces between thousands; a fraction keeps one digit."""
    if value is None:
        return "\N{EN DASH}"
    shown = f"{value:,.1f}" if value % 1 else f"{value:,.0f}"
    shown = shown.replace(",", "\N{NARROW NO-BREAK SPACE}")
    return shown.replace(".", ",") if language == "nb" else shown
