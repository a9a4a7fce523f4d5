"""What a conductor says, in lines and in JSON."""

from __future__ import annotations

import json

import pytest

from tt.core.conducted import Event, Told
from tt.core.standstill import Block, Verdict, Wait
from tt.render.conductlines import next_step, reason, told_json, told_lines, verdict_lines
from tt.render.text import Look

PLAIN = Look()


@pytest.mark.parametrize("event", list(Event))
def test_whatever_happens_is_one_line_without_anything_that_drives_a_terminal(
    event: Event,
) -> None:
    told = Told(event, "a\x1b[2J", "dev\x07", "it\nis \x1b]0;x", "do\nthis", 1, 2)
    lines = told_lines(told, PLAIN)
    assert lines[1:] == ["    do", "    this"]
    assert lines[0]
    assert all(line.isprintable() for line in lines)
    data = json.loads(told_json(told, "now"))["data"]
    assert (data["event"], data["task"], data["hint"]) == (str(event), "a\x1b[2J", "do\nthis")


def test_what_is_said_at_length_is_cut_to_the_terminal() -> None:
    told = Told(Event.COMPLETED, "a", "dev", "x" * 500)
    assert len(told_lines(told, Look(width=60), 10)[0]) == 50
    assert len(told_lines(told, PLAIN)[0]) < 300


def test_a_long_id_leaves_room_for_what_became_of_the_task() -> None:
    told = Told(Event.RUNNING, "x" * 80, "dev")
    assert told_lines(told, Look(width=70), 10)[0].endswith("… is under way: dev")
    assert "x" * 80 in told_lines(told, PLAIN)[0]


def test_of_several_lines_the_first_and_the_last_one_are_told() -> None:
    told = Told(Event.FAILED, "a", "dev", "ended with exit code 3\nmuch\noh no\n")
    assert told_lines(told, PLAIN) == ["✗ a failed by dev: ended with exit code 3 … oh no"]


@pytest.mark.parametrize("block", list(Block))
def test_each_reason_has_words_and_nothing_in_them_drives_a_terminal(block: Block) -> None:
    wait = Wait("a\x1b", block, ("b\x1b", "c"), ("d\x1b",), "dev\x1b", "why\x1b")
    assert reason(wait).startswith("a\ufffd ")
    assert reason(wait).isprintable()


def test_an_end_names_what_is_at_the_root_and_how_much_waits_for_it() -> None:
    waits = (
        Wait("a", Block.FAILED, why="boom"),
        Wait("b", Block.WAITS, ("a",), ("a",)),
        Wait("c", Block.WAITS, ("b", "gone"), ("a", "gone")),
        Wait("d", Block.CIRCLE, ("e",)),
        Wait("e", Block.CIRCLE, ("d",)),
    )
    assert verdict_lines(Verdict(6, 1, 0, waits), PLAIN) == [
        "✗ Nothing can move: 1 of 6 tasks completed.",
        "    a failed: boom; 2 tasks wait for it",
        "        `tt reopen a` lets it be tried again.",
        "    d waits for itself, by e",
        "    e waits for itself, by d",
        "    gone: 1 task waits for it, and it will not be done",
        "        Add it to the plan, or correct what names it; then `tt sync push`.",
    ]


def test_a_long_list_of_what_is_in_the_way_is_cut_unless_all_is_asked_for() -> None:
    waits = tuple(Wait(f"t{number}", Block.UNNAMED) for number in range(50))
    verdict = Verdict(50, 0, 0, waits)
    assert len(verdict_lines(verdict, PLAIN)) == 22
    assert len(verdict_lines(verdict, Look(all=True))) == 101


def test_an_end_at_which_all_is_done_counts_what_was_cancelled() -> None:
    assert verdict_lines(Verdict(3, 2, 1), PLAIN) == [
        "✓ All is done: 2 tasks completed, 1 cancelled."
    ]


def test_a_command_that_will_be_pasted_has_names_as_words() -> None:
    wait = Wait("a", Block.NOBODY, agent="x; rm -rf ~")
    assert next_step(wait) == "`tt spawn 'x; rm -rf ~' --cli …` starts one."


def test_a_reason_that_is_a_sentence_goes_on_without_its_full_stop() -> None:
    why = "The CLI `x` runs `y`, which is not there."
    failed, waits = (
        Wait("a", Block.NOBODY, agent="dev", why=why),
        Wait("b", Block.WAITS, ("a",), ("a",)),
    )
    (line, *_) = verdict_lines(Verdict(2, 0, 0, (failed, waits)), PLAIN)[1:]
    assert line.endswith(
        "who is not there: The CLI `x` runs `y`, which is not there; 1 task waits for it"
    )
