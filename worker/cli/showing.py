"""A case's story on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from topics.events import EventKind
from worker.cli.lasting import working_days
from worker.cli.output import STYLES, console, moment
from worker.observe.story import Story
from worker.observe.wording import EVENTS, EVERYTHING, OutcomeWords

ABSENT = "absent"


def print_story(story: Story) -> None:
    """Print head, timeline, the stores' outcomes, and what to do next."""
    out = console()
    out.print(Text.assemble("case ", (str(story.id), "bold"), "  ", _state(story)))
    out.print(f"event       {EVENTS[EventKind(story.kind)]}, {story.source} {story.event_id}")
    if story.purposes:
        out.print(f"purposes    {', '.join(story.purposes)}")
    if story.channel:
        out.print(f"channel     {story.channel}")
    left = "" if story.days_left is None else f", {working_days(story.days_left)}"
    out.print(f"deadline    {story.due_on}{left}")
    if story.reason_words:
        out.print(f"why         {story.reason_words}")
    if story.follows is not None:
        out.print(f"follows     case {story.follows}: something that it left has fallen due")
    if story.todo:
        out.print(Text(f"next        {story.todo}", style="yellow"))
    out.print()
    for step in story.timeline:
        out.print(f"{moment(step.at) if step.at else '':21} {step.what}")
    for store in story.stores:
        out.print()
        settled = f"  settled {moment(store.settled_at)}, decided under policy {store.policy}"
        out.print(Text.assemble((store.store, "bold"), settled))
        for outcome in store.outcomes:
            _print_outcome(out, outcome)
    if story.obligations or story.followed_by:
        out.print()
    for one in story.obligations:
        out.print(f"{one.store} is looked at again on {one.on}, by itself")
    for later in story.followed_by:
        out.print(f"looked at again: erasure case {later}")


def _state(story: Story) -> tuple[str, str]:
    return str(story.state), STYLES.get(str(story.state), "")


def _print_outcome(out: Console, outcome: OutcomeWords) -> None:
    style = "dim" if outcome.result == ABSENT else STYLES.get(outcome.result, "green")
    name = "" if outcome.group == EVERYTHING else f"{outcome.group}: "
    out.print(Text(f"  {name}{outcome.words}", style=style))
    for ground in outcome.grounds:
        out.print(f"      by {ground.words}")
