"""Our lines in a hook: where they go, and that they come out again to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.adapters.hookfiles import script
from tt.core.shim import (
    EVENTS,
    INSIDE,
    HookFile,
    Way,
    beside,
    filled,
    first_of,
    has_block,
    inserted,
    is_damaged,
    is_empty,
    leads,
    program_of,
    same_version,
    stripped,
    way,
)

OURS = script("pre-commit")
SHELLS = [
    "#!/bin/sh\n",
    "#! /bin/sh -e\n",
    "#!/bin/bash\n",
    "#!/usr/bin/env bash\n",
    "#!/usr/bin/env -S bash -eu\n",
    "#!/usr/bin/dash\n",
    "#!/bin/zsh -f\n",
    "#!/usr/bin/ksh\n",
    "#!/bin/sh",
    "",
]
OTHERS = [
    "#!/usr/bin/env python3\nprint(1)\n",
    "#!/usr/bin/env node\n",
    "#!/usr/bin/fish\n",
    "#!/bin/tcsh\n",
    "#!/usr/bin/env ruby\n",
    "#!/bin/sh\r\necho a\r\n",
    "\ufeff#!/bin/sh\n",
    "#!/bin/sh\n'''exec' /usr/bin/python3 \"$0\" \"$@\"\n' '''\nprint(1)\n",
    '#!/bin/sh\ntail -n +4 "$0" | tar x\n',
    "\x7fELF\0\0",
]


def test_the_scripts_are_the_same_but_for_the_event() -> None:
    for event in EVENTS:
        expected = OURS.replace(b"tt_event=pre-commit", b"tt_event=" + event.encode())
        assert script(event) == expected


@pytest.mark.parametrize("head", SHELLS)
def test_a_shell_script_gets_our_lines_below_its_first_line(head: str) -> None:
    data = head.encode() + (b"echo a\n" if head.endswith("\n") or not head else b"")
    assert way(HookFile(data, runs=True)) is Way.INSIDE
    changed = inserted(data, filled(OURS, b"/bin/tt", INSIDE))
    assert changed.startswith(head.encode())
    assert leads(changed)
    assert stripped(changed) == data


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_plain_shell_script_is_put_beside(text: str) -> None:
    assert way(HookFile(text.encode(), runs=True)) is Way.BESIDE


def test_what_git_does_not_run_and_what_is_a_symlink_are_put_beside() -> None:
    assert way(HookFile(b"#!/bin/sh\n", runs=False)) is Way.BESIDE
    assert way(HookFile(b"#!/bin/sh\n", runs=True, link="../x")) is Way.BESIDE
    assert way(None) is Way.NEW


@pytest.mark.parametrize(
    ("data", "link", "name"),
    [
        (b"#!/usr/bin/env python3\nimport os\n", None, "pre-commit.before-tt"),
        (b"#!/usr/bin/env python3\nPath(__file__).parent\n", None, "pre-commit.before-tt"),
        (b"#!/usr/bin/env ruby\nFile.basename($0)\n", None, "before-tt/pre-commit"),
        (b"\x7fELF\0", None, "before-tt/pre-commit"),
        (b"#!/bin/sh\n", "../x", "before-tt/pre-commit"),
    ],
)
def test_a_hook_that_may_look_at_its_name_keeps_it(
    data: bytes, link: str | None, name: str
) -> None:
    assert beside("pre-commit", HookFile(data, runs=True, link=link)) == name


@given(st.binary().filter(lambda data: b"tt hooks" not in data))
def test_whatever_is_inserted_into_comes_out_to_the_byte(data: bytes) -> None:
    changed = inserted(data, filled(OURS, b"/bin/tt", INSIDE))
    assert has_block(changed)
    assert not is_damaged(changed)
    assert stripped(changed) == data
    assert inserted(stripped(changed), filled(OURS, b"/bin/tt", INSIDE)) == changed


@given(st.binary(min_size=1).filter(lambda text: b"\n" not in text and b"\0" not in text))
def test_what_is_filled_in_is_found_again(text: bytes) -> None:
    done = filled(OURS, text, text)
    if text != INSIDE:
        assert (program_of(done), first_of(done)) == (text, text)
    assert same_version(done, OURS)
    assert first_of(filled(OURS, text, INSIDE)) == INSIDE
    assert filled(done, b"", b"") == OURS


def test_another_version_is_told_from_this_one() -> None:
    assert not same_version(OURS.replace(b"tt_status=0", b"tt_status=1"), OURS)


def test_a_script_of_ours_is_empty_without_our_lines() -> None:
    assert is_empty(stripped(OURS))
    assert not is_empty(stripped(OURS + b"echo more\n"))


def test_a_part_of_our_lines_is_damage() -> None:
    assert is_damaged(b"\n".join(OURS.split(b"\n")[:9]))
    assert is_damaged(OURS + b"# <<< tt hooks <<<\n")


def test_lines_before_ours_are_noticed() -> None:
    assert not leads(OURS.replace(b"#!/bin/sh\n", b"#!/bin/sh\nexit 0\n"))
