"""The commands and their options; what they do is in modules of their own, loaded when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from distill_core.cli._guard import Guarded

OPTIONS = {"rich_markup_mode": None, "pretty_exceptions_enable": False, "no_args_is_help": True}
app = typer.Typer(
    cls=Guarded,
    help="Raw behavioural event logs into analysis-ready logs, intervals, graphs and features.",
    context_settings={"help_option_names": ["-h", "--help"]},
    **OPTIONS,  # type: ignore[arg-type]
)
plugins_app = typer.Typer(help="What is installed, and what is broken.", rich_markup_mode=None)
sources_app = typer.Typer(help="The sources that distill.toml names.", **OPTIONS)  # type: ignore[arg-type]
config_app = typer.Typer(help="What distill.toml and the environment say.", **OPTIONS)  # type: ignore[arg-type]
app.add_typer(plugins_app, name="plugins")
app.add_typer(sources_app, name="sources")
app.add_typer(config_app, name="config")

Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
Config = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="Instead of ./distill.toml.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"distill-core {version('distill-core')}")
        raise typer.Exit


@app.callback()
def _distill(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Raw behavioural event logs into analysis-ready logs, intervals, graphs and features."""


def _kinds(incomplete: str) -> list[str]:
    from distill_core.component import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


def _names(context: typer.Context, incomplete: str) -> list[str]:
    from distill_core.component import KINDS
    from distill_core.registry import components

    kind = context.params.get("kind")
    names = [entry.name for entry in components(kind)] if kind in KINDS else []
    return [name for name in names if name.startswith(incomplete)]


def _pipelines(incomplete: str) -> list[str]:
    from distill_core.config import load_config

    return [name for name in load_config().pipelines if name.startswith(incomplete)]


@app.command()
def run(
    pipeline: Annotated[
        str,
        typer.Argument(
            help="A file (.toml, .json), a name in distill.toml, or - for a document on stdin.",
            autocompletion=_pipelines,
        ),
    ],
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Set a value of the document, such as "
                     "transforms.0.params.gap=30m (JSON, else text)."),
    ] = None,
    params: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="Set a parameter of the pipeline."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole result as JSON.")] = False,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="ndjson|json|csv", help="The rows (of a graph its edges) "
                     "as NDJSON or CSV, or the whole result as JSON."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE", help="Into a file, in the form of its ending: "
                     ".ndjson, .json, .csv, or .html for the picture."),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="CSV as it is: a text that a spreadsheet would run as a "
                     "formula gets no ' in front."),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell what would be read and done; read nothing.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail on any bad record or broken plugin.")
    ] = False,
    config: Config = None,
) -> None:  # fmt: skip
    """Run a pipeline: a table on a terminal, NDJSON into a pipe, or what --format, --out say."""
    from distill_core.cli._run import Call, run_pipeline

    told = (pipeline, sets or [], params or [], as_json, explain, strict, config)
    run_pipeline(Call(*told, form, out, raw))


def _sources(incomplete: str) -> list[str]:
    from distill_core.config import load_config

    return [name for name in load_config().sources if name.startswith(incomplete)]


def _queries(incomplete: str) -> list[str]:
    from distill_core.config import load_config
    from distill_core.registry import components

    names = [*load_config().queries, *(entry.name for entry in components("query"))]
    return [name for name in names if name.startswith(incomplete)]


@app.command()
def query(
    named: Annotated[
        str,
        typer.Argument(
            metavar="QUERY", autocompletion=_queries,
            help="A query: of distill.toml, installed (count, top, timeline, …), or a condition.",
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME|FILE", autocompletion=_sources,
                     help="What is asked: a source of distill.toml (the only one, if there is "
                     "one), or a file."),
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option("--schema", metavar="NAME|JSON", help="The schema of a file."),
    ] = None,
    params: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="Set a parameter of the query, such as "
                     "by=activity (JSON, else text)."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Set any value of its document."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole result as JSON.")] = False,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="ndjson|json|csv", help="The rows as NDJSON or CSV, or "
                     "the whole result as JSON."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE", help="Into a file, in the form of its ending: "
                     ".ndjson, .json, .csv, or .html for the picture."),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="CSV as it is, as in run.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell what would be asked and done; read nothing.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail on any bad record or broken plugin.")
    ] = False,
    config: Config = None,
) -> None:  # fmt: skip
    """Ask a source: which events, or how many of them, when, whose."""
    from distill_core.cli._query import run_query
    from distill_core.cli._run import Call

    told = (named, sets or [], params or [], as_json, explain, strict, config)
    run_query(Call(*told, form, out, raw), source, schema)


@plugins_app.callback(invoke_without_command=True)
def _plugins(context: typer.Context, as_json: Json = False) -> None:
    """What is installed, and what is broken."""
    if context.invoked_subcommand is None:
        plugins_list(as_json)


@plugins_app.command("list")
def plugins_list(as_json: Json = False) -> None:
    """List the plugins with their components; what is broken is told."""
    from distill_core.cli._plugins import list_plugins

    list_plugins(as_json)


@plugins_app.command("show")
def plugins_show(
    name: Annotated[str, typer.Argument(help="A plugin, by entry point or distribution.")],
    as_json: Json = False,
) -> None:
    """Show the components of a plugin, and where it fails."""
    from distill_core.cli._plugins import show_plugin

    show_plugin(name, as_json)


@plugins_app.command("check")
def plugins_check(as_json: Json = False) -> None:
    """Fail (exit code 1) if anything is broken, or two plugins share a name."""
    from distill_core.cli._plugins import check_plugins

    check_plugins(as_json)


@app.command()
def describe(
    kind: Annotated[str, typer.Argument(
        help="source, schema, query, transform or model; a component's name alone "
             "will do.", autocompletion=_kinds)],
    name: Annotated[str | None, typer.Argument(
        help="A component; without it all are listed.", autocompletion=_names)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Its JSON Schema.")] = False,
) -> None:  # fmt: skip
    """Tell what a component does and which parameters it has."""
    from distill_core.cli import _describe

    _describe.describe(kind, name, as_json)


@app.command()
def inspect(
    file: Annotated[str, typer.Argument(help="A file or a glob; - for stdin.")],
    sample: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many records are looked at; 0: all.")
    ] = 1000,
    as_json: Json = False,
) -> None:
    """Look into a file: its fields, which schema fits, what may be case, activity and time."""
    from distill_core.cli._inspect import inspect_file

    inspect_file(file, as_json, sample)


@sources_app.command("list")
def sources_list(config: Config = None, as_json: Json = False) -> None:
    """List the named sources with their schemas, and where they are defined."""
    from distill_core.cli._sources import list_sources

    list_sources(config, as_json)


@sources_app.command("check")
def sources_check(
    name: Annotated[str, typer.Argument(
        help="A source, as distill.toml names it.", autocompletion=_sources)],
    config: Config = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Look whether a source can be read, and what is in the way (exit code 1 for an error)."""
    from distill_core.cli._sources import check_source

    check_source(name, config, as_json)


@config_app.command("show")
def config_show(config: Config = None, as_json: Json = False) -> None:
    """Show every setting and where it comes from; secrets are masked."""
    from distill_core.cli._config import show_config

    show_config(config, as_json)


@app.command()
def demo(
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help="Where the page is written.")
    ] = "distill-demo.html",
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
    with_files: Annotated[
        bool,
        typer.Option("--files", help="Leave the log and the pipeline here, as TOML and Python."),
    ] = False,
) -> None:  # fmt: skip
    """Run Distill on a sample log: the terminal and one offline HTML file."""
    from distill_core.cli.demo import run_demo

    run_demo(out, as_json=as_json, with_files=with_files)
