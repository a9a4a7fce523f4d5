"""`tt init` and `tt config`: making a town, and its settings."""

from __future__ import annotations

import click

from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples, say, say_json, warn
from tt.render.text import safe


@click.command(
    epilog=examples(
        "tt init                     a town for each branch: <repo>-<branch>",
        "tt init --name myproject    one town, whatever the branch",
    )
)
@click.option("--name", metavar="NAME", help="A fixed name; the town then follows one branch.")
@json_option
@click.pass_obj
def init(flags: Flags, name: str | None, *, as_json: bool) -> None:
    """Make this directory a town: tinytown.toml, and a rule that keeps .tt/ out of Git.

    tinytown.toml gets an identity, by which clones of this repository know their town in Redis.
    Commit it. Running `tt init` again changes nothing.
    """
    from tt.app.mergedriver import is_installed
    from tt.app.setup import init as make
    from tt.render.steps import step_lines

    with flags._replace(name=name or flags.name).project() as project:
        town = project.town_or_none
        steps = make(project.ground, name or flags.name)
        root, plan = project.config.root, project.config.plan_path
        hooked = project.repository is None or is_installed(project.hook_place)
        project.register()
    if as_json:
        say_json({"town": town, "root": root, "files": steps})
        return
    say([f"The town {safe(town or 'of whatever branch you switch to')}, in {safe(str(root))}"])
    say(step_lines(steps, flags.look))
    if not plan.exists():
        say(["Next: `tt plan --init` begins a plan."])
    if not hooked:
        say(["Next: `tt hooks install` lets Git sync by itself; each clone does that once."])


@click.command(
    epilog=examples(
        "tt config                                     all settings, and where each comes from",
        "tt config redis.url                           one of them",
        "tt config redis.url redis://localhost:6379    change it for yourself",
        "tt config sync.max_delete 50 --project        change it for everyone",
    )
)
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option(
    "--project", "for_project", is_flag=True, help="Write to tinytown.toml, not to ~/.tt."
)
@json_option
@click.pass_obj
def config(
    flags: Flags, key: str | None, value: str | None, *, for_project: bool, as_json: bool
) -> None:
    """Show settings and where each comes from, or change one.

    Flags beat the environment, that beats tinytown.toml, that beats ~/.tt/config.toml. Passwords
    are never shown, and never written where Git could track them.
    """
    from tt.app.settings import change
    from tt.render.settings import config_data, config_lines

    with flags.project() as project:
        if key is not None and value is not None:
            path = change(project.setting_files, key, value, for_project=for_project)
            say([f"{key} is set, in {safe(str(path))}."])
            return
        warn(project.warnings())
    found = project.config
    data = config_data(found, key)
    answer(flags, data, lambda look: config_lines(found, key, look), as_json=as_json)
