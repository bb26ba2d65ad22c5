"""What nobody may use up: tries at credentials, connections, time."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final

from aiohttp import web

BODY_BYTES: Final = 16_384
"""A form at the most; a head is a line and fields of 8 KB each at the most (aiohttp)."""
REQUEST_SECONDS: Final = 20.0
"""After which an answer that is not ready is given up."""
BODY_SECONDS: Final = 10.0
"""In which the whole of a form must have come."""
HEAD_SECONDS: Final = 10.0
"""In which the whole head of a request must have come on a new or an idle connection."""
CONNECTIONS: Final = 300
"""Kept at once; the longest idle are closed first."""
TRIES: Final = 10
"""Wrong credentials in a row from one address, then one more in each ``TRY_SECONDS``."""
TRY_SECONDS: Final = 6.0
_ADDRESSES: Final = 10_000


class Tries:
    """Wrong credentials by address: a bucket that fills again with time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` counts seconds from anywhere."""
        self._clock = clock
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str | None) -> float:
        """Seconds until this address may try again; 0 when it may now."""
        left = self._left(_network(address))
        return 0.0 if left >= 1 else (1 - left) * TRY_SECONDS

    def failed(self, address: str | None) -> None:
        """Count a try that was wrong."""
        network = _network(address)
        self._spent[network] = (self._left(network) - 1, self._clock())
        self._spent.move_to_end(network)
        if len(self._spent) > _ADDRESSES:
            self._spent.popitem(last=False)

    def _left(self, network: str) -> float:
        left, at = self._spent.get(network, (float(TRIES), self._clock()))
        return min(float(TRIES), left + (self._clock() - at) / TRY_SECONDS)


class Patience:
    """Closes connections that keep others waiting: aiohttp waits for a head for ever."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._idle_since: dict[web.RequestHandler, float] = {}
        self._busy: dict[web.RequestHandler, int] = {}

    def begin(self, request: web.Request) -> None:
        """Note that a whole head has come: the answer has limits of its own."""
        self._busy[request.protocol] = self._busy.get(request.protocol, 0) + 1

    def end(self, request: web.Request) -> None:
        """Note that the answer was made; from now on the connection is idle again."""
        self._busy[request.protocol] = self._busy.get(request.protocol, 1) - 1
        self._idle_since[request.protocol] = self._clock()

    def close_slow(self, connections: Collection[web.RequestHandler]) -> int:
        """Close what has been idle for too long, and what is too much; returns how many."""
        now = self._clock()
        there = set(connections)
        self._busy = {one: count for one, count in self._busy.items() if one in there and count}
        self._idle_since = {one: at for one, at in self._idle_since.items() if one in there}
        idle = [one for one in connections if not self._busy.get(one)]
        idle.sort(key=lambda one: self._idle_since.setdefault(one, now))
        late = [one for one in idle if now - self._idle_since[one] > HEAD_SECONDS]
        closed = max(len(late), len(idle) - CONNECTIONS)
        for one in idle[: max(0, closed)]:
            one.force_close()
        return max(0, closed)


def _network(address: str | None) -> str:
    """An address, or of IPv6 the network that one subscriber has."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
