"""Messages between agents on a real server: sent, taken, settled."""

from __future__ import annotations

from typing import cast

import pytest

from tests.support.workshops import Yard, message, message_of
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.identifiers import new_uuid
from tt.core.agents import AgentState
from tt.core.messages import Kind, encode
from tt.record import replace

GONE = [AgentState.STOPPED, AgentState.ERROR]


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


def test_messages_are_taken_urgent_first_then_high_then_as_they_came(yard: Yard) -> None:
    to = new_uuid()
    sent = [message(to, priority=name) for name in ("low", "normal", "high", "urgent", "urgent")]
    for each in sent:
        yard.workshop.send(each)
    order = [sent[3], sent[4], sent[2], sent[0], sent[1]]
    assert list(yard.workshop.inbox(to)) == order
    assert [yard.workshop.take(to) for _ in range(6)] == [*order, None]
    assert yard.workshop.inbox(to) == []
    yard.workshop.settle(to, order[2])
    assert yard.workshop.untake(to) == 4
    assert list(yard.workshop.inbox(to)) == [*order[:2], *order[3:]]
    assert yard.workshop.untake(to) == 0


def test_what_is_taken_back_is_read_before_what_came_meanwhile(yard: Yard) -> None:
    to, first, second = new_uuid(), message("x"), message("x")
    first, second = replace(first, to=to), replace(second, to=to)
    yard.workshop.send(first)
    yard.workshop.take(to)
    yard.workshop.send(second)
    yard.workshop.untake(to)
    assert [yard.workshop.take(to), yard.workshop.take(to)] == [first, second]


def test_a_message_that_lies_there_is_not_sent_again(yard: Yard) -> None:
    to = new_uuid()
    for priority in ("normal", "urgent"):
        once = message(to, priority=priority)
        yard.workshop.send(once)
        yard.workshop.send(once)
        assert yard.workshop.take(to) == once
        yard.workshop.send(once)
        assert yard.workshop.take(to) is None
        yard.workshop.settle(to, once)


def test_a_message_that_another_tool_wrote_otherwise_is_settled(yard: Yard) -> None:
    to = new_uuid()
    text = f'{{ "type": "query","question":"\\u00fc", "id":"1", "from":"a", "to":"{to}" }}'
    yard.connection.execute("RPUSH", yard.key(f"inbox:{to}"), text)
    yard.workshop.send(message(to))
    taken = yard.workshop.take(to)
    assert taken is not None
    yard.workshop.take(to)
    assert taken.content == {"question": "ü"}
    yard.workshop.settle(to, replace(taken, id="2"))
    assert len(yard.list(f"taken:{to}")) == 2
    yard.workshop.settle(to, taken)
    assert len(yard.list(f"taken:{to}")) == 1


HALF = '{"id":"1","from":"a","to":"b","type":"task","description":"half of it: \\ud800"}'


@pytest.mark.parametrize("text", ["no json", b"\xff", "[1]", '{"id": 1}', "", "[" * 100_000, HALF])
def test_what_is_no_message_is_set_aside_and_told(yard: Yard, text: str | bytes) -> None:
    to, good = new_uuid(), None
    yard.connection.execute("RPUSH", yard.key(f"inbox:{to}"), text)
    good = message(to)
    yard.workshop.send(good)
    assert list(yard.workshop.inbox(to)) == [good]
    assert yard.workshop.take(to) == good
    raw = text if isinstance(text, bytes) else text.encode()
    assert yard.connection.execute("LRANGE", yard.key(f"refused:{to}"), 0, -1) == [raw]
    assert yard.list(f"taken:{to}") == [encode(good)]
    assert yard.kinds() == ["message_refused"]
    assert len(yard.workshop.events(9, agent=to)) == 1


def test_messages_are_taken_several_at_one_go_and_what_is_none_is_no_gap(yard: Yard) -> None:
    to = yard.agent().uuid
    sent = [message(to, Kind.INFORMATIONAL, summary=str(number)) for number in range(4)]
    for one in sent:
        yard.connection.execute("RPUSH", yard.key(f"inbox:{to}"), "no message")
        yard.workshop.send(one)
    assert yard.workshop.take_some(to, 3) == sent[:3]
    assert len(yard.list(f"inbox:{to}")) == 2
    assert yard.workshop.take_some(to, 3) == sent[3:]
    assert yard.workshop.take_some(to, 3) == []
    assert len(yard.list(f"taken:{to}")) == 4


def test_activity_is_ten_lines_and_an_hour(yard: Yard) -> None:
    uuid = new_uuid()
    for number in range(12):
        yard.workshop.log(uuid, f"Round {number}: ✅")
    assert list(yard.workshop.activity(uuid)) == [f"Round {n}: ✅" for n in range(11, 1, -1)]
    assert cast("int", yard.connection.execute("TTL", yard.key(f"activity:{uuid}"))) > 3_590


def test_texts_of_messages_are_kept(yard: Yard) -> None:
    to = new_uuid()
    sent = message(to, Kind.QUERY, question='q"\\ ü \u2028 \x1b[0m \U0001f600')
    yard.workshop.send(sent)
    assert message_of(yard.list(f"inbox:{to}")[0])["question"] == sent.text("question")
    assert yard.workshop.take(to) == sent
