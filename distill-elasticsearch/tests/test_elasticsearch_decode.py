"""Pages of a search become the columns that Python's own json and ``extract`` would make."""

from __future__ import annotations

import gc
import json
import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_core.batch import Batch
from distill_core.columns import Column
from distill_core.extract import MAX_DEPTH, extract, too_deep
from distill_elasticsearch.decode import Garbled, Page, Pages
from distill_elasticsearch.pause import paused_gc

A = Column("a", ("a",), type="json")
SHARDS: dict[str, Any] = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}


def answer(*texts: str | bytes | None, **more: Any) -> bytes:
    """A search's answer around documents given as JSON text; None: no document."""
    hits = []
    for place, text in enumerate(texts):
        hit = {"_index": f"logs-{place % 2}", "_id": f"id-{place}", "_score": None,
               "_seq_no": place, "_primary_term": 1}  # fmt: skip
        start = json.dumps(hit).encode()[:-1]
        source = text.encode() if isinstance(text, str) else text
        middle = b"" if source is None else b', "_source":' + source
        hits.append(start + middle + b',"sort":[%d,%d]}' % (1000 + place, place))
    head = {"took": 3, "timed_out": False, "_shards": SHARDS, **more}
    start = json.dumps(head).encode()[:-1]
    tail = b',"hits":{"total":{"value":7,"relation":"eq"},"max_score":null,"hits":['
    return start + tail + b",".join(hits) + b"]}}"


def decode(*texts: str | bytes | None, columns: Any = (A,), documents: bool = False) -> Page:
    return Pages(columns, documents=documents).decode(answer(*texts))


def plain(batch: Batch) -> Any:
    """All of a batch, to compare; NaN equals itself."""
    columns = {name: (type(c), c.to_list()) for name, c in batch.columns.items()}
    faults = {name: mask.tolist() for name, mask in batch.faults.items()}
    return repr((columns, faults, batch.arrival.tolist(), batch.wanted))


NUMBERS = ["0", "-0", "-0.0", "7", "7.0", "1E5", "1e400", "-1e999", "0.1e-400", "NaN", "Infinity",
           "-Infinity", "9007199254740993", "18446744073709551616", "-9223372036854775809",
           "123456789012345678901234567890", "0.30000000000000004", "1790000000000",
           "123456789.12345678901234567890", "9" * 400]  # fmt: skip
spaces = st.sampled_from(["", " ", "\n\t", '/* "}] */', "// x {\n"])
strings = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=5).map(json.dumps),
    st.text(max_size=5).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(['"\\ud83d"', '"\\ud83d\\ude00"', '"\\\\ud83d"', '"/* */"', '"//"', '"\\u0000"',
                     '"2024-06-28T01:15:11Z"', '"7"', '"\\/\\""']),
)  # fmt: skip
keys = st.sampled_from(["a", "b", "c", "a.b", "\\u0061", "hits", "_source", "ü"]).map('"{}"'.format)
leaves = st.sampled_from([*NUMBERS, "true", "false", "null"]) | st.integers().map(str) | strings


def listed(parts: list[tuple[str, str]], brackets: str) -> str:
    return brackets[0] + ",".join(space + part + space for space, part in parts) + brackets[1]


def containers(inner: Any) -> Any:
    pairs = st.builds("{0}{2}:{1}".format, keys, inner, spaces)
    items = st.lists(st.tuples(spaces, inner), max_size=3).map(lambda x: listed(x, "[]"))
    return items | st.lists(st.tuples(spaces, pairs), max_size=4).map(lambda x: listed(x, "{}"))


values = st.recursive(leaves, containers, max_leaves=8)
documents = st.lists(
    st.tuples(spaces, st.builds("{}:{}".format, keys, values)), max_size=4
).map(lambda pairs: listed(pairs, "{}"))  # fmt: skip
TYPES = ("string", "integer", "number", "boolean", "time", "duration", "json", "ids")
PATHS = ("a", "b", "a.b", "b.c", "u:{a}", "=x", "*", "_id", "x{_index}", "ü")
some_columns = st.lists(
    st.builds(
        Column, st.just("x"), paths=st.lists(st.sampled_from(PATHS), min_size=1, max_size=2)
        .map(tuple), type=st.sampled_from(TYPES), unit=st.sampled_from([None, "ms"]),
    ),
    max_size=3,
).map(lambda found: [Column(f"x{n}", c.paths, (), c.type, c.unit) for n, c in enumerate(found)])


def uncommented(text: str) -> str:
    """The text as the standard has it: each character once through a machine of three states."""
    kept, place = "", 0
    while place < len(text):
        if text[place] == '"':
            end = place + 1
            while text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            kept += text[place : end + 1]
            place = end + 1
        elif text[place : place + 2] == "/*":
            place = text.index("*/", place) + 2
        elif text[place : place + 2] == "//":
            place = text.index("\n", place)
        else:
            kept += text[place]
            place += 1
    return kept


@given(st.lists(documents, max_size=5), some_columns)
def test_columns_are_those_of_json_and_extract(texts, columns):
    """Any documents, in any notation that the server takes, give the batch of the slow way."""
    arrival = np.arange(10, 10 + len(texts))
    batch = decode(*texts, columns=columns).batch(arrival, columns, {"x0"})
    found = [json.loads(uncommented(text)) for text in texts]
    if any("_i" in path for column in columns for path in column.paths):
        for place, document in enumerate(found):
            ours = {"_index": f"logs-{place % 2}", "_id": f"id-{place}"}
            read = [path for column in columns for path in column.paths]
            document |= {k: v for k, v in ours.items() if any(k in path for path in read)}
    assert plain(batch) == plain(extract(found, columns, arrival, {"x0"}))


@given(st.lists(documents, max_size=5))
def test_whole_documents_are_those_of_json(texts):
    """Where documents are wanted, all that they hold is there, with U+FFFD for lone surrogates."""
    page = decode(*texts, columns=[A], documents=True)
    whole = [Column("all", ("*",), type="json")]
    for source, text in zip(page.sources, texts, strict=True):
        expected = json.loads(uncommented(text))
        assert source is not None
        assert list(source) == list(expected)
        assert plain(extract([source], whole, np.arange(1))) == plain(
            extract([expected], whole, np.arange(1))
        )


@pytest.mark.parametrize("odd", ["", ',"b":1e999', ',"b":NaN', ',"b":"\\udc00"', ',/**/"b":1'])
def test_keys_that_occur_twice_have_their_last_value(odd):
    """As in Python's json and in Elasticsearch, on every way through the decoder."""
    page = decode('{"a":1,"\\u0061":[2],"a":{"c":1,"c":3}' + odd + "}")
    assert page.sources == [{"a": {"c": 3}}]


@pytest.mark.parametrize("number", [2**53 + 1, 2**64, -(2**63) - 1, 10**300])
@pytest.mark.parametrize("odd", ["", ',"b":NaN'])
def test_integers_stay_exact(number, odd):
    """Integers beyond 64 bits are Python's."""
    assert decode(f'{{"a":{number}{odd}}}').sources == [{"a": number}]


def test_numbers_of_more_digits_than_python_reads_are_beyond_every_type():
    """Such a number is infinite, so a fault in every column; its neighbours stay."""
    page = decode('{"a":' + "9" * 5000 + "}", '{"a":1}')
    assert page.sources == [{"a": math.inf}, {"a": 1}]
    assert page.batch(np.arange(2), [A]).faults["a"].tolist() == [True, False]


def test_lone_surrogates_are_mended_and_counted():
    """Half a pair becomes U+FFFD, wherever it is; pairs and escaped backslashes stay."""
    page = decode(
        r'{"a":"x\ud83d","z":["\udc00\uD800"]}', r'{"a":"\ud83d\ude00"}', r'{"a":"\\ud83d"}',
        b'{"a":"\xed\xa0\xbd"}',
    )  # fmt: skip
    found = [source["a"] for source in page.sources]
    assert found == ["x\ufffd", "\U0001f600", "\\ud83d", "\ud83d"]
    assert page.surrogates == 4
    assert page.rejected == {}
    texts = page.batch(np.arange(4), [A]).columns["a"].to_list()
    assert texts == ['"x\ufffd"', '"\U0001f600"', '"\\\\ud83d"', '"\ufffd"']


@pytest.mark.parametrize("broken", [b'{"a":"\xff"}', b'{"a":"x\ty"}', b'{"a":01}', b'{"a":[1,,2]}'])
def test_what_cannot_be_read_is_rejected_alone(broken):
    """Such a document is told with its place; its id and place in the scan are known."""
    page = decode('{"a":1}', broken, '{"a":NaN}', '{"a":3}')
    assert page.rejected == {"corrupt": [1]}
    assert page.repaired == 2
    assert (page.ids, page.sort[1], page.seq_no[1]) == (
        ["id-0", "id-1", "id-2", "id-3"], [1001, 1], 1,
    )  # fmt: skip
    assert not page.without_source
    batch = page.batch(np.array([5, 6, 7, 8]), [A])
    assert batch.columns["a"].to_list() == ["1", None, "3"]
    assert batch.arrival.tolist() == [5, 7, 8]


@pytest.mark.parametrize("mate", ["1", "NaN", "1e999", '"\\ud800"', "/**/1"])
def test_what_others_on_the_page_hold_does_not_matter(mate):
    """A document is read alike whatever made its page go another way."""
    mate = f'{{"a":{mate}}}'
    one = rb'{"a":{"b":[1,2.50,"\u00fc"]},"z":"' + b"\xff" + rb'"}'
    assert decode(one, mate).sources[0] == {"a": {"b": [1, 2.5, "ü"]}}
    assert 0 not in decode(one, mate).rejected.get("corrupt", [])


@pytest.mark.parametrize("odd", ["", ',"b":NaN'])
@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, 500, 50_000])
def test_what_is_nested_too_deep_is_rejected(depth, odd):
    """The limit counts the document itself; it is never a RecursionError."""
    text = f'{{"a":{"[" * depth}{"]" * depth}{odd}}}'
    page = decode(text, '{"a":{}}')
    if depth < MAX_DEPTH:
        assert page.rejected == {}
        assert not too_deep(page.sources[0])
    else:
        assert page.rejected == {"too_deep": [0]}
        assert page.batch(np.arange(2), [A]).columns["a"].to_list() == ["{}"]


def test_only_what_columns_read_is_made():
    """Keys that no column reads are not there; with ``*`` all are."""
    text = '{"a":1,"b":{"c":2},"d.e":3,"d":4,"z":5}'
    columns = [Column("x", ("b.c", "u:{d.e}")), Column("y", ("=1",))]
    assert decode(text, columns=columns).sources == [{"b": {"c": 2}, "d.e": 3, "d": 4}]
    assert decode(text, columns=[Column("y", ("=1",))]).sources == [{}]
    assert decode(text, columns=[Column("y", ("*",))]).sources == [json.loads(text)]
    assert decode(text, documents=True).sources == [json.loads(text)]


def test_index_and_id_are_columns_too():
    """The paths ``_index`` and ``_id`` read what the server knows of a hit; documents stay."""
    columns = [Column("x", ("_index",)), Column("y", ("{_index}/{_id}",)), A]
    page = decode('{"a":1}', '{"a":2}', columns=columns)
    batch = page.batch(np.arange(2), columns)
    assert batch.columns["x"].to_list() == ["logs-0", "logs-1"]
    assert batch.columns["y"].to_list() == ["logs-0/id-0", "logs-1/id-1"]
    assert page.sources == [{"a": 1}, {"a": 2}]


def test_some_of_the_hits():
    """``among`` chooses hits by place; those without a document are left out."""
    page = decode('{"a":0}', b'{"a":"\xff"}', '{"a":2}', '{"a":3}')
    assert page.rows() == [0, 2, 3]
    assert page.rows([3, 1, 2]) == [3, 2]
    batch = page.batch(np.array([10, 11, 12, 13]), [A], among=[1, 2])
    assert (batch.arrival.tolist(), batch.columns["a"].to_list()) == ([12], ["2"])


def test_flags_of_an_answer():
    """What tells a whole answer from a part of one is there, a PIT's id never in a message."""
    failure = {"shard": 2, "index": "logs", "node": "n", "reason": {
        "type": "query_shard_exception", "reason": "no", "caused_by": {"type": "x"}}}  # fmt: skip
    other = {"shard": None, "reason": None}
    body = answer(
        '{"a":1}', timed_out=True, terminated_early=True, pit_id="secret-pit",
        _shards={"total": 3, "successful": 1, "failed": 2, "failures": [failure, other]},
    )  # fmt: skip
    page = Pages([A], documents=False).decode(body)
    assert (page.timed_out, page.terminated_early, page.shards, page.failed) == (True, True, 3, 2)
    assert page.pit_id == "secret-pit"
    assert "secret" not in repr(page)
    told = [(f.index, f.shard, f.type, f.reason) for f in page.failures]
    assert told == [("logs", 2, "query_shard_exception", "no"), ("", -1, "", "")]
    quiet = decode('{"a":1}')
    assert (quiet.timed_out, quiet.terminated_early, quiet.failed, quiet.failures) == (
        False, False, 0, [],
    )  # fmt: skip
    assert (quiet.pit_id, quiet.total, len(quiet)) == (None, 7, 1)


def test_hits_named_like_those_of_an_answer_are_no_hits():
    """Documents that look like answers, aggregations and inner hits are not taken for hits."""
    inner = '{"hits":{"hits":[{"_source":{"a":9}}]},"a":NaN}'
    page = decode(inner, inner)
    assert len(page) == len(page.sources) == 2
    body = answer(inner).replace(b',"hits"', b',"aggregations":{"hits":[{"_source":{}}]},"hits"', 1)
    assert len(Pages([A], documents=False).decode(body).sources) == 1


@pytest.mark.parametrize("beside", ['{"a":1}', '{"a":NaN}', '{"a":1e999}'])
def test_an_index_that_keeps_no_documents(beside):
    """A hit without a document is told; it is not rejected as unreadable."""
    page = decode(None, beside)
    assert page.without_source
    assert page.rejected == {}
    assert page.rows() == [1]
    assert not decode(beside).without_source


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b"null", b'{"hits":{}}',
                                  answer('{"a":1}')[:-2], answer('{"a":NaN}')[:-2],
                                  answer('{"a":1}', timed_out=None), b"\xff", b'"\\ud800"', b"}"])
def test_what_is_no_answer(body):
    """Another body, or a part of one, is an error, never an empty page."""
    with pytest.raises(Garbled):
        Pages([A], documents=False).decode(body)


def test_an_empty_page():
    """No hits make an empty batch."""
    page = decode()
    assert (len(page), page.without_source, page.rejected) == (0, False, {})
    assert page.batch(np.zeros(0), [A]).columns["a"].to_list() == []


def test_one_decoder_serves_several_threads():
    """Threads that decode at once get the pages that each would get alone."""
    pages = Pages([A], documents=False)
    bodies = [
        answer(*[f'{{"a":{{"n":{n * 100 + i}}}{odd}}}' for i in range(100)])
        for n in range(8) for odd in ("", ',"b":NaN')
    ]  # fmt: skip
    alone = [pages.decode(body).sources for body in bodies]
    with ThreadPoolExecutor(4) as threads:
        assert [page.sources for page in threads.map(pages.decode, bodies)] == alone


def test_the_collector_runs_again_when_the_last_is_out():
    """It is paused while somebody decodes, and afterwards what it was before."""
    inside, seen = Barrier(2), []

    def decode_slowly(_: int) -> None:
        with paused_gc():
            inside.wait(timeout=10)
            seen.append(gc.isenabled())

    assert gc.isenabled()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(decode_slowly, range(2)))
    assert seen == [False, False]
    assert gc.isenabled()
    gc.disable()
    try:
        with paused_gc():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(Garbled):
        Pages([A], documents=False).decode(b"")
    assert gc.isenabled()
