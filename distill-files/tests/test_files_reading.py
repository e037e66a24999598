"""What is read, rejected, refused and told, for each format and kind of damage."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import subprocess
import sys

import pytest
from backports import zstd
from recordings import recording

from distill_core.columns import Column
from distill_core.component import Request, Scan
from distill_core.errors import SourceError
from distill_files import Files, formats, lines, ndjson

COLUMNS = (
    Column("time", ("t",), type="time", unit="ms"),
    Column("activity", ("a",)),
    Column("details", ("d",), type="json"),
)
GOOD = b'{"t":1,"a":"x"}\n'


def read(path, columns=COLUMNS, **options):
    """(values of each column, arrivals, rejected, facts, source)."""
    source, scan = Files(path=path if isinstance(path, tuple) else str(path), **options), Scan()
    batches = list(source.read(Request(columns), scan))
    values = {c.name: [v for b in batches for v in b.columns[c.name].to_list()] for c in columns}
    return values, [a for b in batches for a in b.arrival.tolist()], scan.rejected, scan, source


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.fixture(params=["exact", "fast"])
def reader(request, monkeypatch):
    """Both readers of NDJSON and JSON."""
    monkeypatch.setattr(formats, "SMALL", 2**40 if request.param == "exact" else -1)
    return request.param


BROKEN = [
    (b'{"a":', "corrupt"), (b"{'a':1}", "corrupt"), (b'{"a":1}{"a":2}', "corrupt"),
    (b'{"a":"\xff"}', "corrupt"), (b'{"a":"x\ty"}', "corrupt"), (b"nonsense", "corrupt"),
    (b'{"a":01}', "corrupt"), (b'{"a":1}\r{"a":2}', "corrupt"), (b"\xef\xbb\xbf{}", "corrupt"),
    (b"null", "not_object"), (b"7", "not_object"), (b"[{}]", "not_object"), (b'"x"', "not_object"),
    (b'{"d":' + b"[" * 70 + b"]" * 70 + b"}", "too_deep"),
    (b'{"d":' + b'{"x":' * 5000 + b"1" + b"}" * 5000 + b"}", "too_deep"),
    (b"[" * 5000, "corrupt"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_broken_record_is_rejected_with_its_line(tmp_path, reader, line, reason):
    """The lines around it are read; blank lines count as lines, not as records."""
    path = write(tmp_path / "a.ndjson", GOOD + b"\n  \n" + line + b"\r\n\n" + GOOD)
    values, arrival, rejected, _, source = read(path)
    assert values["activity"] == ["x", "x"]
    assert rejected == [(reason, 1)]
    assert source.locate([a for _, a in rejected] + arrival) == [
        "a.ndjson:4", "a.ndjson:1", "a.ndjson:6",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"a":"1","a":"2"}', "2"), (b'{"d":{"x":1,"x":2},"a":"y"}', "y"),
        (b'{"a":"y",}', "y"), (b'{"a":["y",],"z":[1,{"y":2,},]}', '["y"]'),
        (b'{"a":NaN}', None), (b'{"a":-inf,}', None), (b'{"a":Infinity}', None),
        (b'{"a":1e999}', None), (b'{"a":18446744073709551617}', "18446744073709551617"),
        (b'{"a":' + b"9" * 5000 + b"}", None), (b'{"a":"\\ud83dx"}', "\ufffdx"),
        (b'{"A":"no","a":"yes"}', "yes"), (b'{"A":"no"}', None), (b'{"\\u0061":"y"}', "y"),
        (b'{"a":1.50}', "1.5"), (b'{"a":1e2}', "100.0"), (b'{"a":-0}', "0"), (b"{}", None),
        (b'{"a":"' + b"x" * 17 * 2**20 + b'"}', "x" * 17 * 2**20),
    ],
    ids=str,
)  # fmt: skip
def test_odd_records_are_read_alike(tmp_path, reader, line, value):
    """Each oddity has one meaning, whichever reader meets it."""
    path = write(tmp_path / "a.ndjson", GOOD + line)
    values, _, rejected, scan, _ = read(path)
    assert values["activity"] == ["x", value]
    assert rejected == []
    assert scan.facts == ({"surrogates": 1} if b"\\ud8" in line else {})


def test_nested_repeated_keys_have_the_last_value(tmp_path, reader):
    """As in Elasticsearch."""
    path = write(tmp_path / "a.ndjson", b'{"d":{"x":1,"x":2},"a":"y"}')
    columns = (Column("x", ("d.x",)), Column("d", ("d",), type="json"))
    assert read(path, columns)[0] == {"x": ["2"], "d": ['{"x":2}']}


def test_a_line_beyond_all_measure_is_rejected(tmp_path, monkeypatch, reader):
    """It is skipped without being held, and counted."""
    monkeypatch.setattr(lines, "MAX_LINE", 100)
    path = write(tmp_path / "a.ndjson", GOOD + b'{"a":"' + b"x" * 1000 + b'"\n' + GOOD)
    values, _, rejected, _, _ = read(path)
    assert values["activity"] == ["x", "x"]
    assert rejected == [("too_long", 1)]


def test_a_bom_is_left_out(tmp_path, reader):
    """At the start of a file."""
    assert read(write(tmp_path / "a.ndjson", b"\xef\xbb\xbf" + GOOD))[0]["activity"] == ["x"]


def test_a_number_in_text_is_no_time(tmp_path, reader):
    """Nor are true, a negative number, NaN; each is a fault."""
    bad = ["1", True, -1, float("nan"), "", {}, "2024-01-01T00:00:00"]
    text = "\n".join(json.dumps({"t": t, "a": "x"}) for t in bad)
    path = write(tmp_path / "a.ndjson", text.encode())
    (batch,) = Files(path=str(path)).read(Request(COLUMNS), Scan())
    assert batch.columns["time"].to_list() == [None] * 7
    assert batch.faults["time"].all()


def test_names_that_differ_in_case_alone(tmp_path, monkeypatch, reader):
    """Both are read, from one file or two; a rival late in a large file is found."""
    columns = (Column("case", ("sessionId", "sessionID")), Column("c", ("sessionID",)))
    text = '{"sessionID":"a"}\n' * 90_000 + '{"sessionId":"b","sessionID":null}\n{"SESSIONID":1}\n'
    path = write(tmp_path / "a.ndjson", text.encode())
    values = read(path, columns)[0]
    assert values["case"][-3:] == ["a", "b", None]
    assert values["c"][-3:] == ["a", None, None]
    assert len(values["c"]) == 90_002


def test_large_files_go_through_a_private_file(tmp_path, monkeypatch):
    """Beyond IN_MEMORY the columns stand in a folder for the owner alone, gone afterwards."""
    monkeypatch.setattr(formats, "SMALL", -1)
    monkeypatch.setattr(ndjson, "IN_MEMORY", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = write(tmp_path / "a.ndjson", GOOD * 10 + b"null\n" + GOOD)
    reading = Files(path=str(path)).read(Request(COLUMNS), Scan())
    batch = next(reading)
    assert batch.arrival.tolist() == [*range(10), 11]
    (folder,) = (tmp_path / "tmp").iterdir()
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700
    reading.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_nothing_is_left_after_a_failure(tmp_path, monkeypatch):
    """The private folder goes with every error."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = write(tmp_path / "a.ndjson.gz", gzip.compress(GOOD * 1000)[:-9])
    with pytest.raises(SourceError, match="cut short") as caught:
        read(path)
    assert caught.value.code == "source-format"
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_compressed_files(tmp_path, pack):
    """By content; several members in one file too; whatever the name."""
    ending = "gz" if pack is gzip.compress else "zst"
    path = write(tmp_path / f"a.ndjson.{ending}", pack(GOOD) + pack(GOOD))
    assert read(path)[0]["activity"] == ["x", "x"]
    other = write(tmp_path / "b.ndjson", pack(GOOD))
    assert read(other)[0]["activity"] == ["x"]
    bad = write(tmp_path / f"c.{ending}", GOOD)
    with pytest.raises(SourceError, match="for all its name"):
        read(bad)
    cut = write(tmp_path / f"d.ndjson.{ending}", pack(GOOD * 999)[:-3])
    with pytest.raises(SourceError, match="cut short"):
        read(cut)
    bomb = write(tmp_path / f"e.ndjson.{ending}", pack(b" " * 2**24))
    with pytest.raises(SourceError) as caught:
        read(bomb)
    assert caught.value.code == "source-limit"


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("none.ndjson", "source-missing", "there is no file 'none.ndjson'"),
        ("none*.ndjson", "source-missing", "no file matches 'none"),
        (".", "source-format", "'.' is a directory"),
        ("s3://bucket/a.ndjson", "source-missing", "s3 is no place"),
        ("https://user:secret@example.org/a.ndjson", "source-missing", "https is no place"),
        ("utf16.ndjson", "source-format", "UTF-16"),
        ("odd.dat", "source-format", "known by its content"),
        ("cut.json", "source-format", "cut.json is broken or cut short"),
        ("odd.parquet", "source-format", "broken Parquet"),
        ("twice.csv", "source-format", "names a column twice"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, monkeypatch, path, code, words):
    """With the path as it was written, a code and never a secret."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "utf16.ndjson", '{"a":1}\n'.encode("utf-16"))
    write(tmp_path / "odd.dat", b"hello\nworld\n")
    write(tmp_path / "cut.json", b'[{"a":1},\n{"a"')
    write(tmp_path / "odd.parquet", b"PAR1 and no more")
    write(tmp_path / "twice.csv", b"a,a\n1,2\n")
    with pytest.raises(SourceError, match=words) as caught:
        read(path)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


def test_an_empty_file_is_an_empty_log(tmp_path, reader):
    """Nothing, or blank lines alone, are no records and no error."""
    for name in ("a.ndjson", "a.json", "a.csv", "a.dat"):
        values, arrival, rejected, _, _ = read(write(tmp_path / name, b""))
        assert (values["time"], arrival, rejected) == ([], [], [])
    assert read(write(tmp_path / "b.ndjson", b"\n \n"))[1] == []


def test_patterns_and_lists(tmp_path, monkeypatch):
    """Files come in the order of their names, each once; backslashes part directories too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x" / "y").mkdir(parents=True)
    for name in ("x/b.ndjson", "x/a.ndjson", "x/y/c.ndjson"):
        write(tmp_path / name, json.dumps({"a": name[-8]}).encode())
    assert read("x/*.ndjson")[0]["activity"] == ["a", "b"]
    assert read("**/*.ndjson")[0]["activity"] == ["a", "b", "c"]
    assert read("x\\**\\*.ndjson")[0]["activity"] == ["a", "b", "c"]
    assert read(("x/y/c.ndjson", "x/*.ndjson", "x/a.ndjson"))[0]["activity"] == ["c", "a", "b"]
    _, arrival, _, _, source = read("x/*.ndjson")
    assert source.locate(arrival) == ["a.ndjson:1", "b.ndjson:1"]


@pytest.mark.parametrize("name", ["a[1]*?.ndjson", "it's \"ü\".ndjson", "-.ndjson"])
def test_odd_names(tmp_path, monkeypatch, reader, name):
    """A name may hold quotes and the signs of patterns."""
    if os.name == "nt" and set(name) & set('*?"'):
        name = "a[1].ndjson"
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name, GOOD)
    values, arrival, _, _, source = read(name)
    assert values["activity"] == ["x"]
    assert source.locate(arrival) == [f"{name}:1"]


@pytest.mark.parametrize("name", ["a.json", "a.dat"])
@pytest.mark.parametrize(
    "text", ['[{"a":"x"},\n {"a":"y"}\n]', '[{"a":"x"},{"a":"y"}]', '{"a":"x"}\n{"a":"y"}']
)
def test_json_by_content(tmp_path, reader, name, text):
    """One array over any lines, or a record a line: told by the content."""
    values, arrival, _, _, source = read(write(tmp_path / name, text.encode()))
    assert values["activity"] == ["x", "y"]
    places = [f"{name}:1", f"{name}:2"] if text[0] == "{" else [f"{name}[0]", f"{name}[1]"]
    assert source.locate(arrival) == places


def test_json_arrays(tmp_path, reader):
    """Items that are no objects are rejected; a single object is one record."""
    path = write(tmp_path / "a.json", b'\n[ {"a":"x"} , null, 7, {"a":"y",}, [] ]\n')
    values, arrival, rejected, _, _ = read(path)
    assert (values["activity"], arrival) == (["x", "y"], [0, 3])
    assert sorted(rejected) == [("not_object", 1), ("not_object", 2), ("not_object", 4)]
    assert read(write(tmp_path / "b.json", b'{\n"a":"x"}'))[0]["activity"] == ["x"]


def test_batches_of_records(tmp_path, reader):
    """A line that is a list is rejected, unless lists are to be flattened."""
    path = write(tmp_path / "a.ndjson", b'[{"a":"x"},null,{"a":"y"}]\n[]\n\n{"a":"z"}\n[{"a":"w"}]')
    assert read(path)[2] == [("not_object", 0), ("not_object", 1), ("not_object", 3)]
    values, arrival, rejected, _, source = read(path, arrays="flatten")
    assert (values["activity"], arrival) == (["x", "y", "z", "w"], [0, 2, 3, 4])
    assert rejected == [("not_object", 1)]
    assert source.locate([1, 3, 4]) == ["a.ndjson:1", "a.ndjson:4", "a.ndjson:5"]


def test_csv(tmp_path):
    """Cells are text (times in numbers as told), empty ones null; short rows are rejected."""
    text = '\ufefft,a,d.x\n1,"x\ny",\n2,z\n\n"2024-01-01T00:00:00Z",é,1.50\n'
    path = write(tmp_path / "a.csv", text.encode() + b'3,"\xff",\n')
    columns = (*COLUMNS[:2], Column("dx", ("d.x",)))
    values, _, rejected, _, source = read(path, columns)
    assert values["activity"] == ["x\ny", "é"]
    assert values["time"] == [1000, 1_704_067_200_000_000]
    assert values["dx"] == [None, "1.50"]
    assert rejected == [("corrupt", 1), ("corrupt", 3)]
    assert source.locate([0, 1, 2, 3]) == ["a.csv:2", "a.csv:4", "a.csv:6", "a.csv:7"]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_csv_delimiters(tmp_path, mark):
    """Told by the header, or given."""
    path = write(tmp_path / "a.csv", f"t{mark}a\n1{mark}x\n".encode())
    options = {"delimiter": mark} if mark == "|" else {}
    assert read(path, **options)[0]["activity"] == ["x"]


def test_parquet(tmp_path):
    """Times with and without a zone, numbers, nested values; the rows' numbers are their places."""
    import duckdb

    path = tmp_path / "a[1].parquet"
    duckdb.sql(f"""COPY (SELECT TIMESTAMPTZ '2024-06-28 01:15:11.079+02' AS at,
        TIMESTAMP '2024-06-28 01:15:11.079' AS naive, 1719530111079 AS t, 'x"é' AS a,
        {{'x': 7, 'y': [1, NULL]}} AS d, 'nan'::DOUBLE AS f, true AS b, DATE '2024-01-01' AS day)
        TO '{path}' (FORMAT parquet)""")
    columns = (
        *COLUMNS, Column("at", ("at",), type="time"), Column("f", ("f",), type="number"),
        Column("naive", ("naive",), type="time", zone="Europe/Berlin"),
        Column("fault", ("naive",), type="time"), Column("x", ("d.x",), type="integer"),
        Column("b", ("b",), type="boolean"), Column("no", ("nothing", "A")),
        Column("day", ("day",), type="time", zone="UTC"),
    )  # fmt: skip
    values, arrival, rejected, _, source = read(path, columns)
    instant = 1_719_530_111_079_000
    assert values == {
        "time": [instant], "at": [instant], "naive": [instant], "fault": [None],
        "activity": ['x"é'], "details": ['{"x":7,"y":[1,null]}'], "f": [None], "x": [7],
        "b": [True], "no": [None], "day": [1_704_067_200_000_000],
    }  # fmt: skip
    assert (rejected, source.locate(arrival)) == ([], ["a[1].parquet[0]"])
    (documents,) = Files(path=str(path)).read(Request(columns, documents=True), Scan())
    assert documents[0]["d"] == {"x": 7, "y": [1, None]}
    rest = (*columns, Column("other", ("*",), type="json"))
    assert read(path, rest)[0] == {**values, "other": [None]}


def test_documents_know_their_places(tmp_path, reader):
    """Asked for documents, the source gives dicts and where they stand."""
    path = write(tmp_path / "a.ndjson", GOOD + b"null\n{\n" + GOOD)
    scan = Scan()
    (found,) = Files(path=str(path)).read(Request(COLUMNS, documents=True), scan)
    assert (list(found), found.arrival.tolist()) == ([{"t": 1, "a": "x"}] * 2, [0, 3])
    assert scan.rejected == [("not_object", 1), ("corrupt", 2)]


def test_parts_are_the_whole(tmp_path):
    """Parts of several files give the same records at the same places."""
    for name in "abc":
        write(tmp_path / f"{name}.ndjson", json.dumps({"a": name}).encode() + b"\nnull\n")
    source = Files(path=str(tmp_path / "*.ndjson"))
    for n in (1, 2, 3, 9):
        parts = source.split(Request(COLUMNS), n)
        assert 1 <= len(parts) <= n
        scan, found = Scan(), {}
        for part in parts:
            for batch in source.read(part, scan):
                found |= dict(zip(batch.arrival.tolist(), batch.columns["activity"].to_list(),
                                  strict=True))  # fmt: skip
        assert source.locate(sorted(found)) == ["a.ndjson:1", "b.ndjson:1", "c.ndjson:1"]
        assert [found[a] for a in sorted(found)] == ["a", "b", "c"]
        assert len(scan.rejected) == 3


def test_the_fingerprint_changes_with_the_files(tmp_path):
    """Another size, another time of change or another option is another answer."""
    path = write(tmp_path / "a.ndjson", GOOD)
    first = Files(path=str(path)).fingerprint(Request(COLUMNS))
    assert first == Files(path=str(path)).fingerprint(Request(COLUMNS))
    os.utime(path, ns=(1, 1))
    second = Files(path=str(path)).fingerprint(Request(COLUMNS))
    third = Files(path=str(path), arrays="flatten").fingerprint(Request(COLUMNS))
    assert len({first, second, third}) == 3
    assert Files(path="-").fingerprint(Request(())) is None


def test_cancelling_stops(tmp_path, monkeypatch, reader):
    """A cancelled scan ends the reading without an error."""
    path = write(tmp_path / "a.ndjson", GOOD * 20_000)
    monkeypatch.setattr("distill_files.blocks.BLOCK", 100)
    scan = Scan()
    for count, _ in enumerate(Files(path=(str(path),)).read(Request(COLUMNS), scan)):
        scan.cancel()
        assert count == 0


STDIN = """
import sys
from distill_core.columns import Column
from distill_core.component import Request, Scan
from distill_files import Files
source, scan = Files(path="-"), Scan()
columns = (Column("activity", ("a",)),)
for batch in source.read(Request(columns), scan):
    print(batch.columns["activity"].to_list(), source.locate(batch.arrival.tolist()))
print(scan.rejected, source.locate([a for _, a in scan.rejected]))
"""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input(pack):
    """``-`` is standard input, compressed or not, and lines are told as in a file."""
    content = pack(b'\n{"a":"x"}\n\n\nnull\n\n{"a":"y"}\n')
    run = subprocess.run(
        [sys.executable, "-c", STDIN], input=content, capture_output=True, check=True
    )
    assert run.stdout.decode().splitlines() == [
        "['x', 'y'] ['-:2', '-:7']", "[('not_object', 1)] ['-:5']",
    ]  # fmt: skip


def test_nothing_beyond_the_file_is_in_reach(tmp_path, monkeypatch):
    """DuckDB reads the named file and its own folder, nothing else, and loads no extension."""
    import duckdb

    from distill_files.engine import connected

    inside = write(tmp_path / "a.ndjson", GOOD)
    outside = write(tmp_path / "secret.csv", b"a\n1\n")
    (tmp_path / "own").mkdir()
    with connected([inside], tmp_path / "own", 1, Scan()) as connection:
        assert connection.execute("SELECT * FROM read_json(?)", [str(inside)]).fetchall()
        for query in (
            f"FROM '{outside}'", "SET enable_external_access = true", "INSTALL httpfs",
            f"COPY (SELECT 1) TO '{tmp_path / 'new.csv'}'", "SET threads = 2",
        ):  # fmt: skip
            with pytest.raises(duckdb.Error):
                connection.execute(query)
        assert connection.execute("SELECT current_setting('threads')").fetchall() == [(1,)]


RECORDED = ["userale-2.0.2-shop.ndjson", "userale-2.1.1-shop.ndjson", "userale-2.3.0-shop.ndjson",
            "userale-2.4.0-shop.ndjson.gz", "userale-head-shop.ndjson.gz"]  # fmt: skip
USERALE = (
    Column("time", ("clientTime", "startTime"), type="time", unit="ms", required=True),
    Column("end", ("endTime",), type="time", unit="ms"),
    Column("case", ("sessionId", "sessionID", "user:{userId}")),
    Column("activity", ("type", "=custom")),
    Column("micro", ("microTime",), type="number"),
    Column("length", ("duration",), type="duration", unit="ms"),
    Column("details", ("details",), type="json"),
    Column("x", ("location.x",), type="integer"),
    Column("load", ("pageLoadTime", "details.pageLoadTime"), type="number"),
)


@pytest.mark.parametrize("name", RECORDED)
def test_real_logs_read_alike(monkeypatch, name):
    """Both readers agree on each recording, and on which of its rows are null."""
    monkeypatch.setattr(formats, "SMALL", 2**40)
    path = recording(name)
    exact = read(path, USERALE)[:3]
    monkeypatch.setattr(formats, "SMALL", -1)
    fast = read(path, USERALE)[:3]
    assert fast == exact
    opened = gzip.open if name.endswith(".gz") else open
    with opened(path, "rb") as file:
        null = [i for i, line in enumerate(file) if line.strip() == b"null"]
    assert [a for _, a in exact[2]] == null


def test_posted_batches_are_the_records():
    """The recording of 220 posted arrays, flattened, is the recording of 8,400 records."""
    posted = recording("userale-2.4.0-shop.batches.ndjson.gz")
    batches = read(posted, USERALE, arrays="flatten")
    assert batches[:3] == read(recording("userale-2.4.0-shop.ndjson.gz"), USERALE)[:3]
    assert len(batches[1]) == 8400


def test_the_hook_offers_files():
    """The plugin's hook returns the source."""
    from distill_files.plugin import distill_sources

    assert distill_sources() == [Files]


@pytest.mark.parametrize("ending", ["gz", "zst", ""])
def test_standard_input_may_be_a_slow_pipe(tmp_path, ending):
    """What comes compressed through a pipe is read like the file, whenever its bytes come."""
    lines = b"".join(b'{"t": %d, "a": "%x"}\n' % (n, n * 7919) for n in range(120_000))
    data = {"gz": gzip.compress, "zst": zstd.compress, "": bytes}[ending](lines)
    code = (
        "import sys\n"
        "from distill_core.component import Request, Scan\n"
        "from distill_core.columns import Column\n"
        "from distill_files.source import Files\n"
        "request = Request((Column('a', ('a',)),))\n"
        "print(sum(len(b) for b in Files(path='-').read(request, Scan())))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdin is not None
        for part in (data[:1], data[1:3], data[3:]):
            process.stdin.write(part)
            process.stdin.flush()
        out, _ = process.communicate()
    assert out.strip() == b"120000"


def test_places_tell_files_of_one_name_apart(tmp_path):
    """Files of one name are told apart by as much of their folders as that takes."""
    for folder in ("aa", "bb"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "log.ndjson", b'{"t": 1}\nx\n')
    source = Files(path=[str(tmp_path / "aa" / "*.ndjson"), str(tmp_path / "bb" / "*.ndjson")])
    assert source.locate([1, (1 << 40) + 1]) == ["aa/log.ndjson:2", "bb/log.ndjson:2"]


def test_reading_changes_no_source(tmp_path):
    """A source that has read is equal to one that has not, and pickles."""
    path = str(write(tmp_path / "a.ndjson", GOOD))
    source = Files(path=path)
    assert len(list(source.read(Request(COLUMNS), Scan()))) == 1
    assert source == Files(path=path)
    assert pickle.loads(pickle.dumps(source)) == source
