"""Every setting there is: its kind, its default, and where it may come from."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "whole", "seconds", "boolean", "list"]
SettingValue: TypeAlias = str | int | float | bool | tuple[str, ...]

PROJECT_FILE: Final = "tinytown.toml"
USER_FILE: Final = "config.toml"

_LONGEST: Final = 1_000_000.0
"""Eleven days: the system's own clocks and calls take no longer time, infinity least of all."""

KIND_WORDS: Final[dict[Kind, str]] = {
    "text": "text",
    "whole": "a whole number",
    "seconds": "a number of seconds, more than 0",
    "boolean": "true or false",
    "list": "a list of texts",
}


class Key(NamedTuple):
    """One setting. `project`: only the project's file may set it, never the user's.

    `env` are the variables that set it, strongest first; `choices` the only values it can have.
    """

    name: str
    kind: Kind
    default: SettingValue
    about: str
    env: tuple[str, ...] = ()
    flag: str = ""
    choices: tuple[str, ...] = ()
    project: bool = False
    secret: bool = False


_ON_TROUBLE: Final = ("warn", "fail")

KEYS: Final[dict[str, Key]] = {
    key.name: key
    for key in (
        Key("name", "text", "", "the town's name; it then follows one branch",
            env=("TT_NAME",), flag="--name", project=True),
        Key("default_cli", "text", "claude", "the AI command line that agents run"),
        Key("max_agents", "whole", 10, "how many agents may work at once"),
        Key("redis.url", "text", "", "redis://, rediss:// or unix://; `embedded` is the built-in",
            env=("TT_REDIS_URL", "REDIS_URL"), flag="--redis"),
        Key("redis.timeout", "seconds", 2.0, "how long to wait for Redis",
            env=("TT_REDIS_TIMEOUT",)),
        Key("redis.use_socket", "boolean", False, "reach Redis by `redis.socket_path`"),
        Key("redis.socket_path", "text", "", "a Unix socket, relative to the file that says so"),
        Key("redis.host", "text", "127.0.0.1", "where Redis is"),
        Key("redis.port", "whole", 6379, "its port"),
        Key("redis.password", "text", "", "its password",
            env=("TT_REDIS_PASSWORD", "TINYTOWN_REDIS_PASSWORD"), secret=True),
        Key("redis.tls_enabled", "boolean", False, "use TLS for host and port"),
        Key("sync.file", "text", "tasks.toml", "the plan, relative to tinytown.toml", project=True),
        Key("sync.project", "text", "", "the first part of the town's name, before the branch",
            project=True),
        Key("sync.repo", "text", "", "whose plan it is; made by `tt init`", project=True),
        Key("sync.fields", "list", (), "run fields to keep in the file beside `status`"),
        Key("sync.max_delete", "whole", 20, "more deletions at once are taken for damage"),
        Key("hooks.on_conflict", "text", "warn", "what a hook does on a conflict",
            choices=_ON_TROUBLE),
        Key("hooks.on_invalid", "text", "fail", "what a commit of an invalid plan does",
            choices=_ON_TROUBLE),
        Key("hooks.on_unreachable", "text", "warn", "what a hook does without Redis",
            choices=_ON_TROUBLE),
        Key("hooks.stage", "boolean", True, "whether pre-commit stages the plan"),
        Key("watch.two_way", "boolean", False, "whether the watcher also pulls"),
        Key("watch.debounce", "seconds", 0.1, "how long a save must be over before it is synced"),
        Key("conductor.lease", "seconds", 30.0, "how long an agent may be silent"),
        Key("conductor.retries", "whole", 0, "attempts after the first, for failures"),
        Key("conductor.timeout", "whole", 3600, "seconds one attempt may take; 0 for ever"),
        Key("conductor.max_parallel", "whole", 0, "how many tasks at once; 0 for no limit"),
        Key("agents.prompt", "text", "", "a file with the prompt of a task, instead of ours",
            project=True),
        Key("agents.worktrees", "text", "", "where agents' worktrees are made, if not beside it"),
        Key("agents.grace", "seconds", 5.0, "how long a program that is stopped may take to end"),
    )
}  # fmt: skip

OUR_TABLES: Final = frozenset({"sync", "hooks", "watch", "conductor", "agents"})
"""Tables in which a key that we do not know is a mistake; in others it is tinytown's business."""

TINYTOWN_KEYS: Final = frozenset({
    "agent", "agent_clis", "conductor_cli", "redis.aof_path", "redis.bind", "redis.persist",
    "redis.tls_ca_cert", "redis.tls_cert", "redis.tls_key", "redis.use_central", "townhall",
    "use_central_redis", "use_streams",
})  # fmt: skip
"""tinytown's own keys and tables that `tt` leaves alone."""


def fits(key: Key, value: object) -> SettingValue | None:
    """Return a TOML file's `value` in the setting's own type, None where it does not fit."""
    if key.kind == "list":
        is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return tuple(value) if is_list and isinstance(value, list) else None
    if key.kind == "boolean" or isinstance(value, bool):
        return value if key.kind == "boolean" and isinstance(value, bool) else None
    if key.kind == "seconds":
        return float(value) if isinstance(value, int | float) and 0 < value <= _LONGEST else None
    if key.kind == "whole":
        return value if isinstance(value, int) and value >= 0 else None
    if not isinstance(value, str) or (key.choices and value not in key.choices):
        return None
    return value


def parse_text(key: Key, text: str) -> SettingValue | None:
    """Read a setting from a flag, a variable or a command line; None where it does not fit."""
    if key.kind == "boolean":
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            text.lower()
        )
    if key.kind == "list":
        return tuple(item for item in text.replace(",", " ").split() if item)
    if key.kind == "text":
        return fits(key, text)
    try:
        return fits(key, int(text) if key.kind == "whole" else float(text))
    except ValueError:
        return None


def wanted(key: Key) -> str:
    """Say which values a setting can have, for messages."""
    return " or ".join(f"`{choice}`" for choice in key.choices) or KIND_WORDS[key.kind]


def near_key(dotted: str) -> str | None:
    """Return the known setting (or table) that was probably meant."""
    from difflib import get_close_matches

    near = get_close_matches(
        dotted, [*KEYS, *TINYTOWN_KEYS, *OUR_TABLES, "redis"], n=1, cutoff=0.75
    )
    return near[0] if near else None
