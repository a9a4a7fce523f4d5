"""What a team does: each move takes the team and one worktree, and is drawn by its weight."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from tests.support.turmoil import BRANCHES, PLAN_FILE, Team

Move: TypeAlias = Callable[[Team, Path], None]
REOPENED: Final = "t7"
"""The one task that users reopen: it may be pending again. All others never are."""


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


def drop_task(team: Team, top: Path) -> None:
    """Delete a task that somebody added: whoever edits it meanwhile is in conflict with that."""
    added = [one for one in team.ids(top) if one.startswith("n")]
    if added:
        task = team.chance.choice(added)
        block = re.compile(rf'\n*\[\[tasks\]\]\nid = "{task}"\n[^\[]*')
        team.change(top, lambda text: block.sub("\n", text), f"without {task}")


def finish(team: Team, top: Path) -> None:
    """Write into the file that a task is completed."""
    task = team.chance.choice(team.ids(top))
    pattern = re.compile(rf'(id = "{task}"\n[^\[]*status = )"(?:pending|running)"')
    team.change(top, lambda text: pattern.sub(r'\1"completed"', text), f"{task} is completed")


def reopen(team: Team, top: Path) -> None:
    """Write into the file that the one task is to be done again, and commit that."""
    pattern = re.compile(rf'(id = "{REOPENED}"\n[^\[]*status = )"(?:completed|failed)"')
    team.change(top, lambda text: pattern.sub(r'\1"pending"', text), f"{REOPENED} is pending")
    commit_all(team, top)


def stage(team: Team, top: Path) -> None:
    """Stage the plan as it is now, for some later commit."""
    team.git(top, "add", PLAN_FILE)


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
    """Stage everything, and commit that."""
    other_file(team, top)
    team.git(top, "add", "--", ".")
    team.git(top, "commit", "-q", "-m", f"Staged {team.number()}")


def commit_others(team: Team, top: Path) -> None:
    """Stage everything but the plan, and commit; of the plan that takes what is staged already."""
    other_file(team, top)
    team.git(top, "add", "--", ".", f":!{PLAN_FILE}")
    team.git(top, "commit", "-q", "-m", f"Others {team.number()}")


def commit_plan_path(team: Team, top: Path) -> None:
    """Commit the plan by its path, whatever is staged."""
    team.git(top, "commit", "-q", "-m", f"Plan {team.number()}", "--", PLAN_FILE)


def commit_other_path(team: Team, top: Path) -> None:
    """Commit another file by its path, whatever is staged."""
    other_file(team, top)
    team.git(top, "add", "--", ".", f":!{PLAN_FILE}")
    team.git(top, "commit", "-q", "-m", f"Path {team.number()}", "--", ":(glob)notes-*")


def commit_pulled(team: Team, top: Path) -> None:
    """Commit what Redis has, and leave the index and its user's edits out of it."""
    team.tt(top, "commit")


def commit_unverified(team: Team, top: Path) -> None:
    """Commit without pre-commit."""
    team.git(top, "commit", "-q", "-a", "--no-verify", "-m", f"Unverified {team.number()}")


def commit_nothing(team: Team, top: Path) -> None:
    """Begin a commit and give it no message: what was pulled for it stays, in no commit."""
    team.git(top, "commit", "-q", "-a")


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


def pull_autostash(team: Team, top: Path) -> None:
    """Pull and rebase with edits in the worktree, which Git puts away for the time of it."""
    branch = team.branch(top)
    if not team.ask(top, "rev-list", "--merges", f"origin/{branch}..HEAD"):
        team.git(top, "pull", "-q", "--rebase", "--autostash", "origin", branch)


def push(team: Team, top: Path) -> None:
    """Push, which is refused where others were faster."""
    team.git(top, "push", "-q", "origin", "HEAD")


def switch(team: Team, top: Path) -> None:
    """Go to another branch, where Git lets us."""
    team.git(top, "switch", "-q", team.chance.choice(BRANCHES))


def wander(team: Team, top: Path) -> None:
    """Leave the branch for its commit, and come back."""
    branch = team.branch(top)
    team.git(top, "switch", "-q", "--detach")
    team.git(top, "switch", "-q", branch)


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
    back = [] if team.is_pushed(top) else ["HEAD~1"]
    team.git(top, "reset", "-q", "--hard", *back)


def regret(team: Team, top: Path) -> None:
    """Commit what agents did, and throw that very commit away."""
    if team.git(top, "commit", "-q", "-a", "-m", f"Regret {team.number()}").code == 0:
        team.git(top, "reset", "-q", "--hard", "HEAD~1")


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


TAKING: Final = (reset, regret, restore)
"""Moves by which a user throws edits away."""
PUTTING_AWAY: Final = (
    stash, pop, switch, merge, pull_merge, pull_rebase, pull_autostash, cherry_pick,
)  # fmt: skip
"""Moves in which Git takes edits out of the worktree that are not committed."""

WEIGHTS: Final[dict[Move, int]] = {
    add_key: 12, say_otherwise: 4, add_task: 3, drop_task: 1, finish: 2, reopen: 1,
    say_in_redis: 2, stage: 4,
    commit_all: 9, commit_staged: 3, commit_others: 6, commit_plan_path: 3, commit_other_path: 3,
    commit_unverified: 3, commit_nothing: 4, commit_pulled: 3, amend: 3,
    pull_merge: 6, pull_rebase: 5, pull_autostash: 3, push: 9, switch: 4, wander: 1,
    merge: 4, cherry_pick: 3,
    stash: 2, pop: 4, reset: 2, regret: 5, restore: 2, sync: 2, decide: 2,
}  # fmt: skip
