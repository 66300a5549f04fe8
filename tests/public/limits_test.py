#!/usr/bin/env python3
"""Every bound in limits.hpp is held by a test at the bound and one past it.

One TEST_CASE has to name it twice: as it is, and with something added or taken away
(`limits::pins + 1`, `limits::stall - 1ms`). A time is enough with something taken away: such a
test waits until just before, and then goes on. Where a test comes one past a bound in another way
(it counts up to it and tries once more), ONE_PAST has the line that does so; it must stand in a
TEST_CASE that names the bound. DEFAULTS are no bounds: they are compared with what an option holds.

Usage: limits_test.py <source tree>
"""
import pathlib
import re
import sys

UNITS = {"kib", "mib"}
DEFAULTS = {"memory_default", "signal_lasts"}
ONE_PAST = {
    "attachment_handle": 'handle + "h"',
    "attachment_name": 'name + "n"',
    "batch_bytes": "largest + 250'000 > limits::batch_bytes",
    "batch_events": "i < 2000",
    "blocked": "wire::BlockUser{UserId{8}}) == Errc::limit_reached",
    "chunk_bytes": "limits::chunk_bytes - 48",
    "children": "channel_in(id)) == Errc::limit_reached",
    "close_links": "limits::close_links + limits::close_writes - 1s",
    "content_type": 'typed.content_type += "t"',
    "delete_for_me_at_once": "chat.erase(2, seqs) == Errc::invalid_argument",
    "draft": "longest + 'd'",
    "edits": '"one more") == Errc::limit_reached',
    "extras": "handle += 'h'",
    "expires_least": "least - 1ms",
    "folders": "put) == Errc::limit_reached",
    "group_members": "{user(2000)}) == Errc::limit_reached",
    "header_name": 'key + "k"',
    "hook_budget": "+ 100us",  # a quick one may lose its processor for longer
    "host_key_days": "24LL * 3600 * 1000",
    "http_headers": "limits::http_headers + more",
    "import_at_once": "many).get().error().errc() == Errc::limit_reached",
    "invite_token": "link->token + '0'",
    "invites": "make(world, by(1)).error().errc() == Errc::limit_reached",
    "lookup_at_once": "users.push_back(alice.user)",
    "own_deletions": "chat.erase(2, {over}) == Errc::limit_reached",
    "own_requests": "own.conversation != first",
    "page_bytes": "half + 500",
    "pending": '"one too many"',
    "pinned_conversations": 'all.back(), {.pinned = true, .draft = "with it"}',
    "pins": "chat.pin(3, seqs.back()) == Errc::limit_reached",
    "queue_hard": "- pong + past",
    "queues_part": "left - answer + past",
    "reaction_keys": '"one more") == Errc::limit_reached',
    "retention_most": "most + 1ms",
    "scheduled": 'later(team, "x", soon)) == Errc::limit_reached',
    "scheduled_bytes": "half, soon)) == Errc::limit_reached",
    "signal_data": "data + 'd'",
    "signal_kind": "kind + 'k'",
    "signal_lasts_most": "most + 1",
    "signals_per_second": "i < 25",
    "small_group": "{user(1000)}",
    "spaces": "wire::Add{of_alice, {\"bob\"}}) == Errc::limit_reached",
    "stream_lost": "2 * limits::stream_beat < limits::stream_lost",  # the reader's to hold
    "streams": "one) == Errc::limit_reached",
    "streams_conversation": ".conversation = open}) == Errc::limit_reached",
    "streams_user": "{.conversation = another}) == Errc::limit_reached",
    "subscribe_at_once": "subscribe.items.push_back(subscribe.items.back())",
    "tallies": "chat.shown(head + 2).tallies.size() == 1",
    "tickets": "issue(1)",
    "user_sessions": 'hello_of("alice", "")) == Errc::limit_reached',
}


def cases(tree):
    """The text of each TEST_CASE, without comments."""
    for test in sorted((tree / "tests").rglob("*_test.cpp")):
        text = re.sub(r"//[^\n]*", "", test.read_text())
        yield from re.split(r"^TEST_CASE\(", text, flags=re.MULTILINE)[1:]


def problem(name, is_time, texts):
    named = [text for text in texts if re.search(rf"\blimits::{name}\b", text)]
    if not named:
        return "is named by no test"
    if name in DEFAULTS:
        return None
    if name in ONE_PAST:
        if any(ONE_PAST[name] in text for text in named):
            return None
        return f"no test that names it has the line `{ONE_PAST[name]}`"
    bound = rf"\blimits::{name}\b\)*"
    at, past, before = rf"{bound}(?!\)*\s*[-+][^>])", rf"{bound}\s*[-+][^>]", rf"{bound}\s*-\s"
    for text in named:
        if is_time and re.search(before, text):
            return None
        if re.search(at, text) and re.search(past, text):
            return None
    return "is tested at the limit or past it, not both"


def main():
    tree = pathlib.Path(sys.argv[1])
    header = (tree / "include/parley/limits.hpp").read_text()
    bounds = re.findall(r"^inline constexpr ([\w:]+) (\w+) =", header, re.MULTILINE)
    texts = list(cases(tree))
    problems = [(name, problem(name, kind == "auto", texts))
                for kind, name in bounds if name not in UNITS]
    problems += [(name, "is in a table of this script and not in limits.hpp")
                 for name in sorted({*DEFAULTS, *ONE_PAST} - {name for _, name in bounds})]
    problems = [(name, what) for name, what in problems if what]
    for name, what in problems:
        print(f"limits::{name} {what}")
    print(f"{len(bounds) - len(UNITS)} limits, {len(problems)} without a test of both sides")
    return 1 if problems or not bounds else 0


if __name__ == "__main__":
    sys.exit(main())
