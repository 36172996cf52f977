"""RabbitMQ's management API made sick: the real one where it is down, silent or refuses, else a scripted server."""
import functools
import json

from checks import (at_most_eight_in_flight, connection_is_dropped, connections_are_kept_over_500_reads,
                    few_attempts_to_connect, half_open_connection_is_discarded, nothing_is_told,
                    one_login_in_thirty_seconds)
from faults import BadCertificate, LeaderGone, QueueDeleted, RealBroker, RevokedAtBroker, VhostDeleted, freeze, kill_broker, thaw
from faults import start as start_server
from network import BlackHole, HalfOpen
from row import Row, usual
from scripts import COMPRESSED, GARBAGE, HttpScript, bare, endless_body, endless_chunks, gzip_bomb, page

SLOW = r"no answer within \d+ ms \("
NOT_A_PAGE = "the answer is not a page of the management API; is the url right?"
NO_COUNT = "the broker has no message count of a queue (its statistics may be off, or the queue too new)"
NO_PAGE_COUNT = "the answer has no page_count"
NEGATIVE = ("the value -3 is negative, which an HPA takes for an order to grow to its maximum; set negative: zero or "
            "negative: allow if it is meant")
LARGE = "the answer is over 1024 KiB"  # whose buffer is of 8 and of 16 MiB while it grows


def row(fault, rule, make, *arguments, **others):
    return Row(fault, "management", rule, make, *arguments, **{**usual(fault), **others})


def broker(sicken=None, heal=None):
    return functools.partial(RealBroker, "management", sicken=sicken, heal=heal)


def scripted(sick=None, **settings):
    return functools.partial(HttpScript, "management", sick=sick, **settings)


def count(text):
    """A page with one queue whose count is `text`, written as it stands."""
    return scripted('{"page_count":1,"items":[{"name":"jobs","vhost":"/","messages":%s}]}' % text)


def certificate(name):
    return functools.partial(BadCertificate, "management", name)


def paged(turn):
    """20 pages of 500 queues."""
    turn.answer(page(*[3] * 500, pages=20))
FULL_PAGE = '{"page_count":1,"items":[%s1]}' % ("1," * 520_000)  # just under the cap

ROWS = [
    row("F01", "killed_is_refused_at_once_and_read_again_after_its_start", broker(kill_broker, start_server),
        text="cannot connect (Connection refused)", when="fast", more=8, more_fast=True, keeps=True, is_flat=True),
    row("F02", "that_drops_SYNs_is_late_once_and_then_refused_at_once", functools.partial(BlackHole, scripted()), 504,
        words=SLOW, when="deadline", deadline=2000, more=10, later=(503, 504), more_fast=True, is_flat=True,
        also=(few_attempts_to_connect,)),
    row("F03", "that_vanished_behind_an_open_connection_is_late_and_the_connection_discarded",
        functools.partial(HalfOpen, broker()), 504, words=SLOW, when="deadline", more=4, later=(503, 504),
        also=(half_open_connection_is_discarded,)),
    row("F04", "that_is_stopped_is_late_and_read_again_when_it_goes_on", broker(freeze, thaw), 504, words=SLOW,
        when="deadline", more=40, later=(503, 504), is_flat=True),
    row("F04", "that_accepts_and_never_answers_is_late", scripted(lambda turn: turn.hang()), 504, words=SLOW,
        when="deadline", more=40, later=(503, 504), is_flat=True),
    row("F06", "that_takes_2400_ms_is_right_with_eight_in_flight", scripted(latency=2.4), 200, "3",
        deadline=10_000, more=12, also=(at_most_eight_in_flight,)),
    row("F07", "that_answers_with_garbage_is_an_error", scripted(bare(GARBAGE)), words="the answer is not HTTP",
        when="fast", also=(connection_is_dropped,)),
    row("F07", "that_answers_with_garbage_for_a_body_is_an_error", scripted(GARBAGE), text=NOT_A_PAGE, when="fast"),
    row("F09", "with_a_negative_count_is_an_error", count("-3"), text=NEGATIVE),
    row("F09", "with_a_negative_count_that_counts_as_zero_is_zero", count("-3"), 200, "0", metric={"negative": "zero"}),
    row("F11", "with_102_MB_is_an_error", scripted(endless_body(True)), words=LARGE, growth_mib=8,
        also=(connection_is_dropped,)),
    row("F11", "with_102_MB_of_unsaid_length_is_an_error", scripted(endless_body(False)), words=LARGE, growth_mib=8,
        also=(connection_is_dropped,)),
    row("F11", "with_a_page_of_half_a_million_numbers_is_an_error", scripted(FULL_PAGE), growth_mib=64),
    row("F12", "with_chunks_without_end_is_an_error", scripted(endless_chunks), words=LARGE, growth_mib=16,
        also=(connection_is_dropped,)),
    row("F12", "with_102_MB_in_100_KB_is_an_error", scripted(gzip_bomb), text=COMPRESSED, growth_mib=4,
        also=(connection_is_dropped,)),
    row("F13", "with_10000_queues_for_one_is_an_error_that_counts_them", scripted(page(*[3] * 10_000)), words="10000"),
    row("F13", "with_20_pages_of_queues_for_one_is_an_error", scripted(paged)),
    row("F13", "with_another_queue_than_the_one_asked_is_an_error",
        scripted(json.dumps({"page_count": 1, "items": [{"name": "other", "vhost": "/", "messages": 9}]})), 404,
        text='queue "jobs" does not exist in vhost "/"'),
    row("F14", "without_a_queue_is_an_error", scripted(page()), 404, words='queue "jobs" does not exist in vhost "/"'),
    row("F14", "with_an_empty_body_is_an_error", scripted(""), text=NOT_A_PAGE),
    row("F14", "with_an_empty_object_is_an_error", scripted("{}"), text=NOT_A_PAGE),
    row("F16", "with_truncated_JSON_is_an_error", scripted(page(3)[:-2]), text=NOT_A_PAGE),
    row("F16", "with_JSON_truncated_inside_the_count_is_an_error", scripted(page(345)[:-4]), text=NOT_A_PAGE),
    row("F17", "with_an_expired_certificate_is_told_nothing", certificate("expired"),
        text="TLS failed: certificate has expired", also=(nothing_is_told,)),
    row("F18", "with_another_names_certificate_is_told_nothing", certificate("other-name"),
        text="TLS failed: IP address mismatch", also=(nothing_is_told,)),
    row("F18", "with_an_unknown_authoritys_certificate_is_told_nothing", certificate("stranger"),
        text="TLS failed: unable to get local issuer certificate", also=(nothing_is_told,)),
    row("F24", "with_another_password_is_asked_for_a_login_once", functools.partial(RevokedAtBroker, "management"),
        words=r"the credentials are refused, or give no access to vhost \"[^\"]+\" \(HTTP 401\)", when="fast",
        at_once=True, also=(one_login_in_thirty_seconds,)),
    row("F26", "without_the_queue_is_an_error_in_each_of_500_reads", functools.partial(QueueDeleted, "management"), 404,
        words='queue "jobs" does not exist in vhost "', also=(connections_are_kept_over_500_reads,)),
    row("F26", "without_the_vhost_is_an_error", functools.partial(VhostDeleted, "management"), 404,
        words='vhost "[^"]+" does not exist'),
    row("F27", "whose_quorum_queue_has_no_leader_is_never_empty", functools.partial(LeaderGone, "management"), 200, "3"),
] + [
    row("F08", f"with_{name}_for_the_count_is_an_error", count(text), text=said) for name, text, said in (
        ("a_text", '"3"', NO_COUNT), ("a_list", "[3]", NO_COUNT), ("null", "null", NO_COUNT),
        ("true", "true", NO_COUNT), ("an_object", '{"3": 3}', NO_COUNT), ("NaN", "NaN", NOT_A_PAGE),
        ("Infinity", "Infinity", NOT_A_PAGE), ("1e400", "1e400", NOT_A_PAGE),
        ("1e300", "1e300", "the value 1e+300 is beyond 9.2e15, the most an HPA can read; use a larger unit"))
] + [
    row("F08", f"with_{name}_is_an_error", scripted(text), text=said) for name, text, said in (
        ("a_bare_number", "3", NOT_A_PAGE), ("a_bare_list", '[{"name":"jobs","messages":3}]', NOT_A_PAGE),
        ("null_for_the_queues", '{"page_count":1,"items":null}', NOT_A_PAGE),
        ("a_number_for_a_queue", '{"page_count":1,"items":[3]}', "a queue on the page has no name"),
        ("a_text_for_the_page_count", '{"page_count":"1","items":[{"name":"jobs","messages":3}]}', NO_PAGE_COUNT),
        ("no_page_count", '{"items":[{"name":"jobs","messages":3}]}', NO_PAGE_COUNT))
]
