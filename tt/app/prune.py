"""Removing the towns of branches that are gone: which may go is decided here, and said first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from tt.core.answers import TownFound, Verdict
from tt.errors import TTError
from tt.record import record


@record
class Estate:
    """A repository's towns in one Redis, and what speaks for keeping them.

    `here` is the town of this worktree, `owners` the identities of this repository. `exists` says
    whether a branch is there, here or on a remote; `suffix` what a branch adds to a town's name.
    `busy` counts the tasks of a town that are in somebody's hands, `known` says whether it was ever
    synced from this clone. `remove` takes it out of Redis, `forget` its base out of this worktree.
    """

    here: str | None
    owners: frozenset[str]
    towns: Sequence[TownFound]
    exists: Callable[[str], bool]
    suffix: Callable[[str], str]
    busy: Callable[[str], int]
    known: Callable[[TownFound], bool]
    remove: Callable[[str], int]
    forget: Callable[[str], None]


def judge(estate: Estate, named: Collection[str] = ()) -> tuple[Verdict, ...]:
    """Say of each town of this repository whose branch is gone whether it can go; only reads.

    With `named`, only of those, and no less for a branch that this clone never knew. Raises TTError
    where one of them is no town of this repository, or where its branch is there.
    """
    for name in named:
        _check_named(estate, name)
    gone = (town for town in estate.towns if not _stays(estate, town))
    return tuple(
        Verdict(town, _reason(estate, town, asked=bool(named)))
        for town in gone
        if not named or town.name in named
    )


def prune(estate: Estate, verdicts: Sequence[Verdict]) -> tuple[TownFound, ...]:
    """Remove the towns that can go, each after a last look; return those that are gone."""
    removed = []
    for verdict in verdicts:
        town = verdict.town
        if verdict.goes and not estate.busy(town.name):
            estate.remove(town.name)
            estate.forget(town.name)
            removed.append(town)
    return tuple(removed)


def _stays(estate: Estate, town: TownFound) -> str:
    """Say why a town is none that could be pruned; empty where its branch is gone."""
    if estate.owners.isdisjoint(town.repo.split()):
        return "it is not this repository's"
    if town.name == estate.here:
        return "it is the town of this worktree"
    if not town.branch:
        return "nobody has said which branch it belongs to"
    return f"the branch {town.branch} is there" if estate.exists(town.branch) else ""


def _reason(estate: Estate, town: TownFound, *, asked: bool) -> str:
    """Say why a town stays although its branch is gone; empty where it can go."""
    busy = estate.busy(town.name)
    if busy:
        return f"{busy} of its tasks {'is' if busy == 1 else 'are'} assigned or running"
    if asked:
        return ""
    if not town.name.endswith(estate.suffix(town.branch)):
        return "it has a name of its own and may follow another branch"
    if not estate.known(town):
        return "this clone never synced it, another may"
    return ""


def _check_named(estate: Estate, name: str) -> None:
    town = next((one for one in estate.towns if one.name == name), None)
    why = "there is none of that name" if town is None else _stays(estate, town)
    if why:
        raise TTError(f"The town `{name}` is not removed: {why}.", "`tt towns` lists the towns.")
