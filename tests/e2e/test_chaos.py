"""Random stories of a team: whatever Git commands they use, nothing is lost and all converge."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.matrix.world import in_base, in_redis
from tests.support.effort import EFFORT, SEED
from tests.support.hooked import Shell, install_program
from tests.support.moves import WEIGHTS
from tests.support.promises import Promises, finished_of, keys_of, plan_of
from tests.support.redis_server import RedisServer
from tests.support.turmoil import BRANCHES, PLAN_FILE, Team
from tt.core.model import FINISHED, Plan

STEPS = {"dev": 40, "ci": 50, "nightly": 400}[EFFORT]
SEEDS = {"dev": 1, "ci": 1, "nightly": 12}[EFFORT]
ROUNDS = 12


def play(team: Team, promises: Promises, steps: int) -> None:
    """Let the team work, and look after every move whether all promises were kept."""
    moves, weights = list(WEIGHTS), list(WEIGHTS.values())
    for _ in range(steps):
        turn = team.chance.random()
        if turn < 0.25:
            report(team, promises)
            continue
        if turn < 0.27:
            promises.redis_is_lost()
            team.flush()
            continue
        if turn < 0.30:
            team.down = not team.down
            team.note("# Redis is " + ("down" if team.down else "up"))
            continue
        top = team.chance.choice(team.worktrees)
        move = team.chance.choices(moves, weights)[0]
        before = promises.see(top)
        move(team, top)
        team.tidy(top)
        promises.check(move, top, before, promises.see(top))
        assert_tidy(team)


def report(team: Team, promises: Promises) -> None:
    """Let an agent work."""
    done = team.agent_works()
    if done is not None and done[2] in FINISHED:
        promises.agent_finished(done[0], done[1])


def assert_tidy(team: Team) -> None:
    """Check that no lock and no temporary file is left."""
    for top in team.worktrees:
        left = list(top.glob(".*.tmp"))
        assert not left, left
    for clone in team.clones:
        left = list((clone / ".git").rglob("*.lock"))
        assert not left, left


def settle_all(team: Team) -> None:
    """Bring everything together: stashes, edits, branches, Redis; and again until it is quiet."""
    team.down = False
    for top in team.worktrees:
        while team.ask(top, "stash", "list"):
            team.git(top, "commit", "-q", "-a", "-m", "Before the stash")
            team.git(top, "stash", "pop", "-q")
            team.tidy(top)
    free = next(top for top in team.clones[1:])
    if "main" not in {team.branch(top) for top in team.worktrees}:
        team.git(free, "commit", "-q", "-a", "-m", "Before going to main")
        team.git(free, "switch", "-q", "main")
    for _ in range(ROUNDS):
        before = heads(team)
        for top in team.worktrees:
            bring_together(team, top)
        if heads(team) == before and len(plans(team)) == 1:
            return
    raise AssertionError(f"no peace after {ROUNDS} rounds: {heads(team)}")


def bring_together(team: Team, top: Path) -> None:
    """Sync, commit, merge all branches, and push, in one worktree."""
    team.decide(top, "--file")
    team.tt(top, "sync", "merge")
    team.git(top, "commit", "-q", "-a", "-m", "Settle")
    team.git(top, "fetch", "-q", "origin")
    local = [one for one in BRANCHES if team.ask(top, "rev-parse", "-q", "--verify", one)]
    for branch in (team.branch(top), *(f"origin/{one}" for one in BRANCHES), *local):
        team.git(top, "merge", "-q", "--no-edit", branch)
        team.tidy(top)
    # Branches that nobody is on go along.
    team.git(top, "push", "-q", "origin", *(f"HEAD:{branch}" for branch in BRANCHES))


def heads(team: Team) -> list[str]:
    """Return the trees of all HEADs."""
    return [team.ask(top, "rev-parse", "HEAD^{tree}") for top in team.worktrees]


def plans(team: Team) -> set[str]:
    """Return what all files, bases and towns say; one text where all say the same."""
    said = set()
    for top in team.worktrees:
        said.add(repr(sorted_plan(plan_of((top / PLAN_FILE).read_bytes()))))
        said.add(repr(sorted_plan(in_redis(team.server, team.town(top)) or Plan())))
        said.add(repr(sorted_plan(in_base(top, team.town(top)) or Plan())))
    return said


def sorted_plan(plan: Plan) -> list[object]:
    """Return a plan in an order that depends on what it says alone."""
    return [sorted(plan.meta.items()), [
        (one, sorted(plan.tasks[one].fields.items(), key=lambda item: item[0]))
        for one in sorted(plan.tasks)
    ]]  # fmt: skip


@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS))
def test_a_team_in_turmoil_loses_nothing_and_comes_to_one_plan(
    tmp_path: Path, server: RedisServer, seed: int
) -> None:
    shell = Shell(install_program(tmp_path / "bin"), server)
    team = Team(tmp_path / "room", shell, random.Random(seed))
    team.room.mkdir()
    (team.room / "c1").mkdir()
    team.begin()
    promises = Promises(team)
    try:
        play(team, promises, STEPS)
        settle_all(team)
        assert_kept(team, promises)
    except BaseException:
        print(f"seed {seed}, {STEPS} steps, in {team.room}:", *team.script, sep="\n")
        raise


def assert_kept(team: Team, promises: Promises) -> None:
    """Check what everybody has in the end."""
    final = plan_of((team.clones[0] / PLAN_FILE).read_bytes())
    made = frozenset(
        f"k{number}" for number in range(1, team.numbers + 1) if f"k{number}" in promises.tasks
    )
    assert not promises.promised(made) - keys_of(final)
    for town in {team.town(top) for top in team.worktrees}:  # nobody asked the other ones
        tasks = promises.finished.get(town, set())
        assert tasks & final.tasks.keys() <= finished_of(final), town
    for clone in team.clones:
        team.shell.quiet(clone, "fsck", "--strict", "--no-dangling")
    assert made, "the story has edits in it"
