"""`tt watch` and how files are saved: each save is one push, and half a file is none."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from itertools import count, pairwise
from pathlib import Path

import pytest

from tests.support.commands import Place
from tests.support.editors import EDITORS, REPLAYS, os_replace, vscode
from tests.support.effort import EFFORT
from tests.support.watching import SECONDS, Spy, Watcher, pushed_states, state_of

TOWN = "here-main"
SAVES = {"dev": 60, "ci": 120, "nightly": 1000}[EFFORT]
# No editor finds them anywhere else in the plan, whatever it makes of upper case.
WORDS = ("Design", "Sketch", "Draw", "Plan")

PLAN = """\
[meta]
description = "A plan for tests"

[[tasks]]
id = "think"
description = "Design it"
agent = "architect"
tags = ["first", "paper"]

[[tasks]]
id = "build"   # the long one
description = "Build it"
depends_on = ["think"]
priority = 2
"""


def worded(number: int) -> str:
    """Return the plan with another word in it."""
    return PLAN.replace(WORDS[0], f"{WORDS[number % len(WORDS)]}{number or ''}")


@pytest.mark.parametrize("editor", list(EDITORS))
def test_each_save_of_an_editor_is_one_push_of_what_was_saved(place: Place, editor: str) -> None:
    states = pushed_states(place, TOWN, *(PLAN.replace("Design", word) for word in reversed(WORDS)))
    with (
        Watcher(place) as watcher,
        Spy(place.server, TOWN) as spy,
        EDITORS[editor](place.file) as replace,
    ):
        for old, new in pairwise(WORDS):
            replace(old, new)
            push = watcher.wait_for_push()
            assert [change["new"] for change in push["report"]["to_store"]] == [f"{new} it"]
            spy.look()
        news = watcher.stop()
    assert [one["event"] for one in news] == ["started", *["synced"] * len(WORDS), "stopped"]
    spy.assert_saw(*reversed(states))


def test_a_burst_of_saves_is_one_push_of_the_last(place: Place) -> None:
    states = pushed_states(place, TOWN, worded(30), PLAN)
    with Watcher(place, TT_WATCH_DEBOUNCE="0.5") as watcher, Spy(place.server, TOWN) as spy:
        for number, save in zip(range(1, 31), REPLAYS * 3, strict=True):
            save(place.file, worded(number))
        watcher.wait_for_push()
        watcher.stop()
    spy.assert_saw(states[1], states[0])


def test_a_plan_that_is_saved_all_the_time_is_pushed_all_the_same(place: Place) -> None:
    pushed_states(place, TOWN, PLAN)
    with Watcher(place, TT_WATCH_DEBOUNCE="1") as watcher:
        deadline, numbers = time.monotonic() + SECONDS, count(1)
        while not watcher.pushes:
            assert time.monotonic() < deadline
            os_replace(place.file, worded(next(numbers)))
            time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_save_just_before_the_end_is_synced(place: Place, number: signal.Signals) -> None:
    wanted, _ = pushed_states(place, TOWN, worded(1), PLAN)
    with Watcher(place, TT_WATCH_DEBOUNCE="2") as watcher:
        vscode(place.file, worded(1))
        watcher.stop(number)
        assert len(watcher.pushes) == 1
    assert state_of(place.server, TOWN) == wanted


def test_a_save_just_before_a_kill_is_synced_by_the_next_watcher(place: Place) -> None:
    wanted, _ = pushed_states(place, TOWN, worded(1), PLAN)
    with Watcher(place, TT_WATCH_DEBOUNCE="2") as watcher:
        vscode(place.file, worded(1))
        watcher.send(signal.SIGKILL)
        watcher.wait()
    with Watcher(place, ready=False) as watcher:
        watcher.wait_for_push()
    assert state_of(place.server, TOWN) == wanted


def test_a_save_without_a_change_is_no_news(place: Place) -> None:
    pushed_states(place, TOWN, PLAN)
    with Watcher(place) as watcher:
        for save in REPLAYS:
            save(place.file, PLAN)
        vscode(place.file, PLAN.replace('"build"   #', '"build"  #'))
        news = watcher.stop()
    assert [one["event"] for one in news] == ["started", "synced", "stopped"]


@pytest.mark.parametrize("seed", range(2 if EFFORT == "nightly" else 1))
def test_no_save_of_many_is_missed(place: Place, seed: int) -> None:
    draw = random.Random(seed)
    states = pushed_states(place, TOWN, *(worded(number) for number in range(SAVES + 1)), PLAN)
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        for number in range(1, SAVES + 1):
            draw.choice(REPLAYS)(place.file, worded(number))
            time.sleep(draw.choice((0, 0, 0.01, 0.03, 0.1, 0.15)))
        watcher.stop()
        assert 1 <= len(watcher.pushes) <= SAVES
        assert not watcher.count("invalid") + watcher.count("absent")
    assert state_of(place.server, TOWN) == states[SAVES]
    seen = [states.index(state) for state in spy.seen[1:]]
    assert seen == sorted(seen), "Redis went back to what was saved before"
    assert watcher.count("synced") - 1 == len(watcher.pushes)


LONGER = (
    PLAN.replace("Design it", "Design it well")
    + """
[[tasks]]
id = "ship"
description = "Ship it"
depends_on = ["build"]
tags = ["last"]
"""
)
LINES = LONGER.splitlines(keepends=True)
CUTS = {
    "nothing": 0,
    "a table's end": LONGER.index('\n[[tasks]]\nid = "build"'),
    "the middle of a table": LONGER.index("depends_on"),
    "the middle of a text": LONGER.index("ild it"),
    "the end of the last table but one": LONGER.index('\n[[tasks]]\nid = "ship"'),
    "the middle of a new table": LONGER.index('tags = ["last"]'),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=list(CUTS))
@pytest.mark.parametrize("anew", [False, True], ids=["in place", "a new file"])
def test_a_writer_that_takes_a_second_is_waited_for(place: Place, cut: int, anew: bool) -> None:
    after, before = pushed_states(place, TOWN, LONGER, PLAN)
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        if anew:
            place.file.unlink()
        with place.file.open("w", buffering=1) as file:
            file.write(LONGER[:cut])
            file.flush()
            time.sleep(1)
            file.write(LONGER[cut:])
        watcher.wait_for_push()
        news = watcher.stop()
    assert [one["event"] for one in news] == ["started", "synced", "synced", "stopped"]
    spy.assert_saw(before, after)


def test_a_writer_that_closes_the_file_in_between_is_waited_for(place: Place) -> None:
    shorter = PLAN.replace("Build it", "Build it up")
    after, before = pushed_states(place, TOWN, shorter, PLAN)
    lines = shorter.splitlines(keepends=True)
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        with place.file.open("w"):
            pass
        for line in lines:
            time.sleep(0.3)
            with place.file.open("a") as file:
                file.write(line)
        watcher.wait_for_push()
        news = watcher.stop()
    assert [one["event"] for one in news] == ["started", "synced", "synced", "stopped"]
    spy.assert_saw(before, after)


@pytest.mark.parametrize("save", [vscode, os_replace])
def test_a_plan_that_is_empty_or_cut_off_for_a_moment_takes_nothing_away(
    place: Place, save: Callable[[Path, str], None]
) -> None:
    *states, before = pushed_states(place, TOWN, *(worded(number) for number in range(1, 6)), PLAN)
    cuts = ("", *(PLAN[: PLAN.index(word)] for word in ("\n[[tasks]]", "tags", "uild it", "prio")))
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        for number, half in enumerate(cuts, start=1):
            save(place.file, half)
            time.sleep(0.3)
            save(place.file, worded(number))
            watcher.wait_for_push()
            spy.look()
        news = watcher.stop()
    assert {one["event"] for one in news} == {"started", "synced", "stopped"}
    spy.assert_saw(before, *states)


def test_what_is_removed_for_good_is_removed_after_a_while(place: Place) -> None:
    without = PLAN[: PLAN.rindex("\n[[tasks]]")]
    after, before = pushed_states(place, TOWN, without, PLAN)
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        vscode(place.file, without)
        watcher.wait_for_push()
        watcher.stop()
    spy.assert_saw(before, after)


def test_an_invalid_plan_is_told_of_once_and_again_when_it_changes(place: Place) -> None:
    after, before = pushed_states(place, TOWN, worded(1), PLAN)
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        vscode(place.file, PLAN.replace('"Build it"', '"Build it'))
        told = watcher.wait_for("invalid", quiet=True)
        assert told["message"].startswith("tasks.toml:12:"), told
        vscode(place.file, PLAN.replace('"Build it"', '"Build it'))
        place.file.touch()
        vscode(place.file, PLAN.replace("priority = 2", "priority = two"))
        told = watcher.wait_for("invalid", quiet=True)
        assert told["message"].startswith("tasks.toml:14:"), told
        spy.assert_saw(before)
        vscode(place.file, worded(1))
        watcher.wait_for("valid", quiet=True)
        watcher.wait_for_push()
        news = watcher.stop()
    spy.assert_saw(before, after)
    assert [one["event"] for one in news[2:]] == ["invalid"] * 2 + ["valid", "synced", "stopped"]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda text: text.removesuffix("\n").encode(), id="no last newline"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text.encode(), id="a byte order mark"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="CRLF"),
    ],
)
def test_a_plan_as_editors_elsewhere_write_it_is_pushed(
    place: Place, write: Callable[[str], bytes]
) -> None:
    after, before = pushed_states(place, TOWN, worded(1), PLAN)
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        place.write(write(worded(1)))
        watcher.wait_for_push()
        assert place.file.read_bytes() == write(worded(1))
        watcher.stop()
    spy.assert_saw(before, after)
