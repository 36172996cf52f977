"""RabbitMQ over AMQP made sick: the real broker wherever it can be brought into the state, else a scripted one."""
import functools

from amqp import DECLARE_OK, HEARTBEAT, AmqpScript, declare_ok, frame, short, start, tune
from checks import (at_most_eight_in_flight, connection_is_dropped, connection_is_kept_over, few_attempts_to_connect,
                    few_connections_are_tried, half_open_connection_is_discarded, heartbeats_are_sent, nothing_is_told,
                    one_login_in_thirty_seconds, silent_connection_is_ended)
from faults import (BadCertificate, QueueDeleted, RealBroker, RevokedAtBroker, VhostDeleted, alarm, freeze, kill_broker,
                    no_alarm, thaw)
from faults import start as start_server
from names import NeverNamed
from network import BlackHole, HalfOpen
from row import Row, usual
from scripts import GARBAGE

NO_NAME = r"its host name does not resolve \("
SLOW = r"no answer within \d+ ms \("
NOT_AMQP = "what came is not AMQP 0-9-1"
OTHER_LOGIN = "the broker's login does not follow AMQP 0-9-1"


def row(fault, rule, make, *arguments, **others):
    return Row(fault, "amqp", rule, make, *arguments, **{**usual(fault), **others})


def broker(sicken=None, heal=None):
    return functools.partial(RealBroker, "amqp", sicken=sicken, heal=heal)


def scripted(sick=None, **settings):
    return functools.partial(AmqpScript, sick=sick, **settings)


def declared(text):
    """The arguments of declare-ok as they stand."""
    return scripted(lambda channel, _: frame(channel, DECLARE_OK, text))


def certificate(name):
    return functools.partial(BadCertificate, "amqp", name)


HUGE_FRAME = b"\x01\0\x01\x06\x60\0\0" + b"x" * 4096  # 102 MB, of which 4 KiB come
ROWS = [
    row("F01", "killed_is_refused_at_once_and_read_again_after_its_start", broker(kill_broker, start_server),
        text="cannot connect (Connection refused)", when="fast", more=8, more_fast=True, keeps=True, is_flat=True),
    row("F02", "that_drops_SYNs_is_late_once_and_then_refused_at_once", functools.partial(BlackHole, AmqpScript), 504,
        words=SLOW, when="deadline", deadline=2000, more=10, later=(503, 504), more_fast=True, is_flat=True,
        also=(few_attempts_to_connect,)),
    row("F03", "that_vanished_behind_an_open_connection_is_late_and_the_connection_discarded",
        functools.partial(HalfOpen, broker()), 504, words=SLOW, when="deadline", more=4, later=(503, 504),
        also=(half_open_connection_is_discarded,)),
    row("F04", "that_is_stopped_is_late_and_read_again_when_it_goes_on", broker(freeze, thaw), 504, words=SLOW,
        when="deadline", deadline=2500, more=40, later=(503, 504), is_flat=True),
    row("F04", "that_accepts_and_never_answers_is_late", scripted(is_mute=True), 504, words=SLOW, when="deadline",
        more=40, later=(503, 504), is_flat=True),
    row("F04", "that_accepts_and_never_greets_is_late", scripted(greeting=b""), 504, words=SLOW, when="deadline",
        more=40, later=(503, 504), is_flat=True),
    row("F06", "that_takes_2400_ms_is_right_with_eight_in_flight", scripted(latency=2.4), 200, "3",
        deadline=10_000, more=12, also=(at_most_eight_in_flight,)),
    row("F07", "that_greets_with_garbage_is_an_error", scripted(greeting=GARBAGE), words=NOT_AMQP, when="fast",
        also=(connection_is_dropped,)),
    row("F07", "that_answers_with_garbage_is_an_error", scripted(GARBAGE), words=NOT_AMQP, when="fast",
        also=(connection_is_dropped,)),
    row("F07", "that_speaks_HTTP_is_an_error", scripted(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9),
        words=NOT_AMQP, when="fast", also=(connection_is_dropped,)),
    row("F07", "that_speaks_another_version_is_an_error", scripted(greeting=b"AMQP\0\1\0\0"),
        text="the server speaks another version of AMQP than 0-9-1", when="fast", also=(connection_is_dropped,)),
    row("F07", "that_tunes_before_it_starts_is_an_error", scripted(greeting=tune()), text=OTHER_LOGIN, when="fast",
        also=(connection_is_dropped,)),
    row("F07", "that_starts_twice_is_an_error", scripted(greeting=start() + start()), text=OTHER_LOGIN, when="fast",
        also=(connection_is_dropped,)),
    row("F08", "with_no_count_is_an_error", declared(short("jobs")), words=NOT_AMQP),
    row("F08", "with_half_a_count_is_an_error", declared(short("jobs") + b"\0\0"), words=NOT_AMQP),
    row("F08", "with_a_name_longer_than_the_frame_is_an_error", declared(b"\xffjobs\0\0\0\3\0\0\0\0"), words=NOT_AMQP),
    row("F08", "with_the_count_of_another_queue_is_an_error",
        scripted(lambda channel, _: declare_ok(channel, "other", 9))),
    row("F08", "with_an_answer_of_another_method_is_no_number",
        scripted(lambda channel, _: frame(channel, (50, 31), b"\0\0\0\3")), 504, words=SLOW),
    row("F08", "with_an_answer_on_another_channel_is_no_number",
        scripted(lambda channel, queue: declare_ok(channel + 1, queue, 9)), 504, words=SLOW),
    row("F08", "with_an_answer_on_no_channel_is_no_number",
        scripted(lambda channel, queue: declare_ok(0, queue, 9)), 504, words=SLOW),
    row("F08", "without_a_frames_end_is_an_error",
        scripted(lambda channel, queue: declare_ok(channel, queue)[:-1] + b"\0"), words=NOT_AMQP),
    row("F11", "with_a_frame_of_102_MB_is_an_error", scripted(HUGE_FRAME), words=NOT_AMQP, growth_mib=8,
        reserved_mib=64, also=(connection_is_dropped,)),
    row("F11", "with_a_first_frame_of_102_MB_is_an_error", scripted(greeting=b"\x01\0\0\x06\x60\0\0" + b"x" * 4096),
        words=NOT_AMQP, growth_mib=8, reserved_mib=64, also=(connection_is_dropped,)),
    row("F11", "with_102_MB_of_heartbeats_is_late", scripted(HEARTBEAT * (102 << 17)), 504, words=SLOW, growth_mib=8,
        recovers=False),
    row("F16", "that_breaks_off_inside_an_answer_is_an_error", scripted(declare_ok(1, "jobs")[:-6], is_closing=True),
        words=r"the connection was lost \("),
    row("F17", "with_an_expired_certificate_is_told_nothing", certificate("expired"),
        text="TLS failed: certificate has expired", also=(nothing_is_told,)),
    row("F18", "with_another_names_certificate_is_told_nothing", certificate("other-name"),
        text="TLS failed: IP address mismatch", also=(nothing_is_told,)),
    row("F18", "with_an_unknown_authoritys_certificate_is_told_nothing", certificate("stranger"),
        text="TLS failed: unable to get local issuer certificate", also=(nothing_is_told,)),
    row("F21", "whose_name_does_not_exist_is_an_error_at_once", functools.partial(NeverNamed, AmqpScript, []),
        words=NO_NAME, when="fast", more=8, more_fast=True),
    row("F22", "whose_name_server_is_silent_is_late", functools.partial(NeverNamed, AmqpScript, None), 504, words=SLOW,
        when="deadline", more=20, later=(503, 504)),
    row("F24", "with_another_password_is_asked_for_a_login_once", functools.partial(RevokedAtBroker, "amqp"),
        text="the credentials are refused", when="fast", at_once=True, also=(one_login_in_thirty_seconds,)),
    row("F26", "without_the_queue_keeps_its_one_connection_over_10000_reads", functools.partial(QueueDeleted, "amqp"),
        404, words='queue "jobs" does not exist in vhost "', when="fast", is_flat=True,
        also=(connection_is_kept_over(10_000),)),
    row("F26", "without_the_vhost_is_an_error_without_a_storm_of_logins", functools.partial(VhostDeleted, "amqp"), 404,
        words='vhost "[^"]+" does not exist', when="fast", also=(few_connections_are_tried,)),
    row("F28", "with_a_memory_alarm_is_right", broker(alarm, no_alarm), 200, "3"),
    row("F28", "that_blocks_the_connection_is_right_and_gets_its_heartbeats", scripted(is_blocked=True, heartbeat=1),
        200, "3", deadline=5000, also=(heartbeats_are_sent,)),
    row("F28", "whose_heartbeats_stop_is_left", scripted(has_pulse=False, heartbeat=1), 200, "3",
        also=(silent_connection_is_ended,)),
]
