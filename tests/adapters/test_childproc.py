"""A program with all its descendants, whatever these do to get away.

Each test runs in a process of its own: being the one to whom orphans come is for a whole process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.support.agents import is_there

DRIVER = """
import json, os, select, signal, sys, time
from pathlib import Path
from tt.adapters.childproc import start
from tt.adapters.proctree import Tree, adopt_orphans
from tt.adapters.roundlog import RoundLog

shell, log, stop_when, adopt, mark, grace = json.loads(sys.argv[1])
if adopt:
    assert adopt_orphans()
tree = Tree("", ("TT_CLAIM", mark) if mark else None)
alarm = os.pipe()
for end in alarm:
    os.set_blocking(end, False)
signal.set_wakeup_fd(alarm[1], warn_on_full_buffer=False)
signal.signal(signal.SIGCHLD, lambda *_: None)
os.environ["TT_CLAIM"] = "claim-" + str(os.getpid()) if mark == "" else mark
child = start(["/bin/sh", "-c", shell], dict(os.environ), os.devnull, RoundLog(Path(log)), tree)
child.grace = grace
begun = time.monotonic()
cpu = time.process_time()
while (code := child.poll()) is None:
    assert time.monotonic() - begun < 30, "it does not end"
    if stop_when and Path(stop_when).exists() and Path(stop_when).read_text().endswith("\\n"):
        child.stop()
    wanted = [alarm[0]] + ([child.fileno] if child.fileno >= 0 else [])
    select.select(wanted, [], [], 0.02 if stop_when else 5)
    child.pump()
    try:
        os.read(alarm[0], 4096)
    except BlockingIOError:
        pass
try:
    os.waitpid(-1, os.WNOHANG)
    left = True
except ChildProcessError:
    left = False
print(json.dumps({"code": code, "said": child.last_lines(), "survivors": child.survivors,
                  "left": left, "seconds": time.monotonic() - begun,
                  "cpu": time.process_time() - cpu, "fileno": child.fileno}))
"""

PYTHON = f"{sys.executable} -I -S"


def drive(
    tmp: Path, shell: str, stop_when: str = "", adopt: bool = True, mark: str = "",
    grace: float = 0.5,
) -> Any:  # fmt: skip
    """Run a shell's command as a child, and stop it when a file is there; return how it ended."""
    script = dedent(shell).strip()
    stop = str(tmp / stop_when) if stop_when else ""
    arguments = json.dumps([script, str(tmp / "log"), stop, adopt, mark, grace])
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, arguments],
        cwd=tmp,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def pids(tmp: Path, *names: str) -> list[int]:
    return [int((tmp / name).read_text()) for name in names]


def test_exit_code_and_last_lines_are_known(tmp_path: Path) -> None:
    ended = drive(tmp_path, "echo one; echo two >&2; exit 7")
    assert (ended["code"], ended["said"]) == (7, "one\ntwo")
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
    assert (ended["left"], ended["survivors"], ended["fileno"]) == (False, [], -1)


def test_a_signal_is_a_negative_code(tmp_path: Path) -> None:
    assert drive(tmp_path, "kill -KILL $$")["code"] == -9


def test_a_broken_pipe_ends_a_program_though_it_does_not_end_us(tmp_path: Path) -> None:
    assert drive(tmp_path, "sh -c 'kill -PIPE $$'; [ $? = 141 ] && echo ended")["said"] == "ended"


def test_who_prints_nothing_leaves_no_log(tmp_path: Path) -> None:
    drive(tmp_path, "true")
    assert not (tmp_path / "log").exists()


def test_who_heeds_sigterm_ends_by_it_and_has_its_last_word(tmp_path: Path) -> None:
    heeds = "trap 'echo bye; exit 3' TERM; echo x >up; while :; do sleep 0.01; done"
    ended = drive(tmp_path, heeds, "up", grace=20)
    assert ended["code"] == 3
    assert ended["said"].endswith("bye")


def test_who_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    ended = drive(tmp_path, "trap '' TERM; echo x >up; while :; do sleep 0.01; done", "up")
    assert ended["code"] == -9
    assert ended["seconds"] >= 0.5


@pytest.mark.parametrize("way", ["setsid", "setsid setsid", "nohup"])
def test_a_tool_in_a_session_of_its_own_is_killed_with_its_program(
    tmp_path: Path, way: str
) -> None:
    ended = drive(
        tmp_path,
        f"{way} sh -c 'trap \"\" TERM HUP; echo $$ >tool; while :; do sleep 0.1; done' & wait",
        "tool",
    )
    assert not is_there(*pids(tmp_path, "tool"))
    assert not ended["left"]


def test_an_orphan_of_a_double_fork_is_killed_when_its_program_has_ended(tmp_path: Path) -> None:
    daemon = dedent("""
        import os, sys, time
        if os.fork():
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
        open("daemon", "w").write(f"{os.getpid()}\\n")
        time.sleep(600)
    """)
    (tmp_path / "daemon.py").write_text(daemon)
    ended = drive(tmp_path, f"{PYTHON} daemon.py; while [ ! -s daemon ]; do sleep 0.01; done")
    assert ended["code"] == 0
    assert not is_there(*pids(tmp_path, "daemon"))
    assert not ended["left"]


def test_a_program_killed_from_outside_leaves_nothing_behind(tmp_path: Path) -> None:
    ended = drive(
        tmp_path,
        "setsid sh -c 'echo $$ >tool; exec sleep 9' & while [ ! -s tool ]; do :; done; kill -9 $$",
    )
    assert ended["code"] == -9
    assert not is_there(*pids(tmp_path, "tool"))


def test_a_flood_of_output_is_bounded_on_disk_and_its_end_is_kept(tmp_path: Path) -> None:
    flood = (
        "import os\nfor n in range(100): os.write(1, b'x' * 999_999 + b'\\\\n')\nprint('the end')"
    )
    (tmp_path / "flood.py").write_text(flood.replace("\\\\", "\\"))
    ended = drive(tmp_path, f"{PYTHON} flood.py")
    assert ended["code"] == 0
    assert ended["said"].endswith("the end")
    assert len(ended["said"]) <= 2_010
    logs = sorted(tmp_path.glob("log*"))
    assert [path.name for path in logs] == ["log", "log.1"]
    assert all(path.stat().st_size < 5_000_000 for path in logs)


def test_who_closes_its_output_and_goes_on_is_waited_for(tmp_path: Path) -> None:
    ended = drive(tmp_path, "echo said; exec >&- 2>&-; sleep 0.3; echo x >late; exit 4")
    assert (ended["code"], ended["said"]) == (4, "said")
    assert (tmp_path / "late").exists()
    assert ended["cpu"] < 0.2  # nobody spins on a pipe that is closed


def test_a_descendant_that_keeps_the_output_open_holds_nobody_up(tmp_path: Path) -> None:
    ended = drive(tmp_path, "(trap '' TERM; sleep 600) & echo said; exit 0")
    assert (ended["code"], ended["said"]) == (0, "said")
    assert ended["seconds"] < 5


def test_zombies_of_a_program_are_taken_in(tmp_path: Path) -> None:
    ended = drive(
        tmp_path, "for n in 1 2 3 4 5 6 7 8 9; do (sh -c 'exit 1' &) ; done; sleep 0.2; exit 0"
    )
    assert ended["code"] == 0
    assert not ended["left"]


def test_a_program_that_breeds_is_ended_to_the_last(tmp_path: Path) -> None:
    breed = (
        "breed() { [ $1 -gt 0 ] && { breed $(($1 - 1)) & breed $(($1 - 1)) & }; exec sleep 600; }"
    )
    ended = drive(tmp_path, f"{breed}; (breed 5) & sleep 0.3; echo x >up; sleep 600", "up")
    assert not ended["left"]
    assert ended["survivors"] == []


def test_without_adoption_what_was_seen_and_what_has_the_mark_is_found(tmp_path: Path) -> None:
    mark = f"claim-{os.getpid()}"
    ended = drive(
        tmp_path,
        "(setsid sh -c 'echo $$ >tool; exec sleep 600' &); while [ ! -s tool ]; do :; done; exit 0",
        adopt=False,
        mark=mark,
    )
    assert ended["code"] == 0
    assert not is_there(*pids(tmp_path, "tool"))


def test_what_is_frozen_does_nothing_until_it_is_thawed(tmp_path: Path) -> None:
    code = dedent("""
        import os, signal, sys, time
        from pathlib import Path
        from tt.adapters.childproc import start
        from tt.adapters.proctree import Tree, adopt_orphans
        from tt.adapters.roundlog import RoundLog
        adopt_orphans()
        ticking = "setsid sh -c 'while :; do echo x >>ticks; sleep 0.01; done' & wait"
        words = ["/bin/sh", "-c", ticking]
        child = start(words, dict(os.environ), os.devnull, RoundLog(Path("log")), Tree())
        ticks = Path("ticks")
        def size():
            return ticks.stat().st_size if ticks.exists() else 0
        def wait(fact):
            end = time.monotonic() + 20
            while not fact():
                assert time.monotonic() < end
                time.sleep(0.005)
        wait(size)
        child.freeze()
        assert child.is_frozen
        before = size()
        time.sleep(0.2)  # nothing may happen, for which there is nothing to wait
        assert size() == before
        child.thaw()
        wait(lambda: size() > before)
        child.freeze()
        child.stop()
        wait(lambda: child.poll() is not None)
        print(child.poll())
    """)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=60, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "-15\n"), done.stderr


def test_who_is_run_by_a_shell_that_ends_at_once_has_the_grace_too(tmp_path: Path) -> None:
    agent = "trap 'sleep 0.1; echo bye; exit' TERM; echo x >up; while :; do sleep 0.01; done"
    ended = drive(tmp_path, f'sh -c "{agent}"; true', "up", grace=20)
    assert ended["said"].endswith("bye")
    assert not ended["left"]
