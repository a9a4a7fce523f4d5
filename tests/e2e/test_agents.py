"""Agents as whole processes, on a real server, with shell scripts for their programs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.agents import Crew, is_there
from tests.support.commands import Place
from tt.adapters.proctree import DETACHED
from tt.core.agents import SUPERVISOR
from tt.core.messages import Kind

NASTY = "$(touch pwned) `touch pwned` \"; touch pwned; ' {{uuid}} {0} %s \\n\n--help\n$1 $HOME ü€😀"


@pytest.fixture
def crew(place: Place, town: str) -> Iterator[Crew]:
    with Crew(place, town) as crew:
        yield crew


def test_a_program_that_reports_completes_its_task(crew: Crew) -> None:
    crew.script("good", '$TT task complete "$TT_TASK" --result "all done"; exit 3', report="self")
    agent = crew.spawn("dev", "good")
    job = crew.until(crew.task(agent), "completed")
    assert job.result == "all done"
    crew.wait(lambda: "was reported completed: all done" in crew.log("dev"), "the log to say so")
    idle = crew.until_agent(agent, "idle")
    assert (idle.tasks_completed, idle.rounds_completed, idle.current_task) == (1, 1, "")


def test_a_program_that_says_so_fails_its_task(crew: Crew) -> None:
    crew.script("bad", '$TT task fail "$TT_TASK" --result "no such file"', report="self")
    agent = crew.spawn("dev", "bad")
    assert crew.until(crew.task(agent), "failed").result == "no such file"


def test_silence_with_exit_0_is_a_failure_where_a_report_is_due(crew: Crew) -> None:
    crew.script("silent", "echo I am finished", report="self")
    agent = crew.spawn("dev", "silent")
    job = crew.until(crew.task(agent), "failed")
    assert job.result == "ended without a report (exit 0)\nI am finished"


def test_the_exit_code_decides_for_a_plain_command(crew: Crew) -> None:
    crew.script("plain", 'read -r line; echo "made it"; exit ${CODE:-0}')
    agent = crew.spawn("dev", "plain")
    assert crew.until(crew.task(agent), "completed").result == "made it"
    failing = crew.spawn("worse", "plain", CODE="7")
    assert crew.until(crew.task(failing), "failed").result == "ended with exit code 7\nmade it"


def test_a_failure_that_is_forgiven_is_pending_again_and_the_next_attempt_knows_why(
    crew: Crew,
) -> None:
    crew.script("flaky", 'cat >prompt-$TT_ROUND; echo "boom $TT_ROUND"; exit 1')
    agent = crew.spawn("dev", "flaky")
    job = crew.task(agent, retries=1)
    crew.wait(lambda: crew.job(job).failures == 1, "the first failure")
    again = crew.job(job)
    assert again.state == "pending"
    from tt.workports import Terms

    assert crew.shop.hand_out(again, agent.uuid, Terms(1), SUPERVISOR).done
    assert crew.until(job, "failed").failures == 2
    assert "> boom 1" in (crew.top / "prompt-2").read_text()


def test_a_program_that_hangs_is_stopped_after_its_timeout(crew: Crew) -> None:
    crew.script(
        "hang",
        "trap '' TERM; echo begun; setsid sh -c 'echo $$ >tool; sleep 600' & sleep 600; sleep 600",
    )
    agent = crew.spawn("dev", "hang")
    job = crew.until(crew.task(agent, timeout=1.0), "failed")
    assert job.result == "stopped after its timeout of 1 s\nbegun"
    assert not is_there(int(crew.wait_for_file("tool")))
    assert crew.until_agent(agent, "idle").alive


def test_what_a_program_leaves_behind_is_ended_with_it(crew: Crew) -> None:
    crew.script(
        "leaves", "setsid sh -c 'echo $$ >left; exec sleep 600' & while [ ! -s left ]; do :; done"
    )
    agent = crew.spawn("dev", "leaves")
    crew.until(crew.task(agent), "completed")
    assert not is_there(int(crew.wait_for_file("left")))


def test_what_tt_leaves_running_on_purpose_is_not_ended(crew: Crew) -> None:
    crew.script("noop", "true")
    crew.script(
        "boss", '$TT spawn helper --cli noop --parent "$TINYTOWN_AGENT_NAME" --json >spawned'
    )
    agent = crew.spawn("dev", "boss")
    crew.until(crew.task(agent), "completed")
    from json import loads

    helper = crew._known(loads((crew.top / "spawned").read_text())["data"])
    assert helper.parent == agent.uuid
    crew.until(crew.task(helper), "completed")
    assert is_there(helper.pid)


def test_a_killed_agents_program_is_ended_and_its_task_comes_back(crew: Crew) -> None:
    crew.script("long", "setsid sh -c 'echo $$ >tool; exec sleep 600' & echo $$ >cli; sleep 600")
    agent = crew.spawn("dev", "long")
    job = crew.task(agent)
    tool, cli = int(crew.wait_for_file("tool")), int(crew.wait_for_file("cli"))
    os.kill(agent.pid, signal.SIGKILL)
    crew.wait(lambda: not is_there(tool) and not is_there(cli), "the programs to be gone")
    (given,) = crew.shop.bury(agent.uuid, "its process is gone")
    assert (given.uuid, given.state, given.deaths) == (job.uuid, "pending", 1)
    again = crew.restart("dev")
    assert again.uuid == agent.uuid
    assert (again.pid, again.state) != (agent.pid, "stopped")


def test_what_nobody_was_left_to_end_is_ended_when_the_agent_is_restarted(crew: Crew) -> None:
    crew.script("long", "(setsid sh -c 'echo $$ >tool; exec sleep 600' &); echo $$ >cli; sleep 600")
    agent = crew.spawn("dev", "long")
    other = crew.spawn("other", "long")
    crew.task(agent)
    tool, cli = int(crew.wait_for_file("tool")), int(crew.wait_for_file("cli"))
    os.kill(psutil.Process(agent.pid).ppid(), signal.SIGKILL)
    os.kill(agent.pid, signal.SIGKILL)
    crew.wait(lambda: not is_there(agent.pid), "the agent to be gone")
    assert is_there(tool)
    assert is_there(cli)
    again = crew.restart("dev")
    left = [pid for pid in (tool, cli) if is_there(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []
    assert is_there(again.pid)
    assert is_there(other.pid)


def test_a_signal_keeps_nobody_from_clearing_up_after_a_killed_agent(crew: Crew) -> None:
    crew.script("slow", "echo $$ >up; exec sleep 600")
    agent = crew.spawn("dev", "slow")
    crew.task(agent)
    program, keeper = int(crew.wait_for_file("up")), psutil.Process(agent.pid).ppid()
    os.kill(agent.pid, signal.SIGKILL)
    while is_there(keeper):
        os.kill(keeper, signal.SIGTERM)
    is_left = is_there(program)
    if is_left:
        os.kill(program, signal.SIGKILL)
    assert not is_left


def test_an_agent_that_died_is_buried_when_it_is_restarted(crew: Crew) -> None:
    crew.script("long", "echo x >begun; sleep 600")
    agent = crew.spawn("dev", "long")
    job = crew.task(agent)
    crew.wait_for_file("begun")
    os.kill(agent.pid, signal.SIGKILL)
    crew.wait(lambda: not is_there(agent.pid), "its end")
    crew.restart("dev")
    assert (crew.job(job).state, crew.job(job).deaths) == ("pending", 1)


def test_a_stop_is_heeded_at_the_start_of_the_next_round(crew: Crew) -> None:
    crew.script("step", "echo x >>begun; while [ ! -e go ]; do sleep 0.01; done")
    agent = crew.spawn("dev", "step")
    first, second = crew.task(agent), crew.task(agent)
    crew.wait_for_file("begun")
    assert "next round" in crew.done("kill", "dev").out
    (crew.top / "go").touch()
    crew.done("wait", "dev", "--timeout", "20")
    assert crew.job(first).state == "completed"
    assert crew.job(second).state == "assigned"
    assert [message.text("task_id") for message in crew.shop.inbox(agent.uuid)] == [second.uuid]
    crew.wait(lambda: not is_there(agent.pid), "the process to end")
    crew.restart("dev")
    crew.until(second, "completed")


def test_a_stop_at_once_ends_the_program_and_gives_the_task_back(crew: Crew) -> None:
    crew.script("long", "echo x >begun; sleep 600")
    agent = crew.spawn("dev", "long")
    job = crew.task(agent)
    crew.wait_for_file("begun")
    crew.done("stop", "--now")
    crew.until_agent(agent, "stopped")
    given = crew.job(job)
    assert (given.state, given.failures, given.deaths) == ("pending", 0, 0)


def test_a_signal_ends_an_agent_like_a_stop_at_once(crew: Crew) -> None:
    crew.script("long", "echo x >begun; sleep 600")
    agent = crew.spawn("dev", "long")
    job = crew.task(agent)
    crew.wait_for_file("begun")
    os.kill(agent.pid, signal.SIGTERM)
    crew.until_agent(agent, "stopped")
    assert crew.job(job).state == "pending"
    assert "ended by SIGTERM" in crew.log("dev")


def test_who_is_interrupted_ends_its_round_and_goes_on_when_resumed(crew: Crew) -> None:
    crew.script("step", "echo x >>begun; while [ ! -e go ]; do sleep 0.01; done")
    agent = crew.spawn("dev", "step")
    first, second = crew.task(agent), crew.task(agent)
    crew.wait_for_file("begun")
    crew.done("interrupt", "dev")
    (crew.top / "go").touch()
    crew.until(first, "completed")
    assert crew.job(second).state == "assigned"
    assert crew.agent(agent.uuid).state == "paused"
    crew.done("resume", "dev")
    crew.until(second, "completed")
    crew.until_agent(agent, "idle")


def test_who_is_closed_ends_what_it_has_taken_and_stops(crew: Crew) -> None:
    crew.script("step", "echo x >>begun; while [ ! -e go ]; do sleep 0.01; done")
    agent = crew.spawn("dev", "step")
    first = crew.task(agent)
    crew.wait_for_file("begun")
    crew.done("close", "dev")
    crew.wait(lambda: crew.agent(agent.uuid).state == "draining", "it to drain")
    (crew.top / "go").touch()
    crew.done("wait", "dev", "--timeout", "20")
    assert crew.job(first).state == "completed"


def test_rounds_are_counted_and_the_last_one_is_the_end(crew: Crew) -> None:
    crew.script("step", "while [ ! -e go ]; do sleep 0.01; done")
    agent = crew.spawn("dev", "step", "--max-rounds", "2")
    jobs = [crew.task(agent) for _ in range(3)]
    (crew.top / "go").touch()
    crew.until_agent(agent, "stopped")
    assert [crew.job(job).state for job in jobs] == ["completed", "completed", "assigned"]


def test_tasks_are_done_one_after_the_other_in_order(crew: Crew) -> None:
    crew.script("list", 'echo "$TT_TASK" >>order')
    agent = crew.spawn("dev", "list")
    jobs = [crew.task(agent, f"Task {number}") for number in range(12)]
    crew.until(jobs[-1], "completed")
    assert (crew.top / "order").read_text().split() == [job.uuid for job in jobs]


def test_two_agents_of_one_name_cannot_be_there(crew: Crew) -> None:
    crew.script("noop", "true")
    crew.spawn("dev", "noop")
    refused = crew.tt("spawn", "dev", "--cli", "noop")
    assert refused.code == 1
    assert "has an agent called dev already" in refused.err
    assert len(crew.shop.agents()) == 1


def test_a_program_that_is_not_installed_is_said_with_what_to_do(crew: Crew) -> None:
    refused = crew.tt("spawn", "dev", "--cli", "claude", PATH="/usr/bin:/bin")
    assert refused.code == 1
    assert "runs `claude`, which is not there" in refused.err
    assert "npm install -g @anthropic-ai/claude-code" in refused.err
    crew.settings('[agent_clis.gone]\ncommand = "./gone.sh --x"')
    assert "./gone.sh" in crew.tt("spawn", "dev", "--cli", "gone").err
    assert crew.shop.agents() == {}
    assert not crew.logs.exists()


@pytest.mark.parametrize("prompt", ["stdin", "argument", "file"])
def test_whatever_a_task_says_is_data_to_its_program(crew: Crew, prompt: str) -> None:
    read = {"stdin": "cat", "argument": 'printf "%s\\n" "$1"', "file": 'cat "$1"'}[prompt]
    crew.script("reader", f"{read} >seen", prompt=prompt)
    agent = crew.spawn("dev", "reader")
    crew.until(crew.task(agent, NASTY), "completed")
    assert NASTY in (crew.top / "seen").read_text()
    assert not (crew.top / "pwned").exists()


def test_a_program_finds_its_town_in_its_environment_and_no_password_in_any_arguments(
    crew: Crew, tmp_path: Path
) -> None:
    crew.script("env", "env >seen; tr '\\0' ' ' </proc/$PPID/cmdline >>seen")
    agent = crew.spawn("dev", "env", "--role", "tester")
    job = crew.until(crew.task(agent), "completed")
    seen = (crew.top / "seen").read_text()
    variables = dict(line.split("=", 1) for line in seen.splitlines() if "=" in line)
    assert variables["TINYTOWN_AGENT_ID"] == agent.uuid
    assert variables["TINYTOWN_AGENT_NAME"] == "dev"
    assert variables["TT_TASK"] == job.uuid
    assert len(variables["TT_CLAIM"]) == 36
    assert variables["TT_NAME"] == crew.town
    assert variables["TT_REDIS_URL"] == crew.place.server.url
    assert DETACHED not in variables
    assert crew.place.server.url not in seen.splitlines()[-1]


def test_a_program_is_told_the_directory_that_it_is_in(crew: Crew) -> None:
    (crew.top / "see.py").write_text("import os\nprint(os.getcwd() == os.environ['PWD'])\n")
    crew.script("see", "", command=f"{sys.executable} see.py")
    agent = crew.spawn("dev", "see", PWD="/")
    assert crew.until(crew.task(agent), "completed").result == "True"


def test_messages_come_with_the_next_prompt_and_are_answered_where_they_can_be(crew: Crew) -> None:
    crew.script("reader", "cat >seen")
    agent = crew.spawn("dev", "reader")
    other = crew.shop.enlist(
        crew.agent(agent.uuid).__class__("0" * 8 + agent.uuid[8:], "bob", agent.state)
    )
    crew.send(agent, Kind.PING, sender=other.uuid)
    crew.send(agent, Kind.STATUS_REQUEST, sender=other.uuid)
    crew.send(agent, Kind.INFORMATIONAL, sender=other.uuid, summary="use Postgres\n# Task `x`")
    crew.wait(lambda: len(crew.shop.inbox(other.uuid)) == 2, "the answers")
    assert [message.kind for message in crew.shop.inbox(other.uuid)] == ["pong", "status_response"]
    crew.until(crew.task(agent), "completed")
    assert (
        "From bob (informational):\n\n> use Postgres\n> # Task `x`"
        in (crew.top / "seen").read_text()
    )
    crew.until_agent(agent, "idle")
    assert crew.shop.untake(agent.uuid) == 0


def test_a_message_with_a_task_in_it_becomes_work(crew: Crew) -> None:
    crew.script("reader", "cat >seen")
    agent = crew.spawn("dev", "reader")
    crew.send(agent, Kind.TASK, description="Water the plants")
    crew.wait(
        lambda: any(job.state == "completed" for job in crew.shop.board().jobs.values()), "it"
    )
    assert "Water the plants" in (crew.top / "seen").read_text()


def test_who_is_told_to_shut_down_ends(crew: Crew) -> None:
    crew.script("noop", "true")
    agent = crew.spawn("dev", "noop")
    crew.send(agent, Kind.SHUTDOWN)
    crew.until_agent(agent, "stopped")
    crew.wait(lambda: not is_there(agent.pid), "the process to end")


def test_a_task_that_is_taken_away_ends_its_program(crew: Crew) -> None:
    crew.script("long", "echo $$ >cli; exec sleep 600")
    agent = crew.spawn("dev", "long")
    job = crew.task(agent)
    cli = int(crew.wait_for_file("cli"))
    assert crew.shop.give_back(job.uuid, "wanted elsewhere").done
    crew.wait(lambda: not is_there(cli), "the program to end")
    crew.wait(lambda: "not this agent's any more" in crew.log("dev"), "the log to say so")
    assert crew.job(job).state == "pending"
    crew.until(crew.task(agent, timeout=0.2), "failed")


def test_an_agent_beats_while_its_program_runs(place: Place, town: str) -> None:
    with Crew(place, town, lease=1.0) as crew:
        crew.script("long", "echo x >begun; sleep 2.5")
        agent = crew.spawn("dev", "long")
        job = crew.task(agent)
        crew.wait_for_file("begun")
        first = crew.agent(agent.uuid).last_heartbeat
        crew.until(job, "completed")
        assert crew.agent(agent.uuid).alive
        assert crew.agent(agent.uuid).last_heartbeat > first


def test_a_foreground_agent_shows_what_its_program_prints(crew: Crew) -> None:
    crew.script("says", "printf 'hello \\033[31mred\\n'")
    import subprocess
    import sys

    words = [
        sys.executable,
        "-m",
        "tt",
        "spawn",
        "dev",
        "--cli",
        "says",
        "--foreground",
        "--rounds",
        "1",
    ]
    env = {**os.environ, "REDIS_URL": crew.place.server.url}
    process = subprocess.Popen(
        words, cwd=crew.top, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    crew.wait(lambda: bool(crew.shop.agents()), "it to be there")
    (agent,) = crew.shop.agents().values()
    crew.task(agent)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert b"hello \xef\xbf\xbd[31mred\n" in out
    assert b"Round 1" in err


def test_the_users_own_redis_that_an_agent_has_started_outlives_it(
    place: Place, town: str, own_home: Path
) -> None:
    with Crew(place, town) as crew:
        crew.script("noop", "true")
        own = {"REDIS_URL": "", "TT_HOME": str(own_home / ".tt")}
        pid = crew.done("spawn", "dev", "--cli", "noop", "--json", **own).data["agent"]["pid"]
        crew.done("redis", "stop", **own)
        crew.wait(lambda: "Redis is back" in crew.log("dev"), "the agent to start it")
        os.kill(pid, signal.SIGKILL)
        crew.wait(lambda: not is_there(pid), "the agent to be gone")
        assert "runs" in crew.done("redis", "status", **own).out


def test_a_task_goes_on_while_redis_is_away_and_is_reported_when_it_is_back(
    tmp_path: Path, town: str, launch: object
) -> None:
    server = launch("--appendonly", "yes")  # type: ignore[operator]
    place = Place.make(tmp_path / "far", server)
    with Crew(place, town) as crew:
        crew.script(
            "step", "echo x >begun; while [ ! -e go ]; do sleep 0.01; done; echo made; echo x >over"
        )
        agent = crew.spawn("dev", "step")
        job = crew.task(agent)
        crew.wait_for_file("begun")
        server.stop()
        (crew.top / "go").touch()
        crew.wait_for_file("over")
        crew.wait(lambda: "Redis is away" in crew.log("dev"), "it to notice")
        server.start()
        crew.connect()
        assert crew.until(job, "completed").result == "made"
        crew.wait(lambda: "Redis is back" in crew.log("dev"), "it to say so")
