"""Where an error arose, without its text, which may quote a row."""

from __future__ import annotations

import traceback
from pathlib import Path


def where(error: BaseException) -> list[str]:
    """The lines it came through, the innermost last: ``worker/intake.py:61 in take_in``."""
    return [
        f"{'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
