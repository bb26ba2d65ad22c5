"""What may be committed when messages are finished out of order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.streams.offsets import OffsetWindow


@given(st.lists(st.integers(1, 4), max_size=30), st.data())
def test_only_an_unbroken_run_of_finished_messages_is_committed(
    gaps: list[int], data: st.DataObject
) -> None:
    """Whatever order messages are given and finished in, no commit passes an unfinished one."""
    offsets: list[int] = []
    at = 0
    for gap in gaps:
        at += gap
        offsets.append(at)
    window = OffsetWindow()
    waiting = list(offsets)
    given_: list[int] = []
    finished: set[int] = set()
    committed = None
    while waiting or set(given_) - finished:
        open_ = sorted(set(given_) - finished)
        if waiting and (not open_ or data.draw(st.booleans())):
            given_.append(waiting.pop(0))
            window.give(given_[-1])
            continue
        done = data.draw(st.sampled_from(open_))
        finished.add(done)
        commit = window.finish(done)
        unfinished = [offset for offset in given_ if offset not in finished]
        if commit is not None:
            assert commit - 1 in finished
            assert all(offset < commit for offset in finished if offset <= commit - 1)
            assert not [offset for offset in unfinished if offset < commit]
            assert committed is None or commit > committed
            committed = commit
        # What could be committed was: the oldest message in hand is an unfinished one.
        run = [o for o in given_ if not unfinished or o < unfinished[0]]
        assert committed == (run[-1] + 1 if run else None)
    assert committed == (offsets[-1] + 1 if offsets else None)


def test_a_message_of_a_partition_that_went_away_commits_nothing() -> None:
    """A window made anew after a rebalance does not know the old messages."""
    window = OffsetWindow()
    window.give(7)
    assert window.finish(3) is None
    assert window.finish(7) == 8
