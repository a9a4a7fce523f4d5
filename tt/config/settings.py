"""From flags, environment and files to one frozen Config that knows where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, cast

from tt.config.address import Source, is_secret, redis_url
from tt.config.files import read_file
from tt.config.keys import KEYS, PROJECT_FILE, USER_FILE, SettingValue, parse_text, wanted
from tt.errors import TTError, UsageError
from tt.record import record

_NOT_IN_NAMES: Final = frozenset("/:*?[]\\\"'")


class Setting(NamedTuple):
    """A value and its origin: `flag --name`, `environment TT_NAME`, a file's path, `default`."""

    value: SettingValue
    origin: str


@record
class Config:
    """Every setting of one run. `root` is the worktree's top, or without Git the town's directory.

    `redis` is the server's URL with its password, None for the embedded one. `warnings` are about
    keys in the files that nobody reads. `exposed` are the settings with a password in
    tinytown.toml, which Git tracks as a rule.
    """

    root: Path
    home: Path
    settings: Mapping[str, Setting]
    redis: str | None
    warnings: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The town's fixed name, or nothing where it follows the branch."""
        return self.text("name")

    @property
    def plan_path(self) -> Path:
        """Where the plan is. Raises UsageError where that is outside the project."""
        file = self.text("sync.file")
        path = Path(file)
        if path.is_absolute() or ".." in path.parts or not path.name:
            raise UsageError(f"`sync.file` must be a path inside the project, not `{file}`.")
        return self.root / path

    @property
    def redis_timeout(self) -> float:
        """How long one exchange with Redis may take, in seconds."""
        return self.seconds("redis.timeout")

    @property
    def max_delete(self) -> int:
        """More deletions at once than this are taken for damage."""
        return self.number("sync.max_delete")

    @property
    def fields(self) -> tuple[str, ...]:
        """The run fields that the file shall hold beside `status`."""
        return cast("tuple[str, ...]", self.settings["sync.fields"].value)

    @property
    def project(self) -> str:
        """The first part of the town's name; empty leaves it to the repository's directory."""
        return self.text("sync.project")

    @property
    def repo(self) -> str:
        """The project's identity as `tt init` made it, or nothing."""
        return self.text("sync.repo")

    def text(self, key: str) -> str:
        """Return a setting that is text."""
        return cast("str", self.settings[key].value)

    def number(self, key: str) -> int:
        """Return a setting that is a whole number."""
        return cast("int", self.settings[key].value)

    def seconds(self, key: str) -> float:
        """Return a setting that is a number of seconds."""
        return cast("float", self.settings[key].value)

    def flag(self, key: str) -> bool:
        """Return a setting that is true or false."""
        return cast("bool", self.settings[key].value)


def tt_home(environ: Mapping[str, str]) -> Path:
    """Return the user's directory for `tt`: TT_HOME, else `~/.tt`."""
    home = environ.get("TT_HOME")
    try:
        return Path(home).absolute() if home else Path("~/.tt").expanduser()
    except RuntimeError as error:
        raise TTError(
            "There is no home directory for ~/.tt.", "Set TT_HOME to a directory of yours."
        ) from error


def load_config(root: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Config:
    """Build a project's Config; `flags` by setting name. Raises UsageError for what is broken."""
    home = tt_home(environ)
    sources = [
        Source("flag", _from_flags(flags)),
        Source("environment", _from_environment(environ)),
    ]
    warnings: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    for path, project in ((root / PROJECT_FILE, True), (home / USER_FILE, False)):
        layer = read_file(path, project=project)
        if layer is not None:
            sources.append(Source(str(path), layer.values, path.parent))
            warnings += layer.warnings
            exposed += _secrets(layer.values) if project else ()
    settings = {name: _setting(name, sources, environ) for name in KEYS}
    return Config(root, home, settings, redis_url(sources), warnings, exposed)


def _secrets(values: Mapping[str, SettingValue]) -> tuple[str, ...]:
    return tuple(name for name, value in values.items() if is_secret(name, value))


def _from_flags(flags: Mapping[str, str | None]) -> dict[str, SettingValue]:
    return {name: _parsed(name, text, KEYS[name].flag) for name, text in flags.items() if text}


def _from_environment(environ: Mapping[str, str]) -> dict[str, SettingValue]:
    found: dict[str, SettingValue] = {}
    for key in KEYS.values():
        for variable in key.env:
            if key.name not in found and environ.get(variable):
                found[key.name] = _parsed(key.name, environ[variable], variable)
    return found


def _parsed(name: str, text: str, said_by: str) -> SettingValue:
    value = parse_text(KEYS[name], text)
    if value is None:
        raise UsageError(f"{said_by} must be {wanted(KEYS[name])}.")
    return value


def _setting(name: str, sources: list[Source], environ: Mapping[str, str]) -> Setting:
    for source in sources:
        if name in source.values:
            return Setting(source.values[name], _origin(name, source.name, environ))
    return Setting(KEYS[name].default, "default")


def _origin(name: str, source: str, environ: Mapping[str, str]) -> str:
    key = KEYS[name]
    if source == "flag":
        return f"flag {key.flag}"
    if source == "environment":
        return "environment " + next(variable for variable in key.env if environ.get(variable))
    return source


def town_name(config: Config, project: str | None, branch: str | None) -> str:
    """Return the town's name: the fixed one, else `<project>-<branch>`.

    `project` is `sync.project` or the repository's name; None without Git, and then the name is the
    directory's. Raises TTError on a
    detached HEAD, which has no town of its own, and UsageError for an impossible name.
    """
    if config.name:
        _check_name(config.name, config.settings["name"].origin)
        return config.name
    if project is None:
        return as_name(config.root.name or "root")
    if branch is None:
        raise TTError(
            "HEAD is detached: a town belongs to a branch, and there is none.",
            "Switch to a branch, or name the town with `tt --name NAME …`.",
        )
    return as_name(f"{project}-{branch}")


def as_name(text: str) -> str:
    """Make a name as tinytown does: `/` becomes `-`, as does what a Redis key cannot have."""
    return "".join(
        "-" if char in _NOT_IN_NAMES or not char.isprintable() else char for char in text
    )


def _check_name(name: str, origin: str) -> None:
    if as_name(name) != name or name != name.strip():
        raise UsageError(
            f"`{as_name(name)!s}` ({origin}) has a character that a town's name cannot have.",
            "Use letters, digits and . _ - in it.",
        )
