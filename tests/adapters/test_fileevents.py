from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git, init
from tests.support.saving import (
    WAYS,
    Listener,
    in_place,
    jetbrains,
    renamed_over,
    until,
)
from tt.adapters import fileevents
from tt.adapters.fileevents import Eyes, Sight
from tt.adapters.fileevents_observer import ObserverEar
from tt.core.watching import Happening

GIT, SAVED, WRITING = Happening.GIT, Happening.SAVED, Happening.WRITING
inotify_only = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@pytest.fixture(params=["of the platform", "of watchdog's observer"])
def eyes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Eyes]:
    """Eyes, once as they are here and once as they are where there is no inotify."""
    if request.param != "of the platform":
        monkeypatch.setattr(fileevents, "_open_ear", ObserverEar)
    before = set(threading.enumerate())
    eyes = Eyes()
    yield eyes
    eyes.close()
    assert set(threading.enumerate()) <= before, "a thread survived"


@pytest.fixture
def native() -> Iterator[Eyes]:
    eyes = Eyes()
    yield eyes
    eyes.close()


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    plan = tmp_path / "here" / "tasks.toml"
    plan.parent.mkdir()
    plan.write_text("first", encoding="utf-8")
    return plan


@pytest.mark.parametrize("save", WAYS, ids=lambda way: way.__name__)
def test_each_way_of_saving_is_told_of_again_and_again(
    eyes: Eyes, plan: Path, save: Callable[[Path, str], None]
) -> None:
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    for number in range(3):
        listener.forget()
        save(plan, f"content {number}")
        listener.wait(SAVED, f"content {number}")
    assert sight.is_current()
    assert sight.blind is None


@pytest.mark.parametrize("first", WAYS, ids=lambda way: way.__name__)
def test_a_save_in_place_is_told_of_after_each_other_way_of_saving(
    eyes: Eyes, plan: Path, first: Callable[[Path, str], None]
) -> None:
    listener = Listener(plan)
    eyes.look_at(plan, None, listener)
    first(plan, "one")
    listener.wait(SAVED, "one")
    in_place(plan, "two")
    listener.wait(SAVED, "two")


@inotify_only
@pytest.mark.parametrize("new", [False, True], ids=["the old file", "a new file"])
def test_a_writer_that_takes_its_time_is_told_of_as_one_until_it_closes(
    native: Eyes, plan: Path, new: bool
) -> None:
    """A new file is heard of a moment after it is there: its first bytes may look like a save."""
    listener = Listener(plan)
    native.look_at(plan, None, listener)
    if new:
        plan.unlink()
    with plan.open("w", encoding="utf-8", buffering=1) as file:
        until(lambda: bool(file.write("line\n")) and listener.count(WRITING) > 0)
        listener.forget()
        file.write("last line\n")
        whole = plan.read_text("utf-8")
        listener.wait(WRITING, whole)
        assert listener.count(SAVED) == 0
    listener.wait(SAVED, whole)


@inotify_only
def test_a_truncating_open_is_writing(native: Eyes, plan: Path) -> None:
    listener = Listener(plan)
    native.look_at(plan, None, listener)
    with plan.open("w", encoding="utf-8"):
        listener.wait(WRITING, "")
        assert listener.count(SAVED) == 0
    listener.wait(SAVED, "")


def test_a_change_of_its_times_or_mode_is_told_of(native: Eyes, plan: Path) -> None:
    listener = Listener(plan)
    native.look_at(plan, None, listener)
    plan.chmod(0o600)
    listener.wait(SAVED)
    listener.forget()
    os.utime(plan)
    listener.wait(SAVED)


def test_a_plan_that_is_deleted_or_moved_away_is_told_of_and_so_is_its_return(
    eyes: Eyes, plan: Path
) -> None:
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    plan.unlink()
    listener.wait(SAVED, None)
    in_place(plan, "again")
    listener.wait(SAVED, "again")
    listener.forget()
    plan.rename(plan.with_name("elsewhere"))
    listener.wait(SAVED, None)
    plan.with_name("elsewhere").rename(plan)
    listener.wait(SAVED, "again")
    assert sight.is_current()


@inotify_only
def test_what_was_the_plan_once_is_not_listened_to(native: Eyes, plan: Path) -> None:
    listener = Listener(plan)
    native.look_at(plan, None, listener)
    former = plan.with_name("former")
    plan.rename(former)
    listener.wait(SAVED, None)
    in_place(plan, "new")
    listener.wait(SAVED, "new")
    listener.forget()
    former.write_text("not a save", encoding="utf-8")
    native_barrier(plan, listener)
    assert listener.count(WRITING) == 0


def native_barrier(plan: Path, listener: Listener) -> None:
    """Wait until all events so far are dealt with: they come in order, and this is the last."""
    listener.forget()
    plan.chmod(0o600)
    listener.wait(SAVED)


def test_a_plan_that_is_not_there_yet_is_told_of_when_it_comes(eyes: Eyes, tmp_path: Path) -> None:
    plan = tmp_path / "tasks.toml"
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    assert sight.blind is None
    in_place(plan, "new")
    listener.wait(SAVED, "new")
    listener.forget()
    in_place(plan, "newer")
    listener.wait(SAVED, "newer")
    assert sight.is_current()


@inotify_only
def test_neighbours_are_not_told_of(native: Eyes, plan: Path) -> None:
    listener = Listener(plan)
    native.look_at(plan, None, listener)
    for name in ("tasks.toml~", ".tasks.toml.swp", "Tasks.toml", "tasks.tom", "TASKS.TOML"):
        in_place(plan.with_name(name), "x")
    plan.with_name("tasks.toml.d").mkdir()
    (plan.with_name("tasks.toml.d") / "tasks.toml").touch()
    plan.chmod(0o600)
    listener.wait(SAVED)
    assert listener.told == [(SAVED, "first")]


def test_a_symlink_is_followed_to_where_the_plan_is_written(eyes: Eyes, tmp_path: Path) -> None:
    real, link = tmp_path / "far" / "plan.toml", tmp_path / "here" / "tasks.toml"
    real.parent.mkdir()
    link.parent.mkdir()
    real.write_text("first", encoding="utf-8")
    link.symlink_to("../far/plan.toml")
    listener = Listener(link)
    sight = eyes.look_at(link, None, listener)
    in_place(link, "through the link")
    listener.wait(SAVED, "through the link")
    renamed_over(real, "beside the link")
    listener.wait(SAVED, "beside the link")
    jetbrains(real, "twice")
    listener.wait(SAVED, "twice")
    assert sight.is_current()


def test_a_link_that_is_replaced_is_told_of_and_another_look_is_needed(
    eyes: Eyes, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.toml").write_text(name, encoding="utf-8")
    plan, middle = tmp_path / "tasks.toml", tmp_path / "one" / "link"
    middle.symlink_to("plan.toml")
    plan.symlink_to(middle)
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    assert sight.is_current()
    middle.unlink()
    listener.wait(SAVED, None)
    middle.symlink_to("../two/plan.toml")
    listener.wait(SAVED, "two")
    assert not sight.is_current()
    sight.close()
    sight = eyes.look_at(plan, None, listener)
    in_place(plan, "written behind both links")
    listener.wait(SAVED, "written behind both links")
    assert (tmp_path / "two" / "plan.toml").read_text() == "written behind both links"
    assert sight.is_current()


def test_a_link_that_a_file_replaces_needs_another_look(eyes: Eyes, tmp_path: Path) -> None:
    plan, target = tmp_path / "tasks.toml", tmp_path / "plan.toml"
    target.write_text("target", encoding="utf-8")
    plan.symlink_to(target)
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    renamed_over(plan, "a file")
    listener.wait(SAVED, "a file")
    assert not sight.is_current()


def test_links_in_a_circle_are_no_plan_and_no_error(eyes: Eyes, tmp_path: Path) -> None:
    plan, other = tmp_path / "tasks.toml", tmp_path / "other"
    plan.symlink_to(other)
    other.symlink_to(plan)
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    assert sight.is_current()
    other.unlink()
    other.touch()
    listener.wait(SAVED, "")
    assert not sight.is_current()
    sight.close()
    eyes.look_at(plan, None, listener)
    in_place(other, "a plan at last")
    listener.wait(SAVED, "a plan at last")


def until_outdated(sight: Sight) -> None:
    """Wait until the thread knows that a directory is another one, although all numbers agree."""
    until(lambda: not sight.is_current())


def test_a_directory_that_is_deleted_and_made_again_needs_another_look(
    eyes: Eyes, plan: Path
) -> None:
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    for text in ("second", "third"):  # inodes are used again
        listener.forget()
        plan.unlink()
        plan.parent.rmdir()
        listener.wait(SAVED, None)
        assert not sight.is_current()
        plan.parent.mkdir()
        until_outdated(sight)
        sight.close()
        sight = eyes.look_at(plan, None, listener)
        in_place(plan, text)
        listener.wait(SAVED, text)
        assert sight.is_current()


def test_a_directory_that_is_missing_is_told_of_when_it_comes(eyes: Eyes, tmp_path: Path) -> None:
    plan = tmp_path / "a" / "b" / "tasks.toml"
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    assert sight.is_current()
    for step in ("a", "a/b"):
        listener.forget()
        (tmp_path / step).mkdir()
        listener.wait(SAVED)
        assert not sight.is_current()
        sight.close()
        sight = eyes.look_at(plan, None, listener)
    in_place(plan, "there")
    listener.wait(SAVED, "there")
    assert sight.is_current()


@pytest.mark.parametrize("what", ["the directory", "the repository"])
def test_a_directory_that_is_moved_away_needs_another_look(
    eyes: Eyes, tmp_path: Path, what: str
) -> None:
    top = tmp_path / "top"
    plan = top / "below" / "tasks.toml"
    plan.parent.mkdir(parents=True)
    plan.touch()
    sight = eyes.look_at(plan, None, Listener(plan))
    moved = plan.parent if what == "the directory" else top
    moved.rename(tmp_path / "elsewhere")
    assert not sight.is_current()
    (tmp_path / "elsewhere").rename(moved)
    assert sight.is_current()


def test_a_directory_that_another_one_replaces_needs_another_look(eyes: Eyes, plan: Path) -> None:
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    plan.parent.rename(plan.parent.with_name("old"))
    plan.parent.mkdir()
    assert not sight.is_current()
    sight.close()
    sight = eyes.look_at(plan, None, listener)
    in_place(plan, "in the new one")
    listener.wait(SAVED, "in the new one")
    assert sight.is_current()


def test_git_is_told_of_in_its_own_words(eyes: Eyes, tmp_path: Path) -> None:
    top = init(tmp_path / "top")
    commit(top)
    plan = top / "docs" / "tasks.toml"
    plan.parent.mkdir()
    listener = Listener(plan)
    sight = eyes.look_at(plan, top / ".git", listener)
    for command in (["switch", "-q", "-c", "x"], ["commit", "-q", "--allow-empty", "-m", "y"]):
        listener.forget()
        git(top, *command)
        listener.wait(GIT)
    listener.forget()
    (top / ".git" / "MERGE_HEAD").touch()
    listener.wait(GIT)
    assert listener.count(SAVED) == 0
    assert sight.is_current()


def test_what_else_is_in_the_directory_of_git_is_not_told_of(native: Eyes, tmp_path: Path) -> None:
    top = init(tmp_path / "top")
    plan = top / "tasks.toml"
    listener = Listener(plan)
    native.look_at(plan, top / ".git", listener)
    for name in ("config", "description", "FETCH_HEAD", "COMMIT_EDITMSG", "config.lock"):
        in_place(top / ".git" / name, "")
    in_place(plan, "x")
    listener.wait(SAVED, "x")
    assert listener.count(GIT) == 0


def test_several_plans_are_told_of_apart(eyes: Eyes, tmp_path: Path) -> None:
    plans = [tmp_path / name for name in ("one.toml", "two.toml", "three/one.toml")]
    plans[2].parent.mkdir()
    listeners = [Listener(plan) for plan in plans]
    sights = [
        eyes.look_at(plan, None, listener) for plan, listener in zip(plans, listeners, strict=True)
    ]
    for plan, listener in zip(plans, listeners, strict=True):
        in_place(plan, plan.name)
        listener.wait(SAVED, plan.name)
    sights[0].close()
    for listener in listeners:
        listener.forget()
    in_place(plans[0], "unheard")
    in_place(plans[1], "heard")
    listeners[1].wait(SAVED, "heard")
    assert listeners[0].told == []
    assert sights[1].is_current()


def test_two_watchers_of_one_plan_both_hear(eyes: Eyes, plan: Path) -> None:
    first, second = Listener(plan), Listener(plan)
    sight = eyes.look_at(plan, None, first)
    eyes.look_at(plan, None, second)
    in_place(plan, "both")
    first.wait(SAVED, "both")
    second.wait(SAVED, "both")
    sight.close()
    in_place(plan, "one")
    second.wait(SAVED, "one")


def test_nothing_is_told_after_the_end_and_the_end_may_come_twice(eyes: Eyes, plan: Path) -> None:
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    sight.close()
    sight.close()
    eyes.close()
    eyes.close()
    in_place(plan, "unheard")
    assert listener.told == []


def test_eyes_open_again_after_they_were_closed(eyes: Eyes, plan: Path) -> None:
    eyes.look_at(plan, None, Listener(plan))
    eyes.close()
    listener = Listener(plan)
    eyes.look_at(plan, None, listener)
    in_place(plan, "heard")
    listener.wait(SAVED, "heard")


def test_files_stay_open_no_longer_than_the_eyes(plan: Path) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc")
    before = opened()
    for _ in range(50):
        eyes = Eyes()
        listener = Listener(plan)
        eyes.look_at(plan, None, listener)
        in_place(plan, "x")
        listener.wait(SAVED)
        eyes.close()
    assert opened() == before


@inotify_only
def test_the_watches_of_the_system_do_not_grow_with_saves_and_looks(
    native: Eyes, plan: Path
) -> None:
    def watches() -> int:
        texts = (path.read_text() for path in Path("/proc/self/fdinfo").iterdir() if path.exists())
        return sum(text.count("inotify wd:") for text in texts)

    listener = Listener(plan)
    native.look_at(plan, None, listener)
    before = watches()
    for number in range(200):
        listener.forget()
        (renamed_over if number % 2 else jetbrains)(plan, str(number))
        listener.wait(SAVED, str(number))
        native.look_at(plan, None, listener).close()
    assert watches() == before == 2
    from tt.adapters.fileevents_inotify import InotifyEar

    assert isinstance(native._ear, InotifyEar)
    assert len(native._ear._lookouts) == len(native._sights) == 1


@inotify_only
def test_a_program_that_is_started_does_not_get_the_events(native: Eyes, plan: Path) -> None:
    native.look_at(plan, None, Listener(plan))
    code = (
        "import os; print(sorted(os.readlink(f'/proc/self/fd/{n}') for n in range(3, 40)"
        " if os.path.exists(f'/proc/self/fd/{n}')))"
    )
    read, write = os.pipe()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-c", code],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)],
    )
    os.close(write)
    with os.fdopen(read) as out:
        assert "inotify" not in out.read()
    os.waitpid(pid, 0)


@inotify_only
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_noticed_and_another_look_starts_a_new_one(
    native: Eyes, plan: Path
) -> None:
    def fails(what: Happening) -> None:
        raise RuntimeError(what)

    sight = native.look_at(plan, None, fails)
    in_place(plan, "x")
    until(lambda: not sight.is_current())
    sight.close()
    listener = Listener(plan)
    sight = native.look_at(plan, None, listener)
    in_place(plan, "y")
    listener.wait(SAVED, "y")
    assert sight.is_current()


def test_watchdog_is_loaded_for_the_first_plan_only(tmp_path: Path) -> None:
    code = (
        "import sys; from tt.adapters.fileevents import Eyes; Eyes(); assert not ["
        "name for name in sys.modules if 'watchdog' in name]"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run(
        [sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(root)}
    )
