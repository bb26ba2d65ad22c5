"""The command ``erasure``: thin edges around the use cases, one module per topic of commands.

``exits`` says what the exit codes mean; ``app`` puts the commands together; :func:`main` runs them.
"""

from __future__ import annotations

from worker.memory import collect_seldom


def main() -> None:
    """Run the command line and exit with a code of :class:`worker.cli.exits.Exit`."""
    collect_seldom()
    # Here, so that a module of this package can be had without all the commands.
    from worker.cli.app import run_command_line

    run_command_line()
