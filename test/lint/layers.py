"""Who may include what: the table of the design as data, and the rule that holds every file of the rooms to it.

A pattern names a project file (`scalers/*.hpp`) or a system header (`<re2/*.h>`). `*` stays within one folder,
`**` does not, `{a,b}` is a choice. The first row whose `files` match a file is the row of that file.
"""

import dataclasses
import functools
import re

from tree import Finding, includes, line_of

STD = "<std>"  # every header of the standard library
POSIX = ("<{unistd,fcntl,netdb,poll,signal}.h>", "<sys/*.h>", "<netinet/*.h>", "<arpa/*.h>", "<net/*.h>")
# What every folder of scalers may know: the floor's words, settings and text. Counts of connections are a word too.
WORDS = (STD, "scalers/*.hpp", "scalers/{settings,text}/*.hpp", "scalers/clients/net/counts.hpp", "<boost/{system,assert}/**>")
LOOP = ("<boost/asio/{awaitable,basic_waitable_timer,io_context,steady_timer,use_awaitable}.hpp>",)
# Asio without sockets: what a .cpp with coroutines needs beside LOOP.
SPAWN = ("<boost/asio/{as_tuple,co_spawn,deferred,detached,dispatch,error,post,redirect_error,this_coro}.hpp>",
         "<boost/asio/{any_io_executor,bind_cancellation_slot,cancellation_signal,cancellation_state}.hpp>")
JSON_FORWARD = ("<nlohmann/json_fwd.hpp>",)
JSON = ("<nlohmann/*.hpp>",)
TEXT = ("<fmt/*.h>", "<re2/*.h>")


@dataclasses.dataclass(frozen=True)
class Row:
    files: str
    may: tuple  # what these files may include ...
    instead: str  # what to do about another include
    but: tuple = ()  # ... except these


_ASIO = ("<boost/asio/**>", "<boost/asio.hpp>")


def _client(name, library):
    """The rows of one client's folder: its library stays in its .cpp files, other clients are out of reach."""
    shared = (*WORDS, *JSON_FORWARD, *POSIX, *_ASIO, "scalers/clients/client.hpp",
              f"scalers/clients/{{{name},net}}/*.hpp")
    but = ("scalers/catalog.*", "<boost/asio/ssl**>")
    instead = (f"a client includes the words, settings and text of scalers, Asio, clients/net and, in its .cpp, {library};"
               " only clients/net knows TLS, no client knows another")
    return (Row(f"scalers/clients/{name}/*.hpp", shared, instead, but),
            Row(f"scalers/clients/{name}/*.cpp", (*shared, *TEXT, library), instead, but))


_NET = (*WORDS, *POSIX, *_ASIO, "<openssl/*.h>", "scalers/clients/net/*.hpp")
_NET_INSTEAD = "clients/net knows streams, TLS and names, and no client that uses it"
_TOKENS = (*WORDS, *LOOP, *JSON_FORWARD, "scalers/clients/{http/{client,proxy_rules},net/digest,tokens/*}.hpp")
_TOKENS_INSTEAD = ("clients/tokens logs in by way of clients/http and signs with clients/net/digest; it takes the words,"
                   " settings and text beside them, and JSON in the .cpp")
_BACKEND = (*WORDS, *LOOP, *JSON_FORWARD, "scalers/{promql,exposition}/*.hpp", "scalers/clients/**.hpp", "{own}")
_BACKEND_INSTEAD = ("a backend includes scalers' words without the catalog, settings, text, promql, exposition, the clients'"
                    " headers, its own folder and, in its .cpp, JSON; move shared code up to scalers/, library calls to scalers/clients/")
_READ = (*WORDS, *LOOP, *JSON_FORWARD, "scalers/read/**.hpp", "scalers/clients/clients.hpp")
_READ_INSTEAD = ("the read path knows the words, settings, text, clients.hpp and itself only; hand the rest in through an"
                 " interface of scalers/")
_SERVER = (STD, "<**>", "{server,apiservice}/**", "scalers/*.hpp", "scalers/{settings,text}/*.hpp",
           "scalers/read/{world,metric_index}.hpp", "scalers/clients/{clients,net/counts,http/proxy_rules,tokens/variables}.hpp")
_SERVER_INSTEAD = ("of scalers/, the server takes the words, settings, text, read/world.hpp, read/metric_index.hpp,"
                   " clients/{clients,http/proxy_rules,tokens/variables}.hpp: the catalog knows the kinds")
_PURE = (STD, "scalers/{deadline,error,explanation,reading,task}.hpp", "scalers/text/*.hpp",
         "scalers/settings/{secret,url}.hpp", "<boost/{system,assert}/**>", "apiservice/**.hpp")
_PURE_INSTEAD = ("apiservice is pure: take values, times and interfaces of scalers/*.hpp as arguments, keep JSON in the"
                 " .cpp, and move sockets, files, threads and the environment to server/")
_PURE_BUT = ("<boost/asio**>",
             "<{thread,mutex,shared_mutex,condition_variable,future,semaphore,latch,barrier,stop_token}>",
             "<{fstream,filesystem,iostream,cstdlib,cstdio}>")

ROWS = (
    Row("scalers/*.hpp", (*WORDS, *LOOP, *JSON_FORWARD, "scalers/catalog.def"),
        "a shared header takes std, Asio's awaitable and timer, Boost.System and json_fwd; move the rest to the .cpp"),
    Row("scalers/*.cpp", (*WORDS, *LOOP, *SPAWN, *JSON, *TEXT, *POSIX, "scalers/catalog.def"),
        "scalers/*.cpp names no backend (that is the catalog's job), no room above and no client library"),
    Row("scalers/{settings,text}/*.hpp", (*WORDS, *JSON_FORWARD),
        "settings and text take std, the words and each other; move the rest to the .cpp", ("scalers/catalog.*",)),
    Row("scalers/settings/{boost_url,url}.cpp", (*WORDS, *TEXT, "<boost/url/**>"),
        "the urls of the configuration take Boost.URL, the words and fmt"),
    Row("scalers/{settings,text}/*.cpp", (*WORDS, *JSON, *TEXT, *POSIX),
        "settings and text know no client, no backend and no library but fmt, RE2 and JSON", ("scalers/catalog.*",)),
    Row("scalers/promql/*", (STD, "scalers/promql/*.hpp", "scalers/text/*.hpp", "<fmt/*.h>"),
        "promql takes std, fmt, text and itself: it knows the words of a query and nothing of who sends it"),
    Row("scalers/exposition/*", (*WORDS, "scalers/{exposition,promql}/*.hpp", "<fmt/*.h>"),
        "exposition takes the words, settings, text, promql and itself: the caller fetches the page"),
    Row("scalers/clients/*", (*WORDS, *LOOP, "scalers/clients/**.hpp"),
        "scalers/clients/clients makes the clients and includes nothing but their headers"),
    Row("scalers/clients/net/*.hpp", _NET, _NET_INSTEAD, ("scalers/catalog.*",)),
    Row("scalers/clients/net/*.cpp", (*_NET, *TEXT), _NET_INSTEAD, ("scalers/catalog.*",)),
    *_client("http", "<curl/*.h>"),
    *_client("amqp", "<{amqp,rabbitmq-c/}*.h>"),
    *_client("redis", "<hiredis/*.h>"),
    *_client("postgres", "<{libpq-fe,postgresql/*}.h>"),
    Row("scalers/clients/tokens/*.hpp", _TOKENS, _TOKENS_INSTEAD, ("scalers/catalog.*",)),
    Row("scalers/clients/tokens/*.cpp", (*_TOKENS, *SPAWN, *JSON, *TEXT), _TOKENS_INSTEAD, ("scalers/catalog.*",)),
    Row("scalers/backends/*/*.hpp", _BACKEND, _BACKEND_INSTEAD, ("scalers/catalog.*",)),
    Row("scalers/backends/schedule/*.cpp", (*_BACKEND, *SPAWN, *JSON, *TEXT, "<cctz/*.h>"), _BACKEND_INSTEAD,
        ("scalers/catalog.*",)),
    Row("scalers/backends/*/*.cpp", (*_BACKEND, *SPAWN, *JSON, *TEXT), _BACKEND_INSTEAD, ("scalers/catalog.*",)),
    Row("scalers/read/policies/trace.hpp", (*_READ, "<fmt/format.h>"), _READ_INSTEAD),
    Row("scalers/read/**.hpp", _READ, _READ_INSTEAD),
    Row("scalers/read/**.cpp", (*_READ, *SPAWN, *JSON, *TEXT), _READ_INSTEAD),
    Row("apiservice/**.hpp", _PURE, _PURE_INSTEAD, _PURE_BUT),
    Row("apiservice/**.cpp", (*_PURE, *JSON, "<fmt/*.h>"), _PURE_INSTEAD, _PURE_BUT),
    Row("server/kube/**", (*_SERVER, "scalers/clients/http/client.hpp"),
        "of clients, server/kube takes clients.hpp and http/client.hpp"),
    Row("server/commands/doctor/*", (*_SERVER, "scalers/clients/{http/client,net/resolver}.hpp", "scalers/promql/*.hpp"),
        "of clients, the doctor takes clients.hpp, http/client.hpp and net/resolver.hpp; and of scalers/, promql"),
    Row("server/**", _SERVER, _SERVER_INSTEAD),
)

# Libraries that one part of the server keeps to itself.
ONLY = (
    ("<boost/beast**>", "server/http/*"),
    ("<boost/url/**>", "scalers/settings/*"),
    ("<curl/**>", "scalers/clients/http/*"),
    ("<yaml-cpp/**>", "server/yaml/*"),
    ("<prometheus/**>", "server/telemetry/*"),
    ("<CLI/**>", "server/commands/**"),
)

# Words that bring in by the back door what the includes keep out.
WORD_RULES = (
    (re.compile(r"\bgetenv\b"), "server/commands/environment*", "the environment is read once, in server/commands/environment"),
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


def _backend_of(path):
    """The folder of scalers/backends that a file belongs to: one kind's."""
    return path.split("/")[2]


def _is_allowed(path, row, name):
    if matches(name, row.but):
        return False
    if "{own}" in row.may and name.startswith("scalers/backends/"):
        return _backend_of(path) == _backend_of(name)
    return matches(name, row.may)


def _include_findings(tree, path, row):
    for line, name in includes(tree.text(path)):
        include_text = name if name.startswith("<") else f'"{name}"'
        owner = next((files for library, files in ONLY if matches(name, (library,))), None)
        if not _is_allowed(path, row, name):
            yield Finding(path, line, f"{include_text} is not for {row.files}, {row.instead}")
        elif owner and not matches(path, (owner,)):
            yield Finding(path, line, f"{include_text} stays in {owner}, use what that part offers")


def _word_findings(tree, path):
    for word, files, instead in WORD_RULES:
        for match in word.finditer(tree.code(path)):
            if not matches(path, (files,)):
                line = line_of(tree.code(path), match.start())
                yield Finding(path, line, f"{match.group()} is not for this file, {instead}")


def check(tree):
    """Every include of the rooms against the table."""
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
        yield from _include_findings(tree, path, row)
        yield from _word_findings(tree, path)
