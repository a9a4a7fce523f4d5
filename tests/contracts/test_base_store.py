"""What every store of the base keeps to: in Git, in files, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.git_repos import init
from tt.adapters.base_files import FileBaseStore
from tt.adapters.base_git import GitBaseStore
from tt.adapters.base_records import MOST_CHANGES
from tt.adapters.gitrepo import find
from tt.adapters.memory_base import MemoryBaseStore
from tt.core.base import Base
from tt.core.diff import Added, Edited, Removed
from tt.core.model import META_ID, Task
from tt.core.report import SyncRecord
from tt.core.values import ABSENT, Literal, Value
from tt.errors import BaseMovedError
from tt.ports import BaseStore
from tt.record import replace

TOWN = "{my town}-Straße/a..b@{x}.lock"
TIME = "2026-01-31T10:00:00.123456789+00:00"
RECORD = SyncRecord("", TIME, "merge")
Opener = Callable[[str], BaseStore]


@pytest.fixture(params=["git", "sha256", "files", "memory"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Open the store of a town; the same town twice is another process's view of one store."""
    if request.param == "memory":
        stores: dict[str, MemoryBaseStore] = {}
        yield lambda town: stores.setdefault(town, MemoryBaseStore())
    elif request.param == "files":
        yield lambda town: FileBaseStore(tmp_path / ".tt" / "base", town)
    else:
        options = ("--object-format=sha256",) if request.param == "sha256" else ()
        repository = find(init(tmp_path / "repo", *options))
        assert repository is not None
        with repository:
            yield lambda town: GitBaseStore(repository, town)


@pytest.fixture
def store(opener: Opener) -> BaseStore:
    return opener(TOWN)


def task(name: str, **fields: Value) -> Task:
    return Task(name, {"description": f"Do {name}", "status": "pending", **fields})


def base_of(*tasks: Task, **more: object) -> Base:
    return replace(Base(tasks={each.id: each for each in tasks}), **more)  # type: ignore[arg-type]


def test_nothing_was_ever_synced_is_none_and_no_history(store: BaseStore) -> None:
    assert store.load() is None
    assert store.history() == []
    assert store.version("1") is None
    assert store.version("0123456789abcdef") is None


def test_the_newest_version_is_known_without_reading_the_base(opener: Opener) -> None:
    store, base = opener(TOWN), base_of(task("a"))
    assert store.newest() is None
    first = store.save(None, base, RECORD)
    assert store.newest() == opener(TOWN).newest() == first.version
    second = opener(TOWN).save(first, base_of(task("b")), RECORD)
    assert store.newest() == second.version != first.version


def test_what_is_saved_is_loaded_by_another(opener: Opener) -> None:
    base = Base(
        meta={"description": "Über\x00alles", "default_agent": "dev", "limits": {"n": 1}},
        tasks={"a": task("a", tags=["x", "y"]), "b": task("b", parent="a", priority=3)},
        deleted=frozenset({"gone", "weg"}),
        uuids={"b": "11111111-2222-4333-8444-555555555555"},
        seq=7,
        epoch="e1",
        head="0" * 40,
        repo="abc def",
    )
    saved = opener(TOWN).save(None, base, RECORD)
    loaded = opener(TOWN).load()
    assert loaded == base == saved
    assert loaded.version == saved.version != ""


def test_no_head_is_not_an_empty_head(store: BaseStore) -> None:
    store.save(None, Base(head=None), RECORD)
    loaded = store.load()
    assert loaded is not None
    assert loaded.head is None


@pytest.mark.parametrize(
    "value",
    [
        Literal("true"),
        Literal("1.50"),
        Literal("nan"),
        Literal("2026-01-31"),
        [Literal("1.0"), 1, "1.0", [Literal("false")]],
        {"$toml": "1.0"},
        {"$toml": {"$toml": [1]}, "x": Literal("inf")},
        "$toml",
        '{"$toml":"nan"}',
        ["plain", {}],
        2**63 - 1,
        "line\nbreak\u2028 \x7f \U0001f600",
        {},
        [],
    ],
)
def test_odd_values_come_back_as_they_were(store: BaseStore, value: Value) -> None:
    base = base_of(task("a", odd=value), task("b"), meta={"odd": value})
    record = replace(RECORD, to_file=(Edited("a", "odd", ABSENT, value),))
    store.save(None, base, record)
    loaded = store.load()
    assert loaded is not None
    assert repr(loaded.tasks["a"].fields) == repr(base.tasks["a"].fields)
    assert repr(loaded.meta) == repr(dict(base.meta))
    assert store.history()[0].to_file == record.to_file


def test_the_order_of_fields_is_kept(store: BaseStore) -> None:
    store.save(None, base_of(Task("a", {"z": 1, "status": "pending", "description": "x"})), RECORD)
    loaded = store.load()
    assert loaded is not None
    assert list(loaded.tasks["a"].fields) == ["z", "status", "description"]


def test_towns_do_not_see_each_other(opener: Opener) -> None:
    names = [
        "a",
        "A",
        "a/b",
        "a b",
        "a%20b",
        "",
        ".",
        "..",
        "ä",
        "é",
        "e\u0301",
        "x" * 300,
        "x" * 299,
    ]
    for number, name in enumerate(names):
        opener(name).save(None, Base(seq=number), RECORD)
    loaded = [opener(name).load() for name in names]
    assert [base and base.seq for base in loaded] == list(range(len(names)))


def test_a_first_save_where_there_is_a_base_is_refused(opener: Opener) -> None:
    kept = opener(TOWN).save(None, Base(seq=1), RECORD)
    with pytest.raises(BaseMovedError):
        opener(TOWN).save(None, Base(seq=2), RECORD)
    assert opener(TOWN).load() == kept


def test_a_save_on_an_older_base_is_refused_and_changes_nothing(opener: Opener) -> None:
    first = opener(TOWN).save(None, Base(seq=1), RECORD)
    second = opener(TOWN).save(first, Base(seq=2), RECORD)
    with pytest.raises(BaseMovedError) as caught:
        opener(TOWN).save(first, Base(seq=3), RECORD)
    assert caught.value.hint
    assert opener(TOWN).load() == second
    assert len(opener(TOWN).history()) == 2


def test_a_save_on_a_base_that_is_not_there_is_refused(opener: Opener) -> None:
    elsewhere = opener("elsewhere").save(None, Base(seq=1), RECORD)
    with pytest.raises(BaseMovedError):
        opener(TOWN).save(elsewhere, Base(seq=2), RECORD)
    assert opener(TOWN).load() is None


def test_tasks_are_added_edited_and_removed_over_many_saves(opener: Opener) -> None:
    """Small saves, large ones, and growth and shrinking through every number of shards."""
    store, saved = opener(TOWN), None
    tasks: dict[str, Task] = {}
    sizes = [0, 1, 290, 310, 700, 5, 1200, 1203, 1190, 650, 2, 0]
    for step, size in enumerate(sizes):
        for name in list(tasks)[size:]:
            del tasks[name]
        for number in range(len(tasks), size):
            tasks[f"t{step}-{number}"] = task(f"t{step}-{number}", n=number)
        for name in list(tasks)[::97]:
            tasks[name] = task(name, n=step, float=Literal("1.0") if step % 2 else "1.0")
        saved = store.save(saved, Base(tasks=dict(tasks), seq=step), RECORD)
        assert store.load() == saved
        assert opener(TOWN).load() == saved
        store = opener(TOWN) if step % 3 == 0 else store


def test_many_small_saves_in_a_large_plan_all_stay(opener: Opener) -> None:
    tasks = {f"t{number}": task(f"t{number}") for number in range(400)}
    saved = opener(TOWN).save(None, Base(tasks=dict(tasks)), RECORD)
    store = opener(TOWN)
    for step in range(12):
        for number in range(step * 25, step * 25 + 25):
            tasks[f"t{number}"] = task(f"t{number}", step=step)
        tasks.pop(f"t{399 - step}", None)
        tasks[f"new{step}"] = task(f"new{step}")
        tasks.pop(f"new{step - 2}", None)
        saved = store.save(saved, Base(tasks=dict(tasks), seq=step), RECORD)
        assert opener(TOWN).load() == saved
        if step % 4 == 3:
            store = opener(TOWN)
    for record in opener(TOWN).history():
        versions = opener(TOWN).version(record.name)
        assert versions is not None


def test_a_task_that_goes_and_comes_back_is_there(store: BaseStore) -> None:
    tasks = {f"t{number}": task(f"t{number}") for number in range(400)}
    saved = store.save(None, Base(tasks=dict(tasks)), RECORD)
    gone = tasks.pop("t7")
    saved = store.save(saved, Base(tasks=dict(tasks)), RECORD)
    assert store.load() == saved
    tasks["t7"] = gone
    saved = store.save(saved, Base(tasks=dict(tasks)), RECORD)
    loaded = store.load()
    assert loaded == saved
    assert loaded.tasks["t7"] == gone


def test_history_lists_what_each_sync_changed_newest_first(store: BaseStore) -> None:
    changes = (
        Added(task("a", tags=["x"])),
        Edited("a", "status", "pending", "running"),
        Edited(META_ID, "default_agent", ABSENT, "dev"),
        Edited("a", "notes", Literal("1.0"), ABSENT),
        Removed(task("b")),
    )
    saved = store.save(None, Base(seq=1), replace(RECORD, direction="push", to_store=changes[:2]))
    store.save(saved, Base(seq=2), replace(RECORD, to_file=changes[2:], conflicts=3))
    newest, oldest = store.history()
    assert newest == SyncRecord(newest.name, TIME, "merge", (), changes[2:], 3)
    assert oldest == SyncRecord(oldest.name, TIME, "push", changes[:2])
    assert newest.name != oldest.name != ""
    assert store.history(1) == [newest]


def test_a_named_sync_has_the_base_before_and_after(store: BaseStore) -> None:
    first = store.save(None, base_of(task("a"), seq=1), RECORD)
    second = store.save(first, base_of(task("a"), task("b"), seq=2), RECORD)
    newest, oldest = store.history()
    assert store.version(oldest.name) == (Base(), first)
    assert store.version(newest.name) == (first, second)
    versions = store.version(newest.name)
    assert versions is not None
    assert [base.version for base in versions] == [first.version, second.version]


@pytest.mark.parametrize(
    "name", ["", "-", "999", "../1", "HEAD", "main", "deadbeef", "1\n", "zz" * 20]
)
def test_a_name_that_history_does_not_have_is_none(store: BaseStore, name: str) -> None:
    store.save(None, Base(), RECORD)
    assert store.version(name) is None


def test_a_record_lists_so_many_changes_and_counts_the_others(store: BaseStore) -> None:
    many = tuple(Added(task(f"t{number}")) for number in range(MOST_CHANGES))
    edits = tuple(Edited(f"t{number}", "n", ABSENT, number) for number in range(30))
    store.save(None, Base(), replace(RECORD, to_store=many[:480], to_file=edits, omitted=5))
    record = store.history()[0]
    assert (len(record.to_store), len(record.to_file), record.omitted) == (480, 20, 15)


names = st.from_regex(r"[\w./-]{1,12}", fullmatch=True)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
literals = st.sampled_from(["true", "false", "1.5", "1e400", "-0.0", "inf", "2026-01-31"]).map(
    Literal
)
values: st.SearchStrategy[Value] = st.recursive(
    words | st.integers(-(2**63), 2**63 - 1) | literals | st.just("$toml"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | st.just("$toml"), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip
fields = st.dictionaries(words, values, max_size=4)
bases = st.builds(
    Base,
    meta=fields,
    tasks=st.dictionaries(names, fields, max_size=6).map(
        lambda made: {key: Task(key, each) for key, each in made.items()}
    ),
    deleted=st.frozensets(names, max_size=3),
    uuids=st.dictionaries(names, words, max_size=3),
    seq=st.integers(0, 2**63),
    epoch=words,
    head=st.none() | words,
    repo=words,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(st.lists(bases, min_size=1, max_size=3))
def test_every_base_comes_back_as_it_was(opener: Opener, several: list[Base]) -> None:
    town = "town"
    previous = opener(town).load()
    for base in several:
        previous = opener(town).save(previous, base, RECORD)
        loaded = opener(town).load()
        assert loaded == base
        assert repr(sorted(loaded.tasks.items())) == repr(sorted(base.tasks.items()))
