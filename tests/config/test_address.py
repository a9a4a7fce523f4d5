"""Which Redis the settings mean, and that passwords stay where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tt.config.address import Source, mask, redis_url
from tt.config.keys import SettingValue

FOLDER = Path("/srv/project")


def project(**values: SettingValue) -> Source:
    return source("tinytown.toml", FOLDER, **values)


def source(name: str, folder: Path | None = None, **values: SettingValue) -> Source:
    return Source(name, {f"redis.{key}": value for key, value in values.items()}, folder)


def test_host_and_port_of_tinytown_become_a_url() -> None:
    assert redis_url([project(host="db", port=6380)]) == "redis://db:6380"
    assert redis_url([project(host="db")]) == "redis://db:6379"
    assert redis_url([project(port=7000)]) == "redis://127.0.0.1:7000"
    assert redis_url([project(host="::1", port=1)]) == "redis://[::1]:1"


def test_tls_and_password_go_into_the_url() -> None:
    found = redis_url([project(host="db", port=1, tls_enabled=True, password="a/b@c:d")])
    assert found == "rediss://:a%2Fb%40c%3Ad@db:1"


def test_a_socket_is_relative_to_the_file_that_names_it() -> None:
    found = redis_url([project(use_socket=True, socket_path=".tt/redis.sock", host="h", port=1)])
    assert found == "unix:///srv/project/.tt/redis.sock"
    assert redis_url([project(socket_path="/run/r?.sock")]) == "unix:///run/r%3F.sock"


def test_in_one_file_a_url_beats_host_and_port() -> None:
    assert redis_url([project(url="redis://a", host="b", port=1)]) == "redis://a"


def test_the_strongest_source_that_names_a_place_decides() -> None:
    sources = [source("environment", url="redis://env"), project(host="db", port=1)]
    assert redis_url(sources) == "redis://env"
    assert redis_url(sources[1:] + sources[:1]) == "redis://db:1"


def test_embedded_is_a_choice_like_any_other() -> None:
    assert redis_url([source("flag", url="embedded"), project(host="db", port=1)]) is None
    assert redis_url([]) is None
    assert redis_url([source("user", password="alone", timeout=1.0)]) is None


def test_a_password_from_the_environment_goes_with_the_projects_server() -> None:
    sources = [source("environment", password="pw"), project(host="db", port=1)]
    assert redis_url(sources) == "redis://:pw@db:1"
    sources = [source("environment", password="pw"), project(url="redis://db")]
    assert redis_url(sources) == "redis://:pw@db"


def test_a_password_in_a_url_beats_a_setting_of_its_own() -> None:
    found = redis_url([project(url="redis://:in@db", password="other")])
    assert found == "redis://:in@db"


def test_the_users_password_is_not_sent_to_a_server_that_a_project_names() -> None:
    user = source("user", host="127.0.0.1", port=16379, password="central")
    for other in (project(host="evil", port=16379), project(host="127.0.0.1", port=1)):
        assert "central" not in str(redis_url([other, user]))
    assert redis_url([project(url="redis://evil"), user]) == "redis://evil"


def test_the_password_of_tinytowns_central_redis_is_found_in_the_users_file() -> None:
    for user in (
        source("user", host="127.0.0.1", port=16379, password="central"),
        source("user", password="central"),
    ):
        found = redis_url([project(host="127.0.0.1", port=16379), user])
        assert found == "redis://:central@127.0.0.1:16379"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("redis://h:1/0", "redis://h:1/0"),
        ("redis://***@h", "redis://:pw@h"),
        ("redis://***@h", "redis://user:p@ss/w:rd@h"),
        ("at rediss://***@h, twice", "at rediss://u:p@h, twice"),
        ("redis://h/0?password=***&db=1", "redis://h/0?password=x&db=1"),
        ("redis+sentinel://a,b/s?sentinel_password=***",
         "redis+sentinel://a,b/s?sentinel_password=x"),
        ("plain text", "plain text"),
    ],
)  # fmt: skip
def test_urls_are_shown_without_their_secrets(shown: str, text: str) -> None:
    assert mask(text) == shown
