"""Whatever is wrong outside, a person is told in one line, and nothing has changed."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commands import Ended, Place, without_privileges, write_hash
from tests.support.git_repos import commit, git
from tests.support.peers import greet, peer, until_hung_up
from tests.support.redis_server import (
    Launch,
    RedisServer,
    free_port,
    short_directory,
    wait_until,
)

TASK = '[[tasks]]\nid = "a"\ndescription = "A"\n'
GOOD = TASK + 'status = "pending"\n\n[[tasks]]\nid = "b"\ndescription = "B"\n'

# What is wrong with a plan: the file, where it says so, and a word of the message.
WRONG_PLANS: dict[str, tuple[str | bytes, str, str]] = {
    "no TOML": ('[[tasks]]\nid = "a\n', "2:8", "the text is not closed"),
    "no value": (TASK + "status = pending\n", "4:10", '"pending"'),
    "the same key twice": (TASK + 'id = "b"\n', "4:1", "this key is there already"),
    "the same id twice": (TASK + "\n" + TASK, "6:6", "the id `a` is taken by the task of line 2"),
    "an unknown status": (TASK + 'status = "compleet"\n', "4:10", "did you mean `completed`?"),
    "an unknown parent": (TASK + 'parent = "z"\n', "4:10", "`z`"),
    "an unknown dependency": (TASK + 'depends_on = ["z"]\n', "4:14", "`z`"),
    "a cycle": (TASK + 'depends_on = ["a"]\n', "4:14", "`a`"),
    "a number for a text": (TASK + "agent = 3\n", "4:9", "`agent` must be text, not a number"),
    "a text for a list": (TASK + 'tags = "x"\n', "4:8", '`tags = ["…"]`'),
    "a list of numbers": (TASK + "depends_on = [1]\n", "4:14", "must be a list of texts"),
    "an id with a space": (TASK.replace('"a"', '"a b"'), "2:6", "did you mean `a-b`?"),
    "meta as text": ('meta = "x"\n\n' + TASK, "1:1", "`meta` must be a table"),
    "no description": (TASK + '[[tasks]]\nid = "b"\ndesciption = "B"\n', "4:1", "`desciption`?"),
    "conflict markers": (
        TASK + '<<<<<<< HEAD\nagent = "x"\n=======\nagent = "y"\n>>>>>>> other\n',
        "4:1",
        "conflict markers of an unfinished merge (lines 4, 6, 8)",
    ),
    "no UTF-8": (TASK.replace('"A"', '"\xe4"').encode("latin-1"), "3:16", "0xe4 is not UTF-8"),
    "too deep": ("x = " + "[" * 3000 + "]" * 3000 + "\n" + TASK, "1:1", "nested too deeply"),
}
# Files that are no plans, and a word of what is said of them.
OTHER_FILES: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "tasks.toml is empty"),
    "nothing but a comment": (b"# later\n", "tasks.toml is empty"),
    "another tool's tasks": (b'[tasks.build]\nrun = "make"\n', "not a plan of tasks"),
    "a task in single brackets": (b'[tasks]\ndescription = "A"\n', "not a plan of tasks"),
}


@pytest.fixture(scope="module")
def synced(one_server: RedisServer) -> Iterator[Place]:
    """A place that is in step; who makes a mess of its file has to clean it up."""
    directory = short_directory()
    with one_server.connect() as connection:
        connection.execute("FLUSHALL")
    place = Place.make(directory / "here", one_server, GOOD)
    place.done("sync")
    try:
        yield place
    finally:
        shutil.rmtree(directory)


@contextmanager
def holding(place: Place, plan: str | bytes) -> Iterator[None]:
    """Let the plan be something else for a while, and prove that nothing at all changes."""
    place.write(plan)
    before = place.everything()
    yield
    assert place.everything() == before
    place.write(GOOD)


@pytest.mark.parametrize("fault", WRONG_PLANS)
def test_an_invalid_plan_is_told_like_a_compiler_does(synced: Place, fault: str) -> None:
    plan, where, what = WRONG_PLANS[fault]
    with holding(synced, plan):
        said = synced.tt("sync", "merge").complaint(5)
    assert said.startswith(f"tt: tasks.toml:{where}: ")
    assert what in said
    assert len(said.splitlines()) == 2


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_a_file_that_is_no_plan_is_left_alone(synced: Place, kind: str) -> None:
    data, what = OTHER_FILES[kind]
    with holding(synced, data):
        assert what in synced.tt("sync", "merge").complaint(5)


def test_every_fault_of_a_plan_has_its_line(synced: Place) -> None:
    with holding(synced, TASK + 'status = "done"\ntags = 1\nparent = "z"\n'):
        ended = synced.tt("sync")
    assert ended.code == 5
    *faults, hint = ended.err.splitlines()
    assert [line.removeprefix("tt: ").split(" ")[0] for line in faults] == [
        "tasks.toml:4:10:",
        "tasks.toml:5:8:",
        "tasks.toml:6:10:",
    ]
    assert hint == "    Nothing was changed. `tt check` shows what is still wrong."


def test_an_invalid_plan_is_not_pulled_over_either(synced: Place) -> None:
    with holding(synced, TASK + "x = \n"):
        assert "tasks.toml:4:" in synced.tt("sync", "pull").complaint(5)


def test_a_program_gets_a_failure_as_one_document(synced: Place) -> None:
    with holding(synced, TASK + 'status = "done"\n'):
        ended = synced.tt("sync", "--json")
    assert ended.code == 5
    error = json.loads(ended.out)["error"]
    assert error["exit_code"] == 5
    assert error["message"].startswith("tasks.toml:4:10: unknown status `done`")
    assert [problem["code"] for problem in error["problems"]] == ["status"]
    assert ended.err.startswith("tt: tasks.toml:4:10: ")


@pytest.mark.parametrize("command", ["status", "plan", "check", "conflicts"])
def test_commands_that_read_say_the_same_of_an_invalid_plan(synced: Place, command: str) -> None:
    with holding(synced, TASK + 'status = "done"\n'):
        ended = synced.tt(command)
    assert ended.code == 5
    assert "tasks.toml:4:10: unknown status `done`" in ended.err + ended.out
    assert "Traceback" not in ended.err


def test_a_directory_in_the_plan_s_place_is_named(place: Place) -> None:
    place.file.unlink()
    place.file.mkdir()
    before = place.everything()
    assert "tasks.toml is a directory" in place.tt("sync").complaint(1)
    assert "tasks.toml is a directory" in place.tt("sync", "pull").complaint(1)
    assert place.everything() == before


def test_a_named_pipe_in_the_plan_s_place_is_not_waited_for(place: Place) -> None:
    place.file.unlink()
    os.mkfifo(place.file)
    assert "tasks.toml is not a regular file" in place.tt("sync").complaint(1)


def test_without_a_plan_nothing_is_pushed_and_the_next_step_is_named(place: Place) -> None:
    place.file.unlink()
    before = place.everything()
    assert "tt plan --init" in place.tt("sync").complaint(1)
    assert "tt plan --init" in place.tt("sync", "merge").complaint(1)
    said = place.tt("sync", "pull").complaint(1)
    assert "no tasks.toml" in said
    assert "no tasks in Redis" in said
    assert place.everything() == before


# Redis


NOWHERE: dict[str, tuple[Callable[[], str], str]] = {
    "a port where nobody listens": (lambda: f"redis://127.0.0.1:{free_port()}", "127.0.0.1:"),
    "a socket that is not there": (lambda: "unix:///nowhere/redis.sock", "no socket"),
    "a host that nobody knows": (lambda: "redis://no-such-host.invalid", "no-such-host.invalid"),
}


@pytest.mark.parametrize("kind", NOWHERE)
def test_a_server_that_cannot_be_reached_is_named(synced: Place, kind: str) -> None:
    url, what = NOWHERE[kind]
    before = synced.everything()
    ended = synced.tt("sync", "merge", REDIS_URL=url())
    assert what in ended.complaint(4)
    assert "REDIS_URL" in ended.err
    assert synced.everything() == before


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://h:x", "unix://"])
def test_a_url_that_cannot_be_one_is_wrong_usage(synced: Place, url: str) -> None:
    assert "address" in synced.tt("sync", REDIS_URL=url).complaint(2)


def test_status_shows_the_plan_even_without_redis(synced: Place) -> None:
    ended = synced.tt("status", REDIS_URL="unix:///nowhere/redis.sock")
    assert "2 tasks: 2 pending" in ended.out
    assert "no socket unix:///nowhere/redis.sock" in ended.out + ended.err
    assert "Traceback" not in ended.err


@pytest.fixture
def own(tmp_path: Path, launch: Launch) -> Place:
    """A place in step with a server of its own, which may be made difficult."""
    place = Place.make(tmp_path / "here", launch(), GOOD)
    place.done("sync")
    return place


def told(place: Place, *command: str | bytes) -> None:
    """Do a command as the server's administrator."""
    with place.server.connect() as connection:
        connection.execute(*command)


def edited(place: Place) -> None:
    """Change the plan, so that there is something to push."""
    place.write(GOOD.replace('"B"', '"B, and better"'))


def test_a_password_that_is_missing_or_wrong_is_refused(own: Place) -> None:
    edited(own)
    told(own, "ACL", "SETUSER", "default", ">hunter2")
    before = own.file.read_bytes()
    assert "asks for a password" in own.tt("sync").complaint(4)
    wrong = own.tt("sync", REDIS_URL=f"unix://:hunter3@{own.server.socket}")
    assert "does not accept the user name or the password" in wrong.complaint(4)
    assert "hunter" not in wrong.err
    right = own.done("sync", REDIS_URL=f"unix://:hunter2@{own.server.socket}")
    assert "~ b  description" in right.out
    assert own.file.read_bytes() == before


def test_a_user_without_rights_is_told_which_are_missing(own: Place) -> None:
    edited(own)
    told(own, "ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+ping")
    before = own.everything()
    ended = own.tt("sync", REDIS_URL=f"unix://reader:pw@{own.server.socket}")
    assert "does not permit this user what tt needs" in ended.complaint(4)
    assert own.everything() == before
    told(own, "ACL", "SETUSER", "nobody", "on", ">pw")
    ended = own.tt("sync", "pull", REDIS_URL=f"unix://nobody:pw@{own.server.socket}")
    assert "does not permit this user what tt needs" in ended.complaint(4)
    assert own.everything() == before


def test_a_user_with_rights_on_the_town_alone_is_enough(own: Place) -> None:
    told(own, "ACL", "SETUSER", "few", "on", ">pw", "~tt:*", "+@all", "-@dangerous", "-@admin")
    edited(own)
    ended = own.done("sync", REDIS_URL=f"unix://few:pw@{own.server.socket}")
    assert "~ b  description" in ended.out


def test_a_read_only_replica_refuses_a_push_and_serves_a_pull(own: Place) -> None:
    told(own, "HSET", _key(own, "a"), "state", "completed")
    told(own, "REPLICAOF", "127.0.0.1", str(free_port()))
    edited(own)
    before = own.everything()
    assert "is a read-only replica" in own.tt("sync").complaint(4)
    assert own.everything() == before
    assert own.tt("status").code == 0

    ended = own.tt("sync", "pull")

    assert ended.code == 0, ended
    assert 'status = "completed"' in own.file.read_text()
    assert own.everything().keys == before.keys


def _key(place: Place, identifier: str) -> str:
    """Return the key of a task's hash."""
    from tt.core.ids import task_uuid

    return f"tt:here-main:task:{task_uuid('here-main', identifier)}"


def test_a_server_without_memory_is_told_and_the_push_can_be_done_again(own: Place) -> None:
    many = GOOD + "".join(
        f'\n[[tasks]]\nid = "t{number}"\ndescription = "{"x" * 200}"\n' for number in range(300)
    )
    own.write(many)
    told(own, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    with own.server.connect() as connection:
        info = connection.execute("INFO", "memory")
    assert isinstance(info, bytes)
    used = int(info.split(b"used_memory:")[1].split()[0])
    told(own, "CONFIG", "SET", "maxmemory", str(used + 20_000))
    before = own.everything()

    said = own.tt("sync").complaint(4)

    assert "has no memory left" in said
    after = own.everything()
    assert (after.file, after.refs) == (before.file, before.refs)
    told(own, "CONFIG", "SET", "maxmemory", "0")
    assert own.done("sync").out.startswith("⬆️  Pushed 302 tasks")
    settled = own.everything()
    own.done("sync")
    assert own.everything() == settled


def test_a_task_key_of_another_type_is_set_aside_and_the_rest_is_synced(own: Place) -> None:
    key = _key(own, "a")
    told(own, "DEL", key)
    told(own, "RPUSH", key, "not a hash")
    edited(own)

    ended = own.tt("sync", "merge")

    assert ended.code == 0, ended
    assert f"set aside {key}: it is not a hash" in ended.out
    assert "~ b  description" in ended.out
    with own.server.connect() as connection:
        assert connection.execute("LRANGE", key, "0", "-1") == [b"not a hash"]
    assert 'id = "a"' in own.file.read_text()


@pytest.mark.parametrize("name", ["plan", "tombstones"])
def test_a_key_of_the_town_of_another_type_stops_everything(own: Place, name: str) -> None:
    key = f"tt:here-main:{name}"
    told(own, "DEL", key)
    told(own, "SET", key, "no hash")
    edited(own)
    before = own.everything()
    for direction in ("push", "pull", "merge"):
        said = own.tt("sync", direction).complaint(4)
        assert f"The key {key} at {own.server.url} is not a hash" in said
    assert own.everything() == before


def test_a_value_that_is_no_text_is_named_and_set_aside(own: Place) -> None:
    with own.server.connect() as connection:
        connection.execute("HSET", _key(own, "a"), "description", b"\xff\xfe")
    edited(own)
    ended = own.tt("sync", "merge")
    assert ended.code == 0, ended
    assert "its `description` is not UTF-8" in ended.out
    assert 'description = "A"' in own.file.read_text()
    assert "~ b  description" in ended.out


def test_control_characters_from_redis_never_reach_the_terminal(own: Place) -> None:
    write_hash(
        own.server,
        _key(own, "a"),
        description="\x1b]0;owned\x07\x9b31m\u202e",
        tags='["\\u001b[2J","plan:a"]',
    )
    for command in (("sync", "merge"), ("plan",), ("status",), ("sync", "log"), ("sync", "--json")):
        ended = own.tt(*command)
        assert ended.code == 0, ended
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ended.out + ended.err), command
    assert "owned" in own.done("plan").out
    own.done("check")


# Values in the town's own hash that cannot be used, and what is said of them.
WRONG_TOWNS: dict[str, tuple[str, bytes, str]] = {
    "meta that is no JSON": (
        "meta:description",
        b"{",
        "meta:description: it is no value of a plan",
    ),
    "meta of another type": ("meta:description", b"5", "meta:description: it is not text"),
    "an agent that is no text": ("meta:default_agent", b"[]", "meta:default_agent: it is not text"),
    "meta that is no UTF-8": ("meta:description", b'"\xff"', "meta:description: "),
    "a counter that is none": ("seq", b"many", "seq: it is no counter"),
    "a counter beyond all bounds": ("seq", b"9" * 30, "seq: it is no counter"),
    "a counter below zero": ("seq", b"-1", "seq: it is no counter"),
}


@pytest.mark.parametrize("kind", WRONG_TOWNS)
def test_a_bad_value_of_the_town_itself_is_set_aside_and_the_rest_is_synced(
    own: Place, kind: str
) -> None:
    name, value, what = WRONG_TOWNS[kind]
    plan = '[meta]\ndescription = "A plan"\n\n' + GOOD
    own.write(plan)
    own.done("sync")
    told(own, "HSET", "tt:here-main:plan", name, value)
    told(own, "HSET", _key(own, "a"), "state", "completed")

    ended = own.done("sync", "merge")

    assert f"set aside tt:here-main:plan {what}" in ended.out
    expected = plan.replace('"pending"', '"completed"')
    assert own.file.read_text() == expected
    settled = own.everything()
    own.done("sync", "merge")
    assert own.everything() == settled
    own.write(expected.replace('"A plan"', '"Our plan"'))
    own.done("sync")
    own.done("check")
    assert "Our plan" in own.done("plan").out


def test_a_hash_whose_tag_says_another_task_than_its_place_is_set_aside(own: Place) -> None:
    told(own, "HSET", _key(own, "a"), "tags", '["plan:q"]')
    edited(own)

    ended = own.done("sync", "merge")

    assert f"set aside {_key(own, 'a')}: its plan tag says `q`, and its uuid `a`" in ended.out
    assert "~ b  description" in ended.out
    assert 'id = "a"' in own.file.read_text()
    settled = own.everything()
    own.done("sync", "merge")
    assert own.everything() == settled


# Servers that answer badly


def test_a_server_that_accepts_and_never_answers_is_given_two_seconds(
    synced: Place, tmp_path: Path
) -> None:
    floor = synced.tt("sync", REDIS_URL="unix:///nowhere").seconds
    before = synced.everything()
    directory = short_directory()
    with peer(directory, until_hung_up) as address:
        ended = synced.tt("sync", REDIS_URL=address.display)
    shutil.rmtree(directory)
    assert f"{address.display} is connected and does not answer in time" in ended.complaint(4)
    assert 2 <= ended.seconds < 2 + 3 * floor + 1
    assert synced.everything() == before


def _silent_after(replies: int) -> Callable[[socket.socket], None]:
    """Answer so many commands with nothing in particular, then say no more."""

    def talk(accepted: socket.socket) -> None:
        greet(accepted)
        for _ in range(replies):
            accepted.recv(1 << 16)
            accepted.sendall(b"*2\r\n$1\r\n0\r\n*0\r\n")
        until_hung_up(accepted)

    return talk


def _saying(data: bytes, *, hang_up: bool = True) -> Callable[[socket.socket], None]:
    """Answer whatever comes with `data`."""

    def talk(accepted: socket.socket) -> None:
        accepted.recv(1 << 16)
        accepted.sendall(data)
        if not hang_up:
            until_hung_up(accepted)

    return talk


def _greeting_then(data: bytes) -> Callable[[socket.socket], None]:
    """Answer the first command well and the second one with `data`."""

    def talk(accepted: socket.socket) -> None:
        greet(accepted)
        accepted.recv(1 << 16)
        accepted.sendall(data)

    return talk


BAD_PEERS: dict[str, tuple[Callable[[socket.socket], None], str]] = {
    "silent after the greeting": (_silent_after(0), "does not answer in time"),
    "silent after the first answer": (_silent_after(1), "does not answer in time"),
    "half an answer": (_greeting_then(b"*2\r\n$1\r\n0"), "was lost"),
    "half an answer, then silence": (_saying(b"+PO", hang_up=False), "does not answer in time"),
    "a hang-up": (_saying(b""), "was lost"),
    "a web server": (_saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak the Redis"),
    "noise": (_saying(bytes(range(256)) * 9), "does not speak the Redis protocol"),
    "an answer of the wrong kind": (_greeting_then(b":1\r\n"), "makes no sense"),
    "still loading": (
        _saying(b"-LOADING Redis is loading the dataset in memory\r\n", hang_up=False),
        "is still loading its data",
    ),
    "an unheard-of error": (_greeting_then(b"-WEIRD \x1b[31mthing\r\n"), "refuses SCAN: WEIRD"),
    "a promise of a huge answer": (_greeting_then(b"$99999999999\r\n"), "peer.sock"),
}


@pytest.mark.parametrize("kind", BAD_PEERS)
def test_a_server_that_answers_badly_is_told_in_words(synced: Place, kind: str) -> None:
    talk, what = BAD_PEERS[kind]
    before = synced.everything()
    directory = short_directory()
    with peer(directory, talk) as address:
        ended = synced.tt("sync", REDIS_URL=address.display, TT_REDIS_TIMEOUT="0.3")
    shutil.rmtree(directory)
    said = ended.complaint(4)
    assert what in said
    assert str(address.display) in said
    assert "\x1b" not in said
    assert synced.everything() == before


def test_a_server_that_is_frozen_does_not_hold_up_anything(own: Place) -> None:
    edited(own)
    file = own.file.read_bytes()
    assert own.server.process is not None
    own.server.process.send_signal(signal.SIGSTOP)
    try:
        ended = own.tt("sync", TT_REDIS_TIMEOUT="0.3")
        status = own.tt("status", TT_REDIS_TIMEOUT="0.3")
    finally:
        own.server.process.send_signal(signal.SIGCONT)
    assert "does not answer in time" in ended.complaint(4)
    assert "does not answer in time" in status.out + status.err
    assert own.file.read_bytes() == file
    assert "~ b  description" in own.done("sync").out


# Disks and rights


def _limited(size: int) -> dict[str, object]:
    """Let no file grow beyond `size` bytes, as a full disk would."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}


LARGE = GOOD + "# " + "x" * 20_000 + "\n"


def test_a_plan_that_the_disk_has_no_room_for_stays_whole(own: Place) -> None:
    own.write(LARGE)
    own.done("sync")
    told(own, "HSET", _key(own, "a"), "state", "completed")
    before = own.everything()

    ended = own.process("sync", "merge", options=_limited(8_192))

    assert "tasks.toml cannot be written: it would be larger than is allowed" in ended.complaint(1)
    assert own.everything().file == before.file
    assert [path.name for path in own.top.iterdir() if path.name != ".git"] == ["tasks.toml"]
    assert "status: pending → completed" in own.done("sync", "merge").out


def test_a_base_that_the_disk_has_no_room_for_is_made_up_for(own: Place) -> None:
    edited(own)
    before = own.everything()

    ended = own.process("sync", options=_limited(100))

    said = ended.complaint(1)
    assert str(own.top) in said or "Git" in said
    assert own.everything().refs == before.refs
    own.done("sync")
    settled = own.everything()
    own.done("sync")
    assert own.everything() == settled


def _ordinary(place: Place, *command: str, **env: str) -> Ended:
    return place.process(*command, options={"before": without_privileges()}, **env)


def test_a_read_only_plan_is_pushed_and_never_written(own: Place) -> None:
    edited(own)
    own.file.chmod(0o400)
    assert "~ b  description" in _ordinary(own, "sync").out
    told(own, "HSET", _key(own, "a"), "state", "completed")
    before = own.everything()

    said = _ordinary(own, "sync", "pull").complaint(1)

    assert "tasks.toml is read-only" in said
    assert own.everything() == before


def test_a_plan_in_a_read_only_directory_stays_as_it_is(own: Place) -> None:
    told(own, "HSET", _key(own, "a"), "state", "completed")
    before = own.everything()
    own.top.chmod(0o500)
    try:
        said = _ordinary(own, "sync", "merge").complaint(1)
    finally:
        own.top.chmod(0o700)
    assert "tasks.toml cannot be written: there is no permission" in said
    assert own.everything().file == before.file


def test_a_plan_that_may_not_be_read_is_named(own: Place) -> None:
    before = own.everything()
    own.file.chmod(0o000)
    said = _ordinary(own, "sync", "merge").complaint(1)
    own.file.chmod(0o600)
    assert "tasks.toml cannot be read: there is no permission" in said
    assert own.everything().keys == before.keys


def test_a_git_directory_that_may_not_be_written_is_named(own: Place) -> None:
    edited(own)
    before = own.everything()
    locked = [own.top / ".git", *(path for path in (own.top / ".git").rglob("*") if path.is_dir())]
    for directory in locked:
        directory.chmod(0o500)
    try:
        ended = _ordinary(own, "sync")
        status = _ordinary(own, "status")
    finally:
        for directory in locked:
            directory.chmod(0o700)
    assert ".git" in ended.complaint(1)
    assert own.everything().refs == before.refs
    assert status.code == 0, status


def test_a_home_that_may_not_be_written_stops_only_our_own_server(
    own: Place, tmp_path: Path
) -> None:
    edited(own)
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    environment = {"TT_HOME": str(home / "tt"), "HOME": str(home)}
    assert "~ b  description" in _ordinary(own, "sync", **environment).out

    ended = _ordinary(own, "--redis", "embedded", "sync", **environment)

    assert ended.code in (1, 4)
    assert str(home) in ended.complaint(ended.code)
    config = _ordinary(own, "config", "redis.url", "redis://elsewhere", **environment)
    assert str(home) in config.complaint(1)


# Settings, towns, Git


def test_a_broken_configuration_is_named_with_its_line(place: Place) -> None:
    (place.top / "tinytown.toml").write_text('name = "x"\n[sync\n')
    before = place.everything()
    said = place.tt("sync").complaint(2)
    assert f"{place.top / 'tinytown.toml'}:2:" in said
    assert "not valid TOML" in said
    (place.top / "tinytown.toml").write_text('[sync]\nmax_delete = "many"\n')
    assert "`sync.max_delete` must be a whole number" in place.tt("sync").complaint(2)
    assert place.everything() == before


def test_a_town_directory_that_does_not_exist_is_wrong_usage(place: Place) -> None:
    assert "no directory `nowhere`" in place.tt("--town", "nowhere", "sync").complaint(2)


def test_a_directory_that_is_gone_is_told(tmp_path: Path, server: RedisServer) -> None:
    place = Place.make(tmp_path / "gone", server)
    done = subprocess.run(
        ["/bin/sh", "-c", 'rmdir "$PWD" && exec "$0" -m tt sync', sys.executable],
        cwd=_empty(tmp_path / "soon"),
        env={**os.environ, "REDIS_URL": place.server.url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode in (1, 2), done
    assert done.stderr.startswith("tt: ")
    assert "Traceback" not in done.stderr


def _empty(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_detached_head_has_no_town(place: Place) -> None:
    commit(place.top, "other.txt")
    git(place.top, "checkout", "--quiet", "--detach")
    before = place.everything()
    said = place.tt("sync").complaint(1)
    assert "HEAD is detached" in said
    assert "--name" in said
    assert place.everything() == before
    place.done("--name", "mine", "sync")
    assert place.everything().keys


def test_a_town_of_another_repository_is_refused_both_ways(
    place: Place, tmp_path: Path, server: RedisServer
) -> None:
    place.done("--name", "shared", "sync")
    other = Place.make(tmp_path / "other", server, TASK)
    before = place.everything()
    for direction in ("push", "pull", "merge"):
        said = other.tt("--name", "shared", "sync", direction).complaint(4)
        assert "belongs to another repository" in said
    assert other.file.read_text() == TASK
    assert place.everything() == before


def test_a_repository_that_git_refuses_to_read_is_told(place: Place) -> None:
    (place.top / ".git" / "config").write_text("[core\n")
    said = place.tt("sync").complaint(1)
    assert "config" in said


def test_without_git_on_the_path_nothing_is_guessed(place: Place, tmp_path: Path) -> None:
    ended = place.tt("sync", PATH=str(_empty(tmp_path / "bin")))
    assert "Git" in ended.complaint(ended.code)
    assert ended.code in (0, 1)


# Endings


def test_an_interrupt_ends_it_without_a_traceback(synced: Place) -> None:
    before = synced.everything()
    directory = short_directory()
    reached: list[bool] = []

    def talk(accepted: socket.socket) -> None:
        greet(accepted)
        reached.append(True)
        until_hung_up(accepted)

    with peer(directory, talk) as address:
        process = subprocess.Popen(
            [sys.executable, "-m", "tt", "sync"],
            cwd=synced.top,
            env={**os.environ, "REDIS_URL": address.display, "TT_REDIS_TIMEOUT": "30"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        wait_until(lambda: bool(reached), "the sync to begin")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    shutil.rmtree(directory)
    assert (process.returncode, out, err) == (130, "", "\ntt: Interrupted.\n")
    assert synced.everything() == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["snyc", "--json"], 2),
        (["sync", "log", "-n", "0", "--json"], 2),
        (["resolve", "zz", "--file", "--json"], 1),
        (["undo", "zz", "--json"], 1),
    ],
)
def test_every_failure_is_one_document_for_programs(
    synced: Place, arguments: list[str], code: int
) -> None:
    ended = synced.tt(*arguments)
    assert ended.code == code, ended
    assert json.loads(ended.out)["error"]["exit_code"] == code


def test_an_unreachable_server_is_one_document_for_programs(synced: Place) -> None:
    for command in (("sync",), ("conflicts",), ("towns",), ("sync", "log")):
        ended = synced.tt(*command, "--json", REDIS_URL="unix:///nowhere/s")
        document = json.loads(ended.out)
        if ended.code:
            assert document["error"]["exit_code"] == ended.code == 4, command
        else:
            assert command == ("sync", "log")
