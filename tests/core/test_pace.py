"""When a watcher looks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tt.core.pace import LONGEST, PATIENCE, Pace
from tt.core.watching import Happening

DEBOUNCE = 0.1


def test_a_look_waits_until_a_save_is_over() -> None:
    pace = Pace(DEBOUNCE)
    for now in (1.0, 1.05, 1.1):
        pace.happened(Happening.SAVED, now)
    assert pace.due == 1.1 + DEBOUNCE


def test_a_plan_that_is_saved_without_end_is_looked_at_all_the_same() -> None:
    pace = Pace(DEBOUNCE)
    now = 1.0
    while now < 10:
        pace.happened(Happening.SAVED, now)
        now += DEBOUNCE / 2
    assert pace.due is not None
    assert pace.due < now


def test_a_program_that_has_not_closed_the_file_is_waited_for() -> None:
    pace = Pace(DEBOUNCE)
    pace.happened(Happening.WRITING, 1.0)
    pace.happened(Happening.GIT, 1.5)
    assert pace.due == 1.5 + PATIENCE
    pace.wake(2.0)
    assert pace.due == 1.5 + PATIENCE
    pace.happened(Happening.SAVED, 5.0)
    assert pace.due == 5.0 + DEBOUNCE


def test_writing_does_not_use_up_the_time_that_a_burst_may_take() -> None:
    pace = Pace(DEBOUNCE)
    for second in range(8):
        pace.happened(Happening.WRITING, float(second))
    pace.happened(Happening.SAVED, 7.5)
    assert pace.due == 7.5 + DEBOUNCE


def test_a_look_that_is_held_up_comes_again_less_and_less_often() -> None:
    pace, now, pauses = Pace(DEBOUNCE), 0.0, []
    pace.happened(Happening.SAVED, now)
    for _ in range(8):
        assert pace.due is not None
        now = pace.due
        pace.hold(now)
        assert pace.due is not None
        pauses.append(pace.due - now)
    assert all(later >= sooner - 1e-9 for sooner, later in pairwise(pauses))
    assert pauses[0] <= 0.051
    assert 0.5 <= pauses[-1] <= 1.001
    pace.happened(Happening.GIT, now)
    pace.hold(now)
    assert pace.due == now + 0.05


def test_what_woke_a_look_does_not_put_another_one_off() -> None:
    pace = Pace(DEBOUNCE)
    pace.happened(Happening.SAVED, 1.0)
    pace.wake(5.0)
    assert pace.due == 1.0 + DEBOUNCE
    pace.wake(1.0)
    assert pace.due == 1.0


_STEPS = st.lists(
    st.tuples(st.sampled_from([*Happening, "look", "hold"]), st.floats(0, 3, allow_nan=False)),
    max_size=60,
)


@given(_STEPS)
def test_whatever_happens_is_looked_at_in_time(steps: list[tuple[Happening | str, float]]) -> None:
    """After anything happened there is a look to come, until there was one."""
    pace, now, pending, since = Pace(DEBOUNCE), 0.0, False, 0.0
    writing = False
    for what, pause in steps:
        now += pause
        if isinstance(what, Happening):
            since = since if pending else now
            pace.happened(what, now)
            pending = True
            writing = what is Happening.WRITING or (writing and what is Happening.GIT)
        elif what == "hold":
            pace.hold(now)
            pending = True
        else:
            pace.looked()
            pending = writing = False
        assert (pace.due is not None) == pending
        if pace.due is not None:
            assert pace.due <= now + (PATIENCE if writing else max(LONGEST, 1.0))
            assert pace.due >= min(now, since)
