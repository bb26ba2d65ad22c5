"""How answers look: templates, language, light or dark. Nothing here decides anything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from worker.observe.web import shown
from worker.observe.web.telling import Telling, words_of
from worker.observe.web.words import LANGUAGES

NAV: Final = (
    ("/", "overview"),
    ("/search", "search"),
    ("/cases", "cases"),
    ("/dead-letters", "dead-letters"),
    ("/holds", "holds"),
    ("/sweeps", "sweeps"),
    ("/actions", "actions"),
)
"""The pages that stand in the head of each page: address and key of its words."""
THEMES: Final = ("auto", "light", "dark")
LANGUAGE_COOKIE: Final = "erasure_language"
THEME_COOKIE: Final = "erasure_theme"
TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Static:
    """A file that never changes while the worker runs; ``tag`` is made of its content."""

    content: bytes
    type: str
    tag: str


class Look:
    """The templates and static files of the page, read once."""

    def __init__(self, time_zone: str) -> None:
        self._templates = Environment(
            loader=PackageLoader("worker.observe.web"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.statics = _statics()
        # What is shown to nobody in particular brings its own style: it may ask for no file.
        self._style = self.statics["style.css"].content.decode()
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._bare_policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        self._templates.globals |= {
            "static": self._static_url,
            "languages": LANGUAGES,
            "themes": THEMES,
            "nav": NAV,
        }
        self._templates.filters |= shown.filters(time_zone)

    def render(self, template: str, request: web.Request, **content: object) -> str:
        """Fill a template in the language and the theme of who asks."""
        words = language_of(request)
        return self._templates.get_template(template).render(
            t=words,
            lang=words.language,
            theme=_chosen(request.cookies.get(THEME_COOKIE), THEMES) or "auto",
            path=request.path,
            **content,
        )

    def sign_in(self, request: web.Request, status: int, *, said: str = "") -> web.Response:
        """Ask for a token: on every path the same, so that nobody learns which there are."""
        plain = f"{status} sign in with: Authorization: Bearer TOKEN\n"
        response = self._bare("sign_in.html", request, status, plain, said=said)
        response.headers["WWW-Authenticate"] = 'Bearer realm="erasure"'
        return response

    def trouble(self, request: web.Request, status: int, kind: str) -> web.Response:
        """Say in words what went wrong and what happens next."""
        return self._bare("trouble.html", request, status, f"{status} {kind}\n", kind=kind)

    def _bare(
        self, template: str, request: web.Request, status: int, plain: str, **content: object
    ) -> web.Response:
        """A page that says nothing of the worker; a line of text for a machine."""
        if "text/html" not in request.headers.get("Accept", ""):
            return web.Response(text=plain, status=status)
        text = self.render(template, request, style=self._style, **content)
        response = web.Response(text=text, status=status, content_type="text/html")
        response.headers["Content-Security-Policy"] = self._bare_policy
        return response

    def _static_url(self, name: str) -> str:
        return f"/static/{name}?v={self.statics[name].tag}"


def language_of(request: web.Request) -> Telling:
    """The words in the language that somebody chose, else the one their browser asks for."""
    chosen = _chosen(request.cookies.get(LANGUAGE_COOKIE), LANGUAGES)
    if chosen is None:
        accepted = request.headers.get("Accept-Language", "").lower()
        wanted = [part.split(";")[0].strip().split("-")[0] for part in accepted.split(",")]
        first = next((one for one in wanted if one in {"nb", "no", "nn", "en"}), "en")
        chosen = "en" if first == "en" else "nb"
    return words_of(chosen)


def _chosen(given: str | None, known: Mapping[str, str] | tuple[str, ...]) -> str | None:
    return given if given in known else None


def _statics() -> dict[str, Static]:
    found = {}
    for file in files("worker.observe.web").joinpath("static").iterdir():
        kind = TYPES.get(file.name.rpartition(".")[2])
        if kind is not None:
            content = file.read_bytes()
            found[file.name] = Static(content, kind, hashlib.sha256(content).hexdigest()[:12])
    return found
