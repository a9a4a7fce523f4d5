"""What only the base in Git must hold: worktrees, garbage collection, crashes, damage."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git, init, repository
from tests.support.permissions import needs_permissions
from tt.adapters.base_codec import FORMAT, shard_count
from tt.adapters.base_git import GitBaseMemory, GitBaseStore
from tt.adapters.base_names import escape
from tt.adapters.gitrepo import GitRepository, find
from tt.core.base import Base
from tt.core.diff import Added
from tt.core.model import Task
from tt.core.report import SyncRecord
from tt.errors import BaseMovedError, TTError
from tt.record import replace

RECORD = SyncRecord("", "2026-01-31T10:00:00+00:00", "merge")
REF = "refs/worktree/tt/town"
ROOT = Path(__file__).resolve().parents[2]


def found(start: Path) -> GitRepository:
    made = find(start)
    assert made is not None
    return made


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return repository(tmp_path / "scratch")


@pytest.fixture
def made(scratch: Path) -> Iterator[GitRepository]:
    with found(scratch) as opened:
        yield opened


@pytest.fixture
def store(made: GitRepository) -> GitBaseStore:
    return GitBaseStore(made, "town")


def task(name: str, **fields: str | int) -> Task:
    return Task(name, {"description": f"Do {name}", "status": "pending", **fields})


def tasks(count: int) -> dict[str, Task]:
    return {f"t{number}": task(f"t{number}") for number in range(count)}


def test_a_sync_is_a_commit_that_git_can_show(scratch: Path, store: GitBaseStore) -> None:
    first = store.save(None, Base(tasks=tasks(2)), RECORD)
    store.save(first, Base(tasks=tasks(3)), replace(RECORD, to_file=(Added(task("t2")),)))
    log = git(scratch, "log", "--format=%an %ae %ci %s", REF).splitlines()
    who = "tt tt@localhost 2026-01-31 10:00:00 +0000"
    assert log == [
        f"{who} merge: 0 to Redis, 1 to the file",
        f"{who} merge: 0 to Redis, 0 to the file",
    ]
    assert git(scratch, "ls-tree", "-r", "--name-only", REF).splitlines() == [
        "meta.json", "record.json", "tasks/000",
    ]  # fmt: skip


def test_the_same_syncs_make_the_same_commits(tmp_path: Path) -> None:
    versions = []
    for name, order in (("one", 1), ("two", -1)):
        with found(init(tmp_path / name)) as made:
            made_tasks = dict(list(tasks(700).items())[::order])
            versions.append(
                GitBaseStore(made, "town").save(None, Base(tasks=made_tasks), RECORD).version
            )
    assert versions[0] == versions[1]


def test_the_users_worktree_index_and_branches_are_left_alone(
    scratch: Path, store: GitBaseStore
) -> None:
    before = git(scratch, "status", "--porcelain"), git(scratch, "for-each-ref", "refs/heads")
    index = (scratch / ".git" / "index").read_bytes()
    store.save(None, Base(tasks=tasks(700)), RECORD)
    assert (
        git(scratch, "status", "--porcelain"),
        git(scratch, "for-each-ref", "refs/heads"),
    ) == before
    assert (scratch / ".git" / "index").read_bytes() == index


def test_no_hook_no_identity_and_no_signing_key_is_needed(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        monkeypatch.delenv(name)
    git(scratch, "config", "user.useConfigOnly", "true")
    git(scratch, "config", "commit.gpgSign", "true")
    git(scratch, "config", "gpg.program", "/does/not/exist")
    git(scratch, "config", "fastimport.unpackLimit", "1")
    hook = scratch / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hook-ran\nexit 1\n")
    hook.chmod(0o755)
    with found(scratch) as made:
        store = GitBaseStore(made, "town", longest=3, kept=2)
        saved = None
        for seq in range(4):
            saved = store.save(saved, Base(seq=seq), RECORD)
        assert store.load() == saved
    assert not (scratch / "hook-ran").exists()
    assert list((scratch / ".git" / "objects" / "pack").iterdir()) == []


def test_linked_worktrees_have_bases_of_their_own(scratch: Path, store: GitBaseStore) -> None:
    linked = scratch.parent / "linked"
    git(scratch, "worktree", "add", "--quiet", "-b", "other", str(linked))
    here = store.save(None, Base(seq=1, tasks=tasks(5)), RECORD)
    with found(linked) as made:
        other = GitBaseStore(made, "town")
        assert other.load() is None
        there = other.save(None, Base(seq=2, tasks=tasks(400)), RECORD)
        assert other.load() == there
    assert store.load() == here


def test_garbage_collection_keeps_the_bases_of_all_worktrees(
    scratch: Path, store: GitBaseStore
) -> None:
    linked = scratch.parent / "linked"
    git(scratch, "worktree", "add", "--quiet", "-b", "other", str(linked))
    here = store.save(None, Base(seq=1, tasks=tasks(400)), RECORD)
    here = store.save(here, Base(seq=2, tasks=tasks(401)), RECORD)
    with found(linked) as made:
        other = GitBaseStore(made, "town")
        there = other.save(None, Base(seq=2, tasks=tasks(5)), RECORD)
        for collect in (["gc"], ["gc", "--prune=now", "--aggressive"], ["pack-refs", "--all"]):
            git(scratch, *collect)
            git(linked, *collect)
        assert other.load() == there
        assert store.load() == here
        assert len(store.history()) == 2
        there = other.save(there, Base(seq=3), RECORD)
    with found(linked) as made:
        assert GitBaseStore(made, "town").load() == there


def test_collected_from_another_worktree_a_base_that_is_months_old_stays(
    scratch: Path, store: GitBaseStore
) -> None:
    git(scratch, "worktree", "add", "--quiet", "-b", "other", str(scratch.parent / "linked"))
    saved = store.save(None, Base(tasks=tasks(400)), RECORD)
    git(scratch.parent / "linked", "reflog", "expire", "--all", "--expire=1.second.ago")
    git(scratch.parent / "linked", "-c", "gc.reflogExpire=1.second.ago", "gc", "--prune=now")
    assert store.load() == saved


def test_what_was_cut_off_is_collected_after_the_next_cut(
    scratch: Path, made: GitRepository
) -> None:
    store = GitBaseStore(made, "town", longest=4, kept=2)
    saved = store.save(None, Base(seq=1, epoch="first"), RECORD)
    first = saved.version
    for seq in range(2, 12):
        saved = store.save(saved, Base(seq=seq), RECORD)
    git(scratch, "gc", "--prune=now")
    assert made.objects.read(saved.version) is not None
    assert made.objects.read(first) is None


def test_a_small_sync_makes_few_loose_objects_and_a_large_one_a_pack(
    scratch: Path, store: GitBaseStore
) -> None:
    everything = tasks(10_000)
    saved = store.save(None, Base(tasks=everything), RECORD)
    packs = scratch / ".git" / "objects" / "pack"
    assert len(list(packs.glob("*.pack"))) == 1
    before = int(git(scratch, "count-objects").split()[0])
    store.save(saved, Base(tasks=everything | {"t5": task("t5", n=1)}), RECORD)
    assert int(git(scratch, "count-objects").split()[0]) - before <= 5
    assert len(list(packs.glob("*.pack"))) == 1


def test_two_processes_that_save_at_once_leave_one_winner(scratch: Path, tmp_path: Path) -> None:
    code = """
import sys, pathlib
from tt.adapters.base_git import GitBaseMemory, GitBaseStore
from tt.adapters.gitrepo import find
from tt.core.base import Base
from tt.core.report import SyncRecord
from tt.errors import BaseMovedError
with find(pathlib.Path(sys.argv[1])) as made:
    store = GitBaseStore(made, "town")
    base = store.load()
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        new = Base(seq=int(sys.argv[2]) * 1000 + (base.seq % 1000 if base else 0) + 1)
        print("won", store.save(base, new, SyncRecord("", "", "push")).seq)
    except BaseMovedError:
        print("lost")
"""
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    for _ in range(6):
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(scratch), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for number in (1, 2)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
        assert said[0] == "lost"
        with found(scratch) as made:
            newest = GitBaseStore(made, "town").load()
        assert newest is not None
        assert said[1] == f"won {newest.seq}"


SAVE_FOREVER = """
import sys, pathlib, random
from tt.adapters.base_git import GitBaseMemory, GitBaseStore
from tt.adapters.gitrepo import find
from tt.core.base import Base
from tt.core.model import Task
from tt.core.report import SyncRecord
with find(pathlib.Path(sys.argv[1])) as made:
    store = GitBaseStore(made, "town", longest=12, kept=6)
    base = store.load()
    print("ready", flush=True)
    while True:
        seq = (base.seq if base else 0) + 1
        size = random.choice([3, 400, 401, 402, 1500])
        tasks = {f"t{n}": Task(f"t{n}", {"description": "x" * 50, "status": "pending", "seq": seq})
                 for n in range(size)}
        base = store.save(base, Base(tasks=tasks, seq=seq), SyncRecord("", "", "push"))
"""


def _kill_in_the_middle(scratch: Path, *, group: bool) -> None:
    """Kill a process that saves, and return when the Git that it may have left behind is done."""
    ours, theirs = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", SAVE_FOREVER, str(scratch)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        pass_fds=[theirs],
    )
    os.close(theirs)
    with process, os.fdopen(ours, "rb") as held:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        time.sleep(random.uniform(0, 0.15))  # any moment is as good as another
        if group:
            os.killpg(process.pid, 9)
        else:
            process.kill()
        assert held.read() == b"", "it ends when nobody is left to write to it"


@pytest.mark.parametrize("group", [False, True], ids=["tt", "tt and git"])
def test_killed_at_any_moment_the_base_is_one_that_was_saved(scratch: Path, *, group: bool) -> None:
    newest = 0
    for _ in range(15):
        _kill_in_the_middle(scratch, group=group)
        with found(scratch) as made:
            base = GitBaseStore(made, "town").load()
        if base is not None:
            assert base.seq >= newest
            assert {each.fields["seq"] for each in base.tasks.values()} == {base.seq}
            newest = base.seq
    assert newest > 0
    git(scratch, "fsck", "--strict")


def test_a_history_that_grows_long_is_cut(scratch: Path, made: GitRepository) -> None:
    saved, seqs = None, []
    for seq in range(1, 26):
        store = GitBaseStore(made, "town", longest=10, kept=4)
        saved = store.save(saved, Base(seq=seq, tasks=tasks(seq)), replace(RECORD, conflicts=seq))
        assert store.load() == saved
        records = store.history()
        assert [record.conflicts for record in records] == list(range(seq, seq - len(records), -1))
        seqs.append(len(records))
        assert all(store.version(record.name) is not None for record in records)
        newest = store.version(records[0].name)
        assert newest is not None
        assert (newest[0].seq, newest[1]) == (seq - 1, saved)
    assert seqs[:12] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 4, 5]
    assert max(seqs) == 9
    assert int(git(scratch, "rev-list", "--count", REF)) < 10
    assert git(scratch, "for-each-ref", "--format=%(refname)", "refs/worktree") == REF


def test_a_base_that_was_loaded_before_the_cut_is_no_longer_the_newest(made: GitRepository) -> None:
    store = GitBaseStore(made, "town", longest=3, kept=2)
    first = store.save(None, Base(seq=1), RECORD)
    second = store.save(first, Base(seq=2), RECORD)
    store.save(second, Base(seq=3), RECORD)
    with pytest.raises(BaseMovedError):
        store.save(second, Base(seq=4), RECORD)


def test_the_record_whose_past_was_cut_off_is_not_offered(
    scratch: Path, made: GitRepository
) -> None:
    store = GitBaseStore(made, "town", longest=3, kept=2)
    saved = None
    for seq in range(3):
        saved = store.save(saved, Base(seq=seq), RECORD)
    oldest = git(scratch, "rev-list", "--max-parents=0", REF)
    assert len(store.history()) == 1
    assert store.version(oldest) is None


def test_commits_of_the_user_are_no_syncs(scratch: Path, store: GitBaseStore) -> None:
    store.save(None, Base(), RECORD)
    assert store.version(git(scratch, "rev-parse", "HEAD")) is None


def _object_file(scratch: Path, name: str) -> Path:
    oid = git(scratch, "rev-parse", name)
    return scratch / ".git" / "objects" / oid[:2] / oid[2:]


@pytest.mark.parametrize(
    "name", [REF, f"{REF}^{{tree}}", f"{REF}:meta.json", f"{REF}:tasks", f"{REF}:tasks/000"]
)
@pytest.mark.parametrize("damage", ["missing", "garbage", "empty"])
def test_a_damaged_base_is_never_taken_for_none(
    scratch: Path, store: GitBaseStore, name: str, damage: str
) -> None:
    saved = store.save(None, Base(tasks=tasks(3)), RECORD)
    file = _object_file(scratch, name)
    file.chmod(0o644)
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(b"" if damage == "empty" else b"garbage")
    with found(scratch) as again:
        store = GitBaseStore(again, "town")
        with pytest.raises(TTError, match="cannot be read") as caught:
            store.load()
        assert REF in caught.value.message
        assert "fsck" in str(caught.value.hint)
        with pytest.raises(TTError):
            store.save(None, Base(), RECORD)
        if name.startswith(f"{REF}:"):
            with pytest.raises(TTError, match="cannot be read"):
                store.save(saved, Base(), RECORD)


@pytest.mark.parametrize("content", ["", "garbage\n", "0123456789" * 4 + "\n"])
def test_a_ref_that_leads_nowhere_is_never_taken_for_none(
    scratch: Path, store: GitBaseStore, content: str
) -> None:
    store.save(None, Base(tasks=tasks(3)), RECORD)
    (scratch / ".git" / REF).write_text(content)
    with pytest.raises(TTError, match="cannot be read"):
        store.load()
    with pytest.raises(TTError, match="cannot be read"):
        store.history()
    with pytest.raises(TTError, match="cannot be read"):
        store.save(None, Base(), RECORD)


def test_something_else_under_the_ref_is_no_base(scratch: Path, store: GitBaseStore) -> None:
    git(scratch, "update-ref", REF, "HEAD")
    with pytest.raises(TTError, match="was not made by tt"):
        store.load()
    git(scratch, "update-ref", REF, git(scratch, "rev-parse", "HEAD:tasks.toml"))
    with pytest.raises(TTError, match="is a blob"):
        store.load()


def test_a_base_of_a_newer_format_is_refused_and_stays(scratch: Path, store: GitBaseStore) -> None:
    store.save(None, Base(tasks=tasks(1)), RECORD)
    newer = git(scratch, "show", f"{REF}:meta.json").replace(f'"format":{FORMAT}', '"format":99')
    blob = git(scratch, "hash-object", "-w", "--stdin", given=newer)
    index = str(scratch / "index")
    git(scratch, "read-tree", REF, GIT_INDEX_FILE=index)
    git(scratch, "update-index", "--cacheinfo", f"100644,{blob},meta.json", GIT_INDEX_FILE=index)
    tree = git(scratch, "write-tree", GIT_INDEX_FILE=index)
    tip = git(scratch, "commit-tree", tree, "-p", REF, "-m", "x\n\nDepth: 2")
    git(scratch, "update-ref", REF, tip)
    with pytest.raises(TTError, match="newer tt"):
        store.load()
    with pytest.raises(TTError, match="newer tt"):
        store.save(Base(version=tip), Base(), RECORD)
    assert git(scratch, "rev-parse", REF) == tip


def test_what_cannot_be_written_is_an_error_and_changes_nothing(
    scratch: Path, store: GitBaseStore
) -> None:
    saved = store.save(None, Base(tasks=tasks(3)), RECORD)
    packs = scratch / ".git" / "objects" / "pack"
    shutil.rmtree(packs)
    packs.write_text("in the way")
    with pytest.raises(TTError, match="cannot be written") as caught:
        store.save(saved, Base(seq=2), RECORD)
    assert str(scratch / ".git") in caught.value.message
    packs.unlink()
    assert store.load() == saved
    assert not list((scratch / ".git").glob("fast_import_crash*"))


def test_a_lock_that_a_killed_git_left_is_taken_away(scratch: Path, store: GitBaseStore) -> None:
    saved = store.save(None, Base(), RECORD)
    lock = scratch / ".git" / f"{REF}.lock"
    lock.touch()
    saved = store.save(saved, Base(seq=2), RECORD)
    assert store.load() == saved
    assert not lock.exists()


def test_a_lock_that_somebody_still_works_under_is_an_error_and_stays(
    scratch: Path, store: GitBaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = store.save(None, Base(), RECORD)
    lock = scratch / ".git" / f"{REF}.lock"
    lock.touch()
    turns = itertools.count()

    def somebody_works(_: float) -> None:
        os.utime(lock, ns=(next(turns), next(turns)))

    with monkeypatch.context() as patched:
        patched.setattr("time.sleep", somebody_works)
        with pytest.raises(TTError, match="lock") as caught:
            store.save(saved, Base(seq=2), RECORD)
    assert "remove" not in caught.value.message
    assert lock.exists()
    lock.unlink()
    assert store.load() == saved


@needs_permissions
def test_a_read_only_git_directory_can_be_read_and_says_so_when_written(
    scratch: Path, store: GitBaseStore
) -> None:
    saved = store.save(None, Base(tasks=tasks(400)), RECORD)
    directories = [
        scratch / ".git",
        *[path for path in (scratch / ".git").rglob("*") if path.is_dir()],
    ]
    for path in directories:
        path.chmod(0o500)
    try:
        assert store.load() == saved
        with pytest.raises(TTError, match=r"(?i)permission"):
            store.save(saved, Base(seq=2), RECORD)
        assert store.load() == saved
    finally:
        for path in directories:
            path.chmod(0o700)


def test_saving_works_from_inside_a_hook(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linked = scratch.parent / "linked"
    git(scratch, "worktree", "add", "--quiet", "-b", "other", str(linked))
    git_dir = scratch / ".git" / "worktrees" / "linked"
    monkeypatch.chdir(linked)
    monkeypatch.setenv("GIT_DIR", str(git_dir))
    monkeypatch.setenv("GIT_INDEX_FILE", str(git_dir / "index"))
    with found(linked) as made:
        GitBaseStore(made, "town").save(None, Base(seq=5), RECORD)
    for name in ("GIT_DIR", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    with found(linked) as made, found(scratch) as main:
        loaded = GitBaseStore(made, "town").load()
        assert loaded is not None
        assert loaded.seq == 5
        assert GitBaseStore(main, "town").load() is None


def test_every_escaped_name_is_a_valid_ref(scratch: Path) -> None:
    for town in (
        "a..b",
        "a.lock",
        ".a",
        "a.",
        "@",
        "@{x}",
        "a b",
        "a~^:?*[\\",
        "\x7f",
        "-a",
        "",
        "/",
        "Ä",
    ):
        git(scratch, "check-ref-format", f"refs/worktree/tt/{escape(town)}")


def test_escaped_names_differ_where_case_does_not_count() -> None:
    towns = [
        "A",
        "a",
        "Town",
        "town",
        "TOWN",
        "%54own",
        "town%",
        "\u00e9",
        "e\u0301",
        "x" * 400,
        "x" * 401,
    ]
    assert len({escape(town).casefold() for town in towns}) == len(towns)
    assert all(len(escape(town)) < 240 for town in towns)


def test_the_number_of_shards_does_not_swing() -> None:
    current = shard_count(1_000)
    for size in (700, 1_500, 2_000, 700, 301):
        assert shard_count(size, current) == current
    assert shard_count(100, 16) == 1
    assert shard_count(500, 1) == 1
    assert shard_count(200_000, 1024) == 1024
    assert shard_count(10, 1024) == 1


def test_a_commit_made_by_the_user_meanwhile_does_not_matter(
    scratch: Path, store: GitBaseStore
) -> None:
    saved = store.save(None, Base(seq=1), RECORD)
    commit(scratch, content="x = 2\n")
    assert store.save(saved, Base(seq=2), RECORD).seq == 2


def test_what_one_store_has_left_another_does_not_read_again(made: GitRepository) -> None:
    memory = GitBaseMemory()
    base = GitBaseStore(made, "town", memory=memory).save(None, Base(tasks=tasks(1_000)), RECORD)
    assert [record.name for record in GitBaseStore(made, "town", memory=memory).history()]
    asked: list[str] = []

    class Objects:
        def __getattr__(self, name: str) -> object:
            return getattr(made.objects, name)

        def read_all(self, names: list[str]) -> Iterator[object]:
            asked.extend(names)
            return made.objects.read_all(names)

    for number in range(3):
        store = GitBaseStore(made, "town", memory=memory)
        store._objects = Objects()  # type: ignore[assignment]
        assert len(store.history(20)) == number + 1
        one = task("t1", number=number)
        before, base = base, replace(base, tasks={**base.tasks, "t1": one})
        base = store.save(before, base, RECORD)
    assert len(asked) == 3  # the records of the three syncs, each once
    assert GitBaseStore(made, "town").load() == base
    assert GitBaseStore(made, "town", memory=memory).history() == (
        GitBaseStore(made, "town").history()
    )


def test_a_history_that_another_process_went_on_with_is_read_again(made: GitRepository) -> None:
    memory = GitBaseMemory()
    store = GitBaseStore(made, "town", memory=memory)
    first = store.save(None, Base(tasks=tasks(1)), RECORD)
    assert len(store.history()) == 1
    GitBaseStore(made, "town").save(first, Base(tasks=tasks(2)), RECORD)
    assert len(store.history()) == 2
    assert len(store.history(1)) == 1
