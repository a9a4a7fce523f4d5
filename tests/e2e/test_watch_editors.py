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
from tests.support.editors import FAMILIES, REPLAYS, os_replace, vscode
from tests.support.effort import EFFORT
from tests.support.watching import Spy, Watcher, pushed_states, state_of

TOWN = "here-main"
LONG, PAUSE = 8.0, 1.0
SAVES = {"dev": 60, "ci": 60, "nightly": 1000}[EFFORT]
# No editor finds them anywhere else in the plan, whatever it makes of upper case.
WORDS = ("Design", "Sketch", "Draw")

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


@pytest.mark.parametrize("family", list(FAMILIES))
def test_each_save_of_an_editor_is_one_push_of_what_was_saved(place: Place, family: str) -> None:
    texts = {word: PLAN.replace(WORDS[0], word) for word in reversed(WORDS)}
    states = dict(zip(texts, pushed_states(place, TOWN, *texts.values()), strict=True))
    pairs = [*pairwise(WORDS), (WORDS[-1], WORDS[0])]
    editors = FAMILIES[family]
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        for editor in editors:
            with editor(place.file) as replace:
                for old, new in pairs:
                    replace(old, new)
                    push = watcher.wait_for_push()
                    assert [change["new"] for change in push["report"]["to_store"]] == [f"{new} it"]
                    spy.look()
        news = watcher.stop()
    syncs = len(pairs) * len(editors) + 1
    assert [one["event"] for one in news] == ["started", *["synced"] * syncs, "stopped"]
    spy.assert_saw(states[WORDS[0]], *[states[new] for _, new in pairs] * len(editors))


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
    with Watcher(place, TT_WATCH_DEBOUNCE="1.8") as watcher:
        watcher.calm()
        deadline, numbers = time.monotonic() + LONG, count(1)
        while not watcher.pushes:
            assert time.monotonic() < deadline
            os_replace(place.file, worded(next(numbers)))
            time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("told", [True, False], ids=["told of", "not told of yet"])
def test_a_save_just_before_the_end_is_synced(
    place: Place, number: signal.Signals, told: bool
) -> None:
    wanted, _ = pushed_states(place, TOWN, worded(1), PLAN)
    with Watcher(place, TT_WATCH_DEBOUNCE="2") as watcher:
        watcher.calm()
        if not told:
            watcher.send(signal.SIGSTOP)
        vscode(place.file, worded(1))
        watcher.send(number)
        watcher.send(signal.SIGCONT)
        watcher.await_end()
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


def longer(number: int) -> str:
    """Return the plan with another word in it, and that many more tasks at its end."""
    more = "\n[[tasks]]\nid = 'ship{0}'\ndescription = 'Ship it'\ndepends_on = ['build']\n"
    return worded(number) + "".join(more.format(one) for one in range(number))


CUTS: tuple[Callable[[str], int], ...] = (
    lambda text: 0,
    lambda text: text.index('\n[[tasks]]\nid = "build"'),
    lambda text: text.index("priority"),
    lambda text: text.index("ild it"),
    lambda text: text.rindex("\n[[tasks]]"),
    lambda text: text.rindex("depends_on"),
)


@pytest.mark.parametrize("anew", [False, True], ids=["in place", "a new file"])
def test_a_writer_that_takes_its_time_is_waited_for(place: Place, anew: bool) -> None:
    plans = [longer(number) for number in range(1, len(CUTS) + 1)]
    before, *states = reversed(pushed_states(place, TOWN, *reversed(plans), PLAN))
    with Watcher(place) as watcher, Spy(place.server, TOWN) as spy:
        for cut, text in zip(CUTS, plans, strict=True):
            if anew:
                place.file.unlink()
            with place.file.open("w", buffering=1) as file:
                file.write(text[: cut(text)])
                file.flush()
                time.sleep(PAUSE)
                file.write(text[cut(text) :])
            watcher.wait_for_push()
            spy.look()
        news = watcher.stop()
    assert {one["event"] for one in news} == {"started", "synced", "stopped"}
    spy.assert_saw(before, *states)


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
