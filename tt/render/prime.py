"""The page that tells an AI agent how to work with a plan."""

from __future__ import annotations

from tt.core.answers import Briefing
from tt.render.text import count, safe
from tt.render.tree import progress_text, status_counts

_FEW = 10


def prime_lines(briefing: Briefing) -> list[str]:
    """Return the page, in Markdown."""
    return [*_now(briefing), "", *_PAGE.format(file=safe(briefing.file)).splitlines()]


def _now(briefing: Briefing) -> list[str]:
    file = safe(briefing.file)
    lines = [f"# The plan in {file}", ""]
    if not briefing.exists:
        return [*lines, f"There is no {file} yet: `tt plan --init` begins one."]
    states = status_counts(briefing.by_status)
    lines.append(f"Now: {count(briefing.total, 'task')}{': ' if states else ''}{states}.")
    if briefing.agents:
        lines.append(f"Agents named: {', '.join(safe(name) for name in briefing.agents[:_FEW])}.")
    shown = list(briefing.groups.items())[:_FEW]
    lines += [f"- {safe(name)}: {progress_text(progress)}" for name, progress in shown]
    return lines


_PAGE = """\
`{file}`, tracked by Git, says what is to be done. Redis says who is doing it and how far it is.
`tt` keeps the two in step; both may be changed at any time, nothing is lost.

## The file

    [[tasks]]
    id = "login"                  # unique; letters, digits and . _ - /
    description = "Build the login page"
    agent = "developer"           # who does it
    status = "pending"            # pending, assigned, running, completed, failed, cancelled
    parent = "profile-epic"       # the group it belongs to, or the stage before it
    tags = ["backend"]
    depends_on = ["design"]       # what must be completed first

Only `description` is required. A task without an `id` is given one by the next `tt sync`.

## Commands

    tt plan                       the plan as a tree; filters: tt plan status:pending tag:backend
    tt plan --json                the same for programs
    tt check                      what is wrong in the file, with line and column; no Redis needed
    tt sync                       push the file's edits to Redis
    tt sync merge                 both ways: also bring what agents did into the file
    tt sync --dry-run             what would change
    tt status                     states, progress, and what differs between file and Redis
    tt conflicts                  what both sides changed differently
    tt resolve ID --file          … end it in favour of the file; --store for Redis
    tt reopen ID                  make a finished task pending again
    tt sync log, tt undo          what syncs changed; take the last one back

Every command that reports takes `--json` and then answers `{{"schema_version": 1, "data": …}}`.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 conflicts remain, 4 Redis unreachable or refusing,
5 the plan is invalid.

## Do

- Run `tt sync merge` before you read states from the file, and after you have edited it.
- Run `tt check` after editing; correct what it says.
- Finish a task by setting its `status` to `completed` (or `failed`) when it is, and only then.
- Add new tasks at the end of the file or beside their relatives, one block each.

## Do not

- Change an `id`: it is the task's identity. Do not number tasks one higher than the last.
- Delete tasks that are not yours; `cancelled` says that something will not be done.
- Write to `tt:*` keys in Redis by hand, or flush it.
- Decide a conflict that you do not understand: show `tt conflicts` to a person."""
