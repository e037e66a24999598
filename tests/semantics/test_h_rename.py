"""rename and rename_by_url (codes H1 to H5)."""

from __future__ import annotations

import pytest

from distill_core.builtin.rename import Rename
from distill_core.builtin.rename_by_url import RenameByUrl
from distill_core.errors import SpecError, TransformError
from distill_core.testing.logs import build


def log_of(*events):
    """A log of (activity, target), a millisecond apart."""
    rows = [{"case": "c", "activity": a, "time": t, "target": s} for t, (a, s) in enumerate(events)]
    return build(rows)


def urls(*texts):
    return log_of(*(("load", text) for text in texts))


def activities(log):
    return [event["activity"] for event in log]


def by_url(templates, **more):
    return RenameByUrl(templates=templates, url="target", **more)


TEMPLATES = ["/{section}/{id}", "/product/{id}", "/product/new"]


def test_h1_a_mapping_renames_and_the_rest_stays():
    """Wheel becomes scroll, click stays, and nothing else of an event changes."""
    log = log_of(("wheel", "a"), ("click", "b"))
    out = log.apply(Rename(mapping={"wheel": "scroll"}))
    assert activities(out) == ["scroll", "click"]
    first, second = log.to_dicts()
    assert out.to_dicts() == [{**first, "activity": "scroll"}, second]


def test_h1_names_are_exchanged():
    """All names are looked up in the log as it came."""
    out = log_of(("a", None), ("b", None)).apply(Rename(mapping={"a": "b", "b": "a"}))
    assert activities(out) == ["b", "a"]


def test_h1_keep_as_keeps_the_old_activity():
    """The old activity is in a column of that name, of all events."""
    out = log_of(("wheel", None), ("click", None)).apply(
        Rename(mapping={"wheel": "scroll"}, keep_as="raw")
    )
    assert [event["raw"] for event in out] == ["wheel", "click"]
    with pytest.raises(SpecError, match="meaning of its own"):
        Rename(mapping={"a": "b"}, keep_as="case")


def test_h2_rules_come_before_the_mapping():
    """The first rule that is true decides, then the mapping."""
    rules = [
        {"when": "target LIKE 'button#buy%'", "value": "buy"},
        {"when": "target LIKE 'button%'", "value": "press"},
    ]
    out = log_of(
        ("click", "button#buy-7"), ("click", "a"), ("click", "button#x"), ("click", None)
    ).apply(Rename(mapping={"click": "tap"}, rules=rules))
    assert activities(out) == ["buy", "tap", "press", "tap"]


def test_h2_a_pattern_of_re2_names_selectors():
    """A rule may use RE2 on the selector."""
    rules = [{"when": "matches(target, '^nav .*a$')", "value": "navigate"}]
    out = log_of(("click", "nav > li > a"), ("click", "main a")).apply(Rename(rules=rules))
    assert activities(out) == ["navigate", "click"]


def test_h2_no_event_is_without_an_activity():
    """An empty new name is an error, and so is a step that renames nothing."""
    for wrong in ({}, {"mapping": {"a": ""}}, {"rules": [{"when": "activity = 'a'", "value": ""}]}):
        with pytest.raises(SpecError):
            Rename(**wrong)


def test_h3_the_report_counts_names():
    """Each name with its events, 0 among them, and how many got none."""
    step = Rename(
        mapping={"wheel": "scroll", "whell": "typo"},
        rules=[{"when": "target = 'x'", "value": "scroll"}],
    )
    report = log_of(("wheel", None), ("click", "x"), ("click", "y")).apply(step).steps[0].to_dict()
    assert report["renamed"] == {"scroll": 2, "typo": 0}
    assert report["counts"] == {"unmatched": 1}
    assert (report["in"], report["out"], report["dropped"]) == (3, 3, {})


@pytest.mark.parametrize("templates", [TEMPLATES, TEMPLATES[::-1]])
def test_h4_the_most_specific_template_decides(templates):
    """The table of the semantics, in whatever order the templates are written."""
    shop = "https://shop.example/product/7#reviews"
    log = urls("/product/new?ref=mail", shop, "/help/7/", "/product")
    out = log.apply(by_url(templates))
    assert activities(out) == ["/product/new", "/product/{id}", "/{section}/{id}", "load"]
    report = out.steps[0].to_dict()
    assert report["counts"] == {"unmatched": 1}
    assert report["renamed"] == dict.fromkeys(TEMPLATES, 1)


def test_h4_parts_are_compared_from_the_left():
    """An earlier plain part outweighs a later one."""
    out = urls("/a/b").apply(by_url(["/{x}/b", "/a/{y}"]))
    assert activities(out) == ["/a/{y}"]


def test_h4_text_with_braces():
    """More text is more specific; braces stand for one character or more, without a slash."""
    out = urls("/item-7.html", "/item-.html", "/item-7", "/thing-7.html").apply(
        by_url(["/{page}", "/item-{id}.html", "/{kind}-{id}.html"])
    )
    assert activities(out) == ["/item-{id}.html", "/{page}", "/{page}", "/{kind}-{id}.html"]


def test_h4_braces_are_never_empty():
    """Before, between and after text there is something."""
    out = urls("/a.b", "/.b", "/a.", "/..", "/...").apply(by_url(["/{name}.{ending}"]))
    assert [activity != "load" for activity in activities(out)] == [True, False, False, False, True]


def test_h4_names_of_your_own():
    """A table of template → name; two templates may share a name."""
    out = urls("/p/1", "/q/1", "/").apply(
        by_url({"/p/{id}": "item", "/q/{id}": "item", "/": "home"})
    )
    assert activities(out) == ["item", "item", "home"]
    assert out.steps[0].to_dict()["renamed"] == {"home": 1, "item": 2}


def test_h5_only_the_path_counts():
    """Scheme, host, query, fragment and a slash at the end do not; %C3%A9 is é."""
    out = urls(
        "https://a.example:8080/café/?x=/y#/z", "//b.example/caf%C3%A9", "café", "http://c.example",
        "https://d.example?/café",
    ).apply(by_url({"/café": "page", "/": "home"}))  # fmt: skip
    assert activities(out) == ["page", "page", "page", "home", "home"]


def test_h5_without_a_path():
    """No URL, or one without a path: the event stays and is counted."""
    out = urls(None, "mailto:a@b.example", "about:blank", "/x").apply(by_url({"/{x}": "page"}))
    assert activities(out) == ["load", "load", "load", "page"]
    assert out.steps[0].counts == {"unmatched": 3}


def test_h5_where():
    """What where is not true for stays and is not counted."""
    log = log_of(("load", "/a"), ("click", "/a"), ("load", "/b/c"))
    out = log.apply(by_url({"/{x}": "page"}, where="activity = 'load'", keep_as="was"))
    assert activities(out) == ["page", "click", "load"]
    assert [event["was"] for event in out] == ["load", "click", "load"]
    assert out.steps[0].counts == {"unmatched": 1}


@pytest.mark.parametrize(
    "templates",
    [[], {}, ["/{a}", "/{b}"], ["/a", "/a/"], ["a"], ["/a?b"], ["/{a}{b}"], ["/{a"], ["/{a-b}"],
     {"/a": ""}],
)  # fmt: skip
def test_h5_templates_that_are_none(templates):
    """Two that the same paths fit, and what is no path with names in braces, are errors."""
    with pytest.raises(SpecError):
        by_url(templates)


def test_h5_a_url_is_text():
    """A column that is not text is an error."""
    with pytest.raises(TransformError) as error:
        urls("/a").apply(RenameByUrl(templates=["/a"], url="number"))
    assert error.value.code == "column-type"
