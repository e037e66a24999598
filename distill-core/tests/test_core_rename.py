"""rename and rename_by_url beside slow oracles."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin._templates import finder, segments_of
from distill_core.builtin.rename import Rename
from distill_core.testing.logs import ACTIVITIES, logs

CHECKED = settings(max_examples=200, deadline=None)
NAMES = st.sampled_from([*ACTIVITIES, "other", "neu"])


@CHECKED
@given(logs(), st.dictionaries(NAMES, NAMES, min_size=1), NAMES, NAMES)
def test_rename_like_the_oracle(log, mapping, one, two):
    """Rule after rule, then the mapping, an event at a time."""
    rules = [{"when": "flag", "value": one}, {"when": "number > 0", "value": two}]

    def named(event):
        if event["flag"] is True:
            return one
        if event["number"] is not None and event["number"] > 0:
            return two
        return mapping.get(event["activity"])

    out = log.apply(Rename(mapping=mapping, rules=rules, keep_as="was"))
    names = [named(event) for event in log]
    assert [e["activity"] for e in out] == [
        name or e["activity"] for name, e in zip(names, log, strict=True)
    ]
    assert [e["was"] for e in out] == [e["activity"] for e in log]
    report = out.steps[0].to_dict()
    assert report["renamed"] == {n: names.count(n) for n in {one, two, *mapping.values()}}
    assert report["counts"]["unmatched"] == names.count(None)


PART = st.sampled_from(["a", "b", "{x}", "{y}", "a{x}", "{x}b", "a{x}b", "aa{x}", "{x}.{y}"])
TEMPLATES = st.lists(PART, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
URLS = st.lists(st.text("ab.", max_size=4), min_size=1, max_size=3).map("/".join)


def as_regex(template):
    pieces = re.split(r"\{\w\}", template)
    return re.compile("[^/]+".join(map(re.escape, pieces)))


def rank(template):
    """How specific: the smaller, the more."""
    found = []
    for part in template[1:].split("/"):
        text = re.sub(r"\{\w\}", "", part)
        found.append((0, 0) if text == part else (1, -len(text)) if text else (2, 0))
    return found


@CHECKED
@given(st.lists(TEMPLATES, min_size=1, max_size=6, unique=True), URLS)
def test_templates_like_regular_expressions(templates, url):
    """Of the templates that fit the path, as Python sees it, one of least rank is found."""
    path = "/" + url.removesuffix("/").removeprefix("/")
    fitting = [t for t in templates if as_regex(t).fullmatch(path)]
    found = finder(templates)(url)
    if not fitting:
        assert found == -1
    else:
        assert templates[found] in fitting
        assert rank(templates[found]) == min(map(rank, fitting))


@CHECKED
@given(st.lists(TEMPLATES, min_size=2, max_size=5, unique=True), URLS, st.randoms())
def test_the_order_of_templates_is_nothing(templates, url, random):
    """However they are listed, a URL gets the same one."""
    shuffled = random.sample(templates, len(templates))
    one, two = finder(templates)(url), finder(shuffled)(url)
    assert (one < 0) is (two < 0)
    assert one < 0 or templates[one] == shuffled[two]


@CHECKED
@given(
    st.sampled_from(["https://h.example", "http://u@h.example:8080", "//h", ""]),
    st.lists(st.text("aé%2Fz ", min_size=1, max_size=4), min_size=1, max_size=3),
    st.sampled_from(["", "/", "?q=/x", "#/f", "/?q#f"]),
)
def test_paths_like_urllib(host, parts, end):
    """The parts of a path are those that the standard library finds."""
    url = f"{host}/{'/'.join(parts)}{end}"
    path = urlsplit(url).path.removesuffix("/")
    assert segments_of(url) == tuple(unquote(part) for part in path[1:].split("/"))
