"""`tt watch` as a user meets it: in the background, asked how it goes, stopped, as a service."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.support.tools import require_tool
from tt.adapters.watchpost import WatchPost
from tt.adapters.worktrees import has_plans
from tt.bootstrap import every_post
from tt.config.settings import tt_home
from tt.core.watcher import Watcher
from tt.core.watching import Event
from tt.errors import TTError
from tt.render.text import count

Tt = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 30.0
NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture(autouse=True)
def nobody_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop what a test has started, whatever became of it."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield
    for post in (every_post(tt_home(os.environ)), *map(WatchPost, tmp_path.rglob("tt"))):
        try:
            post.stop()
        except TTError:
            holder = post.holder()
            if holder is not None:
                os.kill(holder.pid, signal.SIGKILL)
            raise


def post_of(project: Path) -> WatchPost:
    return WatchPost(project / ".git" / "tt")


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def holder(project: Path) -> Watcher:
    found = post_of(project).holder()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--status", "--stop"], "One of --status and --stop at a time"),
        (["--background", "--stop", "--status"], "at a time"),
        (["--status", "--two-way"], "--status does not"),
        (["--stop", "--push-only"], "--stop does not"),
        (["--two-way", "install"], "`tt watch install …`"),
        (["--all", "uninstall"], "`tt watch uninstall …`"),
        (["--all", "--sideways"], "--sideways"),
    ],
)
def test_what_means_nothing_is_refused_in_words(
    tt: Tt, project: Path, words: Sequence[str], said: str
) -> None:
    ran = tt("watch", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert post_of(project).holder() is None


def test_one_towns_name_is_not_for_all_plans(
    tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--name is the name of one town" in tt("--name", "x", "watch", "--all").err
    monkeypatch.setenv("TT_NAME", "x")
    assert "TT_NAME is the name of one town" in tt("watch", "--all", "--background").err
    assert tt("watch", "install", "--all").code == 2


@pytest.mark.parametrize("words", [[], ["--all"]])
def test_where_nobody_watches_that_is_said_and_ends_with_1(
    tt: Tt, project: Path, words: Sequence[str]
) -> None:
    ran = tt("watch", "--status", *words)
    assert ran.code == 1
    assert ran.out.startswith("Nobody watches")
    assert tt("watch", "--status", "--json", *words).data == {"watching": False, "watcher": None}
    stopped = tt("watch", "--stop", *words)
    assert (stopped.code, stopped.out) == (0, "Nobody was watching.\n")


def test_in_the_background_saves_are_pushed_until_it_is_stopped(tt: Tt, project: Path) -> None:
    ran = tt("watch", "--background")
    found = holder(project)
    log = project / ".git" / "tt" / "watch.log"
    assert ran.out == f"Watching in the background: pid {found.pid}, log {log}\n"
    assert (ran.code, ran.err) == (0, "")
    assert os.getsid(found.pid) == found.pid

    plan = project / "tasks.toml"
    plan.write_text(plan.read_text().replace("Design profile", "Sketch profile"))
    until(lambda: log.read_text().count("⬆️") == 2, "the save was not pushed")
    assert "Sketch" in tt("plan", "design").out
    assert tt("sync", "--dry-run", "--json").data["to_store"] == []

    status = tt("watch", "--status")
    assert status.code == 0
    assert status.lines[0] == f"Watching  pid {found.pid}, in the background, push only"
    assert status.lines[-1] == f"Log       {log}"
    data = tt("watch", "--status", "--json").data
    assert data["watching"] is True
    assert (data["watcher"]["pid"], data["watcher"]["state"]["state"]) == (found.pid, "in step")

    second = tt("watch", "--background")
    assert second.code == 1
    assert f"A watcher is at work here already: pid {found.pid}" in second.err

    stopped = tt("watch", "--stop")
    assert (stopped.code, stopped.out) == (0, f"Stopped the watcher, pid {found.pid}.\n")
    assert tt("watch", "--status").code == 1
    assert "Stopped watching" in log.read_text()


def test_status_and_doctor_have_a_line_on_who_watches(tt: Tt, project: Path) -> None:
    assert "Watch  nobody (tt watch)" in tt("status").lines
    assert tt("status", "--json").data["watcher"] is None
    assert "+ Nobody watches the plan; `tt watch` does." in tt("doctor").lines
    tt("watch", "--background", "--two-way")
    pid = holder(project).pid
    assert f"Watch  pid {pid}, in the background, two-way: in step" in tt("status").lines
    assert tt("status", "--json").data["watcher"]["pid"] == pid
    assert f"+ A watcher is at work here (pid {pid}): in step." in tt("doctor").lines


def test_an_invalid_plan_is_no_failure_and_is_said(tt: Tt, project: Path) -> None:
    (project / "tasks.toml").write_text("[[tasks]\n")
    ran = tt("watch", "--background")
    assert ran.code == 0
    assert "Not in step yet: " in ran.lines[1]
    assert "tasks.toml:1" in ran.lines[1]
    assert "the plan is invalid" in tt("watch", "--status").out
    found = [line for line in tt("doctor").lines if "watcher is at work" in line]
    assert found[0].startswith("! ")


def test_a_redis_that_is_away_is_no_failure_and_no_password_is_seen(tt: Tt, project: Path) -> None:
    ran = tt("--redis", "redis://:sesame@127.0.0.1:1", "watch", "--background", "--json")
    assert ran.code == 0
    assert "127.0.0.1:1" in ran.data["problem"]
    pid = ran.data["pid"]
    command = [require_tool("ps"), "-ww", "-o", "args=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "watch" in shown
    assert "sesame" not in shown
    assert "sesame" not in Path(ran.data["log"]).read_text()
    assert "Redis is away" in tt("watch", "--status").out


def test_what_keeps_it_from_beginning_is_the_answer(tt: Tt, project: Path) -> None:
    (project / "tinytown.toml").write_text('[sync]\nfile = "../elsewhere.toml"\n')
    ran = tt("watch", "--background")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("tt: `sync.file` must be a path inside the project")
    assert post_of(project).holder() is None


def test_an_address_that_cannot_be_one_is_refused_at_once(tt: Tt, project: Path) -> None:
    ran = tt("--redis", "foo://here", "watch")
    assert (ran.code, ran.out) == (2, "")
    assert "`foo://` is no address of a Redis." in ran.err


def test_one_that_dies_at_its_start_is_told_with_its_last_words(
    tt: Tt, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.exit('no such day')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ran = tt("watch", "--background")
    assert ran.code == 1
    assert "The watcher ended at its start (exit code 1): " in ran.err
    assert "no such day" in ran.err
    assert str(project / ".git" / "tt" / "watch.log") in ran.err


def test_what_lies_in_the_worktree_is_no_part_of_tt(tt: Tt, project: Path) -> None:
    (project / "tt.py").write_text("raise SystemExit('not me')")
    (project / "click.py").write_text("raise SystemExit('not me')")
    assert tt("watch", "--background").code == 0


def test_a_killed_watcher_is_nobody_and_the_next_one_begins(tt: Tt, project: Path) -> None:
    tt("watch", "--background")
    first = holder(project).pid
    os.kill(first, signal.SIGKILL)
    until(lambda: post_of(project).holder() is None, "it still holds its post")
    assert tt("watch", "--status").code == 1
    assert tt("watch", "--background").code == 0
    assert holder(project).pid != first


def linked(project: Path, name: str) -> Path:
    """Make a second worktree of the project, on a branch of its own."""
    top = project.parent / name
    subprocess.run(["git", "worktree", "add", "-q", "-b", name, str(top)], cwd=project, check=True)
    return top


def test_one_watcher_of_all_plans_is_seen_from_each_of_them(tt: Tt, project: Path) -> None:
    other = linked(project, "other")
    tt("init")
    tt("--town", str(other), "init")
    ran = tt("watch", "--all", "--background")
    assert ran.code == 0
    found = every_post(tt_home(os.environ)).holder()
    assert found is not None
    assert str(tt_home(os.environ) / "logs" / "watch.log") in ran.out
    for top in map(str, (project, other)):
        until(lambda: tt("-t", top, "watch", "--status").code == 0, f"none in {top}")  # noqa: B023
        status = tt("-t", top, "watch", "--status")
        assert status.lines[0] == f"Watching  pid {found.pid}, in the background, for all plans"
        assert tt("-t", top, "watch", "--background").code == 1
    until(lambda: "2 plans in step" in tt("watch", "--all", "--status").out, "they are not in step")
    refused = tt("watch", "--stop")
    assert refused.code == 1
    assert "`tt watch --all --stop`" in refused.err
    assert tt("watch", "--all", "--stop").out == f"Stopped the watcher, pid {found.pid}.\n"
    assert tt("watch", "--status").code == 1


def test_a_plan_that_is_watched_already_is_left_to_its_watcher(tt: Tt, project: Path) -> None:
    tt("watch", "--background")
    own = holder(project).pid
    assert tt("watch", "--all", "--background").code == 0
    log = tt_home(os.environ) / "logs" / "watch.log"
    until(lambda: f"pid {own}" in log.read_text(), "it is not passed by")
    assert holder(project).pid == own


@contextmanager
def meanwhile(*steps: Callable[[], object]) -> Iterator[None]:
    """Do something in another thread, and then interrupt this process, whose command is endless."""

    def act() -> None:
        try:
            for step in steps:
                step()
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        yield
        acting.result()


def all_in_step(number: int) -> Callable[[], None]:
    """Wait until the watcher of all plans has so many, and all is well with them."""
    said = f"{count(number, 'plan')} in step"

    def is_so() -> bool:
        found = every_post(tt_home(os.environ)).watching()
        return found is not None and found.state is not None and found.state.state == said

    return lambda: until(is_so, f"it is not: {said}")


def test_a_plan_whose_directory_goes_is_left_and_is_watched_again_when_it_is_back(
    tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def asked_for(top: str) -> bool:
        asked.append(top)
        return has_plans(top)

    monkeypatch.setattr("tt.cli.tower._NEW_PLANS", 0.1)
    monkeypatch.setattr("tt.cli.tower.has_plans", asked_for)
    other, away = linked(project, "other"), project.parent / "away"
    tt("init")
    tt("--town", str(other), "init")
    with meanwhile(
        all_in_step(2),
        lambda: other.rename(away),
        all_in_step(1),
        other.mkdir,
        asked.clear,
        lambda: until(lambda: len(asked) > 3, "it is not looked for"),
        other.rmdir,  # nothing was put into it: a clone would find the directory taken
        lambda: away.rename(other),
        all_in_step(2),
        lambda: (project / "tasks.toml").write_text("[["),
        lambda: until(lambda: "not in step" in tower_state(), "the fault is not seen"),
    ):
        ran = tt("watch", "--all")
    assert (ran.code, ran.err) == (0, "")
    lines = [line[10:] for line in ran.lines]
    assert lines[0] == "· Watching all plans that you have synced."
    assert lines[-1] == "· Stopped watching."
    said = [line for line in lines[1:-1] if not line.startswith(" ")]
    assert {line.partition("  ")[0] for line in said} == {"shop", "other"}
    assert sum(line.startswith("other  ✓ 3 tasks in step") for line in said) <= 2
    assert said[-1].startswith("shop  ✗ tasks.toml:1:")


def tower_state() -> str:
    found = every_post(tt_home(os.environ)).watching()
    return found.state.state if found is not None and found.state is not None else ""


def test_programs_get_whole_paths_of_all_plans_and_each_beginning(tt: Tt, project: Path) -> None:
    tt("init")
    with meanwhile(all_in_step(1)):
        ran = tt("watch", "--all", "--json")
    news = [json.loads(line)["data"] for line in ran.lines]
    assert [one["event"] for one in news] == ["started", "synced", "stopped"]
    assert {one["file"] for one in news} == {str(project / "tasks.toml")}


def test_a_hint_is_said_once(tt: Tt, project: Path) -> None:
    def broken(text: str) -> Callable[[], object]:
        return lambda: (project / "tasks.toml").write_text(text)

    def shows(problem: str) -> Callable[[], None]:
        def is_so() -> bool:
            found = post_of(project).watching()
            return bool(found and found.state and problem in found.state.problem)

        return lambda: until(is_so, f"it does not say {problem}")

    with meanwhile(broken("[["), shows("toml:1:"), broken("\n[["), shows("toml:2:")):
        ran = tt("watch")
    assert ran.out.count("✗ tasks.toml:") == 2
    assert ran.out.count("`tt check`") == 1


def test_a_stream_ends_with_its_failure_in_a_line(tt: Tt, project: Path) -> None:
    (project / "tinytown.toml").write_text('[watch]\ndebounce = "x"\n')
    ran = tt("watch", "--json")
    (line,) = ran.lines
    assert "watch.debounce" in json.loads(line)["error"]["message"]


def test_a_service_tells_systemd_and_waits_for_the_post(
    tt: Tt, project: Path, tmp_path: Path
) -> None:
    tt("watch", "--background")
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address)
        ear.settimeout(DEADLINE)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tt", "watch"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TT_WATCH_AS": "service", "NOTIFY_SOCKET": address},
        )
        with process:
            first = ear.recv(4096).decode()
            assert first.startswith("READY=1\nSTATUS=another watcher is at work: pid ")
            tt("watch", "--stop")
            heard = ear.recv(4096).decode()
            while "another watcher" in heard:
                heard = ear.recv(4096).decode()
            assert heard == "READY=1\nSTATUS=in step"
            assert holder(project).how == "service"
            assert "It starts again with your next session" in tt("watch", "--stop").out
            assert process.wait(timeout=DEADLINE) == 0
            assert process.stdout is not None
            assert "Stopped watching" in process.stdout.read()
    assert "Stopped watching" in (project / ".git" / "tt" / "watch.log").read_text()


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that writes down what it is called with."""
    if not sys.platform.startswith("linux"):
        pytest.skip("services are systemd's on Linux only")
    program, log = tmp_path / "bin" / "systemctl", tmp_path / "calls"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$*" >> {log}\n')
    program.chmod(0o755)
    log.touch()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return log


def units() -> dict[str, str]:
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user"
    return {path.name: path.read_text() for path in directory.glob("*.service")}


def test_a_service_is_installed_with_what_it_needs_and_taken_away(
    tt: Tt, project: Path, systemctl: Path
) -> None:
    ran = tt("--redis", NOWHERE, "--name", "shop", "watch", "install", "--two-way")
    ((name, unit),) = units().items()
    assert re.fullmatch(r"tt-watch-shop-[0-9a-f]{8}\.service", name)
    assert ran.lines[1:] == ["It watches now, and from the start of each session on."]
    assert f'ExecStart="{sys.executable}" "-P" "-m" "tt" "watch" "--two-way"' in unit
    assert f"WorkingDirectory={project}\n" in unit
    for text in (f"TT_REDIS_URL={NOWHERE}", "TT_NAME=shop", f"TT_HOME={os.environ['TT_HOME']}"):
        assert f'Environment="{text}"\n' in unit
    assert systemctl.read_text().splitlines() == [
        "--user daemon-reload", f"--user enable --now {name}",
    ]  # fmt: skip
    again = tt("--redis", NOWHERE, "--name", "shop", "watch", "install", "--two-way", "--json")
    assert again.data["done"] == "kept"
    assert tt("watch", "uninstall").code == 0
    assert units() == {}


def test_a_service_for_all_plans_belongs_to_no_worktree(
    tt: Tt, project: Path, systemctl: Path
) -> None:
    tt("watch", "install", "--all")
    ((name, unit),) = units().items()
    assert name == "tt-watch.service"
    assert '"watch" "--all"\n' in unit
    assert f"WorkingDirectory={tt_home(os.environ)}\n" in unit
    assert tt("watch", "uninstall").out.endswith("there is none\n")
    assert tt("watch", "uninstall", "--all").code == 0
    assert units() == {}


@pytest.mark.parametrize(
    ("flags", "variable"),
    [
        (["--redis", "redis://:sesame@127.0.0.1:1"], {}),
        ([], {"REDIS_URL": "redis://:sesame@127.0.0.1:1"}),
        ([], {"TT_REDIS_PASSWORD": "sesame"}),
    ],
)
def test_no_service_is_told_a_password(
    tt: Tt, project: Path, systemctl: Path, monkeypatch: pytest.MonkeyPatch,
    flags: list[str], variable: dict[str, str],
) -> None:  # fmt: skip
    for name, text in variable.items():
        monkeypatch.setenv(name, text)
    ran = tt(*flags, "watch", "install")
    assert ran.code == 1
    assert "holds a password" in ran.err
    assert "sesame" not in ran.err
    assert units() == {}
    assert systemctl.read_text() == ""


def registered() -> list[str]:
    directory = tt_home(os.environ) / "worktrees"
    found = directory.iterdir() if directory.exists() else ()
    return sorted(os.fsdecode(path.read_bytes().split(b"\0")[0]) for path in found)


@pytest.mark.parametrize(
    "words", [["init"], ["hooks", "install"], ["sync"], ["watch", "--background"]]
)
def test_what_uses_a_plan_makes_its_worktree_known(
    tt: Tt, project: Path, words: Sequence[str]
) -> None:
    for harmless in (
        ["status"],
        ["plan"],
        ["hooks", "install", "--dry-run"],
        ["sync", "--dry-run"],
    ):
        tt(*harmless)
    assert registered() == []
    assert tt(*words).code == 0
    assert registered() == [str(project)]


def test_pruning_forgets_worktrees_that_are_gone(tt: Tt, project: Path) -> None:
    top = project.parent / "gone" / "away"
    top.mkdir(parents=True)
    tt("--town", str(top), "init")
    tt("sync")
    (top / "tinytown.toml").unlink()
    for path in sorted(top.parent.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    top.parent.rmdir()
    assert registered() == sorted([str(top), str(project)])
    assert f"Forgot the worktree {top}" not in tt("towns", "--prune").out
    assert f"Forgot the worktree {top}, which is gone." in tt("towns", "--prune", "--yes").lines
    assert registered() == [str(project)]


def test_the_page_on_watching_has_a_task_that_editors_can_read() -> None:
    page = (ROOT / "docs" / "watching.md").read_text("utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (task,) = json.loads(block)["tasks"]
    assert [task["command"], *task["args"]][:2] == ["tt", "watch"]
    assert task["runOptions"]["runOn"] == "folderOpen"


def test_the_page_on_watching_names_every_event() -> None:
    page = (ROOT / "docs" / "watching.md").read_text("utf-8")
    assert {event for event in Event if f"`{event}`" not in page} == set()


def test_what_git_says_to_one_hook_does_not_stay_with_a_watcher(
    tt: Tt, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "next-index-1.lock"))
    assert tt("watch", "--background").code == 0
    environ = Path(f"/proc/{holder(project).pid}/environ")
    if not environ.exists():
        pytest.skip("there is no /proc here")
    said = environ.read_bytes()
    assert b"TT_HOME=" in said
    assert b"GIT_INDEX_FILE=" not in said
