"""Where settings come from, which wins, and what is said of broken ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tt.config.settings import Config, load_config, town_name
from tt.errors import TTError, UsageError

FIXTURES = Path(__file__).resolve().parents[2] / "../shared/fixtures"


class Ground:
    """A project and a home to write settings into."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home = folder / "project", folder / "home"
        self.root.mkdir()
        self.home.mkdir()
        self.flags: dict[str, str | None] = {}
        self.environment = {"TT_HOME": str(self.home)}

    def project(self, text: str) -> None:
        (self.root / "tinytown.toml").write_text(text, encoding="utf-8")

    def user(self, text: str) -> None:
        (self.home / "config.toml").write_text(text, encoding="utf-8")

    def load(self) -> Config:
        return load_config(self.root, self.flags, self.environment)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def test_without_anything_there_are_defaults_and_the_embedded_server(ground: Ground) -> None:
    config = ground.load()
    assert config.redis is None
    assert (config.max_delete, config.fields, config.redis_timeout) == (20, (), 2.0)
    assert config.plan_path == ground.root / "tasks.toml"
    assert {setting.origin for setting in config.settings.values()} == {"default"}


def test_each_origin_beats_the_ones_after_it(ground: Ground) -> None:
    def url() -> tuple[object, str]:
        return ground.load().settings["redis.url"]

    ground.user('redis.url = "redis://user"')
    assert url() == ("redis://user", str(ground.home / "config.toml"))
    ground.project('redis.url = "redis://project"')
    assert url() == ("redis://project", str(ground.root / "tinytown.toml"))
    ground.environment["REDIS_URL"] = "redis://shared"
    assert url() == ("redis://shared", "environment REDIS_URL")
    ground.environment["TT_REDIS_URL"] = "redis://ours"
    assert url() == ("redis://ours", "environment TT_REDIS_URL")
    ground.flags["redis.url"] = "redis://flag"
    assert url() == ("redis://flag", "flag --redis")


def test_an_empty_variable_says_nothing(ground: Ground) -> None:
    ground.environment |= {"REDIS_URL": "", "TT_NAME": ""}
    config = ground.load()
    assert (config.redis, config.name) == (None, "")


def test_what_belongs_to_a_project_is_not_taken_from_the_users_file(ground: Ground) -> None:
    ground.user('name = "mine"\n[sync]\nrepo = "x"\nmax_delete = 3\n')
    config = ground.load()
    assert (config.name, config.repo, config.max_delete) == ("", "", 3)
    assert len(config.warnings) == 2
    assert "`name` belongs in a project's tinytown.toml" in config.warnings[0]


def test_a_mistyped_key_is_told_what_was_meant_and_the_rest_is_used(ground: Ground) -> None:
    ground.project("[sync]\nmax_delet = 1\nfields = ['result']\nzzz = 1\n")
    config = ground.load()
    assert config.fields == ("result",)
    file = ground.root / "tinytown.toml"
    assert config.warnings == (
        f"{file}: unknown setting `sync.max_delet`; did you mean `sync.max_delete`?",
        f"{file}: unknown setting `sync.zzz`.",
    )


def test_keys_of_a_newer_tinytown_are_left_alone(ground: Ground) -> None:
    ground.project("something_new = 1\n[mission]\nx = 1\n[redis]\nport = 1\nlazy_free = true\n")
    assert ground.load().warnings == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a = \n", "tinytown.toml:1:5: this is not valid TOML."),
        ("sync = 1\n", "tinytown.toml: `sync` must be a table: `[sync]`."),
        ("\n[sync]\nmax_delete = 'x'\n",
         "tinytown.toml:3: `sync.max_delete` must be a whole number."),
        ("[sync]\nmax_delete = -1\n", "tinytown.toml:2: `sync.max_delete` must be a whole number."),
        ("[hooks]\nstage = 1\n", "tinytown.toml:2: `hooks.stage` must be true or false."),
        ("[hooks]\non_conflict = 'stop'\n",
         "tinytown.toml:2: `hooks.on_conflict` must be `warn` or `fail`."),
        ("[sync]\nfields = [1]\n", "tinytown.toml:2: `sync.fields` must be a list of texts."),
        ("[redis]\ntimeout = -1\n",
         "tinytown.toml:2: `redis.timeout` must be a number of seconds, more than 0."),
        ("[redis]\ntimeout = true\n",
         "tinytown.toml:2: `redis.timeout` must be a number of seconds, more than 0."),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_with_its_line(ground: Ground, text: str, complaint: str) -> None:
    ground.project(text)
    with pytest.raises(UsageError) as caught:
        ground.load()
    assert caught.value.message == f"{ground.root}/{complaint}"


def test_a_file_that_is_not_utf_8_is_named_with_its_line(ground: Ground) -> None:
    (ground.root / "tinytown.toml").write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(UsageError, match=r"tinytown\.toml:2: this is not UTF-8"):
        ground.load()


def test_what_is_said_of_a_broken_line_does_not_quote_it(ground: Ground) -> None:
    ground.project('[redis]\npassword = "hunter2\n')
    with pytest.raises(UsageError) as caught:
        ground.load()
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_a_variable_that_does_not_fit_is_named(ground: Ground) -> None:
    ground.environment["TT_REDIS_TIMEOUT"] = "soon"
    with pytest.raises(UsageError, match="TT_REDIS_TIMEOUT must be a number of seconds"):
        ground.load()


@pytest.mark.parametrize("text", ["0", "inf", "1e400", "1e7", "nan", "-1"])
def test_a_timeout_that_no_clock_can_measure_is_refused(ground: Ground, text: str) -> None:
    ground.environment["TT_REDIS_TIMEOUT"] = text
    with pytest.raises(UsageError, match="TT_REDIS_TIMEOUT must be a number of seconds"):
        ground.load()


@pytest.mark.parametrize("file", ["/etc/passwd", "../other.toml", "a/../../b.toml", ""])
def test_a_plan_outside_the_project_is_refused(ground: Ground, file: str) -> None:
    ground.project(f"[sync]\nfile = '{file}'\n")
    with pytest.raises(UsageError, match="inside the project"):
        _ = ground.load().plan_path


def test_passwords_in_the_projects_file_are_known_even_where_they_are_not_used(
    ground: Ground,
) -> None:
    ground.project('[redis]\npassword = "x"\nurl = "redis://:x@h"\n')
    ground.environment["REDIS_URL"] = "redis://other"
    assert ground.load().exposed == ("redis.password", "redis.url")


def test_a_configuration_of_tinytowns_own_is_read(ground: Ground) -> None:
    path = FIXTURES / "tinytown-0.10" / "tinytown.toml"
    if not path.exists():
        pytest.skip("the fixtures are not here")
    (ground.root / "tinytown.toml").write_bytes(path.read_bytes())
    config = ground.load()
    assert (config.name, config.warnings) == ("golden", ())
    assert config.redis == "redis://127.0.0.1:16379"
    assert town_name(config, "repo", "main") == "golden"


def test_a_town_is_named_after_repository_and_branch(ground: Ground) -> None:
    assert town_name(ground.load(), "shop", "feature/cart") == "shop-feature-cart"


def test_without_git_a_town_is_named_after_its_directory(ground: Ground) -> None:
    assert town_name(ground.load(), None, None) == "project"


def test_a_detached_head_has_no_town_unless_it_is_named(ground: Ground) -> None:
    with pytest.raises(TTError) as caught:
        town_name(ground.load(), "shop", None)
    assert "--name" in str(caught.value.hint)
    ground.flags["name"] = "fixed"
    assert town_name(ground.load(), "shop", None) == "fixed"


@pytest.mark.parametrize("name", ["a:b", "a/b", " a", "a*", "a\x1bb", "a\nb"])
def test_a_name_that_keys_cannot_have_is_refused(ground: Ground, name: str) -> None:
    ground.flags["name"] = name
    with pytest.raises(UsageError, match="flag --name"):
        town_name(ground.load(), "shop", "main")


def test_braces_are_allowed_for_a_cluster(ground: Ground) -> None:
    ground.flags["name"] = "{shop}-main"
    assert town_name(ground.load(), "shop", "main") == "{shop}-main"


def test_a_home_is_needed_only_where_there_is_none_in_the_environment(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home(self: Path) -> Path:
        raise RuntimeError("no home")

    expanduser: Callable[[Path], Path] = no_home
    monkeypatch.setattr(Path, "expanduser", expanduser)
    assert ground.load().home == ground.home
    with pytest.raises(TTError, match="no home directory"):
        load_config(ground.root, {}, {})
