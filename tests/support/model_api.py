"""A small model API on loopback, for real AI programs: what the model answers, the test says.

It speaks as much of three protocols as those programs need that are tested here: Anthropic's
Messages, OpenAI's Responses, and what `auggie` says to its server, which is documented nowhere. It
keeps nothing of a conversation: a request has all of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from socket import socket
from threading import Thread
from typing import Any, Final

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What a program asked: all that its user said, and what its tool commands gave so far."""

    prompt: str
    results: Sequence[str]
    model: str


@dataclass(frozen=True)
class Run:
    """The answer is to run a command in a shell."""

    command: str


@dataclass(frozen=True)
class Say:
    """The answer is a text, and the turn is over."""

    text: str


@dataclass(frozen=True)
class Fail:
    """The answer is an error of HTTP."""

    status: int


Answer = Run | Say | Fail
Model = Callable[[Asked], Answer]


@dataclass(frozen=True)
class Protocol:
    """How requests of one kind are read, and answers written.

    `tools` maps each shell tool that a program of this kind may have to what makes its input of a
    command. `write` makes a body of the request's model, an answer's number, and the tool's name
    with its input, or of a text.
    """

    content_type: str
    tools: Mapping[str, Callable[[str], Json]]
    read: Callable[[Json], Asked]
    write: Callable[[str, int, tuple[str, Json] | str], str]


@dataclass
class ModelApi:
    """A running server. `model` may be exchanged at any time; `asked` are the requests so far, but
    for those of programs that offer no shell in them: titles, summaries."""

    url: str
    model: Model
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def model_api(model: Model) -> Iterator[ModelApi]:
    """Serve a model on a free port of loopback."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.api = ModelApi(f"http://127.0.0.1:{server.server_port}", model)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def nobody_there() -> Iterator[str]:
    """Give an address at which every connection is refused, and goes on to be."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part.get("text"), str)]


def _events(events: Sequence[Json]) -> str:
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)


def _read_messages(request: Json) -> Asked:
    parts = [
        part
        for message in request["messages"]
        if message["role"] == "user" and isinstance(message["content"], list)
        for part in message["content"]
    ]
    results = [part for part in parts if part["type"] == "tool_result"]
    said = [message["content"] for message in request["messages"] if message["role"] == "user"]
    return Asked(
        "\n".join(text for content in said for text in _texts(content)),
        ["\n".join(_texts(part.get("content"))) for part in results],
        request["model"],
    )


def _write_messages(model: str, number: int, answer: tuple[str, Json] | str) -> str:
    if isinstance(answer, str):
        block: Json = {"type": "text", "text": ""}
        delta, why = {"type": "text_delta", "text": answer}, "end_turn"
    else:
        name, given = answer
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(given)}
        why = "tool_use"
    message: Json = {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "model": model,
        "content": [], "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    end = {"stop_reason": why, "stop_sequence": None}
    return _events([
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ])  # fmt: skip


def _read_responses(request: Json) -> Asked:
    items = request["input"]
    said = [item["content"] for item in items if item.get("role") == "user"]
    return Asked(
        "\n".join(text for content in said for text in _texts(content)),
        [str(item["output"]) for item in items if item.get("type") == "function_call_output"],
        request["model"],
    )


def _write_responses(model: str, number: int, answer: tuple[str, Json] | str) -> str:
    if isinstance(answer, str):
        content = [{"type": "output_text", "text": answer, "annotations": []}]
        item: Json = {"type": "message", "id": f"msg_{number}", "role": "assistant",
                      "status": "completed", "content": content}  # fmt: skip
    else:
        name, given = answer
        item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}",
                "name": name, "arguments": json.dumps(given), "status": "completed"}  # fmt: skip
    response = {"id": f"resp_{number}", "object": "response", "created_at": 0, "model": model}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    done = {**response, "status": "completed", "output": [item], "usage": usage}
    return _events([
        {"type": "response.created",
         "response": {**response, "status": "in_progress", "output": []}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": done},
    ])  # fmt: skip


def _read_chat(request: Json) -> Asked:
    turns = [*(request.get("chat_history") or []), request]
    nodes = [
        node for turn in turns for node in turn.get("request_nodes") or turn.get("nodes") or []
    ]
    said = [turn.get("request_message") or turn.get("message") or "" for turn in turns]
    said += [node["text_node"]["content"] for node in nodes if node.get("text_node")]
    results = [node["tool_result_node"] for node in nodes if node.get("tool_result_node")]
    return Asked("\n".join(said), [str(result) for result in results], str(request.get("model")))


def _write_chat(model: str, number: int, answer: tuple[str, Json] | str) -> str:
    del model
    if isinstance(answer, str):
        lines: list[Json] = [
            {"text": answer, "nodes": [{"id": 1, "type": 0, "content": answer}]},
            {"nodes": [{"id": 2, "type": 2, "content": answer}], "stop_reason": 1},
        ]
    else:
        use = {"tool_use_id": f"use_{number}", "tool_name": answer[0],
               "input_json": json.dumps(answer[1]), "is_partial": False}  # fmt: skip
        node = {"id": 1, "type": 5, "content": "", "tool_use": use}
        lines = [{"nodes": [node]}, {"stop_reason": 3}]
    empty = {"text": "", "nodes": [], "unknown_blob_names": [], "checkpoint_not_found": False,
             "workspace_file_chunks": []}  # fmt: skip
    return "".join(json.dumps({**empty, **line}) + "\n" for line in lines)


_PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "/v1/messages": Protocol(
        "text/event-stream",
        {"Bash": lambda command: {"command": command, "description": "As the test says"}},
        _read_messages,
        _write_messages,
    ),
    "/v1/responses": Protocol(
        "text/event-stream",
        {"exec_command": lambda command: {"cmd": command, "yield_time_ms": 30_000}},
        _read_responses,
        _write_responses,
    ),
    "/chat-stream": Protocol(
        "application/json",
        {
            "launch-process": lambda command: {
                "command": command, "wait": True, "max_wait_seconds": 600, "cwd": ".",
            }
        },
        _read_chat,
        _write_chat,
    ),
}  # fmt: skip

_SETTINGS: Final[Mapping[str, Json]] = {
    "/get-models": {"default_model": "m", "models": [], "languages": [], "feature_flags": {}},
    "/settings/get-mcp-tenant-configs": {"mcp_configs": []},
    "/settings/get-mcp-user-configs": {"mcp_configs": []},
    "/agents/list-remote-tools": {"tools": []},
    "/report-error": {},
}
"""What `auggie` wants to know before it begins."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: ModelApi

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: programs that are killed leave their connections as they are."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    _numbers = count(1)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Say nothing."""

    def do_POST(self) -> None:
        size = int(self.headers["content-length"])
        request = json.loads(self.rfile.read(size) or b"{}")
        path = self.path.partition("?")[0]
        protocol = _PROTOCOLS.get(path)
        if protocol is None:
            found = _SETTINGS.get(path)
            self._reply(404 if found is None else 200, "application/json", json.dumps(found or {}))
        else:
            self._answer(protocol, request)

    def _answer(self, protocol: Protocol, request: Json) -> None:
        offered = request.get("tools") or request.get("tool_definitions") or []
        tool = next((one["name"] for one in offered if one.get("name") in protocol.tools), "")
        asked = protocol.read(request)
        answer: Answer = Say("Nothing in particular")
        if tool:
            self.server.api.asked.append(asked)
            answer = self.server.api.model(asked)
        if isinstance(answer, Fail):
            error = {"type": "api_error", "message": "As the test says"}
            body = json.dumps({"type": "error", "error": error})
            self._reply(answer.status, "application/json", body)
            return
        said = (
            answer.text if isinstance(answer, Say) else (tool, protocol.tools[tool](answer.command))
        )
        number = next(self._numbers)
        self._reply(200, protocol.content_type, protocol.write(asked.model, number, said))

    def _reply(self, status: int, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
