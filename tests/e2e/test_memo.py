"""The memo of a hook: it saves a look where all is as it was, and is never believed in doubt."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import PLAN
from tests.support.commands import Ended, Everything, Place, hash_of, run_inside, write_hash
from tests.support.git_repos import git
from tests.support.permissions import needs_permissions
from tests.support.redis_server import Launch
from tt.app.sync import synced
from tt.core.ids import task_uuid

TOWN = "here-main"
POSTS = (("post-commit",), ("post-merge", "0"), ("post-checkout", "a", "b", "1"), ("post-rewrite",))


class Desk:
    """A place in step whose hooks are run by hand, and how many of them had to look."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.looks = 0
        self.env: dict[str, str] = {}

    @property
    def memo(self) -> Path:
        return self.place.top / ".git" / "tt" / "memos" / TOWN

    def hook(self, *words: str) -> Ended:
        """Run a hook as the shim does; it may stop nothing here."""
        url = {"REDIS_URL": self.place.server.url}
        ended = run_inside(
            ["hook-impl", *(words or ("pre-commit",))],
            self.place.top,
            {**os.environ, **url, **self.env},
        )
        assert ended.code == 0, ended
        return ended

    def looked(self, *words: str) -> bool:
        """Run a hook and say whether it had to look."""
        before = self.looks
        self.hook(*words)
        return self.looks > before

    def settle(self) -> None:
        """Run hooks until they find all at rest."""
        for _ in range(3):
            if not self.looked():
                return
        pytest.fail("the hooks find no rest")

    def commit(self, message: str = "Plan") -> None:
        git(self.place.top, "add", "tasks.toml")
        git(self.place.top, "commit", "-q", "--allow-empty", "-m", message)

    def key(self, name: str) -> str:
        return f"tt:{TOWN}:task:{task_uuid(TOWN, name)}"

    def agent(self, name: str = "design", **fields: str) -> None:
        write_hash(self.place.server, self.key(name), **(fields or {"state": "running"}))

    def status(self, name: str = "design") -> str:
        return hash_of(self.place.server, self.key(name))["state"]

    def command(self, *words: str | bytes) -> object:
        with self.place.server.connect() as connection:
            return connection.execute(*words)

    def everything(self) -> tuple[Everything, str]:
        """Note all that a hook could change, with the index."""
        staged = git(self.place.top, "ls-files", "--stage")
        return self.place.everything(), staged


@pytest.fixture
def desk(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk at rest."""
    made = Desk(place)

    def counted(*arguments: object) -> object:
        made.looks += 1
        return synced(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("tt.app.hooks.synced", counted)
    made.commit()
    place.done("sync", "push")
    made.settle()
    yield made
    monkeypatch.undo()


def test_a_hook_does_not_look_where_nothing_changed(desk: Desk) -> None:
    before = desk.everything()
    assert not desk.looked()
    for words in POSTS:
        assert not desk.looked(*words)
    assert desk.everything() == before


def test_commits_that_leave_the_plan_alone_do_not_make_a_hook_look(desk: Desk) -> None:
    for number in range(3):
        (desk.place.top / "code.py").write_text(f"{number}\n")
        git(desk.place.top, "add", "code.py")
        assert not desk.looked()
        git(desk.place.top, "commit", "-q", "-m", "Code")
        assert not desk.looked("post-commit")


def test_a_hook_says_nothing_and_notes_its_commit_as_if_it_had_looked(desk: Desk) -> None:
    desk.env["TT_GIT_PID"] = "4711"
    ended = desk.hook()
    assert (ended.out, ended.err) == ("", "")
    assert (desk.place.top / ".git" / "tt" / "commit").read_text() == "4711\n"


def test_a_memo_is_for_this_user_alone_and_replaced_as_a_whole(desk: Desk) -> None:
    first = desk.memo.stat()
    assert first.st_mode & 0o777 == 0o600
    desk.agent()
    desk.settle()
    assert desk.memo.stat().st_ino != first.st_ino
    assert [path.name for path in desk.memo.parent.iterdir()] == [TOWN]


# What changes


def _comment(desk: Desk) -> None:
    desk.place.write(desk.place.file.read_text() + "# a comment\n")


def _edit(desk: Desk) -> None:
    desk.place.write(desk.place.file.read_text().replace("Ship it", "Ship it now"))


def _state(desk: Desk) -> None:
    desk.agent()


def _same_length(desk: Desk) -> None:
    text = hash_of(desk.place.server, desk.key("ship"))["description"]
    desk.agent("ship", description=text.swapcase())


def _unnoticed(desk: Desk) -> None:
    """A field that no look would notice: better one look too many."""
    desk.agent("ship", result="done")


def _added(desk: Desk) -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    write_hash(
        desk.place.server, f"tt:{TOWN}:task:{uuid}", id=uuid, description="New", state="pending",
        tags="[]", created_at="2026-01-31T10:00:00+00:00", updated_at="2026-01-31T10:00:00+00:00",
    )  # fmt: skip


def _dropped(desk: Desk) -> None:
    desk.command("DEL", desk.key("ship"))


def _no_hash(desk: Desk) -> None:
    desk.command("DEL", desk.key("ship"))
    desk.command("SET", desk.key("ship"), "a text")


def _renamed(desk: Desk) -> None:
    """The same hashes in the same order, one of them by another key."""
    key = desk.key("ship")
    desk.command("RENAME", key, key[:-1] + ("0" if key[-1] != "0" else "1"))


def _odd_key(desk: Desk) -> None:
    desk.command("HSET", f"tt:{TOWN}:task:odd", "id", "odd")


def _buried(desk: Desk) -> None:
    desk.command("HSET", f"tt:{TOWN}:tombstones", "gone", "nonsense")


def _counted(desk: Desk) -> None:
    desk.command("HINCRBY", f"tt:{TOWN}:plan", "seq", "1")


def _another_epoch(desk: Desk) -> None:
    desk.command("HSET", f"tt:{TOWN}:plan", "epoch", "another")


def _meta(desk: Desk) -> None:
    desk.command("HSET", f"tt:{TOWN}:plan", "meta:description", '"Another"')


def _flushed(desk: Desk) -> None:
    desk.command("FLUSHALL")


def _base(desk: Desk) -> None:
    """Let another sync move the base, and bring the rest back to what it was."""
    plan = desk.place.file.read_bytes()
    desk.place.write(plan.replace(b"Ship it", b"Ship it now"))
    desk.place.done("sync", "push")
    desk.place.write(plan)
    desk.place.done("sync", "push")


def _no_base(desk: Desk) -> None:
    git(desk.place.top, "update-ref", "-d", f"refs/worktree/tt/{TOWN}")


def _setting(desk: Desk) -> None:
    (desk.place.top / "tinytown.toml").write_text('[sync]\nfields = ["result"]\n')


CHANGES: tuple[Callable[[Desk], None], ...] = (
    _comment, _edit, _state, _same_length, _unnoticed, _added, _dropped, _no_hash, _renamed,
    _odd_key, _buried, _counted, _another_epoch, _meta, _flushed, _base, _no_base, _setting,
)  # fmt: skip


@pytest.mark.parametrize("event", [("pre-commit",), ("post-merge", "0")])
@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_a_hook_looks(
    desk: Desk, change: Callable[[Desk], None], event: tuple[str, ...]
) -> None:
    change(desk)
    assert desk.looked(*event)


def test_a_state_that_changed_is_in_the_commit(desk: Desk) -> None:
    desk.agent(state="completed")
    desk.hook()
    assert 'status = "completed"' in git(desk.place.top, "show", ":tasks.toml")
    desk.commit()
    desk.settle()
    assert not desk.looked()


def test_a_base_that_was_put_back_is_looked_at(desk: Desk) -> None:
    desk.agent(state="completed")
    desk.hook()
    desk.commit()
    desk.settle()
    ref = f"refs/worktree/tt/{TOWN}"
    git(desk.place.top, "update-ref", ref, f"{ref}^")
    assert desk.looked("post-merge", "0")


def test_what_is_staged_only_makes_a_commit_look(desk: Desk) -> None:
    kept = desk.place.file.read_bytes()
    _edit(desk)
    git(desk.place.top, "add", "tasks.toml")
    desk.place.write(kept)
    assert desk.looked()
    assert not desk.looked("post-merge", "0")


@pytest.mark.parametrize("event", [("pre-commit",), ("post-merge", "0")])
def test_a_plan_that_is_not_in_the_index_makes_a_hook_look(
    desk: Desk, event: tuple[str, ...]
) -> None:
    git(desk.place.top, "rm", "-q", "--cached", "tasks.toml")
    assert desk.looked(*event)


def test_a_plan_that_is_not_merged_is_told_of(desk: Desk) -> None:
    blob = git(desk.place.top, "rev-parse", ":tasks.toml")
    lines = "".join(f"100644 {blob} {stage}\ttasks.toml\n" for stage in (1, 2, 3))
    git(desk.place.top, "rm", "-q", "--cached", "tasks.toml")
    git(desk.place.top, "update-index", "--index-info", given=lines)
    assert "not merged yet" in desk.hook("post-merge", "0").err


def test_a_plan_that_is_gone_is_not_taken_for_the_remembered_one(desk: Desk) -> None:
    desk.place.file.unlink()
    desk.place.file.symlink_to("nowhere")
    assert "tasks.toml" in desk.hook("post-merge", "0").err


def test_the_index_of_the_commit_in_flight_counts(desk: Desk) -> None:
    index = desk.place.top / ".git" / "next-index-1.lock"
    desk.env["GIT_INDEX_FILE"] = str(index)
    git(desk.place.top, "read-tree", "HEAD", GIT_INDEX_FILE=str(index))
    assert not desk.looked()
    git(desk.place.top, "rm", "-q", "--cached", "tasks.toml", GIT_INDEX_FILE=str(index))
    assert desk.looked()


def test_another_server_is_another_town(desk: Desk, launch: Launch) -> None:
    other = launch()
    with desk.place.server.connect() as source, other.connect() as target:
        names = source.execute("KEYS", "*")
        assert isinstance(names, list)
        for name in names:
            assert isinstance(name, bytes)
            dumped = source.execute("DUMP", name)
            assert isinstance(dumped, bytes)
            target.execute("RESTORE", name, 0, dumped)
    desk.env["REDIS_URL"] = other.url
    assert desk.looked()
    desk.settle()
    desk.env.clear()
    assert desk.looked(), "there is one memo, and it is of the other server now"


def test_each_branch_has_a_memo_of_its_own(desk: Desk) -> None:
    git(desk.place.top, "switch", "-q", "-c", "other")
    _edit(desk)
    desk.hook()
    desk.commit()
    desk.settle()
    git(desk.place.top, "switch", "-q", "main")
    assert not desk.looked()
    git(desk.place.top, "switch", "-q", "other")
    assert not desk.looked()


def test_a_fixed_town_is_left_alone_on_another_branch(desk: Desk) -> None:
    desk.env["TT_NAME"] = TOWN
    desk.settle()
    git(desk.place.top, "switch", "-q", "-c", "other")
    assert "follows the branch main" in desk.hook().err


def test_a_name_that_was_the_branchs_and_is_fixed_now_is_looked_at(desk: Desk) -> None:
    desk.env["TT_NAME"] = TOWN
    assert desk.looked()


def test_a_linked_worktree_has_a_memo_of_its_own(desk: Desk, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(desk.place.top, "worktree", "add", "-q", "-b", "side", str(linked))
    there = Desk(Place(linked, desk.place.server))
    there.place.write(PLAN.replace("Ship it", "Ship it there"))
    there.hook()
    there.hook()
    git_dir = Path(git(linked, "rev-parse", "--absolute-git-dir"))
    assert [path.name for path in (git_dir / "tt" / "memos").iterdir()] == ["here-side"]
    assert not desk.looked()


def test_an_agent_that_was_renamed_is_looked_at(desk: Desk) -> None:
    uuid = "aaaaaaaa-2222-4333-8444-555555555555"
    agent = f"tt:{TOWN}:agent:{uuid}"
    write_hash(desk.place.server, agent, name="architect")
    desk.agent(assigned_to=uuid)
    desk.settle()
    assert uuid in desk.memo.read_text()
    write_hash(desk.place.server, agent, name="somebody")
    assert desk.looked()
    desk.commit()
    desk.settle()
    desk.command("DEL", agent)
    assert desk.looked()


def test_a_town_that_was_lost_and_brought_back_is_looked_at(desk: Desk) -> None:
    desk.command("FLUSHALL")
    desk.hook()
    desk.settle()
    remembered = desk.memo.read_bytes()
    desk.command("FLUSHALL")
    desk.memo.write_bytes(remembered)
    assert desk.looked()
    assert desk.status() == "pending"


# What happens to a memo


def _harmed(data: bytes) -> dict[str, bytes]:
    lines = data.splitlines(keepends=True)
    return {
        "empty": b"",
        "cut": data[: len(data) // 2],
        "cut in the last line": data[:-2],
        "binary": os.urandom(200),
        "another format": data.replace(b"tt memo 1", b"tt memo 2"),
        "another version": data.replace(b"tt memo 1, ", b"tt memo 1, 0."),
        "another plan": lines[0] + b"0" * (len(lines[1]) - 1) + b"\n" + b"".join(lines[2:]),
        "another town": b"".join(lines[:2]) + b"0" * (len(lines[2]) - 1) + b"\n" + lines[3],
        "more agents": b"".join(lines[:3]) + b"aaaaaaaa-2222-4333-8444-555555555555\n",
        "more lines": data + b"more\n",
    }


@pytest.mark.parametrize("harm", _harmed(b"1\n2\n3\n4\n"))
def test_a_memo_that_is_not_what_was_written_is_not_believed(desk: Desk, harm: str) -> None:
    before = desk.everything()
    desk.memo.write_bytes(_harmed(desk.memo.read_bytes())[harm])
    looks = desk.looks
    ended = desk.hook()
    assert (ended.out, ended.err, desk.looks) == ("", "", looks + 1)
    assert desk.everything() == before
    assert not desk.looked(), "it was made again"


def test_a_memo_of_another_plan_is_not_believed(desk: Desk) -> None:
    old = desk.memo.read_bytes()
    desk.agent(state="completed")
    desk.hook()
    desk.commit()
    desk.settle()
    desk.memo.write_bytes(old)
    assert desk.looked()


def test_where_no_memo_can_be_kept_each_hook_looks_and_says_nothing(desk: Desk) -> None:
    desk.memo.unlink()
    desk.memo.parent.rmdir()
    desk.memo.parent.write_text("in the way")
    for _ in range(2):
        ended = desk.hook()
        assert (ended.out, ended.err) == ("", "")
    assert desk.looked()


@needs_permissions
def test_a_memo_that_cannot_be_read_or_replaced_is_no_trouble(desk: Desk) -> None:
    desk.memo.chmod(0)
    desk.memo.parent.chmod(0o500)
    try:
        ended = desk.hook()
        assert (ended.out, ended.err) == ("", "")
        assert desk.looked()
    finally:
        desk.memo.parent.chmod(0o700)


def test_a_memo_holds_no_password(desk: Desk, launch: Launch) -> None:
    server = launch("--requirepass", "s3cret-word")
    url = f"unix://:s3cret-word@{server.socket}"
    desk.env["REDIS_URL"] = url
    desk.settle()
    assert desk.memo.exists()
    for path in (desk.place.top / ".git" / "tt").rglob("*"):
        assert path.is_dir() or b"s3cret" not in path.read_bytes()


def test_a_server_that_is_gone_is_told_of(desk: Desk, launch: Launch) -> None:
    server = launch()
    desk.env["REDIS_URL"] = server.url
    desk.settle()
    server.stop()
    ended = desk.hook()
    assert "This commit has nothing from Redis" in ended.err
    assert len(ended.err.splitlines()) == 1


# What holds always


class History:
    """A random history of one plan, its town, Git, and other syncs."""

    def __init__(self, desk: Desk, draw: random.Random) -> None:
        self.desk, self.draw = desk, draw
        self.dumps: list[dict[bytes, bytes]] = []
        self.number = 0

    def step(self) -> None:
        """Let one thing happen."""
        self.number += 1
        self.draw.choice(
            (
                self.edit, self.agent, self.agent, self.stage, self.commit, self.commit_code,
                self.put_back, self.sync, self.drop, self.dump, self.restore, self.switch,
                self.describe, self.settle, self.settle, self.settle,
            )
        )()  # fmt: skip

    def _git(self, *words: str) -> None:
        git(self.desk.place.top, *words)

    def edit(self) -> None:
        text = self.desk.place.file.read_text()
        self.desk.place.write(text.replace("Build it", f"Build it {self.number}"))

    def agent(self) -> None:
        name = self.draw.choice(("design", "build", "ship"))
        self.desk.agent(name, state=self.draw.choice(("pending", "running", "completed")))

    def describe(self) -> None:
        self.desk.agent("ship", description=self.draw.choice(("Ship it", "Send it")))

    def stage(self) -> None:
        self._git("add", "tasks.toml")

    def commit(self) -> None:
        self._git("commit", "-q", "-a", "--allow-empty", "-m", "Plan")

    def commit_code(self) -> None:
        self._git("commit", "-q", "--allow-empty", "-m", "Code")

    def put_back(self) -> None:
        self._git("checkout", "-q", "HEAD", "--", "tasks.toml")

    def sync(self) -> None:
        self.desk.place.tt("sync", self.draw.choice(("push", "pull", "merge")))

    def drop(self) -> None:
        self.desk.command("DEL", self.desk.key(self.draw.choice(("design", "build", "ship"))))

    def dump(self) -> None:
        with self.desk.place.server.connect() as connection:
            names = connection.execute("KEYS", "*")
            assert isinstance(names, list)
            dumps = connection.pipeline(("DUMP", str(name, "ascii")) for name in names)  # type: ignore[arg-type]
        self.dumps.append(dict(zip(names, dumps, strict=True)))  # type: ignore[arg-type]

    def restore(self) -> None:
        self.desk.command("FLUSHALL")
        for name, data in (self.draw.choice(self.dumps) if self.dumps else {}).items():
            self.desk.command("RESTORE", name, b"0", data)

    def switch(self) -> None:
        self._git("switch", "-q", "-C", self.draw.choice(("main", "main", "other")))

    def settle(self) -> None:
        for _ in range(2):
            self.desk.hook()


@pytest.mark.parametrize("seed", range(6))
def test_where_a_hook_does_not_look_a_look_would_do_and_say_nothing(desk: Desk, seed: int) -> None:
    """The law of the memo, in random histories with a real server and real Git."""
    history = History(desk, random.Random(seed))
    rests = 0
    for _ in range(25):
        history.step()
        for words in (("pre-commit",), ("post-merge", "0")):
            before, looks = desk.everything(), desk.looks
            ended = desk.hook(*words)
            if desk.looks > looks:
                continue
            rests += 1
            for path in desk.memo.parent.iterdir():
                path.unlink()
            plain = desk.hook(*words)
            assert desk.looks > looks
            assert plain[:3] == ended[:3] == (0, "", "")
            assert desk.everything() == before
    assert rests
