"""What a team does: each move takes the team and one worktree, and is drawn by its weight."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from tests.support.turmoil import BRANCHES, PLAN_FILE, Team

Move: TypeAlias = Callable[[Team, Path], None]


def add_key(team: Team, top: Path) -> None:
    """Give some task a key that nobody else writes: it has to be there in the end."""
    task, number = team.chance.choice(team.ids(top)), team.number()
    line = f'id = "{task}"\n'
    team.change(top, lambda text: text.replace(line, f"{line}k{number} = {number}\n"), f"k{number}")


def say_otherwise(team: Team, top: Path) -> None:
    """Change a field that others change too: conflicts come of it."""
    task, number = team.chance.choice(team.ids(top)), team.number()
    pattern = re.compile(rf'(id = "{task}"\n(?:k\d+ = \d+\n)*description = )"[^"]*"')
    team.change(top, lambda text: pattern.sub(rf'\1"Said {number}"', text), f"{task} {number}")


def add_task(team: Team, top: Path) -> None:
    """Add a task at the end, where others add theirs."""
    number = team.number()
    block = f'\n[[tasks]]\nid = "n{number}"\nk{number} = {number}\ndescription = "New"\n'
    team.change(top, lambda text: text.rstrip("\n") + "\n" + block, f"k{number} in a new task")


def say_in_redis(team: Team, top: Path) -> None:
    """Change a plan field in Redis, as another tool does."""
    from tests.support.commands import tasks_of, write_hash

    found = {} if team.down else tasks_of(team.server, team.town(top))
    if found:
        task = team.chance.choice(sorted(found))
        text = f"Redis said {team.number()}"
        team.note(f"HSET {team.town(top)} {task} description {text}")
        key = f"tt:{team.town(top)}:task:{found[task]['id']}"
        write_hash(team.server, key, description=text)


def other_file(team: Team, top: Path) -> None:
    """Write a file that nobody else writes."""
    number = team.number()
    (top / f"notes-{number}.txt").write_text(f"{number}\n")


def commit_all(team: Team, top: Path) -> None:
    """Commit everything that is tracked."""
    team.git(top, "commit", "-q", "-a", "-m", f"All {team.number()}")


def commit_staged(team: Team, top: Path) -> None:
    """Stage another file, and the plan or not; commit."""
    other_file(team, top)
    team.git(top, "add", "--", ".", *team.chance.choice([(), (f":!{PLAN_FILE}",)]))
    team.git(top, "commit", "-q", "-m", f"Staged {team.number()}")


def commit_path(team: Team, top: Path) -> None:
    """Commit one file, the plan or another, whatever is staged."""
    other_file(team, top)
    team.git(top, "add", "--", ".", f":!{PLAN_FILE}")
    path = team.chance.choice([PLAN_FILE, ":(glob)notes-*"])
    team.git(top, "commit", "-q", "-m", f"Path {team.number()}", "--", path)


def commit_unverified(team: Team, top: Path) -> None:
    """Commit without pre-commit."""
    team.git(top, "commit", "-q", "-a", "--no-verify", "-m", f"Unverified {team.number()}")


def amend(team: Team, top: Path) -> None:
    """Make the last commit again, if nobody else has it."""
    if not team.is_pushed(top):
        team.git(top, "commit", "-q", "-a", "--amend", "--no-edit")


def pull_merge(team: Team, top: Path) -> None:
    """Pull and merge."""
    team.git(top, "pull", "-q", "--no-rebase", "--no-edit", "origin", team.branch(top))


def pull_rebase(team: Team, top: Path) -> None:
    """Pull and rebase, where no merge is lost by it, with what was decided and amended in it."""
    branch = team.branch(top)
    merges = team.ask(top, "rev-list", "--merges", f"origin/{branch}..HEAD")
    team.git(top, "pull", "-q", "--no-rebase" if merges else "--rebase", "origin", branch)


def push(team: Team, top: Path) -> None:
    """Push, which is refused where others were faster."""
    team.git(top, "push", "-q", "origin", "HEAD")


def switch(team: Team, top: Path) -> None:
    """Go to another branch, where Git lets us."""
    team.git(top, "switch", "-q", team.chance.choice(BRANCHES))


def merge(team: Team, top: Path) -> None:
    """Merge what another branch has at the origin."""
    team.git(top, "fetch", "-q", "origin")
    other = team.chance.choice(BRANCHES)
    team.git(top, "merge", "-q", "--no-edit", f"origin/{other}")


def cherry_pick(team: Team, top: Path) -> None:
    """Pick a commit of another branch."""
    team.git(top, "fetch", "-q", "origin")
    other = team.chance.choice(BRANCHES)
    listed = team.ask(top, "rev-list", "--no-merges", "-n", "5", f"HEAD..origin/{other}")
    if listed:
        team.git(top, "cherry-pick", team.chance.choice(listed.split()))


def stash(team: Team, top: Path) -> None:
    """Put everything away."""
    team.git(top, "stash", "-q")


def pop(team: Team, top: Path) -> None:
    """Get back what was put away last, here or in a worktree beside."""
    team.git(top, "stash", "pop", "-q")


def reset(team: Team, top: Path) -> None:
    """Throw away edits, and the last commit if nobody else has it."""
    last = [] if team.is_pushed(top) else ["HEAD~1"]
    team.git(top, "reset", "-q", "--hard", *team.chance.choice([[], last]))


def restore(team: Team, top: Path) -> None:
    """Throw away what is not staged of the plan."""
    team.git(top, "restore", PLAN_FILE)


def sync(team: Team, top: Path) -> None:
    """Sync by hand."""
    team.tt(top, "sync", team.chance.choice(["merge", "push", "pull"]))


def decide(team: Team, top: Path) -> None:
    """Decide what file and Redis disagree on."""
    if not team.down:
        team.decide(top, team.chance.choice(["--file", "--store"]))


EDITS: Final = (add_key, add_task)
TAKING: Final = (reset, restore)
"""Moves by which a user throws edits away."""
PUTTING_AWAY: Final = (stash, pop, switch, merge, pull_merge, pull_rebase, cherry_pick)
"""Moves in which Git takes edits out of the worktree that are not committed."""

WEIGHTS: Final[dict[Move, int]] = {
    add_key: 12, say_otherwise: 4, add_task: 3, say_in_redis: 2,
    commit_all: 10, commit_staged: 6, commit_path: 5, commit_unverified: 3, amend: 3,
    pull_merge: 6, pull_rebase: 6, push: 9, switch: 4, merge: 4, cherry_pick: 3,
    stash: 2, pop: 4, reset: 1, restore: 1, sync: 2, decide: 2,
}  # fmt: skip
