"""Settings and where they come from; passwords are never shown."""

from __future__ import annotations

from tt.config.address import mask
from tt.config.keys import KEYS, SettingValue, near_key
from tt.config.settings import Config, Setting
from tt.errors import UsageError
from tt.render.text import Look, clip, columns, pad, safe

_LONGEST_VALUE = 44
_HIDDEN = "(hidden)"


def config_lines(config: Config, key: str | None, look: Look) -> list[str]:
    """Return each setting with its value and origin, or one setting's value alone."""
    if key is not None:
        return [_shown(key, _setting(config, key))]
    values = {name: _shown(name, setting) for name, setting in config.settings.items()}
    names = max(map(columns, values))
    width = min(max(map(columns, values.values())), _LONGEST_VALUE)
    lines = []
    for name, setting in config.settings.items():
        value = pad(clip(values[name], width), width)
        style = ("dim",) if setting.origin == "default" else ()
        origin = look.paint(safe(setting.origin), "dim")
        lines.append(f"{look.paint(pad(name, names), *style)}  {value}  {origin}".rstrip())
    server = "the built-in one" if config.redis is None else safe(mask(config.redis))
    return [*lines, "", f"Redis: {server}"]


def config_data(config: Config, key: str | None) -> dict[str, object]:
    """Return settings for programs; what is secret is null."""
    names = KEYS if key is None else [_known(key)]
    found = {name: _data(name, config.settings[name]) for name in names}
    redis = None if config.redis is None else mask(config.redis)
    return {"root": config.root, "redis": redis, "settings": found}


def _data(name: str, setting: Setting) -> dict[str, object]:
    secret = KEYS[name].secret
    value = mask(setting.value) if isinstance(setting.value, str) else setting.value
    return {"value": None if secret else value, "origin": setting.origin}


def _setting(config: Config, key: str) -> Setting:
    return config.settings[_known(key)]


def _known(key: str) -> str:
    if key in KEYS:
        return key
    near = near_key(key)
    hint = f"Did you mean `{near}`?" if near else "`tt config` lists those that there are."
    raise UsageError(f"There is no setting `{key}`.", hint)


def _shown(name: str, setting: Setting) -> str:
    if KEYS[name].secret:
        return _HIDDEN if setting.value else ""
    return safe(mask(value_words(setting.value)))


def value_words(value: SettingValue) -> str:
    """Return a setting's value as `tt config` takes it, too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
