"""RabbitMQ's management API with faults injected: the real one where it is down or refuses, else a scripted one."""
import functools
import json

from backend import HttpReplies, builder_of, http_backend
from checks import connections_are_reused_over_500_reads
from common import MOVED, rows_of
from fault_case import FaultCase
from row import row
from servers.management import ManagementScript, page
from servers.rabbitmq import BrokerOtherPassword, LeaderMissing, QueueDeleted, RealBroker, VhostDeleted, kill_broker

NOT_A_PAGE = "the response is not a page of the management API; is the url right?"
NO_COUNT = "the broker reports no message count for a queue (statistics may be disabled, or the queue may be too new)"
NOT_A_COUNT = 'the column messages of queue "jobs" does not hold a number'
NO_PAGE_COUNT = "the response has no page_count"
FULL_PAGE = '{"page_count":1,"items":[%s1]}' % ("1," * 520_000)  # just under the cap


def scripted(faulty_reply):
    return functools.partial(ManagementScript, faulty_reply=faulty_reply)


def count(text):
    """A page with one queue whose count is `text`, written verbatim."""
    return scripted('{"page_count":1,"items":[{"name":"jobs","vhost":"/","messages":%s}]}' % text)


def paged(turn):
    """20 pages of 500 queues."""
    turn.answer(page(*[3] * 500, pages=20))


BACKEND = http_backend(
    ManagementScript, name="management", kind="rabbitmq", needs_credentials=True,
    real=builder_of(RealBroker, "management"), kill=kill_broker,
    oversized_error={"message_regex": "the response is over 1024 KiB"},
    other_password=functools.partial(BrokerOtherPassword, "management"),
    password_error={
        "message_regex": r"the credentials are refused, or the user has no access to vhost \"[^\"]+\" \(HTTP 401\)"},
    number=count, number_name="count",
    http=HttpReplies(body_error={"message": NOT_A_PAGE}, truncated=page(3)[:-2]))
EXCEPTIONS = {MOVED: None}  # it takes 30 s, and the HTTP client is the one that Prometheus' row proves
make = functools.partial(row, BACKEND)

OWN = [
    make("F11", "with_a_page_of_half_a_million_numbers_is_an_error", scripted(FULL_PAGE), max_growth_mib=64),
    make("F13", "with_10000_queues_instead_of_1_is_an_error_with_their_number", scripted(page(*[3] * 10_000)),
         message_regex="10000"),
    make("F13", "with_20_pages_of_queues_instead_of_1_is_an_error", scripted(paged)),
    make("F13", "with_another_queue_than_the_queried_queue_is_an_error",
         scripted(json.dumps({"page_count": 1, "items": [{"name": "other", "vhost": "/", "messages": 9}]})),
         message_regex='the response has queue "other", not "jobs"; does a proxy in front of the management API'),
    make("F14", "without_a_queue_is_an_error", scripted(page()), 404,
         message_regex='queue "jobs" does not exist in vhost "/"'),
    make("F14", "with_an_empty_body_is_an_error", scripted(""), message=NOT_A_PAGE),
    make("F14", "with_an_empty_object_is_an_error", scripted("{}"), message=NOT_A_PAGE),
    make("F16", "with_JSON_truncated_inside_the_count_is_an_error", scripted(page(345)[:-4]), message=NOT_A_PAGE),
    make("F26", "without_the_queue_is_an_error_in_each_of_500_reads", functools.partial(QueueDeleted, "management"),
         404, message_regex='queue "jobs" does not exist in vhost "',
         extra_checks=(connections_are_reused_over_500_reads,)),
    make("F26", "without_the_vhost_is_an_error", functools.partial(VhostDeleted, "management"), 404,
         message_regex='vhost "[^"]+" does not exist'),
    make("F27", "whose_quorum_queue_has_no_leader_is_an_error", functools.partial(LeaderMissing, "management"),
         message='queue "jobs" is down, so its messages are not counted'),
] + [
    make("F08", f"with_{name}_for_the_count_is_an_error_whatever_empty_is", count(text), message=message,
         metric_settings={"empty": 0}) for name, text, message in (
        ("a_text", '"3"', NOT_A_COUNT), ("null", "null", NO_COUNT))
] + [
    make("F08", f"with_{name}_for_the_count_is_an_error", count(text), message=message) for name, text, message in (
        ("a_text", '"3"', NOT_A_COUNT), ("a_list", "[3]", NOT_A_COUNT), ("null", "null", NO_COUNT),
        ("true", "true", NOT_A_COUNT), ("an_object", '{"3": 3}', NOT_A_COUNT), ("NaN", "NaN", NOT_A_PAGE),
        ("Infinity", "Infinity", NOT_A_PAGE), ("1e400", "1e400", NOT_A_PAGE),
        ("1e300", "1e300", "the value 1e+300 is beyond 9.2e15, the most an HPA can read; use a larger unit"))
] + [
    make("F08", f"with_{name}_is_an_error", scripted(text), message=message) for name, text, message in (
        ("a_bare_number", "3", NOT_A_PAGE), ("a_bare_list", '[{"name":"jobs","messages":3}]', NOT_A_PAGE),
        ("null_for_the_queues", '{"page_count":1,"items":null}', NOT_A_PAGE),
        ("a_number_for_a_queue", '{"page_count":1,"items":[3]}', "a queue on the page has no name"),
        ("a_text_for_the_page_count", '{"page_count":"1","items":[{"name":"jobs","messages":3}]}', NO_PAGE_COUNT),
        ("no_page_count", '{"items":[{"name":"jobs","messages":3}]}', NO_PAGE_COUNT))
]
ROWS = rows_of(BACKEND, EXCEPTIONS, OWN)


class ManagementTest(FaultCase, rows=ROWS):
    pass
