"""A password is never in what `tt` says, logs, or writes where Git could track it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.commands import Ended, Place
from tests.support.git_repos import git
from tests.support.redis_server import Launch, free_port

SECRET = "hunter2"
REPORTS = (
    ("status",),
    ("status", "--json"),
    ("plan",),
    ("conflicts",),
    ("towns",),
    ("sync", "log"),
    ("undo", "--json"),
    ("redis", "status"),
    ("config",),
    ("config", "redis.url"),
    ("config", "--json"),
    ("sync", "merge", "--json"),
    ("prime",),
)

# Addresses that say a password and cannot be used, and what is done with them.
WRONG_URLS = {
    "nobody listens": "redis://:hunter2@127.0.0.1:{port}/0",
    "no such host": "redis://me:hunter2@no-such-host.invalid",
    "no such socket": "unix://:hunter2@/nowhere/redis.sock",
    "a password as an option": "unix:///nowhere/redis.sock?password=hunter2",
    "no number for a port": "redis://:pass@127.0.0.1:hunter2",
    "an unencoded slash": "redis://:pass/hunter2@127.0.0.1",
    "an unencoded question mark": "redis://:pass?hunter2@127.0.0.1",
    "an unencoded at sign": "redis://:p@hunter2@127.0.0.1:{port}",
    "an unknown option": "redis://127.0.0.1?passwort=hunter2",
    "no scheme": ":hunter2@127.0.0.1:6379",
    "an unknown scheme": "https://me:hunter2@127.0.0.1",
    "no number for a database": "redis://127.0.0.1:{port}/hunter2",
    "sentinels": "redis+sentinel://:hunter2@127.0.0.1:{port}/main",
    "a cluster": "redis+cluster://:hunter2@127.0.0.1:{port}",
}


def assert_silent(ended: Ended) -> None:
    """Check that a command has not said the password."""
    assert SECRET not in ended.out + ended.err, ended
    assert ended.code != 70, ended


def written_below(folder: Path) -> list[Path]:
    """Return the files below a folder that have the password in them, or in their names."""
    return [
        path
        for path in folder.rglob("*")
        if SECRET in path.name or (path.is_file() and SECRET.encode() in path.read_bytes())
    ]


def assert_nowhere(place: Place) -> None:
    """Check that the password is in no file of the worktree or the home, and in no Git object."""
    assert written_below(place.top) == []
    assert written_below(Path(os.environ["HOME"])) == []
    objects = git(place.top, "cat-file", "--batch", "--batch-all-objects")
    assert SECRET not in objects


@pytest.fixture
def locked(tmp_path: Path, launch: Launch) -> Place:
    """A place whose server wants the password."""
    return Place.make(
        tmp_path / "here", launch("--requirepass", SECRET), '[[tasks]]\ndescription = "A"\n'
    )


@pytest.mark.parametrize("kind", WRONG_URLS)
def test_an_address_that_cannot_be_used_is_named_without_its_password(
    place: Place, kind: str
) -> None:
    url = WRONG_URLS[kind].format(port=free_port())
    ended = place.tt("sync", "--json", REDIS_URL=url)
    assert_silent(ended)
    assert ended.code in (2, 4), ended
    assert_silent(place.tt("-v", "--redis", url, "status"))
    assert_nowhere(place)


def test_no_command_says_the_password_that_it_uses(locked: Place) -> None:
    url = f"unix://:{SECRET}@{locked.server.socket}"
    first = locked.tt("sync", REDIS_URL=url)
    assert_silent(first)
    assert first.code == 0, first
    for command in REPORTS:
        ended = locked.tt(*command, REDIS_URL=url)
        assert_silent(ended)
        assert ended.code in (0, 1), ended
    assert_nowhere(locked)


def test_no_command_says_the_password_that_is_refused(locked: Place) -> None:
    environment = {"REDIS_URL": f"unix:///{SECRET}:x@{locked.server.socket}"}
    environment["REDIS_URL"] = f"unix://:{SECRET}x@{locked.server.socket}"
    for command in (("sync",), ("sync", "pull", "--json"), ("status",), ("towns", "--json")):
        ended = locked.tt(*command, **environment)
        assert_silent(ended)
        assert "does not accept the user name or the password" in ended.out + ended.err
    assert_nowhere(locked)


def test_a_password_of_its_own_setting_is_as_secret(locked: Place) -> None:
    environment = {"REDIS_URL": locked.server.url, "TT_REDIS_PASSWORD": SECRET}
    for command in (("sync",), ("config",), ("config", "redis.password"), ("config", "--json")):
        ended = locked.tt(*command, **environment)
        assert_silent(ended)
        assert ended.code == 0, ended
    assert_nowhere(locked)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("redis.url", "redis://:hunter2@host"),
        ("redis.url", "redis://host?password=hunter2"),
        ("redis.password", "hunter2"),
    ],
)
def test_the_project_s_settings_refuse_a_password(place: Place, key: str, value: str) -> None:
    (place.top / "tinytown.toml").write_text("# mine\n")
    ended = place.tt("config", key, value, "--project")
    assert_silent(ended)
    assert "has a password in it" in ended.complaint(2)
    assert (place.top / "tinytown.toml").read_text() == "# mine\n"
    assert_nowhere(place)


def test_the_user_s_own_settings_keep_a_password_for_the_user_alone(locked: Place) -> None:
    told = locked.tt("config", "redis.url", f"unix://:{SECRET}@{locked.server.socket}")
    assert_silent(told)
    assert told.code == 0
    home = Path(os.environ["TT_HOME"])
    assert written_below(home) == [home / "config.toml"]
    assert (home / "config.toml").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o077 == 0

    pushed = locked.tt("sync", REDIS_URL="")
    assert (pushed.code, pushed.err) == (0, "")
    assert_silent(locked.tt("config", REDIS_URL=""))
    assert written_below(locked.top) == []


def test_a_home_inside_the_worktree_takes_no_password(place: Place) -> None:
    home = place.top / "home"
    ended = place.tt("config", "redis.password", SECRET, TT_HOME=str(home))
    assert_silent(ended)
    assert "Git may track" in ended.complaint(2)
    assert_nowhere(place)


def test_setting_up_writes_no_password_anywhere(locked: Place) -> None:
    locked.file.unlink()
    environment = {
        "REDIS_URL": f"unix://:{SECRET}@{locked.server.socket}",
        "TT_REDIS_PASSWORD": SECRET,
    }
    for command in (("init", "--name", "mine"), ("plan", "--init"), ("sync",), ("init", "--json")):
        ended = locked.tt(*command, **environment)
        assert_silent(ended)
        assert ended.code == 0, ended
    git(locked.top, "add", "--all")
    git(locked.top, "commit", "--quiet", "--message", "set up")
    assert_nowhere(locked)


def test_a_password_that_the_project_s_file_holds_already_is_warned_of_and_not_said(
    locked: Place,
) -> None:
    (locked.top / "tinytown.toml").write_text(
        f'[redis]\nuse_socket = true\nsocket_path = "{locked.server.socket}"\n'
        f'password = "{SECRET}"\n'
    )
    config = locked.tt("config", REDIS_URL="")
    assert_silent(config)
    assert "tinytown.toml is for Git to track, and holds a password" in config.err
    pushed = locked.tt("sync", REDIS_URL="")
    assert_silent(pushed)
    assert pushed.code == 0, pushed
    (locked.top / "tinytown.toml").write_text(f'[redis]\npassword = "{SECRET}" oops\n')
    broken = locked.tt("sync", REDIS_URL="")
    assert_silent(broken)
    assert "tinytown.toml:2:" in broken.complaint(2)


BUG = """\
import tt.bootstrap

def broken(*args, **kwargs):
    raise RuntimeError(f"{args!r} {kwargs!r}")

tt.bootstrap.open_project = broken
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--redis", "redis://:hunter2@host", "sync"),
        ("--redis", ":hunter2@host:6379", "sync"),
        ("--redis=unix:///s?db=1&password=hunter2", "status"),
        ("config", "redis.password", "hunter2"),
        ("config", "redis.url", "redis://u:hunter2@h,i@host"),
    ],
    ids=" ".join,
)
def test_the_log_of_a_bug_has_no_password(
    place: Place, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(BUG)
    path = os.pathsep.join([str(broken), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = place.process(*arguments, PYTHONPATH=path, TT_REDIS_PASSWORD=SECRET)
    assert "This is a bug in tt: RuntimeError." in ended.complaint(70)
    assert SECRET not in ended.err
    (log,) = (Path(os.environ["TT_HOME"]) / "logs").iterdir()
    assert "Traceback" in log.read_text()
    assert SECRET not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
