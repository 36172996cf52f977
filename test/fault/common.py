"""The faults that every backend has, each written once; rows_of() generates a backend's rows from its description."""
import functools
from dataclasses import replace

from certificates import BadCertificate
from checks import (at_most_eight_in_flight, connection_is_dropped, few_attempts_to_connect,
                    half_open_connection_is_discarded, no_data_is_sent, one_login_in_thirty_seconds)
from names import Moved, NeverNamed
from network import BlackHole, HalfOpen
from row import row
from servers.http import endless_body, endless_chunks, gzip_bomb
from servers.real import freeze, start, thaw
from servers.scripted import GARBAGE

SLOW = r"no response within \d+ ms \("
REFUSED = r"cannot connect \(Connection refused\)"
NO_NAME = r"its host name does not resolve \("
COMPRESSED = "the response is compressed, although Weir did not request it; disable the compression: gzip"
NEGATIVE = ("the value {} is negative; an HPA would scale to maxReplicas on it; set negative: zero or "
            "negative: allow if it is meant")

# The rules to which a backend has an exception.
STOPPED = "that_is_stopped_is_late_and_read_again_when_it_goes_on"
OTHER_PROTOCOL = "that_speaks_{}_is_an_error"
MOVED = "that_moved_is_found_at_its_new_address"

LATE = {"status": 504, "message_regex": SLOW, "timing": "deadline", "concurrent_statuses": (503, 504)}


def rows_of(backend, exceptions=(), own=()):
    """Every row of the backend: the common ones, and its `own`.

    `exceptions` is a fault's number or a common rule -> the fields that are others for this backend; None: the row
    would not be true of it.
    """
    exceptions = dict(exceptions)
    rows = []
    for common in common_rows(backend):
        fields = [exceptions[key] for key in (common.fault, common.rule) if key in exceptions]
        if None not in fields:
            rows.append(replace(common, **{key: value for some in fields for key, value in some.items()}))
    unknown = set(exceptions) - {key for common in common_rows(backend) for key in (common.fault, common.rule)}
    if unknown:
        raise ValueError(f"{backend.name}: no common row has {sorted(unknown)}")
    return [*rows, *own]


def common_rows(backend):
    """The rows of all sections that the backend's protocol has."""
    rows = [*connection_rows(backend), *reply_rows(backend), *name_rows(backend), *trust_rows(backend)]
    if backend.greeting:
        rows += greeting_rows(backend)
    if backend.number:
        rows += number_rows(backend)
    if backend.http:
        rows += http_rows(backend)
    return rows


def connection_rows(backend):
    """The server is not there, or the network to it is not."""
    make = functools.partial(row, backend)
    return [
        make("F01", "killed_is_unreachable_at_once_and_read_again_after_its_start",
             backend.real(inject=backend.kill, clear=start), message="cannot connect (Connection refused)",
             timing="fast", concurrent_reads=8, concurrent_reads_are_fast=True, serves_cached=True,
             resources_return_to_baseline=True),
        make("F02", "that_drops_SYNs_is_late_once_and_then_an_error_at_once",
             functools.partial(BlackHole, backend.scripted()), **LATE, deadline_ms=2000, concurrent_reads=10,
             concurrent_reads_are_fast=True, resources_return_to_baseline=True,
             extra_checks=(few_attempts_to_connect,)),
        make("F03", "that_vanished_after_an_open_connection_is_late_and_the_connection_discarded",
             functools.partial(HalfOpen, backend.real()), **LATE, concurrent_reads=4,
             extra_checks=(half_open_connection_is_discarded,)),
        make("F04", STOPPED, backend.real(inject=freeze, clear=thaw), **LATE, concurrent_reads=40,
             resources_return_to_baseline=True),
        make("F04", "that_accepts_and_never_responds_is_late", backend.mute, **LATE, concurrent_reads=40,
             resources_return_to_baseline=True),
    ]


def reply_rows(backend):
    """The server is slow, or what it sends is not a reply."""
    make = functools.partial(row, backend)
    other_protocol, speaks_other_protocol = backend.other_protocol
    return [
        make("F06", "that_takes_2400_ms_is_right_with_eight_in_flight", backend.scripted(latency=2.4), 200, "3",
             deadline_ms=10_000, concurrent_reads=12, extra_checks=(at_most_eight_in_flight,)),
        make("F07", "that_responds_with_garbage_is_an_error", backend.garbage, **backend.garbage_error, timing="fast",
             extra_checks=(connection_is_dropped,)),
        make("F07", OTHER_PROTOCOL.format(other_protocol), speaks_other_protocol, **backend.garbage_error,
             timing="fast", extra_checks=(connection_is_dropped,)),
        *(make("F11", f"with_{name}_is_an_error", oversized, **backend.oversized_error, max_growth_mib=8,
               extra_checks=(connection_is_dropped,)) for name, oversized in backend.oversized.items()),
        make("F16", "that_disconnects_inside_a_response_is_an_error", backend.broken_off, **backend.broken_off_error),
    ]


def name_rows(backend):
    """The server's host name has no address, or another one."""
    make = functools.partial(row, backend)
    return [
        make("F21", "whose_name_does_not_exist_is_an_error_at_once",
             functools.partial(NeverNamed, backend.scripted(), []), message_regex=NO_NAME, timing="fast",
             concurrent_reads=8, concurrent_reads_are_fast=True),
        make("F22", "whose_name_server_is_silent_is_late", functools.partial(NeverNamed, backend.scripted(), None),
             **LATE, concurrent_reads=20),
        make("F23", MOVED, functools.partial(Moved, backend.scripted()), message_regex=REFUSED, timing="fast",
             recovery_seconds=32),
    ]


def trust_rows(backend):
    """Either side does not accept what the other one shows."""
    make = functools.partial(row, backend)
    return [
        *(make(fault, f"with_{name}_certificate_gets_no_query", functools.partial(BadCertificate, backend, file),
               message=f"TLS failed: {reason}", extra_checks=(no_data_is_sent,)) for fault, name, file, reason in (
            ("F17", "an_expired", "expired", "certificate has expired"),
            ("F18", "another_names", "other-name", "IP address mismatch"),
            ("F18", "an_unknown_cas", "stranger", "unable to get local issuer certificate"))),
        make("F24", "with_another_password_gets_a_single_login", backend.other_password,
             **backend.password_error, timing="fast", recovers_at_once=True,
             extra_checks=(one_login_in_thirty_seconds,)),
    ]


def greeting_rows(backend):
    """The server sends something else before the first query."""
    make = functools.partial(row, backend)
    return [
        make("F04", "that_accepts_and_never_greets_is_late", backend.greeting(b""), **LATE, concurrent_reads=40,
             resources_return_to_baseline=True),
        make("F07", "that_greets_with_garbage_is_an_error", backend.greeting(GARBAGE), **backend.garbage_error,
             timing="fast", extra_checks=(connection_is_dropped,)),
    ]


def number_rows(backend):
    """The number is one that an HPA cannot take."""
    make = functools.partial(row, backend)
    rule = f"with_a_negative_{backend.number_name}"
    return [
        make("F09", f"{rule}_is_an_error", backend.number("-3"), message=NEGATIVE.format(-3)),
        make("F09", f"{rule}_that_is_allowed_is_right", backend.number("-3"), 200, "-3",
             metric_settings={"negative": "allow"}),
        make("F09", f"{rule}_that_counts_as_zero_is_zero", backend.number("-3"), 200, "0",
             metric_settings={"negative": "zero"}),
    ]


def http_rows(backend):
    """What only a response with a header and a body can be."""
    def make(fault, rule, faulty_reply, **fields):
        return row(backend, fault, rule, backend.scripted(faulty_reply=faulty_reply), **fields)
    return [
        make("F07", "that_responds_with_garbage_for_a_body_is_an_error", GARBAGE, **backend.http.body_error,
             timing="fast"),
        make("F11", "with_a_header_of_102_MB_is_an_error", endless_body(True, b"HTTP/1.1 200 OK\r\nX: "),
             max_growth_mib=16, timing="fast", extra_checks=(connection_is_dropped,)),
        make("F12", "with_chunks_without_end_is_an_error", endless_chunks, **backend.oversized_error,
             max_growth_mib=16, extra_checks=(connection_is_dropped,)),
        make("F12", "with_102_MB_in_100_KB_is_an_error", gzip_bomb, message=COMPRESSED, max_growth_mib=4,
             extra_checks=(connection_is_dropped,)),
        make("F16", "with_truncated_JSON_is_an_error", backend.http.truncated, **backend.http.body_error),
    ]
