"""The real `claude`, `codex` and `auggie` as agents, on a model API that answers as the test says.

They are installed by npm where that is wanted: see `real_clis`, and docs/CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.agents import Crew, is_there
from tests.support.commands import Ended, Place
from tests.support.git_repos import git
from tests.support.model_api import Answer, Asked, Fail, ModelApi, Run, Say, model_api, nobody_there
from tests.support.real_clis import PACKAGED, environment_for
from tests.support.redis_server import RedisServer
from tt.core.agents import Agent
from tt.core.jobs import Job

pytestmark = pytest.mark.slow

PLAN = """\
[[tasks]]
id = "design"
description = "Design it"
agent = "dev"

[[tasks]]
id = "build"
description = "Build it"
agent = "dev"
depends_on = ["design"]

[[tasks]]
id = "docs"
description = "Describe it"
agent = "dev"
"""
HOW_TO_LOG_IN = {
    "claude": "Run `claude` once and log in, or set ANTHROPIC_API_KEY.",
    "codex": "Set the variable that ~/.codex/config.toml names as its `env_key`.",
    "auggie": "Run `auggie login`, or set AUGMENT_SESSION_AUTH.",
}
SECONDS = {"auggie": 15}
"""How long a task may take whose timeout is awaited: long enough for a program to begin."""
MOST = {"codex": 15}
"""How long it may take on any machine: who gives up by itself after a while is stopped before."""
PLAN_SECONDS = 240
"""How long a plan may take: three programs one after the other, on a machine with much to do."""
DONE = {"design": "completed", "build": "completed", "docs": "completed"}
DESIGN_FAILED = {"design": "failed", "build": "pending", "docs": "completed"}
THOUGHTS = "I have thought about it, and find it good."
RESULT = 'it\'s made: %s, "$HOME" – all of it & more'
REPORT = re.compile(r"^ {4}(\S.* task complete \S+) --result", re.MULTILINE)
STOPPED = re.compile(r"stopped after its timeout of \d+ s")
"""How the result of a task begins that took too long."""
TASK = re.compile(r"^# Task `(\w+)`", re.MULTILINE)


def limited(cli: str) -> str:
    """Return the plan, with a timeout for the design: a longer one on a machine that is busy."""
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    seconds = min(round(SECONDS.get(cli, 6) * busy), MOST.get(cli, 90))
    return PLAN.replace('"Design it"', f'"Design it"\ntimeout = {seconds}')


def design_alone(cli: str) -> str:
    """Return a plan of the design alone, with a timeout."""
    return limited(cli).partition('[[tasks]]\nid = "build"')[0]


def task_of(asked: Asked) -> str:
    """Return the id of the task that a prompt is about."""
    found = TASK.search(asked.prompt)
    assert found, asked.prompt
    return found[1]


def obedient(asked: Asked) -> Answer:
    """Report with exactly the command of the prompt, and say that all is done."""
    if asked.results:
        return Say("All is done.")
    found = REPORT.search(asked.prompt)
    assert found, asked.prompt
    return Run(f"{found[1]} --result {shlex.quote(RESULT % task_of(asked))}")


def idle_talk(asked: Asked) -> Answer:
    """Do nothing about the design, and everything else."""
    return Say(THOUGHTS) if task_of(asked) == "design" else obedient(asked)


def overloaded(asked: Asked) -> Answer:
    """Fail whoever asks about the design."""
    return Fail(500) if task_of(asked) == "design" else obedient(asked)


def slow(asked: Asked) -> Answer:
    """Run a command that tells its process and is done when a file is there; report then."""
    if not asked.results:
        program = "import os, time\nopen('../tool', 'w').write(f'{os.getpid()}\\n')\n"
        program += "while not os.path.exists('../go'): time.sleep(0.02)"
        return Run(f"python3 -c {shlex.quote(program)}")
    return obedient(Asked(asked.prompt, asked.results[1:], asked.model))


@pytest.fixture
def api() -> Iterator[ModelApi]:
    with model_api(obedient) as api:
        yield api


@pytest.fixture(params=["claude", "codex", "auggie"])
def cli(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def crew(tmp_path: Path, server: RedisServer, town: str) -> Iterator[Crew]:
    with Crew(Place.make(tmp_path / "here", server), town) as crew:
        yield crew
        for agent in crew.shop.agents().values():
            for pid in below(agent):  # of a test that has failed
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def hire(crew: Crew, cli: str, url: str, plan: str = PLAN, without: str = "") -> Agent:
    """Commit a plan, start an agent for it, `without` a variable of its own, and push."""
    environment = environment_for(cli, url)
    environment.pop(without, None)
    crew.place.write(plan)
    git(crew.top, "add", ".")
    git(crew.top, "commit", "-qm", "plan")
    agent = crew.spawn("dev", cli, **environment)
    crew.done("sync", "push")
    return agent


def conduct(crew: Crew) -> Ended:
    """Run the plan to its end; what is there then has to be committed."""
    ended = crew.place.process("conductor", "--commit", options={"timeout": PLAN_SECONDS})
    assert git(crew.top, "status", "--porcelain") == ""
    return ended


def committed(crew: Crew) -> dict[str, str]:
    """Return the status of each task of the committed plan."""
    text = git(crew.top, "show", "HEAD:tasks.toml")
    tables = text.split("[[tasks]]")[1:]
    found = [
        (re.search(r'id = "(\w+)"', one), re.search(r'status = "(\w+)"', one)) for one in tables
    ]
    return {name[1]: status[1] if status else "pending" for name, status in found if name}


def planned(crew: Crew, name: str) -> Job:
    """Return a task of the plan as it is in Redis."""
    return next(job for job in crew.shop.board().jobs.values() if job.task.id == name)


def below(agent: Agent) -> list[int]:
    """Return the processes, wherever they are, that were started for an agent's work."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("TINYTOWN_AGENT_ID") == agent.uuid:
                found.append(process.pid)
    return [pid for pid in found if is_there(pid)]


@pytest.mark.parametrize("cli", ["claude", "codex", "codex-mini", "auggie"])
def test_a_plan_is_done_by_the_real_program_and_its_end_is_committed(
    crew: Crew, api: ModelApi, cli: str
) -> None:
    agent = hire(crew, cli, api.url)
    ended = conduct(crew)
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert committed(crew) == DONE
    for name in DONE:
        assert planned(crew, name).result == RESULT % name
    first, second = (asked for asked in api.asked if task_of(asked) == "build")
    assert "`design` (completed): Design it\n\n> " + RESULT % "design" in first.prompt
    assert (first.results, len(second.results)) == ([], 1)
    assert (first.model == "gpt-5.4-mini") == (cli == "codex-mini")
    idle = crew.until_agent(agent, "idle")
    assert (idle.tasks_completed, idle.rounds_completed) == (3, 3)
    assert below(agent) == []


def test_a_model_that_only_talks_fails_its_task_in_its_own_words_and_nothing_else(
    crew: Crew, api: ModelApi, cli: str
) -> None:
    api.model = idle_talk
    agent = hire(crew, cli, api.url)
    assert conduct(crew).code == 1
    assert committed(crew) == DESIGN_FAILED
    result = planned(crew, "design").result
    assert result.startswith("ended without a report (exit 0)\n")
    assert THOUGHTS in result
    assert crew.until_agent(agent, "idle").alive


def test_who_is_not_logged_in_is_told_what_to_do(
    crew: Crew, api: ModelApi, cli: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = PACKAGED[cli].secret
    monkeypatch.delenv(secret, raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    hire(crew, cli, api.url, design_alone(cli), without=secret)
    assert conduct(crew).code == 1
    result = planned(crew, "design").result
    assert result.startswith("ended with exit code 1\n")
    assert result.splitlines()[-1] == HOW_TO_LOG_IN[cli]
    assert api.asked == []


def test_a_model_that_only_fails_is_given_up_after_the_tasks_timeout(
    crew: Crew, api: ModelApi, cli: str
) -> None:
    api.model = overloaded
    agent = hire(crew, cli, api.url, limited(cli))
    assert conduct(crew).code == 1
    assert committed(crew) == DESIGN_FAILED
    assert STOPPED.match(planned(crew, "design").result)
    assert sum(task_of(asked) == "design" for asked in api.asked) > 1
    assert crew.until_agent(agent, "idle").alive
    assert below(agent) == []


def test_a_model_that_cannot_be_reached_is_given_up_after_the_tasks_timeout(
    crew: Crew, cli: str
) -> None:
    with nobody_there() as url:
        agent = hire(crew, cli, url, design_alone(cli))
        assert conduct(crew).code == 1
    assert committed(crew) == {"design": "failed"}
    assert STOPPED.match(planned(crew, "design").result)
    assert crew.until_agent(agent, "idle").alive
    assert below(agent) == []


def test_a_tool_command_that_hangs_is_ended_with_its_program_after_the_tasks_timeout(
    crew: Crew, api: ModelApi, cli: str
) -> None:
    api.model = slow
    agent = hire(crew, cli, api.url, design_alone(cli))
    assert conduct(crew).code == 1
    assert not is_there(int(crew.wait_for_file("../tool")))
    assert below(agent) == []
    assert STOPPED.match(planned(crew, "design").result)


def begin(crew: Crew, api: ModelApi, cli: str) -> tuple[Agent, Job, int]:
    """Let a program run a tool command that does not end; return that one's pid, too."""
    api.model = slow
    agent = hire(crew, cli, api.url)
    crew.done("conductor", "--once")
    tool = int(crew.wait_for_file("../tool"))
    (job,) = (job for job in crew.shop.board().jobs.values() if job.state == "running")
    assert tool in below(agent)
    return agent, job, tool


def test_who_is_killed_at_once_ends_program_and_tool_command_and_gives_the_task_back(
    crew: Crew, api: ModelApi, cli: str
) -> None:
    agent, job, tool = begin(crew, api, cli)
    crew.done("kill", "dev", "--now")
    crew.until_agent(agent, "stopped")
    assert not is_there(tool)
    assert below(agent) == []
    given = crew.job(job)
    assert (given.state, given.failures, given.deaths) == ("pending", 0, 0)


def test_who_is_killed_lets_the_tool_command_end_and_reports_before(
    crew: Crew, api: ModelApi, cli: str
) -> None:
    agent, job, _ = begin(crew, api, cli)
    crew.done("kill", "dev")
    (crew.top.parent / "go").touch()
    crew.until_agent(agent, "stopped")
    done = crew.job(job)
    assert (done.state, done.result) == ("completed", RESULT % job.task.id)
    assert below(agent) == []


def test_nothing_goes_on_where_the_agent_itself_is_killed_by_the_system(
    crew: Crew, api: ModelApi, cli: str
) -> None:
    agent, job, tool = begin(crew, api, cli)
    os.kill(agent.pid, signal.SIGKILL)
    crew.wait(lambda: not is_there(tool) and not below(agent), "all to be gone")
    given = crew.shop.bury(agent.uuid, "its process is gone")
    assert (job.uuid, "pending", 1) in [(one.uuid, one.state, one.deaths) for one in given]
