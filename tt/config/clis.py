"""The command lines that the settings have for agents, beside those that are built in."""

from __future__ import annotations

from pathlib import Path

from tt.config.files import parse
from tt.config.keys import PROJECT_FILE, USER_FILE
from tt.config.settings import Config
from tt.core.clis import BUILT_IN, Cli, read_cli
from tt.core.document import did_you_mean
from tt.core.prompts import TEMPLATE, check_template
from tt.errors import UsageError

OWN_PROMPT = Path(".tt", "prompts", "task.md")
"""Where the prompt of tasks is looked for, below the worktree's top, if no setting says."""


def find_cli(config: Config, name: str = "") -> Cli:
    """Return a CLI by its name; empty is the default one. Raises UsageError where there is none.

    The project's settings go before the user's, and both before what is built in.
    """
    name = name or config.text("default_cli")
    known = dict.fromkeys(BUILT_IN)
    for path in (config.root / PROJECT_FILE, config.home / USER_FILE):
        tables = _tables(path)
        if name in tables:
            return read_cli(name, tables[name], str(path))
        known |= dict.fromkeys(tables)
    if name in BUILT_IN:
        return BUILT_IN[name]
    raise UsageError(
        f"There is no CLI called `{name}`" + _meant(name, list(known)),
        f'`[agent_clis.NAME]` with `command = "…"` in {PROJECT_FILE} makes one.',
    )


def _meant(name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known)
    return f"; {hint}" if hint else f"; there are {', '.join(known)}."


def _tables(path: Path) -> dict[str, object]:
    try:
        found = parse(path.read_bytes(), str(path)).get("agent_clis", {})
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path}: `agent_clis` must be a table: `[agent_clis.NAME]`.")
    return found


def prompt_template(config: Config) -> str:
    """Return a task's prompt: the user's own, or the one that is built in. Raises UsageError."""
    said = config.text("agents.prompt")
    path = config.root / (said or OWN_PROMPT)
    try:
        template = path.read_text("utf-8-sig")
    except FileNotFoundError:
        if not said:
            return TEMPLATE
        raise UsageError(f"There is no file {path}, which `agents.prompt` names.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text: {error}.") from error
    check_template(template, str(path))
    return template
