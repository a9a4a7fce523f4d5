"""The command lines that agents run: how each is given a prompt, and what its ending means; pure.

What is in here of real programs was measured: how they take a prompt without a terminal, what they
say when they cannot begin. Their own report of a task decides (`Reporting.SELF`), since they end
with 0 whether they did it or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, cast

from tt.core.document import did_you_mean
from tt.errors import UsageError
from tt.record import field, record, replace

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_KEYS: Final = ("command", "env", "prompt", "report", "name", "install")
_BLANKS: Final = re.compile(r"[ \t]+")
_GIVEN: Final = '"$1"'
_TAKES: Final = ("$1", "${1", "$@", "$*", "${@", "${*")
_CODEX: Final = (
    "codex", "exec", "--dangerously-bypass-approvals-and-sandbox",
    # Without it a refused connection is tried again for ever, and the task never ends.
    "-c", "features.unbounded_connection_retries=false",
)  # fmt: skip


class Prompting(StrEnum):
    """How a program is given its prompt."""

    STDIN = "stdin"
    ARGUMENT = "argument"
    FILE = "file"


class Reporting(StrEnum):
    """What decides how a task ended, where the agent has not said so itself.

    `EXIT`: the exit code. `SELF`: nothing does; who does not report has failed.
    """

    SELF = "self"
    EXIT = "exit"


@record
class Cli:
    """One command line. Either `words`, or `shell`: a user's own, which a shell runs.

    `option` stands before a prompt that is an argument or a file. `program` is what has to be
    installed, and `install` how that is done. `env` is added to the environment, `env_as_root` for
    root alone. `troubles` maps what it is known to print when it fails to what to do about it.
    """

    name: str
    words: tuple[str, ...] = ()
    shell: str = ""
    prompt: Prompting = Prompting.STDIN
    option: str = ""
    report: Reporting = Reporting.SELF
    env: Mapping[str, str] = field(default_factory=lambda: _NONE)
    env_as_root: Mapping[str, str] = field(default_factory=lambda: _NONE)
    install: str = ""
    troubles: Mapping[str, str] = field(default_factory=lambda: _NONE)

    @property
    def program(self) -> str:
        """What has to be there; empty where a shell's command does not say so by its first word."""
        if self.words:
            return self.words[0]
        words = self.shell.split()
        while words and _is_setting(words[0]):
            del words[0]
        return words[0] if words and _is_plain(words[0]) else ""

    @property
    def plain_words(self) -> tuple[str, ...]:
        """The words that a shell would do no more with than run the first; empty where it would."""
        words = self.words or tuple(_BLANKS.split(self.shell.strip(" \t")))
        return words if self.words or all(map(_is_plain, words)) else ()

    def call(self, prompt: str, file: str) -> tuple[str, ...]:
        """Return the words that run it; `file` holds the same prompt.

        The prompt is never a part of a shell's text, whatever is in it.
        """
        if self.words:
            return self.plain_call(prompt, file)
        given = self._given(prompt, file)
        return ("/bin/sh", "-c", self._shell_text() if given else self.shell, "sh", *given)

    def plain_call(self, prompt: str, file: str) -> tuple[str, ...]:
        """Return the words that run it without a shell, where there are `plain_words`."""
        given, words = self._given(prompt, file), self.plain_words
        option = (self.option,) if given and self.option and self.option not in words else ()
        return (*words, *option, *given)

    def _given(self, prompt: str, file: str) -> tuple[str, ...]:
        return {Prompting.ARGUMENT: (prompt,), Prompting.FILE: (file,)}.get(self.prompt, ())

    def _shell_text(self) -> str:
        if any(mark in self.shell for mark in _TAKES):
            return self.shell
        option = self.option if self.option not in self.shell.split() else ""
        return " ".join(part for part in (self.shell, option, _GIVEN) if part)

    def advice(self, said: str) -> str:
        """Return what to do about a failure that it has printed; empty where that is not known."""
        return next((hint for mark, hint in self.troubles.items() if mark in said), "")


BUILT_IN: Final[Mapping[str, Cli]] = MappingProxyType({
    cli.name: cli
    for cli in (
        Cli(
            "claude",
            ("claude", "--print", "--dangerously-skip-permissions"),
            # It refuses to skip permissions as root anywhere else than in a sandbox.
            env_as_root=MappingProxyType({"IS_SANDBOX": "1"}),
            install="npm install -g @anthropic-ai/claude-code",
            troubles=MappingProxyType({
                "Not logged in": "Run `claude` once and log in, or set ANTHROPIC_API_KEY.",
                "Invalid API key": "Run `claude` once and log in, or correct ANTHROPIC_API_KEY.",
                "Failed to authenticate": "Log in again with `claude`, or correct the key.",
                "Prompt is too long": "Shorten the task, or what came before it.",
                "exceeds 10MB": "Shorten the task, or what came before it.",
            }),
        ),
        Cli(
            "auggie",
            ("auggie", "--print"),
            prompt=Prompting.FILE,
            option="--instruction-file",
            install="npm install -g @augmentcode/auggie",
            troubles=MappingProxyType({
                "No auth provided": "Run `auggie login`, or set AUGMENT_SESSION_AUTH.",
                "not currently logged in": "Run `auggie login`.",
                "Authentication failed": "Run `auggie login` again.",
            }),
        ),
        *(
            Cli(
                name,
                (*_CODEX, *more),
                install="npm install -g @openai/codex",
                troubles=MappingProxyType({
                    "401 Unauthorized": "Run `codex login`.",
                    "Missing environment variable": "Set the variable that ~/.codex/config.toml "
                    "names as its `env_key`.",
                }),
            )
            for name, more in (
                ("codex", ()),
                ("codex-mini",
                 ("-m", "gpt-5.4-mini", "-c", 'model_reasoning_effort="medium"')),
            )
        ),
        Cli("gemini", ("gemini", "--yolo"), install="npm install -g @google/gemini-cli"),
        Cli(
            "aider",
            ("aider", "--yes-always", "--no-auto-commits"),
            prompt=Prompting.FILE,
            option="--message-file",
            report=Reporting.EXIT,  # it edits files and runs no commands
            install="python -m pip install aider-install && aider-install",
        ),
        Cli(
            "copilot",
            ("copilot", "--allow-all-tools"),
            prompt=Prompting.ARGUMENT,
            option="-p",
            install="npm install -g @github/copilot",
        ),
        Cli(
            "cursor",
            ("cursor-agent", "--print", "--force"),
            prompt=Prompting.ARGUMENT,
            install="see https://cursor.com/cli",
        ),
    )
})  # fmt: skip

_TINYTOWNS: Final[Mapping[str, str]] = MappingProxyType({
    "claude": "claude --print --dangerously-skip-permissions",
    "auggie": "auggie --print",
    "codex": "codex exec --dangerously-bypass-approvals-and-sandbox",
    "codex-mini": "codex exec --dangerously-bypass-approvals-and-sandbox -m gpt-5.4-mini "
    '-c model_reasoning_effort="medium"',
    "aider": "aider --yes --no-auto-commits --message",
    "gemini": "gemini",
    "copilot": "gh copilot",
    "cursor": "cursor",
})  # fmt: skip
"""What tinytown writes into each new tinytown.toml: nobody chose it, and ours knows more."""


def read_cli(name: str, table: object, where: str) -> Cli:
    """Read one `[agent_clis.NAME]` of a settings file. Raises UsageError.

    One that goes by the name of a known program is given its prompt as that is, and reports as it
    does, where the table does not say otherwise.
    """
    place = f"{where}: `agent_clis.{name}`"
    if not isinstance(table, dict):
        raise UsageError(f"{place} must be a table with a `command`.")
    for key in table:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise UsageError(f"{place} has no `{key}`" + (f"; {hint}" if hint else "."))
    command = table.get("command", "")
    if not isinstance(command, str) or "\0" in command:
        raise UsageError(f"{place}.command must be text.")
    known = BUILT_IN.get(name)
    if known is None or command.strip() not in ("", _TINYTOWNS[name]):
        known = _own(name, command, known, place)
    return _with(known, table, place)


def _own(name: str, command: str, like: Cli | None, place: str) -> Cli:
    if not command.strip():
        raise UsageError(f"{place} has no command.", 'Say which: `command = "…"`.')
    if like is None:
        return Cli(name, shell=command, report=Reporting.EXIT)
    return replace(like, words=(), shell=command)


def _with(cli: Cli, table: Mapping[str, object], place: str) -> Cli:
    env, install = table.get("env", {}), table.get("install", cli.install)
    if not isinstance(env, dict) or not all(_is_variable(*item) for item in env.items()):
        raise UsageError(f"{place}.env must be a table of texts.")
    if not isinstance(install, str):
        raise UsageError(f"{place}.install must be text.")
    prompt = _choice(table.get("prompt", str(cli.prompt)), Prompting, f"{place}.prompt")
    report = _choice(table.get("report", str(cli.report)), Reporting, f"{place}.report")
    option = cli.option if prompt == cli.prompt else ""
    return replace(
        cli,
        env=MappingProxyType(cast("dict[str, str]", env)),
        prompt=Prompting(prompt),
        report=Reporting(report),
        option=option,
        install=install,
    )


def _choice(value: object, kind: type[Prompting] | type[Reporting], place: str) -> str:
    if value not in [str(choice) for choice in kind]:
        words = " or ".join(f"`{choice}`" for choice in kind)
        raise UsageError(f"{place} must be {words}.")
    return str(value)


def _is_variable(name: object, text: object) -> bool:
    fits = isinstance(name, str) and name and "=" not in name and "\0" not in name
    return bool(fits) and isinstance(text, str) and "\0" not in text


def _is_setting(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _is_plain(word: str) -> bool:
    """Say whether a shell takes a word as it is."""
    return bool(word) and all(char.isalnum() or char in "._-+/@:" for char in word)
