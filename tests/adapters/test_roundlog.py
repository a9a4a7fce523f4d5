"""The log of a round: bounded, with its end at hand."""

from __future__ import annotations

from pathlib import Path

from tt.adapters.roundlog import KEPT_ROUNDS, RoundLog, forget_old_round, round_log_path


def test_colours_and_what_was_overwritten_are_not_in_the_last_lines(tmp_path: Path) -> None:
    log = RoundLog(tmp_path / "log")
    log.write(b"\x1b[31mred\x1b[0m\r\n10%\r20%\rdone\n\n\x1b]0;title\x07 end \xff\n")
    assert log.last_lines() == "red\ndone\n end \ufffd"
    log.close()


def test_the_last_lines_are_few_and_short(tmp_path: Path) -> None:
    log = RoundLog(tmp_path / "log")
    log.write(b"".join(b"%d\n" % number for number in range(100)))
    assert log.last_lines(count=3) == "97\n98\n99"
    log.write(b"x" * 100_000)
    assert log.last_lines(longest=10) == "… " + "x" * 10
    log.close()


def test_a_log_that_is_too_large_begins_anew(tmp_path: Path) -> None:
    log = RoundLog(tmp_path / "log", largest=10)
    for number in range(5):
        log.write(b"line %d....\n" % number)
    log.close()
    assert (tmp_path / "log").read_bytes() == b"line 4....\n"
    assert (tmp_path / "log.1").read_bytes() == b"line 3....\n"


def test_what_cannot_be_written_is_lost_and_stops_nothing(tmp_path: Path) -> None:
    log = RoundLog(tmp_path / "none" / "log")
    log.write(b"words\n")
    assert log.last_lines() == "words"
    log.close()


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "log").symlink_to("precious")
    RoundLog(tmp_path / "log").write(b"x")
    assert (tmp_path / "precious").read_text() == "mine"


def test_old_rounds_are_forgotten(tmp_path: Path) -> None:
    for number in (1, 2):
        round_log_path(tmp_path, "dev", number).write_text("x")
    forget_old_round(tmp_path, "dev", KEPT_ROUNDS + 1)
    assert [path.name for path in tmp_path.iterdir()] == ["dev_round_2.log"]
