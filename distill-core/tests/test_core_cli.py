"""The command line as a user meets it: what goes where, exit codes, errors in words."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from folder import plugin
from plugins import distill as call

from distill_core import registry
from distill_core.cli._describe import example
from distill_core.cli._inspect import survey
from distill_core.cli._output import put_table
from distill_core.cli._table import fitted, order_for_people
from distill_core.columns import Column
from distill_core.component import KINDS, Schema, Source
from distill_core.registry import components
from distill_core.testing import Documents
from distill_core.wire import Names, build

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")
EVENTS = (
    {"who": "ann", "what": "open", "at": 0, "note": None},
    {"who": "ann", "what": "clo\u001b[31mse", "at": 90, "note": "h\u00e9 \u6f22"},
    {"who": "bob", "what": "open", "at": 30},
)
FIELDS = {"name": "fields", "params": {"case": "who", "activity": "what", "time": "at",
                                       "unit": "s", "columns": ["note"]}}  # fmt: skip
LOG = "\n".join(json.dumps(event, ensure_ascii=False) for event in EVENTS) + "\n"


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """The folder of the plugin of these tests."""
    return plugin(tmp_path_factory.mktemp("plugin"))


@pytest.fixture
def distill(target, tmp_path, monkeypatch):
    """``distill`` in a working directory with a log, a pipeline and a configuration."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DISTILL_")]:
        monkeypatch.delenv(name)
    (tmp_path / "log.ndjson").write_text(LOG, "utf-8")
    document = {"source": {"name": "files", "params": {"path": "log.ndjson"}}, "schema": FIELDS}
    (tmp_path / "all.json").write_text(json.dumps(document), "utf-8")
    steps = [{"name": "sessionize", "params": {"gap": "30m"}}]
    (tmp_path / "distill.toml").write_text(
        '[sources.web]\nsource = { name = "files", params = { path = "log.ndjson", '
        'password = "env:PW" } }\n'
        'schema = { name = "fields", params = { case = "who", activity = "what", time = "at", '
        'unit = "s" } }\n'
        '[pipelines.visits]\nsource = "web"\n'
        f'transforms = [{{ name = "sessionize", params = {{ gap = "{steps[0]["params"]["gap"]}" '
        '} }]\nparams = { gap = "transforms.0.params.gap" }\n',
        "utf-8",
    )

    def run(*arguments, stdin="", **environ):
        environ = {"DISTILL_PLUGINS": "tests", **environ}
        return call(*arguments, targets=[target], stdin=stdin, **environ)

    return run


def rows(done):
    """The rows of NDJSON."""
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_ndjson_into_a_pipe(distill):
    """Into a pipe go rows, one JSON object a line, unchanged; stderr stays silent."""
    found = rows(distill("run", "all.json"))
    assert [row["activity"] for row in found] == ["open", "clo\u001b[31mse", "open"]
    assert found[1]["note"] == "h\u00e9 \u6f22"


def test_losses_are_told_into_a_pipe(distill, tmp_path):
    """What could not be read is told on stderr, piped or not; where all is well, nothing is."""
    lines = [{"who": "ann", "what": "open", "at": "soon"}] * 17
    (tmp_path / "bad.ndjson").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    (tmp_path / "none.ndjson").write_text("", "utf-8")
    told = {}
    for name in ("bad", "none", "log"):
        for form in ((), ("--json",)):
            done = distill("run", "all.json", "--set", f"source.params.path={name}.ndjson", *form)
            assert done.returncode == 0
            told[name, *form] = done.stderr
    assert told["bad",].splitlines()[0] == "read 17 records, kept 0"
    assert "  rejected bad_time: 17 (" in told["bad",]
    assert told["bad", "--json"] == told["bad",]
    assert told["none",] == "read 0 records, kept 0\n  format: ndjson\n"
    assert told["log",] == ""


def test_values_that_were_lost_are_told(distill, tmp_path):
    """A value that became null is told, and so is what another log lost."""
    log = [{"who": "ann", "what": "open", "at": 0, "note": "NaN"}]
    (tmp_path / "nan.ndjson").write_text(json.dumps(log[0]).replace('"NaN"', "NaN"), "utf-8")
    first = ("run", "all.json", "--set")
    done = distill(*first, "source.params.path=nan.ndjson")
    assert "  nulled note: 1" in done.stderr
    other = {"source": {"name": "files", "params": {"path": "nan.ndjson"}}, "schema": FIELDS}
    step = {"name": "append", "params": {"other": other}}
    done = distill(*first, f"transforms={json.dumps([step])}")
    assert done.returncode == 0, done.stderr
    assert "  nulled note: 1" in done.stderr
    assert all(line.startswith("step 0 other: ") for line in done.stderr.splitlines())


@POSIX
def test_closed_and_full(distill, target, tmp_path):
    """A closed stdin and a full or closed output are errors in words, with exit code 1."""
    command = [sys.executable, "-m", "distill_core.cli", "run"]
    environ = {**os.environ, "PYTHONPATH": str(target), "DISTILL_PLUGINS": "tests"}
    ends = {"- <&-": "error: stdin is closed", "all.json >&-": "code: output-failed"}
    if Path("/dev/full").exists():
        ends["all.json >/dev/full"] = "code: output-failed"
        ends["all.json --json >/dev/full"] = "No space left"
    for end, says in ends.items():
        done = subprocess.run(
            ["/bin/sh", "-c", f'"$@" {end}', "sh", *command],
            capture_output=True, text=True, env=environ, check=False,
        )  # fmt: skip
        assert done.returncode == 1, end
        assert says in done.stderr
        assert "Traceback" not in done.stderr
        assert "Exception" not in done.stderr


def test_json_is_what_python_says(distill, target):
    """`--json` is `Result.to_json()` and a line end, byte for byte."""
    code = (
        "import sys; sys.stdout.reconfigure(encoding='utf-8')\n"
        "from distill_core.wire import from_document, load\n"
        "print(from_document(load('all.json')).run().to_json())"
    )
    environ = {**os.environ, "PYTHONPATH": str(target), "DISTILL_PLUGINS": "tests"}
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, capture_output=True, env=environ, check=True)
    done = distill("run", "all.json", "--json")
    assert done.stdout == said.stdout.decode("utf-8")
    assert json.loads(done.stdout)["kind"] == "events"


@pytest.mark.parametrize(
    "locale", [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_utf8_whatever_the_locale(distill, locale):
    """Under another encoding of the system the same bytes come out."""
    done = distill("run", "all.json", "--json", **locale)
    assert done.stdout == distill("run", "all.json", "--json").stdout


def test_a_named_pipeline_and_its_parameters(distill):
    """A name of distill.toml runs; flags win over variables, these over the file."""
    assert {row["case"] for row in rows(distill("run", "visits"))} == {
        "ann@1970-01-01T00:00:00.000000Z", "bob@1970-01-01T00:00:30.000000Z"
    }  # fmt: skip
    variable = {"DISTILL_PIPELINES__VISITS__TRANSFORMS__0__PARAMS__GAP": "1m"}
    assert len({row["case"] for row in rows(distill("run", "visits", **variable))}) == 3
    again = distill("run", "visits", "--param", "gap=2m", **variable)
    assert len({row["case"] for row in rows(again)}) == 2
    over = distill("run", "visits", "--set", "transforms.0.params.gap=10s")
    assert len({row["case"] for row in rows(over)}) == 3


def test_a_file_exposes_parameters_too(distill, tmp_path):
    """A pipeline in a file may name parameters as one in distill.toml does."""
    text = (
        'source = "web"\ntransforms = [{ name = "sessionize", params = { gap = "30m" } }]\n'
        'params = { gap = "transforms.0.params.gap" }\n'
    )
    (tmp_path / "visits.toml").write_text(text, "utf-8")
    assert len({row["case"] for row in rows(distill("run", "visits.toml"))}) == 2
    found = rows(distill("run", "visits.toml", "--param", "gap=10s"))
    assert len({row["case"] for row in found}) == 3


def test_document_or_events_on_stdin(distill):
    """`-` is a document on stdin; a source may read events there; both at once is wrong usage."""
    text = 'source = "web"\n'
    assert len(rows(distill("run", "-", stdin=text))) == 3
    first = "source.params.path=-"
    assert len(rows(distill("run", "all.json", "--set", first, stdin=LOG.splitlines()[1]))) == 1
    both = distill("run", "-", "--set", first, stdin=text)
    assert both.returncode == 2
    assert "both" in both.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("run", "all.json", "--set", "transforms.0.params.gap=1"), 1, "code: spec-invalid"),
        (("run", "visits", "--set", "transforms.0.params.gap=1"), 1,
         "error: transforms.0.params.gap: "),
        (("run", "visits", "--set", "transforms.0.params.gapp=1m"), 1,
         "hint: did you mean 'gap'?"),
        (("run", "visits", "--param", "gpa=1m"), 1, "hint: did you mean 'gap'?"),
        (("run", "visit"), 1, "did you mean 'visits'?"),
        (("run", "no.toml"), 1, "there is no file 'no.toml'"),
        (("run", "all.json", "--config", "no.toml"), 1, "code: config-invalid"),
        (("run", "all.json", "--set", "query.params.where=what ="), 1, "query."),
        (("run", "all.json", "--set", ".".join(["x"] * 5_000) + "=1"), 1, "5000 parts"),
        (("run", "visits", "--set", "gap"), 2, "NAME=VALUE"),
        (("run",), 2, "Missing argument"),
        (("describe", "thing", "x"), 2, "there is no kind"),
        (("describe", "sessionise"), 2, "did you mean 'sessionize'?"),
        (("run", "log.ndjson"), 1, "distill inspect log.ndjson"),
        (("run", "visits", "--set", 'transforms={"name": "elapsed"}'), 1, "[[transforms]]"),
        (("run", "visits", "--set", 'transforms=[{"name": "sessionize", "gap": "30m"}]'), 1,
         "hint: put it under params: params = { gap = … }"),
        (("run", "all.json", "--format", "xml"), 2, "ndjson, json, csv"),
        (("run", "all.json", "--format", "csv", "--json"), 2, "two forms"),
        (("run", "all.json", "--out", "x.txt"), 2, "say --format"),
        (("run", "all.json", "--out", "no/such/x.csv"), 1, "code: output-failed"),
        (("describe", "model", "grap"), 1, "did you mean 'graph'?"),
        (("plugins", "show", "x"), 1, "there is no plugin"),
        (("nonsense",), 2, "nonsense"),
    ],
)  # fmt: skip
def test_errors_in_words(distill, arguments, code, says):
    """Every error is told on stderr in words, with its hint and code; nothing goes to stdout."""
    done = distill(*arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_unexpected_errors(distill):
    """A fault in strange code is one line, and DISTILL_TRACEBACK=1 shows where it is."""
    arguments = ("run", "all.json", "--set", "model=wrong")
    done = distill(*arguments)
    assert done.returncode == 1
    assert "distill-tests 1.0" in done.stderr
    assert "Traceback" not in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert 'raise ZeroDivisionError("by zero' in distill(*arguments, DISTILL_TRACEBACK="1").stderr
    stray = distill("run", "all.json", "--set", "source.params.path=no.ndjson")
    assert stray.returncode == 1
    assert "Traceback" not in stray.stderr


def test_the_plan(distill):
    """`--explain` checks the pipeline, tells what would be read and reads nothing."""
    arguments = ("run", "all.json", "--explain", "--set", "source.params.path=not-there")
    plan = json.loads(distill(*arguments, "--json").stdout)
    assert plan["columns"]["activity"] == ["what"]
    assert "activity ← what" in distill(*arguments).stdout


def test_describe(distill):
    """A component is told in words with all parameters, or as its JSON Schema."""
    told = distill("describe", "transform", "sessionize").stdout
    assert "gap" in told
    assert 'transforms = [{ name = "sessionize", params = { gap = "30m" } }]' in told
    schema = json.loads(distill("describe", "transform", "sessionize", "--json").stdout)
    assert schema["properties"]["gap"]["format"] == "duration"
    assert "secret (env:NAME, file:PATH)" in distill("describe", "source", "files").stdout
    named = json.loads(distill("describe", "model", "--json").stdout)
    assert {"graph", "wrong"} <= {entry["name"] for entry in named}


def test_every_example_of_describe_is_valid(monkeypatch):
    """What `describe` shows under "In a pipeline" is valid where a source `web` is configured."""
    entry = registry.Entry("source", "documents", Documents, "distill-tests", "1.0")
    mine = registry.Plugin("tests", "distill-tests", "1.0", (entry,))
    monkeypatch.setattr(registry, "_loaded", (*registry.plugins(), mine))
    schema = {"name": "fields", "params": {"case": "c", "activity": "a", "time": "t"}}
    web = {"source": {"name": "documents", "params": {"documents": []}}, "schema": schema}
    for kind in KINDS:
        for entry in components(kind):
            if entry.distribution == "distill-core":
                written = tomllib.loads(example(entry.cls, kind, entry.name))
                (part,) = written.values()
                part = part[0] if kind == "transform" else part
                build(kind, part, names=Names(sources={"web": web}))


def test_config_show(distill):
    """Every setting is shown with its origin; a secret is masked, a reference is not."""
    variable = "DISTILL_SOURCES__WEB__SOURCE__PARAMS__PATH"
    done = distill("config", "show", "--json", **{variable: "x.ndjson"})
    found = {one["path"]: one for one in json.loads(done.stdout)["settings"]}
    assert found["sources.web.source.params.path"]["origin"] == f"environment {variable}"
    assert found["sources.web.source.params.password"]["value"] == "env:PW"
    assert "x.ndjson" in distill("config", "show", **{variable: "x.ndjson"}).stdout


def test_a_reading_that_cannot_be_right_says_so(distill):
    """A misspelt path and a missing unit are told on stderr, even if nobody seems to look."""
    done = distill("run", "all.json", "--set", 'schema.params.columns=["notte"]')
    assert done.returncode == 0
    assert "column 'notte' is null in every event" in done.stderr
    done = distill("run", "all.json", "--set", "schema.params.unit=null")
    assert (done.returncode, done.stdout) == (0, "")
    assert "kept 0" in done.stderr
    assert "a number needs its unit: unit = 's'" in done.stderr


def test_inspect(distill, tmp_path):
    """A file is looked into: fields with types and nulls, suspects, a pipeline that then runs."""
    base = 1_700_000_000_000
    lines = [{"session_id": f"s{i % 5}", "event": "ab"[i % 2], "stamp": base + i, "n": i,
              "page": {"url": "/x"}} for i in range(50)]  # fmt: skip
    lines[0]["n"] = None
    (tmp_path / "odd.ndjson").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    found = json.loads(distill("inspect", "odd.ndjson", "--json").stdout)
    fields = {one["path"]: one for one in found["fields"]}
    assert (fields["n"]["null"], fields["n"]["types"]) == (0.02, {"integer": 49})
    assert "page.url" in fields
    assert found["facts"] == {"format": "ndjson"}
    assert found["suspects"]["time"][0] == {"path": "stamp", "unit": "ms"}
    (tmp_path / "begin.json").write_text(json.dumps(found["pipeline"]), "utf-8")
    assert len(rows(distill("run", "begin.json"))) == 50
    assert "may be the case: session_id" in distill("inspect", "odd.ndjson").stdout


def test_inspect_proposes_what_loses_nothing(distill, tmp_path):
    """A field that events share may be the case; the columns proposed have their types."""
    base = 1_700_000_000
    lines = [{"at": base + i, "event": "ab"[i % 2], "machine": {"id": i % 2}, "ml": i, "g": i / 2,
              "hot": i > 3, "no": f"x{i}", "mix": [i, "x"][i % 2], "tags": ["t"], "duration": i,
              "user": "ann"} for i in range(300)]  # fmt: skip
    for line in lines[:100]:
        del line["user"]
    del lines[1]["hot"]
    (tmp_path / "odd.ndjson").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    found = json.loads(distill("inspect", "odd.ndjson", "--json").stdout)
    params = found["pipeline"]["schema"]["params"]
    assert (params["case"], params["user"]) == ("machine.id", "user")
    assert params["columns"] == [
        {"name": "ml", "type": "integer"}, {"name": "g", "type": "number"},
        {"name": "hot", "type": "boolean"}, "no", "mix", {"name": "tags", "type": "json"},
        {"name": "logged_duration", "paths": ["duration"], "type": "integer"},
    ]  # fmt: skip
    (tmp_path / "begin.json").write_text(json.dumps(found["pipeline"]), "utf-8")
    done = distill("run", "begin.json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(events) == 300
    assert {event["logged_duration"] for event in events} == set(range(300))
    shown = distill("inspect", "odd.ndjson").stdout
    assert "may be the case: machine.id (0% null)" in shown
    assert "may be the user: user (33% null)" in shown
    assert "<1%" in shown
    assert "0% sure" not in shown


def test_inspect_looks_at_as_many_as_asked(distill, tmp_path):
    """`--sample` says how many records are looked at, 0 is all."""
    (tmp_path / "odd.ndjson").write_text('{"a": 1}\n' * 1200, "utf-8")
    for more, count in (((), 1000), (("--sample", "7"), 7), (("--sample", "0"), 1200)):
        found = json.loads(distill("inspect", "odd.ndjson", "--json", *more).stdout)
        assert found["looked_at"] == count


def test_posted_batches_are_taken_apart():
    """A file whose lines are lists of records is looked into record by record."""
    assert survey_of('[{"a": 1}, {"a": 2}]\n') == (2, {"arrays": "flatten"})
    assert survey_of('{"a": 1}\n') == (1, {})


def survey_of(text):
    """How many records `inspect` finds in this text, and with which further parameters."""

    class Lines(Source, name="files"):
        path: str
        arrays: str = "reject"

        def read(self, request, scan):
            found = json.loads(self.path)
            if isinstance(found, list) and self.arrays == "reject":
                scan.reject("not_object", 0)
            else:
                yield found if isinstance(found, list) else [found]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_loaded", (registry.Plugin("tests", "distill-tests", "1.0", (
            registry.Entry("source", "files", Lines, "distill-tests", "1.0"),
            registry.Entry("schema", "any", AnySchema, "distill-tests", "1.0"),
        )),))  # fmt: skip
        found = survey(text)
    given = dict(found["pipeline"]["source"]["params"])
    assert given.pop("path") == text
    return found["looked_at"], given


class AnySchema(Schema, name="any"):
    """Fits everything."""

    def columns(self):
        return ()

    @classmethod
    def detect(cls, sample):
        return 1.0


def test_light(distill):
    """`distill --help` and usage errors load neither pydantic nor pandas nor rich."""
    code = (
        "import sys\nfrom distill_core.cli import main\nsys.argv = ['distill', '--help']\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'pydantic', 'pandas', 'rich', 'numpy'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert distill("--version").stdout.startswith("distill-core ")


def start(target, tmp_path, **pipeline):
    """``distill run`` of the source with this name and parameters, with pipes."""
    fields = {"name": "fields", "params": {"case": "who", "activity": "what", "time": "at",
                                           "unit": "s"}}  # fmt: skip
    document = tmp_path / "started.json"
    document.write_text(json.dumps({"source": pipeline, "schema": fields}), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "distill_core.cli", "run", str(document)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(target), "DISTILL_PLUGINS": "tests"},
    )


@POSIX
def test_a_closed_pipe(target, tmp_path):
    """A reader that has enough (`| head -1`) ends the command quietly, with exit code 0."""
    process = start(target, tmp_path, name="many", params={"n": 5_000})
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


@POSIX
def test_interrupted(target, tmp_path):
    """Ctrl-C ends a command with exit code 130 and no traceback."""
    with start(target, tmp_path, name="waits") as process:
        assert process.stderr.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait() == 130


@POSIX
def test_on_a_terminal(distill, target, tmp_path):
    """On a terminal rows are a table, controls are visible, NO_COLOR means no color."""
    import pty

    for arguments in (["run", "all.json"], ["run", "all.json", "--json"],
                      ["run", "all.json", "--set", "model=graph"]):  # fmt: skip
        ours, theirs = pty.openpty()
        environ = {**os.environ, "PYTHONPATH": str(target), "DISTILL_PLUGINS": "tests",
                   "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"}  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "distill_core.cli", *arguments],
            stdout=theirs, stderr=subprocess.DEVNULL, env=environ,
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # Linux says so when the other end is closed
            pass
        os.close(ours)
        assert process.wait() == 0
        assert b"\x1b[31" not in shown
        assert (b"source" if "--set" in arguments else b"clo\\u001b[31mse") in shown


def test_a_value_is_one_line_of_a_table(capsys):
    """Line ends and tabs in values and heads are visible, so that no value can make up a row."""
    put_table(["a\nb"], [["x\nforged"], [["y\n"]], ["p\tq\u2028r"]])
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in shown if line and set(line) != {"\u2500"}] == [
        r"a\nb", r"x\nforged", r'["y\n"]', r"p\tq\u2028r"
    ]  # fmt: skip


def test_csv(distill, tmp_path):
    """`--format csv` has a head and rows; a text like a formula is made text unless `--raw`."""
    lines = [{"who": "=1+1", "what": "a,b", "at": 0, "note": None}]
    (tmp_path / "log.ndjson").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    chosen = 'query={"name": "events", "params": {"columns": ["note"]}}'
    for form, first in ((("--format", "csv"), "'=1+1"), (("--format", "csv", "--raw"), "=1+1")):
        done = distill("run", "all.json", "--set", chosen, *form)
        assert done.returncode == 0, done.stderr
        (found,) = csv.DictReader(io.StringIO(done.stdout))
        assert (found["case"], found["activity"], found["note"]) == (first, "a,b", "")


def test_out(distill, tmp_path):
    """`--out` writes the form of the ending, the same bytes as stdout has, and nothing else."""
    forms = {"x.ndjson": ("--format", "ndjson"), "x.csv": ("--format", "csv"),
             "x.json": ("--json",)}  # fmt: skip
    for name, form in forms.items():
        done = distill("run", "all.json", "--out", name)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert (tmp_path / name).read_bytes().decode() == distill("run", "all.json", *form).stdout
    assert distill("run", "all.json", "--out", "x.html").returncode == 0
    assert (tmp_path / "x.html").read_text("utf-8").startswith("<!doctype html>")
    graph = distill("run", "all.json", "--set", "model=graph", "--format", "csv").stdout
    assert graph.startswith("source,target")
    assert not list(tmp_path.glob("*.partial"))


@POSIX
@pytest.mark.parametrize("before", [None, "what was there"])
def test_out_is_whole_or_not_there(target, tmp_path, before):
    """When the disk is full or the run fails, nothing is under the name but what was there."""
    rows = [{"who": "ann", "what": "open", "at": n} for n in range(200)]
    (tmp_path / "log.ndjson").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    document = {"source": {"name": "files", "params": {"path": "log.ndjson"}}, "schema": FIELDS}
    (tmp_path / "all.json").write_text(json.dumps(document), "utf-8")
    place = tmp_path / "x.csv"
    if before is not None:
        place.write_text(before, "utf-8")
    environ = {**os.environ, "PYTHONPATH": str(target), "DISTILL_PLUGINS": "tests"}
    for limit, more in (("ulimit -f 2; ", ""), ("", "--set model=wrong")):
        done = subprocess.run(
            ["/bin/sh", "-c", f'{limit}exec "$@" run all.json --out x.csv {more}', "sh",
             sys.executable, "-m", "distill_core.cli"],
            capture_output=True, text=True, env=environ, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert ("code: output-failed" if limit else "code: model-failed") in done.stderr
        assert (place.read_text("utf-8") if place.exists() else None) == before
        assert not list(tmp_path.glob("*.partial"))


def test_the_plan_tells_each_step(distill):
    """`--explain` tells a step's parameters, without defaults, and the columns it adds."""
    done = distill("run", "visits", "--explain")
    assert done.returncode == 0, done.stderr
    assert 'step 0: sessionize\n  gap = "30m"\n  adds: parent_case\n' in done.stdout
    assert 'source: files\n  path = "log.ndjson"\n' in done.stdout
    assert "columns, all records" in done.stdout
    plan = json.loads(distill("run", "visits", "--explain", "--json").stdout)
    step = {"name": "sessionize", "params": {"gap": "30m"}, "adds": ["parent_case"]}
    assert plan["steps"] == [step]


def test_a_cause_is_offered(distill):
    """Where an error has a cause, the way to see it is told, and then it is no longer offered."""
    arguments = ("run", "all.json", "--set", "model=wrong")
    assert "hint: DISTILL_TRACEBACK=1 in front of the command" in distill(*arguments).stderr
    traced = distill(*arguments, DISTILL_TRACEBACK="1").stderr
    assert "in front of the command" not in traced
    assert "DISTILL_TRACEBACK" not in distill("run", "no.toml").stderr


def test_describe_finds_a_component_by_its_name_alone(distill):
    """`distill describe sessionize` needs no kind."""
    done = distill("describe", "sessionize")
    assert done.stdout == distill("describe", "transform", "sessionize").stdout
    assert "gap" in done.stdout


def test_a_table_fits_the_terminal():
    """Columns that do not fit, or are null, are named; lengths and times are short."""
    columns = [Column("id"), Column("case"), Column("time", type="time"), Column("note"),
               Column("duration", type="duration"),
               *(Column(f"c{n}") for n in range(19))]  # fmt: skip
    row = {"id": "0" * 16, "case": "ann", "time": "2026-01-05T09:00:00.000000Z", "note": None,
           "duration": 90_000_000, **{f"c{n}": "some text" for n in range(19)}}  # fmt: skip
    table = fitted(order_for_people(columns), [row], 80)
    assert table.rows[0][:3] == ("ann", "2026-01-05 09:00:00", "1 min 30 s")
    cells = zip(table.heads, table.rows[0], strict=True)
    assert sum(max(map(len, pair)) + 2 for pair in cells) <= 82
    hidden, null = table.hidden
    assert re.match(r"\d+ more columns: c\d, .*, id$", hidden)
    assert null == "1 column is null here: note"
