"""``planops schema``: print the schemas that files and reports are held to."""

from __future__ import annotations

import json

import click

from planops.errors import UsageWrong


@click.command()
@click.argument("name", required=False)
def command(name: str | None) -> int:
    """Print a JSON Schema (draft 2020-12), or the names of all of them.

    \b
    Examples:
      planops schema
      planops schema plan > plan.schema.json
    """  # noqa: D301  click reads the backspace, and never shows it
    from planops.manifests import schemas

    known = schemas.names()
    if name is None:
        click.echo("\n".join(known))
        return 0
    if name not in known:
        raise UsageWrong(f"schema: there is none named {name!r}; choose from {', '.join(known)}")
    click.echo(json.dumps(schemas.schema(name), indent=2, ensure_ascii=False))
    return 0
