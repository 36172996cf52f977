"""How a backend describes itself, once, so that the faults of every backend can be generated for it (common.py).

A builder is build(place) -> Fault. An error is {"message": the whole text} or {"message_regex": what is found in it}.
"""
import functools
from dataclasses import dataclass, field
from typing import Callable

from servers.http import bare, broken_off, endless_body
from servers.scripted import GARBAGE

CONNECTION_LOST = r"the connection was lost \("


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One backend. What is None is not there in its protocol, and the rows of it are not either.

    name            in the names of the tests
    kind            in Weir's configuration
    query_settings  of a metric, with `$(n)` where the label `n` makes a query of its own
    tls_scheme      of a url with TLS
    needs_credentials  whether Weir takes no configuration without a user and a password

    real(inject, clear)  a builder: a healthy real server, and two functions of it
    kill            kill(server): ends the real server as a crash does
    scripted(...)   a builder: a healthy scripted server, which with `latency` takes so many seconds for each reply
    mute            a builder: it accepts, and never replies
    garbage         a builder: it replies with random bytes
    broken_off      a builder: it ends the connection in the middle of a reply
    other_protocol  a name and a builder: it speaks this other protocol
    oversized       name -> builder: replies of 102 MB
    other_password  a builder: the password is changed; its Fault counts the failed logins in logins()

    greeting(data)  a builder: `data` in place of the first reply on a connection, before any query
    number(text)    a builder: a reply with this text for the number, which is called `number_name`
    http            HttpReplies, where the protocol is HTTP
    """
    name: str
    kind: str
    query_settings: dict
    tls_scheme: str
    needs_credentials: bool = False

    real: Callable
    kill: Callable
    scripted: Callable
    mute: Callable
    garbage: Callable
    broken_off: Callable
    other_protocol: tuple
    oversized: dict
    other_password: Callable

    garbage_error: dict
    broken_off_error: dict = field(default_factory=lambda: {"message_regex": CONNECTION_LOST})
    oversized_error: dict
    password_error: dict

    greeting: Callable = None
    number: Callable = None
    number_name: str = "value"
    http: object = None


@dataclass(frozen=True)
class HttpReplies:
    """What the faults of a response's body need.

    body_error  the error of a body that is not what the backend's API gives
    truncated   a body that ends in the middle
    """
    body_error: dict
    truncated: str


def builder_of(fault_class, *arguments):
    """The function that makes a builder of `fault_class` with further settings."""
    def builder(**settings):
        return functools.partial(fault_class, *arguments, **settings)
    return builder


def http_backend(script, **settings):
    """A Backend with an HTTP API; `script` is its subclass of HttpScript."""
    scripted = builder_of(script)
    usual = {
        "query_settings": script.query_settings, "tls_scheme": "https", "scripted": scripted,
        "mute": scripted(faulty_reply=lambda turn: turn.hang()), "garbage": scripted(faulty_reply=bare(GARBAGE)),
        "broken_off": scripted(faulty_reply=broken_off(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")),
        "other_protocol": ("AMQP", scripted(faulty_reply=bare(b"AMQP\0\0\x09\x01"))),
        "oversized": {"102_MB": scripted(faulty_reply=endless_body(True)),
                      "102_MB_of_unsaid_length": scripted(faulty_reply=endless_body(False))},
        "garbage_error": {"message_regex": "the response is not HTTP"},
        "broken_off_error": {"message": "the response is incomplete"}}
    return Backend(**{**usual, **settings})
