"""Where UserALE.js records keep what, and what it means."""

from __future__ import annotations

from distill_core.columns import Column

_SESSION = ("sessionId", "sessionID")
_USER = "user:{userId}"

CASE_PATHS = {
    "session": (*_SESSION, _USER),
    "tab": (*(f"{{{name}}}|{{httpSessionId}}" for name in _SESSION), *_SESSION, _USER),
    "user": (_USER, *_SESSION),
}
"""``case`` parameter → paths. No field tells apart two tabs that share one session id."""

_CASE_TEXT = {
    "session": "The session id, else user:<user>. One per tab since 2.1 (a tab made by "
    "window.open starts with a copy), one per page load in 2.0.",
    "tab": "The session id and, since 2.4, the HTTP session id behind a bar: tabs whose session "
    "ids collide are apart; a tab made by window.open still shares both with its opener.",
    "user": "user:<user>, else the session id. Pages without a user parameter have no user, so "
    "one visit may be in two cases.",
}


def case_column(case: str) -> Column:
    """The column ``case`` for this value of the parameter; with users in it, it is sensitive."""
    return Column(
        "case", CASE_PATHS[case], sensitive=case == "user", description=_CASE_TEXT[case]
    )


def _text(name: str, *paths: str, sensitive: bool = False, about: str) -> Column:
    return Column(name, paths, sensitive=sensitive, description=about)


def _json(name: str, *paths: str, sensitive: bool = False, about: str) -> Column:
    return Column(name, paths, type="json", sensitive=sensitive, description=about)


def _flag(name: str, *paths: str, about: str) -> Column:
    return Column(name, paths, type="boolean", description=about)


def _whole(name: str, *paths: str, about: str) -> Column:
    return Column(name, paths, type="integer", description=about)


def _number(name: str, *paths: str, about: str) -> Column:
    return Column(name, paths, type="number", description=about)


def _span(name: str, *paths: str, about: str) -> Column:
    return Column(name, paths, type="duration", unit="ms", description=about)


_RESERVED = (
    _text("activity", "type", "=custom",
          about="The event's name; custom records may lack one and are called custom."),
    Column("time", ("clientTime", "startTime"), type="time", unit="ms", required=True,
           description="When it happened on the person's machine: of an interval its start, of a "
           "custom record the call that logged it."),
    Column("end", ("endTime",), type="time", unit="ms",
           description="Only intervals: the first event of the next run. Before its time (events "
           "dispatched out of order) it is set to the time and counted."),
    _text("user", "userId", sensitive=True,
          about="Who; null on pages that neither name a user nor set one."),
    Column("order", of=("micro_time",), type="integer",
           description="Whole µs within the millisecond (0 to 1000), from micro_time; no "
           "tie-break inside one input, where arrival decides."),
)  # fmt: skip

_WHAT = (
    _text("log_type", "logType",
          about="raw, interval or custom; a custom record may say anything."),
    _text("session_id", *_SESSION,
          about="The session id whatever the case is; sessionID to 2.4.0, sessionId later."),
    _text("target", "target", about="The element: tag#id.class names, #document, Window."),
    _json("path", "path", about="Elements from the target up to the window, in this order."),
    _flag("user_action", "userAction",
          about="true on raw records, false on intervals and page loads, the caller's on custom."),
    _json("details", "details", sensitive=True,
          about="By activity: clicks and modifier keys, scroll and wheel offsets, sizes, keys and "
          "typed values where the page allows them, whatever a custom record says."),
    _number("micro_time", "microTime",
            about="Fraction of the millisecond, 0 to 1; null on intervals, custom, page loads."),
    _number("location_x", "location.x", about="px; only mouse events, 0 for a keyboard click."),
    _number("location_y", "location.y", about="px; only mouse events, 0 for a keyboard click."),
)  # fmt: skip

_RUNS = (
    _whole("run_count", "count", about="Only intervals: events in the run, as logged."),
    _span("logged_duration", "duration",
          about="Only intervals: end − start as logged, negative ones too."),
    _flag("target_change", "targetChange",
          about="Only intervals: the run ended at another target."),
    _flag("type_change", "typeChange",
          about="Only intervals: the run ended at another activity."),
    Column("count_suspect", of=("run_count", "log_type"), type="boolean",
           description="true for an interval of no events: a fault of the logger (all intervals "
           "of the current head); recompute run_count from the raw records."),
)  # fmt: skip

_WHERE = (
    _text("page_url", "pageUrl", sensitive=True,
          about="The page when the record was written; its query may hold form values."),
    _text("page_title", "pageTitle", sensitive=True,
          about="Its title when the record was written; may name what a person looks at."),
    _text("page_referrer", "pageReferrer", sensitive=True, about="Where it was reached from."),
    _span("page_load_time", "pageLoadTime", "details.pageLoadTime",
          about="Only page loads since 2.2: how long it took; null when not known."),
    _whole("screen_width", "scrnRes.width", about="px of the window; 2.1 and later."),
    _whole("screen_height", "scrnRes.height", about="px of the window; 2.1 and later."),
    _text("browser_name", "browser.browser", about="2.1 to 2.4.0."),
    _text("browser_version", "browser.version", about="2.1 to 2.4.0."),
    _text("user_agent", "userAgent", about="Later than 2.4.0, in place of the browser."),
)  # fmt: skip

_WHO = (
    _text("http_session_id", "httpSessionId",
          about="2.4 and later: 32 hex digits that live and are copied as the session id."),
    _text("browser_session_id", "browserSessionId",
          about="2.4 and later: set by the browser extension alone."),
    _text("tool_name", "toolName", about="The logged application."),
    _text("tool_version", "toolVersion", about="Its version."),
    _text("userale_version", "useraleVersion",
          about="What the logger calls itself; different builds say 2.4.0."),
    _json("element_attributes", "attributes", sensitive=True,
          about="Later than 2.4.0, raw records: the target's HTML attributes, values as JSON."),
    _json("element_style", "style",
          about="Later than 2.4.0, raw records: the target's inline style."),
    _json("other", "*", sensitive=True,
          about="All fields that no other column reads, such as those that the application or a "
          "collector added; read only when named."),
)  # fmt: skip

COLUMNS = (*_RESERVED, *_WHAT, *_RUNS, *_WHERE, *_WHO)
"""All columns but ``case``."""
