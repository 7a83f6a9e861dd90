"""`rt-targets protocol list|show|check`: the protocol files."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.common import errors_told, say, table

app = typer.Typer(
    help="The protocol files: list, show, check.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

NameOrFile = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="A protocol file, or the name of one that comes along.")
]


@app.command("list")
def list_() -> None:
    """The protocols that come with rt-targets."""
    from pipeline.app import list_protocols, load_protocol

    with errors_told():
        loaded = [load_protocol(name) for name in list_protocols()]
        say(table(["name", "version", "title"], [[p.name, p.version, p.title] for p in loaded]))


@app.command("show")
def show(file: NameOrFile = None) -> None:
    """Print a protocol file as it is: rules, ranges, sources. A copy is a start for one of your own."""
    from pipeline.app import DEFAULT_PROTOCOL, load_protocol, protocol_file

    with errors_told():
        chosen = file or DEFAULT_PROTOCOL
        load_protocol(chosen)
        say(protocol_file(chosen).read_text(encoding="utf-8"), end="")


@app.command("check")
def check(file: NameOrFile = None) -> None:
    """Check a protocol file, or without FILE all that come along; says file, line, key, expected and got."""
    from pipeline.app import checked_against_atlas, list_protocols

    with errors_told():
        for one in [file] if file else list_protocols():
            protocol = checked_against_atlas(one)
            say(f"{protocol.file}: good ({protocol.name}, version {protocol.version})")
