"""A team at work: three clones and two linked worktrees of one plan, one origin, one Redis.

Every move is drawn from one seeded source, so that the same seed plays the same story. What was
done is kept as a script to be read after a failure.
"""

from __future__ import annotations

import json
import random
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.commands import Ended, run_inside, tasks_of, write_hash
from tests.support.hooked import Shell
from tests.support.redis_server import RedisServer
from tt.core.model import FINISHED

BRANCHES: Final = ("main", "alpha", "beta")
PLAN_FILE: Final = "tasks.toml"
PLAN: Final = '[meta]\ndescription = "Turmoil"\n' + "".join(
    f'\n[[tasks]]\nid = "t{number}"\ndescription = "Task {number}"\nstatus = "pending"\n'
    for number in range(8)
)
_TASK: Final = re.compile(r'^\[\[tasks\]\]\nid = "([^"]+)"\n', re.MULTILINE)
_MESSY: Final = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "rebase-merge")


@dataclass
class Team:
    """Where everything happens. `room` holds the repositories, `script` what was done.

    `decided` are the fields, and the tasks, that a user decided on in a conflict.
    """

    room: Path
    shell: Shell
    chance: random.Random
    script: list[str] = field(default_factory=list)
    decided: set[str] = field(default_factory=set)
    down: bool = False
    numbers: int = 0
    git_dirs: dict[Path, Path] = field(default_factory=dict)

    @property
    def server(self) -> RedisServer:
        """The Redis of all."""
        return self.shell.server

    @property
    def worktrees(self) -> list[Path]:
        """All five."""
        return [*self.clones, self.room / "w1", self.room / "w2"]

    @property
    def clones(self) -> list[Path]:
        """The three clones; the linked worktrees belong to the first."""
        return [self.room / name / "here" for name in ("c1", "c2", "c3")]

    def stashes(self, top: Path) -> Path:
        """Return the clone that a worktree belongs to: what one puts away, another can get back."""
        return top if top in self.clones else self.clones[0]

    def begin(self) -> None:
        """Make the origin, the clones and the worktrees, hooked up and in step."""
        first, *others = self.clones
        self.shell.init(first)
        (first / PLAN_FILE).write_text(PLAN)
        (first / "tinytown.toml").write_text('[sync]\nrepo = "a-team"\n')
        self.shell.install_hooks(first)
        self.shell.quiet(first, "add", "--all")
        self.shell.quiet(first, "commit", "-q", "-m", "Start")
        for branch in BRANCHES[1:]:
            self.shell.quiet(first, "branch", branch)
        self.shell.quiet(self.room, "clone", "-q", "--bare", "--template=", "c1/here", "origin.git")
        self.shell.quiet(first, "remote", "add", "origin", str(self.room / "origin.git"))
        self.shell.quiet(first, "fetch", "-q")
        for clone in others:
            clone.parent.mkdir()
            origin = str(self.room / "origin.git")
            self.shell.quiet(self.room, "clone", "-q", "--template=", origin, str(clone))
            self.shell.install_hooks(clone)
        for name, branch in (("w1", "alpha"), ("w2", "beta")):
            self.shell.quiet(first, "worktree", "add", "-q", str(self.room / name), branch)
        for top in self.worktrees:
            self.tt(top, "sync", "merge")

    def git(self, top: Path, *words: str, **env: str) -> Ended:
        """Run a Git command as its user does, hooks and all, to whatever end."""
        self.note(f"cd {self.short(top)} && git {shlex.join(words)}")
        env.setdefault("GIT_EDITOR", "true")
        ended = self.shell.git(top, *words, **self.address(), **env)
        assert "Traceback" not in ended.err, ended
        assert "bug in tt" not in ended.err, ended
        self.note_end(ended)
        return ended

    def note_end(self, ended: Ended) -> None:
        """Add to the script what came of a command."""
        said = [line for line in (ended.out + ended.err).splitlines() if line.strip()]
        if ended.code != 0 or said:
            self.note(f"    # [{ended.code}] {' / '.join(said)[:300]}")

    def ask(self, top: Path, *words: str) -> str:
        """Run a Git command that only reads."""
        return self.shell.git(top, *words, TT_HOOKS="0").out.strip()

    def tt(self, top: Path, *words: str) -> Ended:
        """Run `tt` there."""
        self.note(f"cd {self.short(top)} && tt {shlex.join(words)}")
        environment = {**self.shell.environment, **self.address()}
        ended = run_inside([*words], top, environment)
        self.note_end(ended)
        return ended

    def address(self) -> dict[str, str]:
        """Return the variable that leads to Redis, or astray while it is down."""
        return {"REDIS_URL": f"unix://{self.room}/nobody"} if self.down else {}

    def note(self, line: str) -> None:
        """Add a line to the script."""
        self.script.append(line)

    def short(self, top: Path) -> str:
        """Name a worktree for the script."""
        return top.relative_to(self.room).as_posix()

    def number(self) -> int:
        """Return a number that nothing else has."""
        self.numbers += 1
        return self.numbers

    def branch(self, top: Path) -> str:
        """Return the branch that a worktree is on."""
        return self.ask(top, "symbolic-ref", "--short", "HEAD")

    def town(self, top: Path) -> str:
        """Return the town of the branch that a worktree is on."""
        return f"here-{self.branch(top)}"

    def ids(self, top: Path) -> list[str]:
        """List the tasks of a worktree's file."""
        return _TASK.findall((top / PLAN_FILE).read_text())

    def is_pushed(self, top: Path) -> bool:
        """Say whether somebody else may have HEAD."""
        return bool(self.ask(top, "branch", "-r", "--contains", "HEAD"))

    def change(self, top: Path, change: Callable[[str], str], why: str) -> None:
        """Edit the plan as an editor does."""
        self.note(f"edit {self.short(top)}: {why}")
        path = top / PLAN_FILE
        path.write_text(change(path.read_text()))

    def agent_works(self) -> tuple[str, str, str] | None:
        """Let an agent take a step in some town; return town, task and state where it did."""
        if self.down:
            return None
        town = f"here-{self.chance.choice(BRANCHES)}"
        found = tasks_of(self.server, town)
        open_ones = [one for one in sorted(found) if found[one]["state"] not in FINISHED]
        if not open_ones:
            return None
        task = self.chance.choice(open_ones)
        going = found[task]["state"] == "running"
        ends = ["completed", "completed", "failed"]
        state = self.chance.choice(ends if going else ["running", *ends])
        self.note(f"HSET {town} {task} state {state}")
        key = f"tt:{town}:task:{found[task]['id']}"
        write_hash(self.server, key, state=state, result=f"work {self.number()}")
        return town, task, state

    def flush(self) -> None:
        """Lose everything in Redis."""
        self.note("FLUSHALL")
        with self.server.connect() as connection:
            connection.execute("FLUSHALL")

    def tidy(self, top: Path) -> None:
        """End what a Git command left unfinished: decide conflicts at random, and go on."""
        for _ in range(30):
            if not self._is_messy(top):
                return
            self._decide_markers(top)
            self.git(top, "add", PLAN_FILE)
            self._go_on(top)
        raise AssertionError(f"{top} stays in the middle of something")

    def _is_messy(self, top: Path) -> bool:
        git_dir = self._git_dir(top)
        return any((git_dir / name).exists() for name in _MESSY) or self._unmerged(top)

    def _git_dir(self, top: Path) -> Path:
        if top not in self.git_dirs:
            self.git_dirs[top] = Path(self.ask(top, "rev-parse", "--absolute-git-dir"))
        return self.git_dirs[top]

    def _decide_markers(self, top: Path) -> None:
        self.decide(top, self.chance.choice(["--ours", "--theirs"]))
        if "<<<<<<<" in (top / PLAN_FILE).read_text():
            raise AssertionError(f"{top / PLAN_FILE} has conflicts that cannot be decided")

    def decide(self, top: Path, side: str) -> None:
        """End all conflicts of a merge, or those between file and Redis, for one side."""
        found = self.conflicts(top)
        self.decided |= {one["field"] or one["id"] for one in found}
        for one in dict.fromkeys(one["id"] for one in found):
            self.tt(top, "resolve", one, side)

    def conflicts(self, top: Path) -> list[Mapping[str, str]]:
        """Return the conflicts of a merge, or those between file and Redis."""
        ended = self.tt(top, "conflicts", "--json")
        if ended.code not in (0, 3):
            return []
        found: list[Mapping[str, str]] = json.loads(ended.out)["data"]["conflicts"]
        return found

    def _go_on(self, top: Path) -> None:
        git_dir = self._git_dir(top)
        if (git_dir / "rebase-merge").exists():
            if self.git(top, "rebase", "--continue").code != 0 and not self._unmerged(top):
                self.git(top, "rebase", "--skip")
        elif (git_dir / "CHERRY_PICK_HEAD").exists():
            if self.git(top, "cherry-pick", "--continue").code != 0 and not self._unmerged(top):
                self.git(top, "cherry-pick", "--skip")
        elif (git_dir / "MERGE_HEAD").exists():
            self.git(top, "commit", "-q", "--no-edit")
        else:
            self.git(top, "stash", "drop", "-q")

    def _unmerged(self, top: Path) -> bool:
        return bool(self.ask(top, "ls-files", "--unmerged"))
