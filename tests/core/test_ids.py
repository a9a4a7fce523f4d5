"""Ids that `tt` makes are readable, the same everywhere, and uuids are RFC 4122's."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.core.ids import made_id, slug, task_uuid

NAMESPACE = uuid.UUID("6d1f2b7c-f0b4-5d8c-9d0f-3f3a5c1e7a42")


@given(st.text(), st.text())
def test_a_uuid_is_the_standard_version_5_of_town_and_id(town: str, plan_id: str) -> None:
    name = f"{town}/{plan_id}"
    assert task_uuid(town, plan_id) == str(uuid.uuid5(NAMESPACE, name))


def test_two_towns_have_different_uuids_for_one_plan_id() -> None:
    assert task_uuid("one", "login") != task_uuid("two", "login")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_made_id_is_a_valid_plan_id_of_bounded_length(description: str) -> None:
    made = made_id(description)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", made)
    assert len(made) <= 40 + 1 + 6
    assert made == made_id(description)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_slug_is_short_plain_words(text: str) -> None:
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", slug(text))
    assert len(slug(text)) <= 40


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Build the login page", "build-the-login-page"),
        ("  Ünïcode — über alles!  ", "unicode-uber-alles"),
        ("日本語", ""),
        ("a" * 50, "a" * 40),
        ("word " * 20, "word-word-word-word-word-word-word-word"),
        ("x" * 39 + " y", "x" * 39),
        ("x" * 40 + " y", "x" * 40),
    ],
)
def test_a_slug_ends_with_a_word_where_it_can(text: str, short: str) -> None:
    assert slug(text) == short


def test_a_made_id_never_changes_between_releases() -> None:
    assert made_id("Build the login page") == "build-the-login-page-e26njr"


def test_the_same_description_twice_has_two_ids_by_salt() -> None:
    assert made_id("fix it") != made_id("fix it", "2")


def test_descriptions_with_one_slug_have_different_ids() -> None:
    assert made_id("Fix it!") != made_id("fix it")
