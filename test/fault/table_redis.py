"""Redis made sick: a real one wherever it can be brought into the state, else a scripted one."""
import functools
import os
import socket

from checks import (at_most_eight_in_flight, connection_is_dropped, few_attempts_to_connect,
                    half_open_connection_is_discarded, nothing_is_told, one_login_in_thirty_seconds)
from faults import BadCertificate, ClusterNode, RealRedis, RevokedAtRedis, freeze, kill, start, thaw
from names import Moved, NeverNamed
from network import BlackHole, HalfOpen
from row import Row, block_of, usual
from scripts import GARBAGE, RedisScript
from support import wait_until
from support.redis import RedisError

NOT_RESP = "what came is not RESP2, or a reply is over 1 MiB"
NOT_ITS_KIND = "the answer to LLEN is not of its kind"
NOT_A_NUMBER = 'the counter "jobs" does not hold a number'
NEGATIVE = ("the value {} is negative, which an HPA takes for an order to grow to its maximum; set negative: zero or "
            "negative: allow if it is meant")
NO_NAME = r"its host name does not resolve \("
REFUSED = r"cannot connect \(Connection refused\)"
SLOW = r"no answer within \d+ ms \("


def row(fault, rule, make, *arguments, **others):
    return Row(fault, "redis", rule, make, *arguments, **{**usual(fault), **others})


def scripted(sick=None, **settings):
    return functools.partial(RedisScript, sick=sick, **settings)


def counter(value):
    """A real Redis whose key is a counter with this text."""
    return functools.partial(RealRedis, fill=(f"SET jobs {value}",), block=block_of("redis", kind="counter"), well=None)


def holding(*commands, **settings):
    return functools.partial(RealRedis, fill=commands, block=block_of("redis", **settings), well=None)


def certificate(name):
    return functools.partial(BadCertificate, "redis", name)


def stored_and_killed(redis):
    redis.ask("SAVE")
    kill(redis)


def endless(head, more=b"x" * (1 << 20)):
    """102 MB behind `head`."""
    def play(connection):
        connection.sendall(head)
        for _ in range(102):
            connection.sendall(more)
    return play


def broken_off(data):
    def play(connection):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)
    return play


def loading(redis):
    """Started over data of which each key takes a while."""
    redis.ask("CONFIG", "SET", "key-load-delay", "0")
    for n in range(300):
        redis.ask("SET", f"key{n}", os.urandom(200).hex())
    stored_and_killed(redis)
    redis.process.start()

    def is_loading():
        try:
            return not redis.ask("PING")
        except RedisError as error:
            return str(error).startswith("LOADING")
    wait_until(is_loading, "redis is loading")


def busy(redis):
    """A script that never ends, asked for on a connection that nobody waits for."""
    asker = socket.create_connection(("127.0.0.1", redis.port))
    script = b"while true do end"
    asker.sendall(b"*3\r\n$4\r\nEVAL\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(script), script))

    def is_busy():
        try:
            return not redis.ask("PING")
        except RedisError as error:
            return str(error).startswith("BUSY")
    wait_until(is_busy, "the script runs")
    asker.close()


REAL = [
    row("F01", "killed_is_refused_at_once_and_read_again_after_its_start",
        functools.partial(RealRedis, sicken=stored_and_killed, heal=start),
        text="cannot connect (Connection refused)", when="fast", more=8, more_fast=True, keeps=True, is_flat=True),
    row("F02", "that_drops_SYNs_is_late_once_and_then_refused_at_once", functools.partial(BlackHole, RedisScript),
        504, words=SLOW, when="deadline", deadline=2000, more=10,
        later=(503, 504), more_fast=True, is_flat=True, also=(few_attempts_to_connect,)),
    row("F03", "that_vanished_behind_an_open_connection_is_late_and_the_connection_discarded",
        functools.partial(HalfOpen, RealRedis), 504, words=SLOW, when="deadline", more=4, later=(503, 504),
        also=(half_open_connection_is_discarded,)),
    row("F04", "that_is_stopped_is_late_and_read_again_when_it_goes_on",
        functools.partial(RealRedis, sicken=freeze, heal=thaw), 504, words=SLOW, when="deadline", deadline=2500,
        more=40, later=(503, 504), is_flat=True),
    row("F04", "paused_is_late", functools.partial(
        RealRedis, sicken=lambda redis: redis.ask("CLIENT", "PAUSE", "2500", "ALL"),
        heal=lambda redis: wait_until(lambda: redis.ask("PING"), "the pause is over")), 504, words=SLOW,
        when="deadline"),
    row("F21", "whose_name_does_not_exist_is_an_error_at_once", functools.partial(NeverNamed, RedisScript, []),
        words=NO_NAME, when="fast", more=8, more_fast=True),
    row("F22", "whose_name_server_is_silent_is_late", functools.partial(NeverNamed, RedisScript, None), 504, words=SLOW,
        when="deadline", more=20, later=(503, 504)),
    row("F23", "that_moved_is_found_at_its_new_address", functools.partial(Moved, RedisScript), words=REFUSED,
        when="fast", recovery=32),
    row("F24", "with_another_password_is_asked_for_a_login_once", RevokedAtRedis,
        text="the credentials are refused: WRONGPASS invalid username-password pair or user is disabled.",
        words="the credentials are refused", when="fast", at_once=True, also=(one_login_in_thirty_seconds,)),
    row("F31", "that_lost_its_master_is_an_error", functools.partial(
        RealRedis, sicken=lambda redis: redis.ask("REPLICAOF", "127.0.0.1", "1"),
        heal=lambda redis: redis.ask("REPLICAOF", "NO", "ONE"), settings=["replica-serve-stale-data no"]),
        text="the replica has lost its master: MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set "
             "to 'no'.", when="fast"),
    row("F31", "that_loads_its_data_is_an_error", functools.partial(
        RealRedis, sicken=loading, heal=lambda redis: redis.ask("CONFIG", "SET", "key-load-delay", "0"),
        settings=["key-load-delay 20000", "loading-process-events-interval-bytes 1024"]),
        text="the server is loading its data: LOADING Redis is loading the dataset in memory"),
    row("F31", "busy_with_a_script_is_an_error", functools.partial(
        RealRedis, sicken=busy, heal=lambda redis: redis.ask("SCRIPT", "KILL"), settings=["busy-reply-threshold 50"]),
        words="the server is busy with a script: BUSY"),
    row("F31", "of_a_cluster_without_slots_is_an_error", ClusterNode,
        text="the cluster is down: CLUSTERDOWN Hash slot not served", when="fast"),
    row("F32", "with_a_key_of_another_type_is_an_error", functools.partial(
        RealRedis, sicken=lambda redis: redis.fill("DEL jobs", "SADD jobs 1 2 3 4"),
        heal=lambda redis: redis.fill("DEL jobs", "RPUSH jobs 1 2 3")),
        text='key "jobs" is a set and no list; is kind right?', when="fast"),
]
SCRIPTED = [
    row("F04", "that_accepts_and_never_answers_is_late", scripted(lambda _: None), 504, words=SLOW, when="deadline",
        more=40, later=(503, 504), is_flat=True),
    row("F04", "that_accepts_and_never_greets_is_late", scripted(greeting=b""), 504, words=SLOW, when="deadline",
        more=40, later=(503, 504), is_flat=True),
    row("F06", "that_takes_2400_ms_is_right_with_eight_in_flight", scripted(latency=2.4), 200, "3",
        deadline=10_000, more=12, also=(at_most_eight_in_flight,)),
    row("F07", "that_answers_with_garbage_is_an_error", scripted(GARBAGE), words="what came is not RESP2", when="fast",
        also=(connection_is_dropped,)),
    row("F07", "that_greets_with_garbage_is_an_error", scripted(greeting=GARBAGE), words="what came is not RESP2",
        when="fast", also=(connection_is_dropped,)),
    row("F07", "that_speaks_HTTP_is_an_error", scripted(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        text=NOT_RESP, when="fast", also=(connection_is_dropped,)),
    row("F07", "that_answers_twice_is_read_once_and_left", scripted(b":3\r\n:4\r\n"), 200, "3",
        also=(connection_is_dropped,)),
    row("F09", "with_a_negative_length_is_an_error", scripted(b":-1\r\n"), text=NEGATIVE.format(-1)),
    row("F09", "with_a_negative_counter_is_an_error", counter(-3), text=NEGATIVE.format(-3)),
    row("F09", "with_a_negative_counter_that_is_allowed_is_right", counter(-3), 200, "-3",
        metric={"negative": "allow"}),
    row("F09", "with_a_negative_counter_that_counts_as_zero_is_zero", counter(-3), 200, "0",
        metric={"negative": "zero"}),
    row("F11", "with_a_text_of_102_MB_is_an_error", scripted(endless(b"$106954752\r\n")), text=NOT_RESP,
        growth_mib=8, also=(connection_is_dropped,)),
    row("F11", "with_a_line_of_102_MB_is_an_error", scripted(endless(b"+")), text=NOT_RESP, growth_mib=8,
        also=(connection_is_dropped,)),
    row("F11", "with_a_list_of_102_MB_is_an_error",
        scripted(endless(b"*1000\r\n", (b"$2000\r\n" + b"x" * 2000 + b"\r\n") * 520)), text=NOT_RESP, growth_mib=8,
        also=(connection_is_dropped,)),
    row("F13", "with_a_list_of_10000_numbers_is_an_error", scripted(b"*10000\r\n" + b":3\r\n" * 10_000),
        words="what came is not RESP2|" + NOT_ITS_KIND),
    row("F14", "without_the_key_is_an_error_when_that_is_said", holding(missing="error"), 404,
        text='key "jobs" does not exist; set missing: 0 if that means none'),
    row("F14", "without_the_counter_is_an_error", holding(kind="counter"), 404,
        text='key "jobs" does not exist; set missing: 0 if that means none'),
    row("F14", "without_the_counter_is_zero_when_that_is_said", holding(kind="counter", missing=0), 200, "0"),
    row("F16", "that_breaks_off_inside_an_answer_is_an_error", scripted(broken_off(b"$10\r\nabc")),
        words=r"the connection was lost \("),
    row("F16", "that_breaks_off_inside_a_number_is_an_error", scripted(broken_off(b":12")),
        words=r"the connection was lost \("),
    row("F17", "with_an_expired_certificate_is_told_nothing", certificate("expired"),
        text="TLS failed: certificate has expired", also=(nothing_is_told,)),
    row("F18", "with_another_names_certificate_is_told_nothing", certificate("other-name"),
        text="TLS failed: IP address mismatch", also=(nothing_is_told,)),
    row("F18", "with_an_unknown_authoritys_certificate_is_told_nothing", certificate("stranger"),
        text="TLS failed: unable to get local issuer certificate", also=(nothing_is_told,)),
    row("F31", "that_moved_the_key_is_an_error", scripted(b"-MOVED 3999 127.0.0.1:6381\r\n"),
        text="the server is a cluster node and does not hold the key: MOVED 3999 [hidden]", when="fast"),
    row("F31", "that_asks_elsewhere_is_an_error", scripted(b"-ASK 3999 127.0.0.1:6381\r\n"),
        text="the server answered with an error: ASK 3999 [hidden]", when="fast"),
    row("F31", "that_is_a_readonly_replica_is_an_error",
        scripted(b"-READONLY You can't write against a read only replica.\r\n"),
        text="the server is a read-only replica: READONLY You can't write against a read only replica.", when="fast"),
]
WRONG_TYPES = [
    row("F08", f"with_{name}_for_a_length_is_an_error", scripted(data), words=words) for name, data, words in (
        ("a_text", b"$1\r\n3\r\n", NOT_ITS_KIND), ("a_status", b"+3\r\n", NOT_ITS_KIND),
        ("a_list", b"*1\r\n:3\r\n", NOT_ITS_KIND), ("an_empty_list", b"*0\r\n", NOT_ITS_KIND),
        ("a_null", b"$-1\r\n", NOT_ITS_KIND), ("a_null_list", b"*-1\r\n", NOT_ITS_KIND),
        ("no_digits", b":\r\n", "what came is not RESP2"), ("a_fraction", b":3.5\r\n", "what came is not RESP2"),
        ("a_number_beyond_64_bits", b":99999999999999999999\r\n", "what came is not RESP2"),
        ("a_number_beyond_a_quantity", b":9223372036854775807\r\n", "is beyond 9.2e15"),
        ("a_RESP3_double", b",3.5\r\n", "what came is not RESP2"),
        ("a_RESP3_bool", b"#t\r\n", "what came is not RESP2"),
        ("a_RESP3_null", b"_\r\n", "what came is not RESP2"))
] + [
    row("F08", f"with_{name}_for_a_counter_is_an_error", counter(text), text=said) for name, text, said in (
        ("NaN", "NaN", NOT_A_NUMBER), ("Inf", "inf", NOT_A_NUMBER), ("minus_Inf", "-inf", NOT_A_NUMBER),
        ("true", "true", NOT_A_NUMBER), ("null", "null", NOT_A_NUMBER), ("an_empty_text", "", NOT_A_NUMBER),
        ("1e400", "1e400", 'the counter "jobs" is beyond what a number can hold'))
]
HOSTILE_SIZES = [
    row("F33", f"that_claims_{name}_is_an_error", scripted(data), words="what came is not RESP2", growth_mib=8,
        reserved_mib=64, when="fast", also=(connection_is_dropped,)) for name, data in (
        ("a_billion_items", b"*1073741823\r\n"), ("a_gigabyte", b"$1073741823\r\n"),
        ("a_billion_items_in_a_list", b"*2\r\n*1073741823\r\n"),
        ("more_items_than_there_are", b"*9223372036854775807\r\n"),
        ("fewer_than_none", b"*-2\r\n"), ("lists_without_end", b"*1\r\n" * 100_000))
]
ROWS = REAL + SCRIPTED + WRONG_TYPES + HOSTILE_SIZES
