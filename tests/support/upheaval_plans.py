"""What a town in upheaval works on: its plan, its settings, and the programs of its agents."""

from __future__ import annotations

import random
from typing import Final

TOWN: Final = "{storm}-main"
LEASE: Final = 1.0
ROLES: Final = ("builder", "tester")
LONG: Final = 60
"""Seconds for which a task that is `[[long]]` is worked on, unless the story is over before."""

PROGRAM: Final = """\
#!/bin/sh
TT='{tt}'
prompt=$(cat)
note() {{ echo "$(date +%s.%N) $*" >>{notes}; }}
note begin "${{TT_TASK:--}}" "$TT_CLAIM"
printf '%s' "$prompt" | grep -o 'MAIL-[0-9]*' | while read -r mail; do note mail "$mail" -; done
[ -n "$TT_TASK" ] || exit 0
case "$prompt" in
*'[[wild]]'*) setsid sh -c '(setsid sleep 900) & sleep 900' </dev/null >/dev/null 2>&1 & ;;
esac
case "$prompt" in
*'[[slow]]'*) sleep 1.7 ;;
*'[[long]]'*)
    tenths=0
    while [ ! -e {over} ] && [ $tenths -lt {long}0 ]; do sleep 0.1; tenths=$((tenths + 1)); done ;;
*) sleep 0.{tenths} ;;
esac
case "$prompt" in
*'[[flaky]]'*)
    if ! grep -q " fail $TT_TASK " {notes}; then
        note fail "$TT_TASK" "$TT_CLAIM"
        exit 1
    fi ;;
esac
note end "$TT_TASK" "$TT_CLAIM"
{report}
"""
"""Notes when it begins, what it was told, and when it ends, with its claim."""

SETTINGS: Final = f"""\
name = "{TOWN}"

[redis]
timeout = 1.0

[conductor]
lease = {LEASE}

[agents]
grace = 0.5

[agent_clis.exits]
command = "./exits.sh"

[agent_clis.says]
command = "./says.sh"
report = "self"
"""


def random_plan(chance: random.Random, count: int) -> str:
    """Make a plan in which tasks wait for stages, dependencies and groups, and some fail once.

    The first one is slow, the second one is not over before the story is.
    """
    parts = [
        '[[tasks]]\nid = "group"\ndescription = "All of it"\ntags = ["epic"]\nstatus = "pending"\n'
    ]
    marks = ["", " [[slow]]", " [[flaky]]", " [[wild]]", " [[long]] [[wild]]"]
    for number in range(count):
        mark = {0: marks[1], 1: marks[4]}.get(number) or chance.choices(marks, [4, 3, 2, 2, 0.3])[0]
        lines = [f'id = "t{number}"', f'description = "Task {number}{mark}"', 'status = "pending"']
        lines += [f'agent = "{chance.choice(ROLES) if number > 1 else ROLES[number]}"']
        lines += ["retries = 1"]
        if number > 1 and chance.random() < 0.3:
            lines += [f'parent = "t{_before(chance, number)}"']
        elif number == 0 or chance.random() < 0.4:
            lines += ['parent = "group"']
        if number > 1 and chance.random() < 0.5:
            most = chance.choice([1, 1, 2])
            before = sorted({f"t{_before(chance, number)}" for _ in range(most)})
            lines += [f"depends_on = {before}"]
        parts.append("[[tasks]]\n" + "\n".join(lines) + "\n")
    return "\n".join(parts).replace("'", '"')


def _before(chance: random.Random, number: int) -> int:
    """Choose a task before this one; seldom the long one, for which little else should wait."""
    found = chance.randrange(number)
    return found if found != 1 or chance.random() < 0.2 else 0


def another_task(chance: random.Random, name: str, after: list[str]) -> str:
    """Write a task that comes to the plan later, and waits for one of `after` now and then."""
    lines = ["", "[[tasks]]", f'id = "{name}"', f'description = "Afterthought {name}"']
    lines += ['status = "pending"', f'agent = "{chance.choice(ROLES)}"', "retries = 1"]
    if after and chance.random() < 0.5:
        lines += [f'depends_on = ["{chance.choice(after)}"]']
    return "\n".join(lines) + "\n"
