"""How many examples: some in each run of the tests, many with ERASURE_EXAMPLES=20.

With ERASURE_SHRINK=no a failing example is shown as it is: whoever only wants to know that one
fails need not wait until it is small.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

MORE = int(os.environ.get("ERASURE_EXAMPLES", "1"))
"""So many times the usual number, drawn anew in each run; by default always the same ones."""

PHASES = [
    one for one in Phase if one is not Phase.shrink or os.environ.get("ERASURE_SHRINK") != "no"
]


def examples(number: int) -> settings:
    """Return the settings of a test that draws so many examples in an ordinary run."""
    return settings(
        max_examples=number * MORE,
        derandomize=MORE == 1,
        phases=PHASES,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            # The classes of three databases inherit one test: each has an engine of its own.
            HealthCheck.differing_executors,
        ],
    )
