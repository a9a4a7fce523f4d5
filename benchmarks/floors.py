"""The floors: the least that a Python process must do for the same result, as programs to run.

Each is run with `python -I -c`, so that its start is in its time as it is in `tt`'s. They take
what they need from files in the cheapest form there is (`marshal`): making the hashes out of the
plan is work of `tt`'s and not of the floor.
"""

from __future__ import annotations

from typing import Final

START: Final = "import socket, hiredis"
"""What any Python program that talks to Redis begins with. Takes no arguments."""

TALK: Final = """
import marshal, socket, sys, hiredis, tomli
plan, prepared, path = sys.argv[1:]
with open(plan, "rb") as file:
    tomli.load(file)
with open(prepared, "rb") as file:
    commands = marshal.load(file)
link = socket.socket(socket.AF_UNIX)
link.connect(path)
link.sendall(b"".join(map(hiredis.pack_command, commands)))
reader, missing = hiredis.Reader(), len(commands)
while missing:
    reader.feed(link.recv(1 << 20))
    while (reply := reader.gets()) is not False:
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        missing -= 1
"""
"""Parse the plan, send prepared commands in one pipeline, read every reply.

With an HSET for each hash of a town it is the floor of a push, with an HGETALL for each that of a
sync that changes little. Arguments: plan, prepared commands, socket.
"""
