"""What hooks decide, on twins: what a commit takes along, what is pushed, and when nothing is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support.plans import task
from tests.support.sites import PULL, Clone, FakeRepository, foreign_hash, restore
from tt.app.committing import commit_pulled
from tt.app.hooks import Ground, after_git, before_commit, before_push, in_framework
from tt.app.moment import is_settled
from tt.core.diff import Added, Edited
from tt.core.report import SyncReport
from tt.core.worktree import RepoState
from tt.errors import NoTownError, OtherBranchError, PlanError, StoreError, TTError
from tt.ports import Staged
from tt.record import replace

DONE = Edited("a", "status", "pending", "completed")


class TwinIndex:
    """An `Index` over the fake repository's; it may be locked, or a temporary one."""

    def __init__(self, repository: FakeRepository) -> None:
        self.repository = repository
        self.is_temporary = False
        self.locked = False
        self.writes = 0

    def read(self, path: Path) -> Staged | None:
        data = self.repository.index
        return None if data is None else Staged(hashlib.sha1(data).hexdigest(), "100644", data)

    def holds(self, staged: Staged, path: Path, data: bytes) -> bool:
        return staged.data == data

    def stage_file(self, path: Path, staged: Staged, data: bytes) -> None:
        self.stage(path, staged, data)

    def stage(self, path: Path, staged: Staged, data: bytes) -> None:
        if self.locked:
            raise TTError("tasks.toml could not be staged: index.lock is there.")
        self.repository.index = data
        self.writes += 1


class Desk:
    """A clone with a repository: a committed plan in step with its town, and an index."""

    def __init__(self, *, committed: bool = True) -> None:
        self.git = FakeRepository()
        self.clone = Clone(None, task("a"), task("b"), repository=self.git)
        self.index = TwinIndex(self.git)
        self.ground = Ground(self.clone.site, self.index)
        if committed:
            self.git.commit("one", self.clone.file.data)
            self.clone.sync()

    def agent(self, identifier: str = "a", **fields: str) -> None:
        self.clone.raw(identifier).update(fields or {"state": "completed"})

    def staged(self, identifier: str, name: str = "status") -> object:
        assert self.git.index is not None
        plan = self.clone.file.open(self.git.index).plan
        return plan.tasks[identifier].fields.get(name)

    def add(self) -> None:
        self.git.index = self.clone.file.data


@pytest.fixture
def desk() -> Desk:
    return Desk()


# pre-commit


def test_a_commit_takes_along_what_agents_did(desk: Desk) -> None:
    desk.agent()
    done = before_commit(desk.ground)
    assert done.staged == (DONE,)
    assert desk.git.index == desk.clone.file.data
    assert desk.staged("a") == "completed"


def test_a_commit_with_nothing_new_writes_nothing(desk: Desk) -> None:
    before = desk.clone.everything(), desk.git.index
    done = before_commit(desk.ground)
    assert (done.staged, done.invalid, done.unstaged) == ((), None, None)
    assert (desk.clone.everything(), desk.git.index) == before
    desk.clone.edit('description = "do it"', 'description = "mine"')
    assert before_commit(desk.ground).staged == ()
    assert desk.index.writes == 0


def test_what_the_user_left_unstaged_stays_unstaged(desk: Desk) -> None:
    desk.clone.edit('description = "do it"', 'description = "mine"')
    desk.agent("b")
    before_commit(desk.ground)
    assert (desk.staged("a", "description"), desk.staged("b")) == ("do it", "completed")
    assert desk.clone.plan.tasks["a"].description == "mine"
    assert desk.clone.raw("a")["description"] == "mine", "a sync pushes what is saved"
    before_commit(desk.ground)
    assert desk.staged("a", "description") == "do it"


def test_what_a_pull_brought_before_is_taken_along_too(desk: Desk) -> None:
    desk.agent()
    desk.clone.sync(PULL)
    desk.clone.edit('description = "do it"', 'description = "mine"')
    assert before_commit(desk.ground).staged == (DONE,)
    assert (desk.staged("a"), desk.staged("a", "description")) == ("completed", "do it")


def test_a_path_limited_commit_gets_nothing_and_the_file_stays(desk: Desk) -> None:
    desk.agent()
    desk.clone.edit('description = "do it"', 'description = "mine"')
    desk.index.is_temporary = True
    before = desk.clone.file.data, desk.git.index
    assert before_commit(desk.ground).staged == ()
    assert (desk.clone.file.data, desk.git.index) == before
    assert desk.clone.raw("a")["description"] == "mine"
    desk.index.is_temporary = False
    assert before_commit(desk.ground).staged == (DONE,), "the next one takes it along"


def test_a_plan_that_is_not_in_the_index_is_not_put_there(desk: Desk) -> None:
    desk.agent()
    desk.git.index = None
    before = desk.clone.file.data
    before_commit(desk.ground)
    assert (desk.git.index, desk.clone.file.data) == (None, before)


def test_without_stage_the_file_is_merged_and_the_index_stays(desk: Desk) -> None:
    desk.agent()
    before = desk.git.index
    assert before_commit(replace(desk.ground, stages=False)).staged == ()
    assert desk.git.index == before
    assert desk.clone.status("a") == ("completed", "completed")


def test_an_invalid_plan_that_is_staged_is_said_and_nothing_is_synced(desk: Desk) -> None:
    desk.agent()
    desk.git.index = b"[[tasks]]\ndescription = 1\n"
    before = desk.clone.everything()
    assert isinstance(before_commit(desk.ground).invalid, PlanError)
    assert desk.clone.everything() == before


def test_an_invalid_plan_that_head_has_already_stops_nothing(desk: Desk) -> None:
    desk.agent()
    desk.git.commit("two", b"[[tasks]]\ndescription = 1\n")
    done = before_commit(desk.ground)
    assert (done.invalid, done.staged) == (None, ())
    assert desk.clone.status("a") == ("completed", "completed")


def test_another_tools_file_in_the_index_is_left_alone(desk: Desk) -> None:
    desk.agent()
    desk.git.index = b"x = 1\n"
    done = before_commit(desk.ground)
    assert (done.invalid, done.staged, desk.git.index) == (None, (), b"x = 1\n")


def test_what_could_not_be_staged_is_said_and_comes_with_the_next_commit(desk: Desk) -> None:
    desk.agent()
    desk.index.locked = True
    assert isinstance(before_commit(desk.ground).unstaged, TTError)
    desk.index.locked = False
    assert before_commit(desk.ground).staged == (DONE,)


def test_conflicts_are_reported_and_stay_out_of_the_commit(desk: Desk) -> None:
    desk.clone.edit('description = "do it"', 'description = "mine"')
    desk.add()
    desk.agent("a", description="theirs")
    done = before_commit(desk.ground)
    assert isinstance(done.sync, SyncReport)
    assert [(one.id, one.field) for one in done.sync.conflicts] == [("a", "description")]
    assert desk.staged("a", "description") == "mine"


# towns


def test_a_branch_without_a_town_gets_one_with_the_first_edit() -> None:
    desk = Desk(committed=False)
    desk.git.commit("one", desk.clone.file.data)
    for run in (before_commit, lambda ground: after_git(ground, "post-checkout")):
        with pytest.raises(NoTownError):
            run(desk.ground)
    assert desk.clone.memory.tasks == {}
    assert desk.clone.bases.load() is None
    desk.clone.edit('description = "do it"', 'description = "mine"')
    before_commit(desk.ground)
    assert len(desk.clone.memory.tasks) == 2


def test_a_commit_that_edits_the_plan_makes_a_town_afterwards_too() -> None:
    desk = Desk(committed=False)
    desk.git.commit("one", None)
    desk.git.commit("two", desk.clone.file.data)
    with pytest.raises(NoTownError):
        after_git(desk.ground, "post-merge")
    desk.git._files["HEAD^"] = (None, None)
    assert after_git(desk.ground, "post-commit").to_store


def test_a_flushed_town_is_healed(desk: Desk) -> None:
    restore(desk.clone.memory)
    assert len(after_git(desk.ground, "post-merge").to_store) == 2


def test_a_town_with_a_fixed_name_follows_its_branch(desk: Desk) -> None:
    site = replace(desk.clone.site, branch="feature")
    ground = replace(desk.ground, site=site, fixed=True)
    desk.agent()
    for run in (
        before_commit,
        in_framework,
        lambda ground: after_git(ground, "post-commit"),
        lambda ground: before_push(ground, "one"),
    ):
        with pytest.raises(OtherBranchError, match="follows the branch main"):
            run(ground)
    assert before_commit(replace(ground, fixed=False)).staged == (DONE,)
    assert before_commit(ground).staged == (), "the sync before moved it"


def test_an_edit_that_is_staged_only_is_an_edit() -> None:
    desk = Desk(committed=False)
    data = desk.clone.file.data
    assert data is not None
    desk.git.commit("one", data)
    desk.git.index = data.replace(b"do it", b"staged")
    before_commit(desk.ground)
    assert len(desk.clone.memory.tasks) == 2


def test_line_endings_that_git_changed_are_no_edit() -> None:
    desk = Desk(committed=False)
    data = desk.clone.file.data
    assert data is not None
    desk.git.commit("one", data)
    desk.clone.file.data = data.replace(b"\n", b"\r\n")
    with pytest.raises(NoTownError):
        before_commit(desk.ground)


# what pushes


def test_a_push_writes_no_byte_of_the_file(desk: Desk) -> None:
    desk.agent()
    desk.clone.file.data = (desk.clone.file.data or b"") + b'\n[[tasks]]\ndescription = "new"\n'
    before = desk.clone.file.data
    report = after_git(desk.ground, "post-merge")
    assert [type(change) for change in report.to_store] == [Added]
    assert desk.clone.file.data == before
    assert report.waiting_file == (DONE,)
    again = after_git(desk.ground, "post-merge")
    assert again.to_store == ()


# the framework


def test_in_the_framework_only_the_file_is_written(desk: Desk) -> None:
    desk.agent()
    base, town = desk.clone.bases.load(), dict(desk.clone.raw("a"))
    assert in_framework(desk.ground) == (DONE,)
    assert desk.clone.plan.tasks["a"].status == "completed"
    assert (desk.clone.bases.load(), desk.clone.raw("a")) == (base, town)
    assert in_framework(desk.ground) == ()


def test_in_the_framework_edits_that_are_put_away_are_not_undone(desk: Desk) -> None:
    """The framework shows the staged file while the worktree's own was synced already."""
    staged = desk.clone.file.data
    desk.clone.write(task("a", "mine"), task("b", status="completed"))
    desk.clone.sync()
    desk.clone.file.data = staged
    before = dict(desk.clone.raw("a")), dict(desk.clone.raw("b"))
    assert in_framework(desk.ground) == ()
    assert desk.clone.file.data == staged
    assert (desk.clone.raw("a"), desk.clone.raw("b")) == before


# pre-push


def test_a_push_names_what_redis_has_and_the_pushed_commit_has_not(desk: Desk) -> None:
    assert before_push(desk.ground, "one") == ()
    desk.agent()
    before = desk.clone.everything()
    assert before_push(desk.ground, "one") == (DONE,)
    assert desk.clone.everything() == before
    before_commit(desk.ground)
    desk.git.commit("two", desk.git.index)
    assert before_push(desk.ground, "two") == ()
    assert before_push(desk.ground, "nowhere") == ()


def test_an_edit_that_is_pushed_and_not_yet_in_redis_is_nothing_to_warn_of(desk: Desk) -> None:
    desk.clone.edit('description = "do it"', 'description = "mine"')
    desk.git.commit("two", desk.clone.file.data)
    assert before_push(desk.ground, "two") == ()


# tt commit


class TwinCommitter:
    """A `Committer` over the fake repository."""

    def __init__(self, git: FakeRepository) -> None:
        self.git = git
        self.messages: list[str] = []

    def committed(self, path: Path) -> Staged | None:
        data = None if self.git.head is None else self.git.show("HEAD", path)
        return None if data is None else Staged(hashlib.sha1(data).hexdigest(), "100644", data)

    def commit(self, path: Path, before: Staged, data: bytes, message: str) -> str:
        index = self.git.index
        self.git.commit("made", data)
        self.git.index = index
        self.messages.append(message)
        return "made"


class Calm:
    """No operation, or the one it is told."""

    def __init__(self, operation: str | None = None, left: int = 0) -> None:
        self.operation, self.left = operation, left
        self.away: Path | None = None

    def operation_in_progress(self) -> str | None:
        return self.operation

    def picks_left(self) -> int:
        return self.left

    def has_put_away(self, path: Path) -> bool:
        return path == self.away


def test_a_commit_of_tt_has_what_redis_brought_and_the_index_follows(desk: Desk) -> None:
    desk.clone.edit('description = "do it"', 'description = "mine"')
    desk.agent("b")
    desk.clone.memory.tasks["u"] = foreign_hash("u", "Found on the way")
    committer = TwinCommitter(desk.git)
    done = commit_pulled(desk.ground, committer, Calm())
    assert {change.id for change in done.changes} >= {"b"}
    assert len(done.changes) == 2
    made = desk.clone.file.open(desk.git.show("HEAD", Path("tasks.toml")) or b"").plan
    assert (made.tasks["a"].description, made.tasks["b"].status) == ("do it", "completed")
    assert desk.git.index == desk.git.show("HEAD", Path("tasks.toml"))
    assert desk.clone.plan.tasks["a"].description == "mine"
    assert committer.messages[0].startswith("Tasks: ")
    assert commit_pulled(desk.ground, committer, Calm()).commit == ""


def test_what_is_staged_stays_staged_beside_a_commit_of_tt(desk: Desk) -> None:
    desk.clone.edit('description = "do it"', 'description = "staged"')
    desk.add()
    desk.agent("b")
    commit_pulled(desk.ground, TwinCommitter(desk.git), Calm())
    made = desk.clone.file.open(desk.git.show("HEAD", Path("tasks.toml")) or b"").plan
    assert (made.tasks["a"].description, made.tasks["b"].status) == ("do it", "completed")
    assert (desk.staged("a", "description"), desk.staged("b")) == ("staged", "completed")


def test_a_plan_that_is_staged_to_be_removed_stays_so(desk: Desk) -> None:
    desk.agent()
    desk.git.index = None
    assert commit_pulled(desk.ground, TwinCommitter(desk.git), Calm()).changes == (DONE,)
    assert desk.git.index is None


def test_a_commit_of_tt_needs_a_committed_plan_and_no_operation(desk: Desk) -> None:
    desk.agent()
    before = desk.clone.everything()
    with pytest.raises(TTError, match="merge is in progress"):
        commit_pulled(desk.ground, TwinCommitter(desk.git), Calm("merge"))
    desk.git.commit("gone", None)
    with pytest.raises(TTError, match="not committed yet"):
        commit_pulled(desk.ground, TwinCommitter(desk.git), Calm())
    assert desk.clone.everything() == before


# when


@pytest.mark.parametrize(
    ("operation", "left", "event", "settled"),
    [
        (None, 0, "pre-commit", True),
        (None, 0, "post-checkout", True),
        ("rebase", 0, "pre-commit", False),
        ("rebase", 0, "post-commit", False),
        ("rebase", 0, "post-checkout", False),
        ("rebase", 0, "post-rewrite", True),
        ("merge", 0, "pre-commit", True),
        ("merge", 0, "post-commit", True),
        ("merge", 0, "post-merge", True),
        ("merge", 0, "post-checkout", False),
        ("cherry-pick", 0, "post-commit", True),
        ("cherry-pick", 1, "post-commit", True),
        ("cherry-pick", 2, "post-commit", False),
        ("revert", 0, "pre-commit", True),
        ("revert", 2, "pre-commit", False),
        ("bisect", 0, "post-checkout", True),
        ("bisect", 0, "pre-commit", False),
        ("am", 0, "post-commit", False),
    ],
)
def test_nothing_syncs_in_the_middle_and_everything_at_the_end(
    operation: str | None, left: int, event: str, *, settled: bool
) -> None:
    state = RepoState(Path(), Path(), Path(), "main", "one")
    calm, plan = Calm(operation, left), Path("tasks.toml")
    assert is_settled(state, calm, event, plan) is settled
    assert not is_settled(replace(state, branch=None), calm, event, plan)
    calm.away = plan
    assert not is_settled(state, calm, event, plan), "the plan's edits are in an autostash"


def test_a_store_that_fails_is_the_callers_to_tell(desk: Desk) -> None:
    def load(*_: object) -> None:
        raise StoreError("gone")

    desk.clone.site.store.load = load  # type: ignore[method-assign]
    for run in (before_commit, in_framework, lambda ground: after_git(ground, "post-commit")):
        with pytest.raises(StoreError):
            run(desk.ground)
