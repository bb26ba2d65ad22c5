"""Which offsets may be committed when messages are finished out of order."""

from __future__ import annotations

from collections import deque


class OffsetWindow:
    """The messages of one partition that were given out, in order, and which of them are done.

    Committing an offset says that everything before it is done, so only the unbroken run of
    finished messages from the oldest on counts.
    """

    def __init__(self) -> None:
        self._given: deque[int] = deque()
        self._done: set[int] = set()

    def give(self, offset: int) -> None:
        """Note that a message was given out. Offsets grow."""
        self._given.append(offset)

    def finish(self, offset: int) -> int | None:
        """Note that a message is done; return the offset to commit, if it moved."""
        self._done.add(offset)
        commit = None
        while self._given and self._given[0] in self._done:
            done = self._given.popleft()
            self._done.discard(done)
            commit = done + 1
        return commit
