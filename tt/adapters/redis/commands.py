"""What the store needs of a connection: commands, Lua scripts as commands, and SCAN."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar, cast

from tt.adapters.redis.keys import glob
from tt.adapters.redis.replies import Reply, ReplyError
from tt.errors import StoreError

Arg: TypeAlias = str | bytes | int | float
Command: TypeAlias = tuple[Arg, ...]

T = TypeVar("T")

_SCAN_COUNT: Final = 10_000
"""Keys that the server looks at in one go: some 5 ms in which it does nothing else."""

_SCRIPTS: Final = Path(__file__).with_name("scripts")


class Commands(Protocol):
    """A connection to the server, or to the node of a Cluster, that holds a town."""

    address: str

    def execute(self, *args: Arg) -> Reply:
        """Do one command. Raises StoreError for an error reply."""
        ...

    def pipeline(self, commands: Iterable[Command]) -> list[Reply]:
        """Do commands in few round trips; error replies are in the result."""
        ...

    def stream(self, commands: Iterable[Command]) -> Iterator[Reply]:
        """Do commands like `pipeline`, and yield each reply as it arrives."""
        ...


class Call(NamedTuple):
    """One call of a script, by the name of its file, on the one key that it touches."""

    script: str
    key: str
    args: Sequence[Arg]


def run_scripts(
    connection: Commands, wanted: Sequence[T], call_of: Callable[[T], Call]
) -> list[Reply]:
    """Call a script for each of `wanted`, pipelined, in order; error replies are in the result.

    The first call of each script sends the script itself, which makes the server remember it.
    Where it forgot (a restart between, another node), the calls concerned are made again: they
    have not run, and each stands for itself.
    """
    replies = connection.pipeline(_commands(map(call_of, wanted)))
    forgotten = [index for index, reply in enumerate(replies) if _is_forgotten(reply)]
    if forgotten:
        again = (_command(call_of(wanted[index]), whole=True) for index in forgotten)
        for index, reply in zip(forgotten, connection.pipeline(again), strict=True):
            replies[index] = reply
    return replies


def scan(connection: Commands, prefix: str) -> list[bytes]:
    """List the keys that begin with `prefix`, each once, without blocking the server for long."""
    found: dict[bytes, None] = {}
    cursor: bytes = b"0"
    while True:
        reply = connection.execute("SCAN", cursor, "MATCH", glob(prefix), "COUNT", _SCAN_COUNT)
        if not (isinstance(reply, list) and len(reply) == 2):
            raise StoreError(f"{connection.address} gave SCAN an answer that makes no sense.")
        cursor, keys = cast("list[Any]", reply)
        found.update(dict.fromkeys(keys))
        if cursor == b"0":
            return list(found)


def _commands(calls: Iterable[Call]) -> Iterator[Command]:
    sent: set[str] = set()
    for call in calls:
        yield _command(call, whole=call.script not in sent)
        sent.add(call.script)


def _command(call: Call, *, whole: bool) -> Command:
    if whole:
        return ("EVAL", script_text(call.script), 1, call.key, *call.args)
    return ("EVALSHA", script_digest(call.script), 1, call.key, *call.args)


def _is_forgotten(reply: Reply) -> bool:
    return isinstance(reply, ReplyError) and reply.code == "NOSCRIPT"


@cache
def script_text(name: str) -> bytes:
    """Read a script."""
    return (_SCRIPTS / f"{name}.lua").read_bytes()


@cache
def script_digest(name: str) -> str:
    """Return the SHA-1 digest that the server knows a script by."""
    from hashlib import sha1  # only a script that is called twice needs it

    return sha1(script_text(name), usedforsecurity=False).hexdigest()
