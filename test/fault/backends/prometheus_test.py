"""Prometheus with faults injected: the real one where it is down or silent, else a scripted server."""
import functools
import json

from backend import HttpReplies, builder_of, http_backend
from common import rows_of
from fault_case import FaultCase
from row import row
from servers.prometheus import PrometheusOtherPassword, PrometheusScript, RealPrometheus
from servers.real import kill
from support import vector

NOT_JSON = "the response is not JSON, or is truncated"
NOT_API = "the response has no result of the Prometheus query API"
NOT_A_TEXT = "the value is not a JSON string"
NOT_A_PAIR = "the sample is not a pair of time and value"
NAN = "the value is NaN, as a quantile or a ratio without observations is; set nan: 0 if that means idle"
INFINITE = "the value is {}Inf; something was divided by zero"
NO_SERIES = ("the query matches no series; is the target scraped and are the label values right? set empty: 0 if no "
             "series means zero")
MANY = ('10000 series where one is expected; they differ in n ("0", "1", "10", ...); aggregate them in the query, or '
        "set aggregate: sum, max, min or avg")


def scripted(faulty_reply):
    return functools.partial(PrometheusScript, faulty_reply=faulty_reply)


def sample(text):
    """A vector of one series whose sample is [time, `text`], written verbatim."""
    return scripted('{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":%s}]}}' % text)


def data(kind, result):
    return scripted(json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}))


BACKEND = http_backend(
    PrometheusScript, name="prometheus", kind="prometheus",
    real=builder_of(RealPrometheus), kill=kill,
    oversized_error={"message": "the response is over 1024 KiB; query fewer series"},
    other_password=PrometheusOtherPassword,
    password_error={"message_regex": r"the credentials are refused \(HTTP 401\)"},
    number=lambda text: sample(f'[1, "{text}"]'),
    http=HttpReplies(body_error={"message": NOT_JSON}, truncated=vector(3)[:-3]))
EXCEPTIONS = {
    "F11": {"max_growth_mib": 16, "timing": "fast"},
    "F12": {"timing": "fast"},
}
EMPTY = data("vector", [])
make = functools.partial(row, BACKEND)

OWN = [
    make("F13", "with_10000_series_is_an_error_with_their_number", scripted(vector(*range(10_000))), message=MANY,
         max_growth_mib=16),
    make("F14", "without_series_is_an_error", EMPTY, message=NO_SERIES),
    make("F14", "without_series_is_zero_with_empty_0", EMPTY, 200, "0", metric_settings={"empty": 0}),
    make("F14", "with_an_empty_body_is_an_error_even_when_no_series_means_zero", scripted(""), message=NOT_JSON,
         metric_settings={"empty": 0}),
    make("F08", "with_null_for_the_value_is_an_error_even_when_no_series_means_zero", sample("[1, null]"),
         message="the value is null", metric_settings={"empty": 0}),
    make("F08", "without_the_value_is_an_error_even_when_no_series_means_zero", data("vector", [{"metric": {}}]),
         message="the value is null", metric_settings={"empty": 0}),
    make("F08", "with_null_for_the_result_is_an_error_even_when_no_series_means_zero", data("vector", None),
         message="the result is null", metric_settings={"empty": 0}),
    make("F16", "with_JSON_truncated_after_the_value_is_an_error", scripted(vector(3)[:-5]), message=NOT_JSON),
] + [
    make("F08", f"with_{name}_is_an_error", sample(text), message=message) for name, text, message in (
        ("a_bare_number", "[1, 3]", NOT_A_TEXT), ("a_list", '[1, ["3"]]', NOT_A_TEXT),
        ("true", "[1, true]", NOT_A_TEXT), ("an_object", '[1, {"3": 3}]', NOT_A_TEXT),
        ("null", "[1, null]", "the value is null"),
        ("no_value", "null", "the value is null"), ("a_word", '[1, "three"]', "the value is not a number"),
        ("an_empty_text", '[1, ""]', "the value is not a number"), ("NaN", '[1, "NaN"]', NAN),
        ("plus_Inf", '[1, "+Inf"]', INFINITE.format("+")), ("minus_Inf", '[1, "-Inf"]', INFINITE.format("-")),
        ("1e400", '[1, "1e400"]', "the value is outside the range of a 64-bit float"),
        ("1e400_for_the_time", '[1e400, "3"]', NOT_JSON), ("NaN_for_the_time", '[NaN, "3"]', NOT_JSON),
        ("a_text_for_the_time", '["1", "3"]', NOT_A_PAIR))
] + [
    make("F08", f"with_{name}_for_a_result_is_an_error", build, message_regex=regex) for name, build, regex in (
        ("a_matrix", data("matrix", [{"metric": {}, "values": [[1, "3"]]}]), "the query returns a range vector"),
        ("a_string", data("string", [1, "3"]), "the query returns a string"),
        ("a_number", data("vector", 3), "the vector is not a list"), ("an_unknown_type", data("tensor", []), NOT_API))
]
ROWS = rows_of(BACKEND, EXCEPTIONS, OWN)


class PrometheusTest(FaultCase, rows=ROWS):
    pass
