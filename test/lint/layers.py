"""Who may include what: the table of the design as data, and the rule that holds every file of the rooms to it.

A pattern names a project file (`scalers/*.hpp`) or a system header (`<re2/*.h>`). `*` stays within one folder,
`**` does not, `{a,b}` is a choice. The first row whose `files` match a file is the row of that file.
"""

import dataclasses
import functools
import re

from tree import Finding, includes, line_of

STD = "<std>"  # stands for every header of the standard library
POSIX = ("<{unistd,fcntl,netdb,poll,signal}.h>", "<sys/*.h>", "<netinet/*.h>", "<arpa/*.h>", "<net/*.h>")
WORDS = (STD, "scalers/*.hpp", "<boost/{system,assert}/**>")
LOOP = ("<boost/asio/{awaitable,basic_waitable_timer,io_context,steady_timer,use_awaitable}.hpp>",)
# Asio without sockets: what a .cpp with coroutines needs beside LOOP. `impl/src` is Asio's own code, compiled once.
SPAWN = ("<boost/asio/{as_tuple,co_spawn,deferred,detached,dispatch,error,post,redirect_error,this_coro}.hpp>",
         "<boost/asio/{any_io_executor,bind_cancellation_slot,cancellation_signal,cancellation_state}.hpp>",
         "<boost/asio/impl/src.hpp>")
JSON_FORWARD = ("<nlohmann/json_fwd.hpp>",)
JSON = ("<nlohmann/*.hpp>",)
TEXT = ("<fmt/*.h>", "<re2/*.h>")


@dataclasses.dataclass(frozen=True)
class Row:
    files: str
    may: tuple  # what these files may include ...
    instead: str  # what to do about another include
    but: tuple = ()  # ... except these


def _client(name, library):
    """The rows of one client: its library stays in its .cpp files, other clients are out of reach."""
    shared = (*WORDS, *JSON_FORWARD, *POSIX, "<boost/asio/**>", "<boost/asio.hpp>", f"scalers/clients/{name}*.hpp",
              "scalers/clients/{stream,resolver,connection,breaker}*.hpp")
    tls = ("<openssl/*.h>",) if name == "stream" else ()
    but = ("scalers/catalog.*",) if tls else ("scalers/catalog.*", "<boost/asio/ssl**>")
    instead = ("a client includes scalers/*.hpp, Asio, stream, resolver, connection, breaker and, in its .cpp, "
               f"{library or 'no library'}; only stream knows TLS, no client knows another")
    libraries = (library,) if library else ()
    return (Row(f"scalers/clients/{name}*.hpp", (*shared, *tls), instead, but),
            Row(f"scalers/clients/{name}*.cpp", (*shared, *tls, *TEXT, *libraries), instead, but))


_BACKEND = (*WORDS, *LOOP, *JSON_FORWARD, "scalers/clients/*.hpp", "{own}")
_BACKEND_INSTEAD = ("a backend includes scalers/*.hpp without the catalog, scalers/clients/*.hpp, its own kind's headers"
                    " and, in its .cpp, JSON; move shared code up to scalers/, library calls to scalers/clients/")
_READ_INSTEAD = "the read path knows scalers/*.hpp and itself only; hand the rest in through an interface of scalers/"
_SERVER = (STD, "<**>", "{server,apiservice}/**", "scalers/*.hpp")
_PURE_INSTEAD = ("apiservice is pure: take values, times and interfaces of scalers/*.hpp as arguments, keep JSON in the"
                 " .cpp, and move sockets, files, threads and the environment to server/")
_PURE_BUT = ("scalers/catalog.*", "<boost/asio**>",
             "<{thread,mutex,shared_mutex,condition_variable,future,semaphore,latch,barrier,stop_token}>",
             "<{fstream,filesystem,iostream,cstdlib,cstdio}>")

ROWS = (
    Row("scalers/*.hpp", (*WORDS, *LOOP, *JSON_FORWARD, "scalers/catalog.def"),
        "a shared header takes std, Asio's awaitable and timer, Boost.System and json_fwd; move the rest to the .cpp"),
    Row("scalers/*.cpp", (*WORDS, *LOOP, *SPAWN, *JSON, *TEXT, *POSIX, "scalers/catalog.def", "scalers/read/*.hpp",
                          "scalers/clients/*.hpp"),
        "scalers/*.cpp names no backend (that is the catalog's job), no room above and no client library"),
    *_client("http", "<boost/beast/**>"),
    *_client("amqp", "<{amqp,rabbitmq-c/}*.h>"),
    *_client("redis", "<hiredis/*.h>"),
    *_client("postgres", "<{libpq-fe,postgresql/*}.h>"),
    *_client("stream", None),
    *_client("resolver", None),
    *_client("connection", None),
    *_client("breaker", None),
    Row("scalers/backends/*.hpp", _BACKEND, _BACKEND_INSTEAD, ("scalers/catalog.*",)),
    Row("scalers/backends/schedule*.cpp", (*_BACKEND, *SPAWN, *JSON, *TEXT, "<date/*.h>"), _BACKEND_INSTEAD,
        ("scalers/catalog.*",)),
    Row("scalers/backends/*.cpp", (*_BACKEND, *SPAWN, *JSON, *TEXT), _BACKEND_INSTEAD, ("scalers/catalog.*",)),
    Row("scalers/read/*.hpp", (*WORDS, *LOOP, *JSON_FORWARD, "scalers/read/*.hpp"), _READ_INSTEAD),
    Row("scalers/read/*.cpp", (*WORDS, *LOOP, *SPAWN, *JSON, *TEXT, "scalers/read/*.hpp"), _READ_INSTEAD),
    Row("apiservice/*.hpp", (*WORDS, "apiservice/*.hpp"), _PURE_INSTEAD, _PURE_BUT),
    Row("apiservice/*.cpp", (*WORDS, "apiservice/*.hpp", *JSON, "<fmt/*.h>"), _PURE_INSTEAD, _PURE_BUT),
    Row("server/cluster/*", (*_SERVER, "scalers/clients/http.hpp"),
        "of scalers/, server/cluster takes scalers/*.hpp and clients/http.hpp"),
    Row("server/doctor/*", (*_SERVER, "scalers/clients/{http,resolver}.hpp"),
        "of scalers/, server/doctor takes scalers/*.hpp, clients/http.hpp and clients/resolver.hpp"),
    Row("server/commands/doctor.cpp", (*_SERVER, "scalers/clients/resolver.hpp"),
        "of scalers/, the command doctor takes scalers/*.hpp and clients/resolver.hpp"),
    Row("server/{,commands/}*", _SERVER, "of scalers/, the server takes scalers/*.hpp: the catalog knows the kinds"),
)

# Libraries that one part of the server keeps to itself.
ONLY = (
    ("<boost/beast**>", "{server/session,server/listener,scalers/clients/http}*"),
    ("<yaml-cpp/**>", "server/config*"),
    ("<prometheus/**>", "server/telemetry*"),
    ("<spdlog/**>", "server/log*"),
    ("<CLI/**>", "server/{options,commands/}*"),
)

# Words that bring in by the back door what the includes keep out.
WORD_RULES = (
    (re.compile(r"\bgetenv\b"), "server/options*", "the environment is read once, in server/options"),
    (re.compile(r"_clock::now\("), "{server,scalers}/**", "apiservice takes the time as an argument"),
)

SHAPELESS = {"common", "util", "utils", "helper", "helpers", "misc"}


@functools.cache
def _pattern(glob):
    regex = re.escape(glob).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    choice = re.compile(r"\\\{([^{}]*)\\\}")
    while choice.search(regex):
        regex = choice.sub(lambda m: f"(?:{m[1].replace(',', '|')})", regex, count=1)
    return re.compile(regex)


def matches(name, globs):
    if re.fullmatch(r"<\w+>", name) and STD in globs:
        return True
    return any(_pattern(glob).fullmatch(name) for glob in globs)


def kind_of(path, kinds):
    """The kind a file of scalers/backends belongs to: the longest registered name its own name starts with."""
    stem = path.rsplit("/", 1)[-1].split(".")[0]
    return max((k for k in kinds if stem == k or stem.startswith(k + "_")), key=len, default=stem)


def _is_allowed(path, row, name, kinds):
    if matches(name, row.but):
        return False
    if "{own}" in row.may and name.startswith("scalers/backends/"):
        return kind_of(path, kinds) == kind_of(name, kinds)
    return matches(name, row.may)


def _include_findings(tree, path, row, kinds):
    for line, name in includes(tree.text(path)):
        shown = name if name.startswith("<") else f'"{name}"'
        owner = next((files for library, files in ONLY if matches(name, (library,))), None)
        if not _is_allowed(path, row, name, kinds):
            yield Finding(path, line, f"{shown} is not for {row.files}, {row.instead}")
        elif owner and not matches(path, (owner,)):
            yield Finding(path, line, f"{shown} stays in {owner}, use what that part offers")


def _word_findings(tree, path):
    for word, files, instead in WORD_RULES:
        for match in word.finditer(tree.code(path)):
            if not matches(path, (files,)):
                line = line_of(tree.code(path), match.start())
                yield Finding(path, line, f"{match.group()} is not for this file, {instead}")


def check(tree, kinds):
    """Every include of the rooms against the table. `kinds` are the registered scalers."""
    for path in tree.files:
        shapeless = SHAPELESS.intersection(path.split("/")[:-1])
        if shapeless:
            yield Finding(path, 1,
                          f"a folder {shapeless.pop()}/ says nothing, move the file to the room of its words")
    for path in tree.in_rooms():
        row = next((r for r in ROWS if matches(path, (r.files,))), None)
        if row is None:
            yield Finding(path, 1, "no row of test/lint/layers.py is for this file, move it or add the row")
            continue
        yield from _include_findings(tree, path, row, kinds)
        yield from _word_findings(tree, path)
