"""Where the worker's time goes: a sampler that follows the CPU, not the clock.

A timer that runs with the process's CPU time interrupts it every few milliseconds and notes the
stack, so waiting costs nothing and nothing is slowed down by being watched (cProfile would show
small functions twice as large as they are). What a C extension does counts for the line that
called it.
"""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import PurePath
from types import FrameType
from typing import Final

import greenlet  # type: ignore[import-untyped] # published without types
from rich.console import Console
from rich.table import Table

INTERVAL: Final = 0.004
"""CPU seconds between two samples; most kernels count no finer."""
OURS: Final = ("worker", "connectors", "topics")
_TOP: Final = 25


class Sampler:
    """Counts who ran at each sample, and which functions of ours were waiting for it."""

    def __init__(self) -> None:
        self.samples = 0
        self.packages: Counter[str] = Counter()
        self.leaves: Counter[str] = Counter()
        self.modules: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()

    def start(self) -> None:
        """Begin; only one sampler in a process, and in the main thread."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def stop(self) -> None:
        """End."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        self.samples += 1
        modules: set[str] = set()
        functions: set[str] = set()
        first = True
        for one in _stack(frame):
            file, name = one.f_code.co_filename, one.f_code.co_name
            package, module = _place(file)
            if first:
                self.packages[package] += 1
                self.leaves[f"{package}: {PurePath(file).stem}.{name}"] += 1
                first = False
            if package in OURS:
                modules.add(module)
                functions.add(f"{module}:{name}")
        self.modules.update(modules)
        self.functions.update(functions)

    def show(self, console: Console) -> None:
        """Print who ran, and for which of our modules and functions, in percent of its CPU time."""
        console.print(f"{self.samples} samples")
        for title, counted in (
            ("Running at that moment, by package", self.packages),
            ("Running at that moment, by function", self.leaves),
            ("Within, by module of ours (each one on the stack counts)", self.modules),
            ("Within, by function of ours", self.functions),
        ):
            table = Table(title=title, title_justify="left")
            table.add_column("where")
            table.add_column("CPU", justify="right")
            for name, count in counted.most_common(_TOP):
                table.add_row(name, f"{count / max(self.samples, 1):.1%}")
            console.print(table)


def _stack(frame: FrameType | None) -> list[FrameType]:
    """The frames of a sample, innermost first.

    SQLAlchemy runs in greenlets, whose stacks end where they began: their parents go on.
    """
    frames: list[FrameType] = []
    current: greenlet.greenlet | None = greenlet.getcurrent()
    while True:
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back
        current = current.parent if current is not None else None
        if current is None:
            return frames
        frame = current.gr_frame


def _place(file: str) -> tuple[str, str]:
    """Package and module of a source file."""
    parts = PurePath(file).with_suffix("").parts
    for own in OURS:
        if own in parts and "site-packages" not in parts:
            at = parts.index(own)
            return own, ".".join(parts[at:])
    if "site-packages" in parts:
        name = parts[parts.index("site-packages") + 1]
        return name, name
    return "python", PurePath(file).stem
