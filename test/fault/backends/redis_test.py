"""Redis with faults injected: a real one wherever it can be brought into the state, else a scripted one."""
import functools

from backend import CONNECTION_LOST, Backend, builder_of
from checks import connection_is_dropped
from common import NEGATIVE, OTHER_PROTOCOL, SLOW, STOPPED, rows_of
from fault_case import FaultCase
from row import row
from servers.real import start
from servers.redis import (QUERY, ClusterNode, RealRedis, RedisOtherPassword, RedisScript, busy, loading,
                           stored_and_killed)
from servers.scripted import GARBAGE, broken_off, endless
from support import wait_until

NOT_RESP = "the response is not RESP2, or a reply is over 1 MiB"
NOT_RESP_REGEX = "the response is not RESP2"
NOT_ITS_KIND = "the response to LLEN has an unexpected type"
NOT_A_NUMBER = 'the counter "jobs" does not hold a number'


real = builder_of(RealRedis)


def scripted(faulty_reply=None, **settings):
    return functools.partial(RedisScript, faulty_reply=faulty_reply, **settings)


def counter(value):
    """A real Redis whose key is a counter with this text."""
    return holding(f"SET jobs {value}", kind="counter")


def holding(*commands, **settings):
    return real(fill=commands, query_settings={**QUERY, **settings}, healthy_value=None)


BACKEND = Backend(
    name="redis", kind="redis", query_settings=QUERY, tls_scheme="rediss",
    real=real, kill=stored_and_killed, scripted=scripted, mute=scripted(lambda _: None), garbage=scripted(GARBAGE),
    garbage_error={"message_regex": NOT_RESP_REGEX},
    broken_off=scripted(broken_off(b"$10\r\nabc")),
    other_protocol=("HTTP", scripted(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    oversized={"a_text_of_102_MB": scripted(endless(b"$106954752\r\n")),
               "a_line_of_102_MB": scripted(endless(b"+")),
               "a_list_of_102_MB": scripted(endless(b"*1000\r\n", (b"$2000\r\n" + b"x" * 2000 + b"\r\n") * 520))},
    oversized_error={"message": NOT_RESP},
    other_password=RedisOtherPassword,
    password_error={
        "message": "the credentials are refused: WRONGPASS invalid username-password pair or user is disabled.",
        "message_regex": "the credentials are refused"},
    greeting=lambda data: scripted(greeting=data), number=counter, number_name="counter")
EXCEPTIONS = {
    STOPPED: {"deadline_ms": 2500},
    OTHER_PROTOCOL.format("HTTP"): {"message": NOT_RESP},
}
make = functools.partial(row, BACKEND)

REAL = [
    make("F04", "paused_is_late", real(
        inject=lambda redis: redis.command("CLIENT", "PAUSE", "2500", "ALL"),
        clear=lambda redis: wait_until(lambda: redis.command("PING"), "the pause is over")), 504, message_regex=SLOW,
        timing="deadline"),
    make("F31", "that_lost_its_master_is_an_error", real(
        inject=lambda redis: redis.command("REPLICAOF", "127.0.0.1", "1"),
        clear=lambda redis: redis.command("REPLICAOF", "NO", "ONE"), settings=["replica-serve-stale-data no"]),
        message="the replica has lost its master: MASTERDOWN Link with MASTER is down and replica-serve-stale-data is "
                "set to 'no'.", timing="fast"),
    make("F31", "that_loads_its_data_is_an_error", real(
        inject=loading, clear=lambda redis: redis.command("CONFIG", "SET", "key-load-delay", "0"),
        settings=["key-load-delay 20000", "loading-process-events-interval-bytes 1024"]),
        message="the server is loading its data: LOADING Redis is loading the dataset in memory"),
    make("F31", "busy_with_a_script_is_an_error", real(
        inject=busy, clear=lambda redis: redis.command("SCRIPT", "KILL"), settings=["busy-reply-threshold 50"]),
        message_regex="the server is busy with a script: BUSY"),
    make("F31", "of_a_cluster_without_slots_is_an_error", ClusterNode,
         message="the cluster is down: CLUSTERDOWN Hash slot not served", timing="fast"),
    make("F32", "with_a_key_of_another_type_is_an_error", real(
        inject=lambda redis: redis.fill("DEL jobs", "SADD jobs 1 2 3 4"),
        clear=lambda redis: redis.fill("DEL jobs", "RPUSH jobs 1 2 3")),
        message='key "jobs" is a set, not a list; is kind right?', timing="fast"),
    make("F14", "without_the_key_is_an_error_with_missing_error", holding(missing="error"), 404,
         message='key "jobs" does not exist; set missing: 0 if a missing key means zero'),
    make("F14", "without_the_counter_is_an_error", holding(kind="counter"), 404,
         message='key "jobs" does not exist; set missing: 0 if a missing key means zero'),
    make("F14", "without_the_counter_is_zero_with_missing_0", holding(kind="counter", missing=0), 200, "0"),
]
SCRIPTED = [
    make("F07", "that_responds_twice_is_read_once_and_disconnected", scripted(b":3\r\n:4\r\n"), 200, "3",
         extra_checks=(connection_is_dropped,)),
    make("F09", "with_a_negative_length_is_an_error", scripted(b":-1\r\n"), message=NEGATIVE.format(-1)),
    make("F13", "with_a_list_of_10000_numbers_is_an_error", scripted(b"*10000\r\n" + b":3\r\n" * 10_000),
         message_regex=NOT_RESP_REGEX + "|" + NOT_ITS_KIND),
    make("F16", "that_disconnects_inside_a_number_is_an_error", scripted(broken_off(b":12")),
         message_regex=CONNECTION_LOST),
    make("F31", "that_moved_the_key_is_an_error", scripted(b"-MOVED 3999 127.0.0.1:6381\r\n"),
         message="the server is a cluster node that does not hold the key; write cluster instead of url: "
                 "MOVED 3999 [hidden]", timing="fast"),
    make("F31", "that_sends_an_ask_redirect_is_an_error", scripted(b"-ASK 3999 127.0.0.1:6381\r\n"),
         message="the server is a cluster node that is giving the key away; write cluster instead of url: "
                 "ASK 3999 [hidden]", timing="fast"),
    make("F31", "that_is_a_readonly_replica_is_an_error",
         scripted(b"-READONLY You can't write against a read only replica.\r\n"), timing="fast",
         message="the server is a read-only replica: READONLY You can't write against a read only replica."),
]
WRONG_TYPES = [
    make("F08", f"with_{name}_for_a_length_is_an_error", scripted(data), message_regex=regex) for name, data, regex in (
        ("a_text", b"$1\r\n3\r\n", NOT_ITS_KIND), ("a_status", b"+3\r\n", NOT_ITS_KIND),
        ("a_list", b"*1\r\n:3\r\n", NOT_ITS_KIND), ("an_empty_list", b"*0\r\n", NOT_ITS_KIND),
        ("a_null", b"$-1\r\n", NOT_ITS_KIND), ("a_null_list", b"*-1\r\n", NOT_ITS_KIND),
        ("no_digits", b":\r\n", NOT_RESP_REGEX), ("a_fraction", b":3.5\r\n", NOT_RESP_REGEX),
        ("a_number_beyond_64_bits", b":99999999999999999999\r\n", NOT_RESP_REGEX),
        ("a_number_beyond_a_quantity", b":9223372036854775807\r\n", "is beyond 9.2e15"),
        ("a_RESP3_double", b",3.5\r\n", NOT_RESP_REGEX),
        ("a_RESP3_bool", b"#t\r\n", NOT_RESP_REGEX),
        ("a_RESP3_null", b"_\r\n", NOT_RESP_REGEX))
] + [
    make("F08", f"with_{name}_for_a_counter_is_an_error", counter(text), message=message) for name, text, message in (
        ("NaN", "NaN", NOT_A_NUMBER), ("Inf", "inf", NOT_A_NUMBER), ("minus_Inf", "-inf", NOT_A_NUMBER),
        ("true", "true", NOT_A_NUMBER), ("null", "null", NOT_A_NUMBER), ("an_empty_text", "", NOT_A_NUMBER),
        ("1e400", "1e400", 'the counter "jobs" is outside the range of a 64-bit float'))
]
HOSTILE_SIZES = [
    make("F33", f"that_claims_{name}_is_an_error", scripted(data), message_regex=NOT_RESP_REGEX, max_growth_mib=8,
         max_reserved_mib=64, timing="fast", extra_checks=(connection_is_dropped,)) for name, data in (
        ("a_billion_items", b"*1073741823\r\n"), ("a_gigabyte", b"$1073741823\r\n"),
        ("a_billion_items_in_a_list", b"*2\r\n*1073741823\r\n"),
        ("more_items_than_there_are", b"*9223372036854775807\r\n"),
        ("fewer_than_none", b"*-2\r\n"), ("lists_without_end", b"*1\r\n" * 100_000))
]
ROWS = rows_of(BACKEND, EXCEPTIONS, [*REAL, *SCRIPTED, *WRONG_TYPES, *HOSTILE_SIZES])


class RedisTest(FaultCase, rows=ROWS):
    pass
