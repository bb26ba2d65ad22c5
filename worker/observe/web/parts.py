"""What the page is built of, and what one request is answered with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from multidict import MultiDictProxy

from worker.context import Context
from worker.observe.web.access import Access, Somebody
from worker.observe.web.limits import Patience, Tries
from worker.observe.web.look import Look
from worker.observe.web.reading import Reading
from worker.web_settings import Role, WebSettings


@dataclass(frozen=True, slots=True)
class Site:
    """The parts that every handler works with."""

    context: Context
    settings: WebSettings
    access: Access
    tries: Tries
    patience: Patience
    look: Look
    reading: Reading


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that was let in: who asks, what the address holds, and the form that was sent."""

    site: Site
    request: web.Request
    somebody: Somebody
    form: MultiDictProxy[str]

    def show(self, template: str, *, status: int = 200, **content: object) -> web.Response:
        """Answer with a page."""
        look = self.site.look
        text = look.render(
            template,
            self.request,
            somebody=self.somebody,
            proof=self.site.access.form_proof(self.somebody),
            **content,
        )
        return web.Response(text=text, status=status, content_type="text/html")

    def may(self, needed: Role) -> bool:
        """Whether who asks may do what asks for a role: what they may not is not shown."""
        return self.somebody.role.may(needed)

    def nothing_here(self) -> web.Response:
        """Answer as on a path that does not exist."""
        return self.site.look.trouble(self.request, 404, "nothing-here")

    @property
    def part(self) -> dict[str, str]:
        """The parts of the address that stand for something."""
        return dict(self.request.match_info)


Handler = Callable[[Ask], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path with one method: who may, and what answers."""

    method: str
    path: str
    needs: Role
    handle: Handler


SITE: Final = web.AppKey("site", Site)
ROUTES: Final = web.AppKey("routes", dict[tuple[str, str], Route])
