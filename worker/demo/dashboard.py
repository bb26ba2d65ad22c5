"""The page of the demo's worker: where it is, and a token of its own for whoever watches."""

from __future__ import annotations

import webbrowser
from dataclasses import dataclass, field

from worker.demo.narrate import Narrator
from worker.embedded.child import free_port
from worker.web_settings import Role, new_token


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A free port and a fresh token, which may do everything."""

    port: int = field(default_factory=free_port)
    token: tuple[str, str] = field(default_factory=new_token, repr=False)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}/"

    def settings(self) -> dict[str, str]:
        """The worker's variables for it, without their prefix."""
        return {
            "WEB__PORT": str(self.port),
            "WEB__TOKENS__WATCHER__ROLE": Role.APPROVER.value,
            "WEB__TOKENS__WATCHER__SHA256": self.token[1],
        }

    def show(self, narrator: Narrator) -> None:
        """Say where it is, and open it where there is a browser."""
        narrator.say(f"The page is at {self.url}; sign in there with this token:")
        narrator.lines(self.token[0])
        webbrowser.open(self.url)
