"""RabbitMQ over AMQP with faults injected: the real broker where that can have them, else a scripted one."""
import functools

from backend import Backend, builder_of
from checks import (connection_is_dropped, one_connection_is_used_over, few_connections_are_tried, heartbeats_are_sent,
                    silent_connection_is_ended)
from common import SLOW, STOPPED, rows_of
from fault_case import FaultCase
from row import row
from servers.amqp import DECLARE_OK, HEARTBEAT, AmqpScript, declare_ok, frame, short, start, tune
from servers.rabbitmq import (QUERY, BrokerOtherPassword, QueueDeleted, RealBroker, VhostDeleted, alarm, kill_broker,
                              no_alarm)
from servers.scripted import GARBAGE

NOT_AMQP = "the response is not AMQP 0-9-1"
OTHER_LOGIN = "the broker's login sequence is not that of AMQP 0-9-1"
HUGE_FRAME = b"\x01\0\x01\x06\x60\0\0" + b"x" * 4096  # 102 MB, of which 4 KiB come


real = builder_of(RealBroker, "amqp")


def scripted(faulty_reply=None, **settings):
    return functools.partial(AmqpScript, faulty_reply=faulty_reply, **settings)


def declared(text):
    """The arguments of declare-ok, verbatim."""
    return scripted(lambda channel, _: frame(channel, DECLARE_OK, text))


BACKEND = Backend(
    name="amqp", kind="rabbitmq", query_settings=QUERY, tls_scheme="amqps", needs_credentials=True,
    real=real, kill=kill_broker, scripted=scripted, mute=scripted(is_mute=True), garbage=scripted(GARBAGE),
    garbage_error={"message_regex": NOT_AMQP},
    broken_off=scripted(declare_ok(1, "jobs")[:-6], is_closing=True),
    other_protocol=("HTTP", scripted(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9)),
    oversized={"a_frame_of_102_MB": scripted(HUGE_FRAME),
               "a_first_frame_of_102_MB": scripted(greeting=b"\x01\0\0\x06\x60\0\0" + b"x" * 4096)},
    oversized_error={"message_regex": NOT_AMQP},
    other_password=functools.partial(BrokerOtherPassword, "amqp"),
    password_error={"message": "the credentials are refused"},
    greeting=lambda data: scripted(greeting=data))
EXCEPTIONS = {
    STOPPED: {"deadline_ms": 2500},
    "F11": {"max_reserved_mib": 64},
}
make = functools.partial(row, BACKEND)

OWN = [
    make("F07", "that_speaks_another_version_is_an_error", scripted(greeting=b"AMQP\0\1\0\0"),
         message="the server requires a version of AMQP other than 0-9-1", timing="fast",
         extra_checks=(connection_is_dropped,)),
    make("F07", "that_tunes_before_it_starts_is_an_error", scripted(greeting=tune()), message=OTHER_LOGIN,
         timing="fast", extra_checks=(connection_is_dropped,)),
    make("F07", "that_starts_twice_is_an_error", scripted(greeting=start() + start()), message=OTHER_LOGIN,
         timing="fast", extra_checks=(connection_is_dropped,)),
    make("F08", "with_no_count_is_an_error", declared(short("jobs")), message_regex=NOT_AMQP),
    make("F08", "with_half_a_count_is_an_error", declared(short("jobs") + b"\0\0"), message_regex=NOT_AMQP),
    make("F08", "with_a_name_longer_than_the_frame_is_an_error", declared(b"\xffjobs\0\0\0\3\0\0\0\0"),
         message_regex=NOT_AMQP),
    make("F08", "with_the_count_of_another_queue_is_an_error",
         scripted(lambda channel, _: declare_ok(channel, "other", 9))),
    make("F08", "with_a_response_of_another_method_is_late",
         scripted(lambda channel, _: frame(channel, (50, 31), b"\0\0\0\3")), 504, message_regex=SLOW),
    make("F08", "with_a_response_on_another_channel_is_late",
         scripted(lambda channel, queue: declare_ok(channel + 1, queue, 9)), 504, message_regex=SLOW),
    make("F08", "with_a_response_on_channel_0_is_late",
         scripted(lambda channel, queue: declare_ok(0, queue, 9)), 504, message_regex=SLOW),
    make("F08", "without_a_frames_end_is_an_error",
         scripted(lambda channel, queue: declare_ok(channel, queue)[:-1] + b"\0"), message_regex=NOT_AMQP),
    make("F11", "with_102_MB_of_heartbeats_is_late", scripted(HEARTBEAT * (102 << 17)), 504, message_regex=SLOW,
         max_growth_mib=8, recovers=False),
    make("F26", "without_the_queue_uses_a_single_connection_for_10000_reads", functools.partial(QueueDeleted, "amqp"),
         404, message_regex='queue "jobs" does not exist in vhost "', timing="fast", resources_return_to_baseline=True,
         extra_checks=(one_connection_is_used_over(10_000),)),
    make("F26", "without_the_vhost_is_an_error_without_a_storm_of_logins", functools.partial(VhostDeleted, "amqp"), 404,
         message_regex='vhost "[^"]+" does not exist', timing="fast", extra_checks=(few_connections_are_tried,)),
    make("F28", "with_a_memory_alarm_is_right", real(inject=alarm, clear=no_alarm), 200, "3"),
    make("F28", "that_blocks_the_connection_is_right_and_gets_its_heartbeats", scripted(is_blocked=True, heartbeat=1),
         200, "3", deadline_ms=5000, extra_checks=(heartbeats_are_sent,)),
    make("F28", "whose_heartbeats_stop_is_disconnected", scripted(has_pulse=False, heartbeat=1), 200, "3",
         extra_checks=(silent_connection_is_ended,)),
]
ROWS = rows_of(BACKEND, EXCEPTIONS, OWN)


class AmqpTest(FaultCase, rows=ROWS):
    pass
