"""Push, then pull, changes not one byte; one value from Redis changes just that value's bytes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import tomli
from hypothesis import given, settings

from tests.support.commands import FileState, Place, file_state, hash_of, keys, write_hash
from tests.support.effort import EFFORT
from tests.support.git_repos import git
from tests.support.redis_server import RedisServer, short_directory
from tests.support.toml_files import plan_files
from tests.support.tools import missing
from tt.app.sync import Request, sync
from tt.bootstrap import open_project
from tt.core.ids import task_uuid
from tt.core.report import Direction, SyncReport

FIXTURES = Path(__file__).resolve().parents[2] / "../shared/fixtures"
PLANS = sorted(FIXTURES.glob("*.tasks.toml"))
MERGES = sorted(FIXTURES.glob("merges/*/*.toml"))
_towns = count(1)

# Everything that makes a plan hard to edit: a BOM, CRLF, odd spacing and quoting, dotted keys,
# texts that look like TOML, comments everywhere, no newline at the end.
ODD = (
    b"\xef\xbb\xbf"
    + """\
#:schema ./tasks.schema.json
meta.description = 'odd'   # dotted
meta . "default_agent" = "dev"

# before the first
  [[ tasks ]]   # first
"id"="one"
description = \"\"\"
[[tasks]]
id = "fake"  # not a comment
status = "failed\"\"\"
status	=	'pending'# tight
tags = [ 'a' , # first tag
  "b",
]
extra.deep.er = 1
"due date" = 2026-11-21T00:00:00Z
estimate = 1_000.50

[tasks.links]
home = "x"

[other]
key = [ { a = 1 }, { a = 2 } ]

[["tasks"]]

id = 'ä/two.b-c'
description = 'C:\\dir "quoted" \u2713'
status = "completed"
parent = 'one'
depends_on = ["one"]
priority = 0x1F
""".replace("\n", "\r\n")
    .encode()
    .removesuffix(b"\r\n")
)
INLINE = """\
tasks = [ {id = "a", description = "A, {and} [more]", status = "pending"},   # one
  { id = "b", description = 'B' , tags = ["x"], depends_on=["a"], n = {k = [1, 2]} }, # two
]
[meta]
description = "inline"
"""


def one_sync(place: Place, direction: Direction, town: str) -> SyncReport:
    """Sync in this process, on the real adapters."""
    settings_ = {"name": town, "redis.url": place.server.url}
    with open_project(str(place.top), settings_) as project:
        return sync(project.site, Request(direction))


def assert_nothing_changes(place: Place, town: str) -> None:
    """Sync in every direction; no byte, key or ref may differ, and no file may be replaced."""
    before = place.everything()
    for direction in (Direction.PULL, Direction.MERGE, Direction.PUSH):
        report = one_sync(place, direction, town)
        assert (report.to_file, report.to_store, report.conflicts) == ((), (), ()), direction
    assert place.everything() == before


def is_spread_in(small: bytes, large: bytes) -> bool:
    """Say whether all bytes of `small` are in `large`, in this order."""
    rest = iter(large)
    return all(byte in rest for byte in small)


def assert_round_trip(place: Place, data: bytes, town: str) -> None:
    """Push a plan for the first time; then nothing may change any more."""
    place.write(data)
    before = place.everything().file
    report = one_sync(place, Direction.PUSH, town)
    after = place.everything().file
    assert after is not None
    if report.named:
        assert is_spread_in(data, after.data)
    else:
        assert after == before
    assert_nothing_changes(place, town)


@contextmanager
def scratch(server: RedisServer) -> Iterator[Place]:
    """Make a place that outlives the examples of a property test."""
    directory = short_directory()
    try:
        yield Place.make(directory / "here", server)
    finally:
        shutil.rmtree(directory)


# Every kind of value, keys that tinytown or we have in a hash, and texts that look like our own.
VALUES = """\
[[tasks]]
id = "a"
description = ""
state = "x"
created_at = 2026-01-01
parent_id = "p"
result = "r"
assigned_to = "me"
started_at = 07:00:00
completed_at = 2026-01-01T00:00:00Z
tt = 1
"x:y" = 2
"" = "empty"
"$toml" = "true"
t = { "$toml" = ["a", 1] }
big = 123456789012345678901234567890
floats = [1e5, 6.0221e+23, +inf, -0.0, 1_0.0_1]
dates = [1979-05-27 07:32:00.123456789Z, 1979-05-27T07:32:00, 07:32:00.999999]
mixed = [true, [false, []], {}]
text = "\\u0000\\u001f\\u007f\\u2028\\U0001F600"

[tasks.q.r]
s = 1

[[tasks.list]]
z = 1

[[tasks.list]]
z = 2

[[tasks]]
id = "ä/../b"
description = "tags"
status = "completed"
tags = ["plan:a", "plan:", "", "a,b", "\\u0000"]
parent = "a"
"""


def test_values_of_every_kind_are_told_the_same_in_another_worktree(
    place: Place, tmp_path: Path
) -> None:
    place.write(VALUES)
    one_sync(place, Direction.PUSH, "shared")
    assert_nothing_changes(place, "shared")
    git(place.top, "add", "--all")
    git(place.top, "commit", "--quiet", "--message", "plan")
    git(place.top, "worktree", "add", "--quiet", str(tmp_path / "there"))
    there = Place(tmp_path / "there", place.server)
    there.file.unlink()

    one_sync(there, Direction.PULL, "shared")

    wanted, found = tomli.loads(VALUES)["tasks"], tomli.loads(there.file.read_text())["tasks"]
    assert found == [{**wanted[0], "status": "pending"}, wanted[1]]
    assert_nothing_changes(there, "shared")


def test_without_git_a_plan_comes_back_to_the_byte_too(tmp_path: Path, server: RedisServer) -> None:
    place = Place(tmp_path / "plain", server)
    place.top.mkdir()
    place.write(ODD)
    place.done("sync")
    before = (file_state(place.file), keys(server), file_states(place.top / ".tt" / "base"))
    for direction in ("pull", "merge", "push"):
        place.done("sync", direction)
    assert (file_state(place.file), keys(server), file_states(place.top / ".tt" / "base")) == before
    assert before[0] is not None
    assert before[0].data == ODD
    write_field(place, "one", "status", "failed", "plain")
    place.done("sync", "pull")
    assert place.file.read_bytes() == ODD.replace(b"'pending'", b"'failed'")


def file_states(folder: Path) -> dict[Path, FileState | None]:
    """Note all files below a folder."""
    return {path: file_state(path) for path in folder.rglob("*")}


def need_fixtures() -> None:
    """Skip where the fixtures are not at hand."""
    if not PLANS:
        missing("the fixtures are not here")


def flush(server: RedisServer) -> None:
    """Empty a server."""
    with server.connect() as connection:
        connection.execute("FLUSHALL")


def valid(path: Path) -> bool:
    """Say whether every parent of a plan is in it."""
    tasks = tomli.loads(path.read_text())["tasks"]
    ids = {task["id"] for task in tasks}
    return all(task.get("parent") in (None, *ids) for task in tasks)


@pytest.mark.parametrize("name", ["profile-epic", "code-review"])
def test_a_documented_plan_comes_back_to_the_byte(place: Place, name: str) -> None:
    need_fixtures()
    data = (FIXTURES / f"{name}.tasks.toml").read_bytes()
    place.write(data)
    before = place.everything().file

    pushed = place.process("sync")
    settled = place.everything()
    pulled = place.process("sync", "pull")

    assert pushed.out.splitlines()[0] == "⬆️  Pushed 5 tasks from tasks.toml to Redis"
    assert pulled.out == "⬇️  Pulled 5 tasks from Redis to tasks.toml\n"
    assert settled.file == before
    assert place.everything() == settled
    assert place.done("sync").out == "⬆️  Pushed 5 tasks from tasks.toml to Redis\n"
    assert place.done("sync", "merge").out == "🔄  Merged 5 tasks of tasks.toml and Redis\n"
    assert place.everything() == settled


@pytest.mark.parametrize("plan", [ODD, INLINE.encode()], ids=["odd", "inline"])
def test_an_odd_plan_comes_back_to_the_byte(place: Place, plan: bytes) -> None:
    place.write(plan)
    place.done("sync")
    settled = place.everything()
    assert settled.file is not None
    assert settled.file.data == plan
    place.done("sync", "pull")
    place.done("sync", "merge")
    assert place.everything() == settled


def test_a_clone_without_a_base_pulls_the_same_bytes(place: Place) -> None:
    place.write(ODD)
    place.done("sync")
    before = place.everything()
    git(place.top, "update-ref", "-d", before.refs.split()[0])
    assert one_sync(place, Direction.PULL, "here-main").in_step == 2
    assert place.everything().file == before.file


def test_every_real_plan_comes_back_to_the_byte(place: Place) -> None:
    need_fixtures()
    good = [path for path in MERGES if valid(path)]
    assert (len(MERGES), len(good)) == (81, 78)
    for path in good[:: 5 if EFFORT != "nightly" else 1]:
        assert_round_trip(place, path.read_bytes(), f"{path.parent.name}-{path.stem}")
        flush(place.server)


def test_a_real_plan_with_a_dangling_parent_is_refused_and_not_touched(place: Place) -> None:
    need_fixtures()
    for path in (path for path in MERGES if not valid(path)):
        place.write(path.read_bytes())
        before = place.everything()
        ended = place.tt("sync")
        assert ended.code == 5
        assert "unknown parent" in ended.err
        assert place.everything() == before


@settings(max_examples=15 if EFFORT != "nightly" else 100)
@given(plan_files())
def test_any_plan_comes_back_to_the_byte(one_server: RedisServer, plan: bytes) -> None:
    with scratch(one_server) as place:
        assert_round_trip(place, plan, f"any-{next(_towns)}")


def key_of(identifier: str, town: str = "here-main") -> str:
    """Return the key of a task's hash."""
    return f"tt:{town}:task:{task_uuid(town, identifier)}"


def write_field(place: Place, identifier: str, name: str, value: object, town: str) -> None:
    """Write one field of a task, as another tool would."""
    if name == "tags":
        assert isinstance(value, list)
        text, hash_field = json.dumps([*value, f"plan:{identifier}"]), name
    elif name in ("status", "description"):
        text, hash_field = str(value), {"status": "state"}.get(name, name)
    else:
        text, hash_field = json.dumps(value), f"x:{name}"
    write_hash(place.server, key_of(identifier, town), **{hash_field: text})


# What is written into Redis, and what it makes of the file: the old bytes and the new ones.
ODD_EDITS: list[tuple[str, str, object, bytes, bytes]] = [
    ("one", "status", "running", b"status\t=\t'pending'# tight", b"status\t=\t'running'# tight"),
    ("one", "tags", ["a", "b", "c"], b'  "b",\r\n]', b'  "b",\r\n  "c",\r\n]'),
    ("one", "tags", ["a", "b"], b'  "c",\r\n', b""),
    ("ä/two.b-c", "status", "failed", b'"completed"', b'"failed"'),
    ("ä/two.b-c", "description", "C", b"'C:\\dir \"quoted\" \xe2\x9c\x93'", b"'C'"),
    ("ä/two.b-c", "priority", 30, b"0x1F", b"30"),
]


def test_one_value_from_redis_changes_just_that_value_s_bytes(place: Place) -> None:
    expected = ODD
    place.write(expected)
    one_sync(place, Direction.PUSH, "here-main")
    for identifier, name, value, old, new in ODD_EDITS:
        write_field(place, identifier, name, value, "here-main")
        one_sync(place, Direction.PULL, "here-main")
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
        assert place.file.read_bytes() == expected, (identifier, name)
    assert_nothing_changes(place, "here-main")


def test_one_value_of_an_inline_task_changes_just_its_bytes(place: Place) -> None:
    place.write(INLINE)
    place.done("sync")
    write_field(place, "a", "status", "completed", "here-main")
    place.done("sync", "pull")
    expected = INLINE.replace('"pending"', '"completed"')
    assert place.file.read_text() == expected
    write_field(place, "b", "tags", ["x", "y"], "here-main")
    write_field(place, "b", "n", {"k": [1, 3]}, "here-main")
    place.done("sync", "pull")
    expected = expected.replace('["x"]', '["x", "y"]').replace("[1, 2]", "[1, 3]")
    assert place.file.read_text() == expected


def changed_lines(old: bytes, new: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the lines that are left of two texts without their common beginning and end."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return before, after


def test_one_value_from_redis_changes_one_line_of_a_real_plan(place: Place) -> None:
    need_fixtures()
    for path in [path for path in MERGES if valid(path)][::20]:
        town = f"{path.parent.name}-{path.stem}"
        place.write(path.read_bytes())
        flush(place.server)
        one_sync(place, Direction.PUSH, town)
        for number, task in enumerate(tomli.loads(path.read_text())["tasks"][:4]):
            name, value = [("description", "New"), ("status", "failed")][number % 2]
            if name not in task:
                continue
            before = place.file.read_bytes()
            write_field(place, task["id"], name, value, town)
            one_sync(place, Direction.PULL, town)
            old, new = changed_lines(before, place.file.read_bytes())
            assert new == [f'{name} = "{value}"\n'.encode()], (path, task["id"])
            assert len(old) == 1
            assert old[0].startswith(f"{name} = ".encode())


@settings(max_examples=15 if EFFORT != "nightly" else 100)
@given(plan_files(max_tasks=3))
def test_one_value_from_redis_leaves_all_of_any_plan_but_one_place(
    one_server: RedisServer, plan: bytes
) -> None:
    town = f"any-{next(_towns)}"
    with scratch(one_server) as place:
        place.write(plan)
        one_sync(place, Direction.PUSH, town)
        before = place.file.read_bytes()
        # As text, because nan is not even what it is itself.
        first = tomli.loads(before.decode("utf-8-sig"), parse_float=str)["tasks"][-1]
        write_field(place, first["id"], "description", "From Redis", town)
        one_sync(place, Direction.PULL, town)
        after = place.file.read_bytes()
        parsed = tomli.loads(after.decode("utf-8-sig"), parse_float=str)
        assert parsed["tasks"][-1] == {**first, "description": "From Redis"}
        assert after.count(b"From Redis") == 1
        start = after.index(b"From Redis")
        prefix = next(i for i in range(start + 1) if before[i : i + 1] != after[i : i + 1])
        tail = after[start + len(b"From Redis") :].lstrip(b"\"'")
        assert before.endswith(tail)
        assert after[prefix:start].strip(b"\"'\n\rFrom Redis") == b""
        assert_nothing_changes(place, town)


def test_a_push_writes_just_the_fields_that_changed(place: Place) -> None:
    place.done("sync")
    before = {name: hash_of(place.server, key_of(name)) for name in ("design", "build", "ship")}
    place.write(place.file.read_text().replace('"Build it"', '"Build it well"'))
    place.done("sync")
    after = {name: hash_of(place.server, key_of(name)) for name in ("design", "build", "ship")}
    assert (after["design"], after["ship"]) == (before["design"], before["ship"])
    changed = {name for name in after["build"] if after["build"][name] != before["build"].get(name)}
    assert changed == {"description", "updated_at"}
