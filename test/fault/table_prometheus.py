"""Prometheus made sick: the real one where it is down or silent, else a scripted server."""
import functools
import json

from checks import (at_most_eight_in_flight, connection_is_dropped, few_attempts_to_connect,
                    half_open_connection_is_discarded, nothing_is_told, one_login_in_thirty_seconds)
from faults import BadCertificate, RealPrometheus, freeze, kill, start, thaw
from names import Moved, NeverNamed
from network import BlackHole, HalfOpen
from row import Row, usual
from scripts import (COMPRESSED, GARBAGE, HttpScript, RevokedAtHttp, bare, endless_body, endless_chunks,
                     gzip_bomb)
from support import vector

NO_NAME = r"its host name does not resolve \("
REFUSED = r"cannot connect \(Connection refused\)"
SLOW = r"no answer within \d+ ms \("
NOT_JSON = "the answer is not JSON, or ends in the middle"
NOT_API = "the answer has no result of Prometheus' query API"
NOT_A_TEXT = "the value is not a string as Prometheus writes it"
NOT_A_PAIR = "the sample is not a pair of time and value"
NAN = "the value is NaN, as a quantile or a ratio without observations is; set nan: 0 if that means idle"
INFINITE = "the value is {}Inf; something was divided by zero"
NEGATIVE = ("the value -3 is negative, which an HPA takes for an order to grow to its maximum; set negative: zero or "
            "negative: allow if it is meant")
NO_SERIES = ("the query matches no series; is the target scraped and are the label values right? set empty: 0 if no "
             "series means none")
MANY = ('10000 series where one is expected; they differ in n ("0", "1", "10", ...); aggregate them in the query, or '
        "set aggregate: sum, max, min or avg")


def row(fault, rule, make, *arguments, **others):
    return Row(fault, "prometheus", rule, make, *arguments, **{**usual(fault), **others})


def scripted(sick=None, **settings):
    return functools.partial(HttpScript, "prometheus", sick=sick, **settings)


def sample(text):
    """A vector of one series whose sample is [time, `text`], written as it stands."""
    return scripted('{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":%s}]}}' % text)


def certificate(name):
    return functools.partial(BadCertificate, "prometheus", name)


def data(kind, result):
    return scripted(json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}))


EMPTY = data("vector", [])
ROWS = [
    row("F01", "killed_is_refused_at_once_and_read_again_after_its_start",
        functools.partial(RealPrometheus, sicken=kill, heal=start), text="cannot connect (Connection refused)",
        when="fast", more=8, more_fast=True, keeps=True, is_flat=True),
    row("F02", "that_drops_SYNs_is_late_once_and_then_refused_at_once", functools.partial(BlackHole, scripted()), 504,
        words=SLOW, when="deadline", deadline=2000, more=10, later=(503, 504), more_fast=True, is_flat=True,
        also=(few_attempts_to_connect,)),
    row("F03", "that_vanished_behind_an_open_connection_is_late_and_the_connection_discarded",
        functools.partial(HalfOpen, RealPrometheus), 504, words=SLOW, when="deadline", more=4, later=(503, 504),
        also=(half_open_connection_is_discarded,)),
    row("F04", "that_is_stopped_is_late_and_read_again_when_it_goes_on",
        functools.partial(RealPrometheus, sicken=freeze, heal=thaw), 504, words=SLOW, when="deadline",
        more=40, later=(503, 504), is_flat=True),
    row("F04", "that_accepts_and_never_answers_is_late", scripted(lambda turn: turn.hang()), 504, words=SLOW,
        when="deadline", more=40, later=(503, 504), is_flat=True),
    row("F06", "that_takes_2400_ms_is_right_with_eight_in_flight", scripted(latency=2.4), 200, "3",
        deadline=10_000, more=12, also=(at_most_eight_in_flight,)),
    row("F07", "that_answers_with_garbage_is_an_error", scripted(bare(GARBAGE)), words="the answer is not HTTP",
        when="fast", also=(connection_is_dropped,)),
    row("F07", "that_answers_with_garbage_for_a_body_is_an_error", scripted(GARBAGE), text=NOT_JSON, when="fast"),
    row("F07", "that_speaks_AMQP_is_an_error", scripted(bare(b"AMQP\0\0\x09\x01")), status=503,
        also=(connection_is_dropped,)),
    row("F09", "with_a_negative_value_is_an_error", sample('[1, "-3"]'), text=NEGATIVE),
    row("F09", "with_a_negative_value_that_is_allowed_is_right", sample('[1, "-3"]'), 200, "-3",
        metric={"negative": "allow"}),
    row("F09", "with_a_negative_value_that_counts_as_zero_is_zero", sample('[1, "-3"]'), 200, "0",
        metric={"negative": "zero"}),
    row("F11", "with_102_MB_is_an_error", scripted(endless_body(True)),
        text="the answer is over 1024 KiB; ask for fewer series", growth_mib=16, when="fast",
        also=(connection_is_dropped,)),
    row("F11", "with_102_MB_of_unsaid_length_is_an_error", scripted(endless_body(False)),
        text="the answer is over 1024 KiB; ask for fewer series", growth_mib=16, when="fast",
        also=(connection_is_dropped,)),
    row("F11", "with_a_header_of_102_MB_is_an_error", scripted(endless_body(True, b"HTTP/1.1 200 OK\r\nX: ")),
        growth_mib=16, when="fast", also=(connection_is_dropped,)),
    row("F12", "with_chunks_without_end_is_an_error", scripted(endless_chunks),
        text="the answer is over 1024 KiB; ask for fewer series", growth_mib=16, when="fast",
        also=(connection_is_dropped,)),
    row("F12", "with_102_MB_in_100_KB_is_an_error", scripted(gzip_bomb), text=COMPRESSED, growth_mib=4, when="fast",
        also=(connection_is_dropped,)),
    row("F13", "with_10000_series_is_an_error_that_counts_them", scripted(vector(*range(10_000))), text=MANY,
        growth_mib=16),
    row("F14", "without_series_is_an_error", EMPTY, text=NO_SERIES),
    row("F14", "without_series_is_zero_when_that_is_said", EMPTY, 200, "0", metric={"empty": 0}),
    row("F14", "with_an_empty_body_is_an_error_even_when_no_series_means_zero", scripted(""), text=NOT_JSON,
        metric={"empty": 0}),
    row("F16", "with_truncated_JSON_is_an_error", scripted(vector(3)[:-3]), text=NOT_JSON),
    row("F16", "with_JSON_truncated_behind_the_value_is_an_error", scripted(vector(3)[:-5]), text=NOT_JSON),
    row("F17", "with_an_expired_certificate_is_told_nothing", certificate("expired"),
        text="TLS failed: certificate has expired", also=(nothing_is_told,)),
    row("F18", "with_another_names_certificate_is_told_nothing", certificate("other-name"),
        text="TLS failed: IP address mismatch", also=(nothing_is_told,)),
    row("F18", "with_an_unknown_authoritys_certificate_is_told_nothing", certificate("stranger"),
        text="TLS failed: unable to get local issuer certificate", also=(nothing_is_told,)),
    row("F21", "whose_name_does_not_exist_is_an_error_at_once", functools.partial(NeverNamed, scripted(), []),
        words=NO_NAME, when="fast", more=8, more_fast=True),
    row("F22", "whose_name_server_is_silent_is_late", functools.partial(NeverNamed, scripted(), None), 504,
        words=SLOW, when="deadline", more=20, later=(503, 504)),
    row("F23", "that_moved_is_found_at_its_new_address", functools.partial(Moved, scripted()), words=REFUSED,
        when="fast", recovery=32),
    row("F24", "with_another_password_is_asked_for_a_login_once", functools.partial(RevokedAtHttp, "prometheus"),
        words=r"the credentials are refused \(HTTP 401\)", when="fast", at_once=True,
        also=(one_login_in_thirty_seconds,)),
] + [
    row("F08", f"with_{name}_is_an_error", sample(text), text=said) for name, text, said in (
        ("a_bare_number", "[1, 3]", NOT_A_TEXT), ("a_list", '[1, ["3"]]', NOT_A_TEXT),
        ("true", "[1, true]", NOT_A_TEXT), ("an_object", '[1, {"3": 3}]', NOT_A_TEXT),
        ("null", "[1, null]", "the value is null"),
        ("no_value", "null", "the value is null"), ("a_word", '[1, "three"]', "the value is not a number"),
        ("an_empty_text", '[1, ""]', "the value is not a number"), ("NaN", '[1, "NaN"]', NAN),
        ("plus_Inf", '[1, "+Inf"]', INFINITE.format("+")), ("minus_Inf", '[1, "-Inf"]', INFINITE.format("-")),
        ("1e400", '[1, "1e400"]', "the value is beyond what a number can hold"),
        ("1e400_for_the_time", '[1e400, "3"]', NOT_JSON), ("NaN_for_the_time", '[NaN, "3"]', NOT_JSON),
        ("a_text_for_the_time", '["1", "3"]', NOT_A_PAIR))
] + [
    row("F08", f"with_{name}_for_a_result_is_an_error", make, words=words) for name, make, words in (
        ("a_matrix", data("matrix", [{"metric": {}, "values": [[1, "3"]]}]), "a range of samples"),
        ("a_string", data("string", [1, "3"]), "the query gives a string"),
        ("a_number", data("vector", 3), "the vector is not a list"), ("an_unknown_type", data("tensor", []), NOT_API))
]
