"""Each rule fails when it is broken: one small tree with a violation and a clean twin. /usr/bin/python3 lint_test.py"""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import coroutines  # noqa: E402
import layers  # noqa: E402
import lint  # noqa: E402
import text  # noqa: E402
import tools  # noqa: E402
import words  # noqa: E402
from tree import Tree  # noqa: E402

# In halves, because this file is held to the rules too.
LATER, KEY, HOST = "TO" "DO", "-----BEGIN PRIV" "ATE KEY-----", "py" "pi.org"


class LintTest(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def tree(self, files, folder=None):
        root = pathlib.Path(folder or tempfile.mkdtemp(dir=self.folder))
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        return Tree(root, files)

    def findings(self, rule, files):
        return [str(finding) for finding in rule(self.tree(files))]


class Layers(LintTest):
    # name, file, the include that breaks the table, its clean twin
    CASES = (
        ("scalers looks up to the server", "scalers/error.hpp", '"server/app.hpp"', '"scalers/task.hpp"'),
        ("scalers looks up to apiservice", "scalers/error.cpp", '"apiservice/meta/status.hpp"', "<fmt/format.h>"),
        ("shared header with a socket", "scalers/task.hpp", "<boost/asio/ip/tcp.hpp>",
         "<boost/asio/steady_timer.hpp>"),
        ("shared header with whole JSON", "scalers/error.hpp", "<nlohmann/json.hpp>", "<nlohmann/json_fwd.hpp>"),
        ("shared header with fmt", "scalers/error.hpp", "<fmt/format.h>", "<string>"),
        ("shared header with a client", "scalers/x.hpp", '"scalers/clients/http/client.hpp"', '"scalers/deadline.hpp"'),
        ("shared source with a backend", "scalers/catalog.cpp", '"scalers/backends/redis/redis.hpp"',
         '"scalers/catalog.def"'),
        ("settings with YAML", "scalers/settings/url.cpp", "<yaml-cpp/yaml.h>", "<re2/re2.h>"),
        ("settings with a client", "scalers/settings/url.hpp", '"scalers/clients/clients.hpp"', '"scalers/text/utf8.hpp"'),
        ("text with the catalog", "scalers/text/utf8.cpp", '"scalers/catalog.hpp"', "<fmt/format.h>"),
        ("client's library in its header", "scalers/clients/redis/client.hpp", "<hiredis/hiredis.h>", "<boost/asio/ip/tcp.hpp>"),
        ("client with another's library", "scalers/clients/http/client.cpp", "<hiredis/read.h>", "<curl/curl.h>"),
        ("client with another client", "scalers/clients/redis/client.cpp", '"scalers/clients/http/client.hpp"',
         '"scalers/clients/net/stream.hpp"'),
        ("client with OpenSSL", "scalers/clients/amqp/client.cpp", "<openssl/ssl.h>", "<amqp.h>"),
        ("client with Asio's TLS", "scalers/clients/amqp/guard.hpp", "<boost/asio/ssl.hpp>",
         "<boost/asio/ip/tcp.hpp>"),
        ("client with JSON", "scalers/clients/http/client.cpp", "<nlohmann/json.hpp>", "<sys/socket.h>"),
        ("net is where TLS lives", "scalers/clients/net/stream.hpp", "<hiredis/hiredis.h>", "<boost/asio/ssl/stream.hpp>"),
        ("client with a backend", "scalers/clients/http/client.cpp", '"scalers/backends/redis/redis.hpp"',
         '"scalers/clients/http/curl_multi.hpp"'),
        ("net with a client of it", "scalers/clients/net/link.cpp", '"scalers/clients/redis/client.hpp"',
         '"scalers/clients/net/tls.hpp"'),
        ("backend with another", "scalers/backends/rabbitmq/rabbitmq.cpp", '"scalers/backends/redis/redis.hpp"',
         '"scalers/backends/rabbitmq/rabbitmq.hpp"'),
        ("backend of a longer name", "scalers/backends/redis/redis.cpp", '"scalers/backends/redis_cluster/x.hpp"',
         '"scalers/backends/redis/redis.hpp"'),
        ("backend of many files", "scalers/backends/rabbitmq/management.cpp", '"scalers/backends/redis/reply.hpp"',
         '"scalers/backends/rabbitmq/stats.hpp"'),
        ("backend with a C library", "scalers/backends/redis/redis.cpp", "<hiredis/hiredis.h>",
         '"scalers/clients/redis/client.hpp"'),
        ("backend with the catalog", "scalers/backends/redis/redis.cpp", '"scalers/catalog.hpp"', '"scalers/kind.hpp"'),
        ("backend's header with JSON", "scalers/backends/redis/redis.hpp", "<nlohmann/json.hpp>",
         "<nlohmann/json_fwd.hpp>"),
        ("backend with the read path", "scalers/backends/redis/redis.cpp", '"scalers/read/reader.hpp"',
         "<nlohmann/json.hpp>"),
        ("only schedule knows time zones", "scalers/backends/redis/redis.cpp", "<date/tz.h>", "<chrono>"),
        ("read path with a client", "scalers/read/reader.cpp", '"scalers/clients/http/client.hpp"',
         '"scalers/read/query_cache.hpp"'),
        ("read path with a backend", "scalers/read/reader.cpp", '"scalers/backends/redis/redis.hpp"',
         '"scalers/catalog.hpp"'),
        ("apiservice looks up", "apiservice/api_server.cpp", '"server/app.hpp"', '"apiservice/request/target.hpp"'),
        ("apiservice with threads", "apiservice/api_server.cpp", "<thread>", "<vector>"),
        ("apiservice with files", "apiservice/open_api.cpp", "<filesystem>", "<string_view>"),
        ("apiservice with the environment", "apiservice/request/target.cpp", "<cstdlib>", "<charconv>"),
        ("apiservice with the system", "apiservice/request/target.cpp", "<unistd.h>", "<fmt/format.h>"),
        ("apiservice with Asio", "apiservice/api_server.hpp", "<boost/asio/awaitable.hpp>", '"scalers/task.hpp"'),
        ("apiservice with the read path", "apiservice/api_server.cpp", '"scalers/read/reader.hpp"',
         '"scalers/reading.hpp"'),
        ("apiservice's header with JSON", "apiservice/meta/table.hpp", "<nlohmann/json.hpp>",
         '"apiservice/request/http.hpp"'),
        ("server with a backend", "server/app.cpp", '"scalers/backends/redis/redis.hpp"', '"scalers/catalog.hpp"'),
        ("server with a client", "server/app.cpp", '"scalers/clients/http/client.hpp"', '"scalers/clients/clients.hpp"'),
        ("command with the read path", "server/commands/get/get.cpp", '"scalers/read/query_cache.hpp"', '"server/app.hpp"'),
        ("kube with a second client", "server/kube/client/client.cpp", '"scalers/clients/redis/client.hpp"',
         '"scalers/clients/http/client.hpp"'),
    )
    ONLY = (
        ("<boost/beast/http.hpp>", "server/app.cpp", "server/http/session.cpp"),
        ("<curl/curl.h>", "server/http/session.cpp", "scalers/clients/http/curl_multi.cpp"),
        ("<yaml-cpp/yaml.h>", "server/app.cpp", "server/yaml/parse.cpp"),
        ("<prometheus/registry.h>", "server/app.hpp", "server/telemetry/reads.cpp"),
        ("<CLI/CLI.hpp>", "server/main.cpp", "server/commands/serve/flags_tls.cpp"),
    )

    @staticmethod
    def rule(tree):
        return layers.check(tree)

    def test_each_room_includes_what_its_row_allows(self):
        for name, path, bad, good in self.CASES:
            with self.subTest(name):
                findings = self.findings(self.rule, {path: f"#pragma once\n#include {bad}\n"})
                clean = self.findings(self.rule, {path: f"#pragma once\n#include {good}\n// #include {bad}\n"})

                self.assertEqual([f"{path}:2: {bad} is not for "],
                                 [f[:len(f"{path}:2: {bad} is not for ")] for f in findings])
                self.assertEqual([], clean)

    def test_a_library_stays_in_its_part_of_the_server(self):
        for header, bad, good in self.ONLY:
            with self.subTest(header):
                findings = self.findings(self.rule, {bad: f"#include {header}\n"})
                clean = self.findings(self.rule, {good: f"#include {header}\n"})

                self.assertEqual(1, len(findings))
                self.assertIn(f"{bad}:1: {header} stays in ", findings[0])
                self.assertEqual([], clean)

    def test_the_finding_says_what_to_write_instead(self):
        findings = self.findings(self.rule, {"server/app.cpp": '#include "scalers/read/query_cache.hpp"\n'})

        self.assertEqual(['server/app.cpp:1: "scalers/read/query_cache.hpp" is not for server/**, of scalers/, the server'
                          " takes the words, settings, text, read/world.hpp, read/metric_index.hpp,"
                          " clients/{clients,http/proxy_rules,tokens/variables}.hpp: the catalog knows the kinds"], findings)

    def test_a_folder_without_a_row_is_found(self):
        self.assertEqual(["scalers/extra/x.hpp:1: no row of test/lint/layers.py is for this file, move it or add the row"],
                         self.findings(self.rule, {"scalers/extra/x.hpp": ""}))

    def test_folders_of_utilities_are_rejected(self):
        self.assertEqual(["bench/util/x.py:1: a folder util/ says nothing, move the file to the room of its words"],
                         self.findings(self.rule, {"bench/util/x.py": "", "bench/micro/util.py": ""}))

    def test_clock_and_environment_come_by_argument(self):
        files = {"apiservice/x.cpp": "auto t = std::chrono::system_clock::now();\n",
                 "server/commands/environment.cpp": "getenv(name);",
                 "server/app.cpp": "\nstd::getenv(name);", "scalers/deadline.hpp": "steady_clock::now()"}

        self.assertEqual(["apiservice/x.cpp:1: _clock::now( is not for this file, apiservice takes the time as an argument",
                          "server/app.cpp:2: getenv is not for this file, the environment is read once, in"
                          " server/commands/environment"],
                         self.findings(self.rule, files))


class Text(LintTest):
    def test_code_has_at_most_400_lines(self):
        files = {"server/a.cpp": "\n" * 401, "dev": "\n" * 401, "server/b.cpp": "\n" * 400,
                 "test/golden/a.json": "\n" * 401}

        self.assertEqual(["dev:401: 401 lines, split the file: one job a file, 400 lines at most",
                          "server/a.cpp:401: 401 lines, split the file: one job a file, 400 lines at most"],
                         self.findings(text.check_lines, files))

    def test_a_folder_has_at_most_25_files(self):
        full = {f"server/http/{n}.cpp": "" for n in range(25)}

        self.assertEqual([], self.findings(text.check_folders, {**full, "server/http/README.md": "", "docs/a.md": ""}))
        self.assertEqual(["server/http:1: 26 files, divide the folder: 25 files at most"],
                         self.findings(text.check_folders, {**full, "server/http/more.hpp": ""}))

    def test_the_registry_is_sorted_and_whole(self):
        both = {"scalers/backends/nats/nats.cpp": "", "scalers/backends/redis/redis.cpp": "",
                "scalers/backends/redis/sets.cpp": ""}
        clean = {**both, "scalers/catalog.def": "// The kinds.\nWEIR_SCALER(nats)\nWEIR_SCALER(redis)\n"}
        unsorted = {**both, "scalers/catalog.def": "WEIR_SCALER(redis)\nWEIR_SCALER(nats)\n"}
        crowded = {**both,
                   "scalers/catalog.def": "WEIR_SCALER(nats) WEIR_SCALER(redis)\nWEIR_SCALER(nats)\nWEIR_SCALER(redis)\n"}
        empty = {"scalers/backends/nats/nats.cpp": "", "scalers/catalog.def": "WEIR_SCALER(redis)\n"}

        self.assertEqual([], self.findings(text.check_registry, clean))
        self.assertEqual([], self.findings(text.check_registry, {"scalers/error.cpp": ""}))
        self.assertEqual(["scalers/catalog.def:2: `nats` comes after `redis`, sort the lines and name each kind once"],
                         self.findings(text.check_registry, unsorted))
        self.assertEqual(["scalers/catalog.def:1: `WEIR_SCALER(nats) WEIR_SCALER(redis)` is not a registry line, write"
                          " WEIR_SCALER(kind)"], self.findings(text.check_registry, crowded))
        self.assertEqual(["scalers/catalog.def:1: `redis` has no folder scalers/backends/redis, write it or drop the line",
                          "scalers/backends/nats:1: belongs to no registered kind, add WEIR_SCALER(nats) to"
                          " scalers/catalog.def"], self.findings(text.check_registry, empty))
        self.assertEqual(["scalers/catalog.def:1: is missing, write it with a line WEIR_SCALER(kind) for each kind of"
                          " scalers/backends"], self.findings(text.check_registry, both))

    def test_leftovers_keys_and_hosts(self):
        cases = (
            ("a note without an issue", "server/a.cpp", f"// {LATER}: later",
             f"{LATER} without an issue, write {LATER}(#N) or do it",
             f"// {LATER}(#7): later"),
            ("trailing blanks", "bench/load.py", "x = 1  ", "trailing blanks, delete them", "x = 1"),
            ("trailing blanks in YAML", "manifests/a.yaml", "a: b ", "trailing blanks, delete them", "a: b"),
            ("a tab", "server/a.cpp", "\tint x;", "a tab, write spaces (\\t inside a literal)", "  int x;"),
            ("a key", "docs/a.md", KEY,
             "a private key, delete it, replace it where it was used, and make keys with certs/",
             KEY.replace("PRIV" "ATE KEY", "CERTIFICATE")),
            ("a key of a kind", "test/a.pem", KEY.replace("BEGIN ", "BEGIN EC "),
             "a private key, delete it, replace it where it was used, and make keys with certs/", "-----BEGIN PUBLIC KEY-----"),
            ("a host", "Dockerfile", f"RUN pip install -i https://{HOST}/simple x",
             f"{HOST} is named, take packages from whatever the machine is set up with", "RUN pip install x"),
        )
        for name, path, bad, what, good in cases:
            with self.subTest(name):
                self.assertEqual([f"{path}:2: {what}"], self.findings(text.check_text, {path: f"\n{bad}\n"}))
                self.assertEqual([], self.findings(text.check_text, {path: f"\n{good}\n"}))

    def test_words_that_need_a_dictionary(self):
        # Bad words are put together from halves, so that this file passes the rule.
        cases = (
            ("again", "the cache counts ane" "w", "`ane" "w`, write `again`", "the cache counts again"),
            ("fix", "men" "ds the link", "`men" "ds`, write `fix`", "mendacious fixes"),
            ("duplicate", "x stands twi" "ce", "`stands twi" "ce`, write `means`, `is in`, `duplicate` or `follows`", "x stands out"),
            ("not a", "this is no li" "st; write one", "`is no li" "st;`, write `is not a ...`", "there is no list"),
            ("after", "empty behind a rest" "art", "`behind a rest" "art`, write `after`: behind is a place", "behind a proxy"),
            ("signal", "behind SIG" "TERM it ends", "`behind SIG" "TERM`, write `after`: behind is a place", "after SIGTERM"),
        )
        for name, bad, what, good in cases:
            with self.subTest(name):
                self.assertEqual([f"docs/a.md:2: {what}"], self.findings(words.check, {"docs/a.md": f"\n{bad}\n"}))
                self.assertEqual([], self.findings(words.check, {"server/a.cpp": f"// {good}\n"}))

    def test_golden_bytes_and_go_may_have_trailing_blanks(self):
        self.assertEqual([],
                         self.findings(text.check_text, {"test/golden/a.yaml": "a: \n", "test/cluster/main.go": "\tx()\n"}))

    def test_a_switch_over_errc_has_no_default(self):
        bad = "switch (error.code) {\n  case Errc::stale: return 1;\n  default: return 2;\n}\n"
        good = "switch (c) {\n  case 'a': return 1;\n  default: return 2;\n}\n" + bad.replace("  default",
                                                                                              "  // default")

        self.assertEqual(["server/a.cpp:3: default in a switch over Errc, name every code so that the compiler finds a gap"],
                         self.findings(text.check_errc, {"server/a.cpp": bad}))
        self.assertEqual([], self.findings(text.check_errc, {"server/a.cpp": good}))


class Coroutines(LintTest):
    CASES = (
        ("captures die after the call", "auto f = [this]() -> awaitable<void> { co_await g(); };\n",
         "a capturing lambda is a coroutine, write a named coroutine with arguments by value or pass the lambda itself to"
         " co_spawn"),
        ("handed to something else", "run([this]() -> awaitable<void> { co_await g(); });\n",
         "a capturing lambda is a coroutine, write a named coroutine with arguments by value or pass the lambda itself to"
         " co_spawn"),
        ("called on the spot",
         "co_spawn(loop, [s = std::move(s)]() -> awaitable<void> { co_return; }(), detached);\n",
         "a capturing lambda is a coroutine, write a named coroutine with arguments by value or pass the lambda itself to"
         " co_spawn"),
        ("inside an if", "if (co_await g()) return;\n",
         "co_await inside if (...), name its result in a statement before"),
        ("inside a while", "while (!(co_await g())) {}\n",
         "co_await inside while (...), name its result in a statement before"),
        ("inside a switch", "switch (co_await g()) {}\n",
         "co_await inside switch (...), name its result in a statement before"),
        ("inside a ternary", "const int x = ok ? co_await g() : 0;\n",
         "co_await inside a ternary, write an if statement"),
        ("two at once", "const int x = co_await g() + co_await h();\n",
         "more than one co_await in a statement, name each result in a statement of its own"),
        ("a view outlived", "awaitable<int> f(std::string_view s) { co_return co_await g(s); }\n",
         "coroutine parameter `std::string_view s` may dangle at a suspension, take it by value (or by plain & when its owner"
         " outlives the call)"),
        ("a bound temporary", "awaitable<Result<int>> A::f(Loop& loop, const std::string& s) { co_return 1; }\n",
         "coroutine parameter `const std::string& s` may dangle at a suspension, take it by value (or by plain & when its"
         " owner outlives the call)"),
    )
    CLEAN = (
        ("an object for co_spawn", "co_spawn(loop, [this]() -> awaitable<void> { co_await g(); }, detached);\n"),
        ("no captures", "auto f = [](int x) -> awaitable<void> { co_await g(x); };\n"),
        ("not a coroutine", "co_await g();\nauto f = [this](int x) { return run(x); };\n"),
        ("a coroutine inside", "auto f = [&] { return [](int x) -> awaitable<void> { co_return; }; };\n"),
        ("subscripts and bindings",
         "auto [a, b] = co_await g();\nfor (auto& [k, v] : map) { co_await h(x[i], k); }\n"),
        ("named results", "const auto x = co_await g();\nif (x) { co_return; }\nco_return co_await h();\n"),
        ("words in comments", "// if (co_await g()) [this] { co_return; }\nco_return \"if (co_await x)\";\n"),
        ("by value and lent",
         "awaitable<int> f(Loop& loop, const Clock& clock, std::function<void(const X&)> done) { co_return 1; }\n"),
        ("a plain function", "awaitable<int> f(std::string_view s) { return g(std::string(s)); }\nco_return;\n"),
        ("a declaration",
         "virtual awaitable<int> f(std::string_view s) = 0;\nawaitable<int> g(int x) { co_return x; }\n"),
    )

    def test_each_trap_is_found(self):
        for name, code, what in self.CASES:
            with self.subTest(name):
                self.assertEqual([f"server/a.cpp:2: {what}"],
                                 self.findings(coroutines.check, {"server/a.cpp": "\n" + code}))

    def test_good_code_passes(self):
        for name, code in self.CLEAN:
            with self.subTest(name):
                self.assertEqual([], self.findings(coroutines.check, {"server/a.cpp": code}))


class Tools(LintTest):
    def commands(self, root, *flags):
        entry = {"directory": str(root), "file": f"{root}/scalers/a.cpp",
                 "arguments": ["ccache", "clang++-19", "-std=c++20", f"-I{root}", *flags, "-o", "a.o", "-c",
                               f"{root}/scalers/a.cpp"]}
        (root / "compile_commands.json").write_text(json.dumps([entry]))

    def tidy(self, files, *flags):
        tree = self.tree({".clang-tidy": "Checks: '-*,modernize-use-nullptr'\nWarningsAsErrors: '*'\n"
                          "HeaderFilterRegex: '/scalers/'\n", **files})
        self.commands(tree.root, *flags)
        messages = []
        self.enterContext(unittest.mock.patch.dict(os.environ, {"XDG_CACHE_HOME": self.folder + "/cache"}))
        return [str(f) for f in tools.check_tidy(tree, tree.root, messages.append)], messages

    def test_format(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}

        self.assertEqual(["server/a.cpp:1: not formatted, run ./dev format"],
                         self.findings(tools.check_format, {**style, "server/a.cpp": "int  x;\nint  y;\n"}))
        self.assertEqual([], self.findings(tools.check_format, {**style, "server/a.cpp": "int x;\n"}))

    def test_tidy_finds_and_remembers_only_what_is_clean(self):
        bad = {"scalers/a.cpp": '#include "scalers/a.hpp"\n', "scalers/a.hpp": "inline int* p() {\n  return 0;\n}\n"}
        good = {**bad, "scalers/a.hpp": bad["scalers/a.hpp"].replace("0", "nullptr")}
        finding = "scalers/a.hpp:2: use nullptr [modernize-use-nullptr]"
        first_run, cached_run = ("tidy: 0 of 1 files cached as clean, checking 1",
                                 "tidy: 1 of 1 files cached as clean, checking 0")

        self.assertEqual(([finding], [first_run]), self.tidy(bad))
        self.assertEqual(([finding], [first_run]), self.tidy(bad))
        self.assertEqual(([], [first_run]), self.tidy(good))
        self.assertEqual(([], [cached_run]), self.tidy(good))
        self.assertEqual(([], [first_run]), self.tidy(good, "-DNEW"))
        for prefix, message in (("int x;\n", first_run), ("  // a comment\n", cached_run), ("// NOLINTBEGIN\n", first_run)):
            with self.subTest(prefix):
                self.assertEqual(([], [message]), self.tidy({**good, "scalers/a.hpp": prefix + good["scalers/a.hpp"]}))

    def test_tidy_needs_every_file_in_the_build(self):
        findings, _ = self.tidy({"scalers/a.cpp": "", "scalers/b.cpp": ""})

        self.assertEqual(1, len(findings))
        self.assertRegex(findings[0],
                         r"^scalers/b\.cpp:1: not in .*compile_commands\.json, run cmake again or register the file$")

    def test_the_precompiled_header_is_left_out(self):
        cmake = ("/usr/bin/ccache clang++ -O2 -Werror -Wall -Winvalid-pch -Xclang -fno-pch-timestamp -Xclang -include-pch -Xclang"
                 " /b/cmake_pch.hxx.pch -Xclang -include -Xclang /b/cmake_pch.hxx -Xclang -other -o a.o -c a.cpp").split()

        self.assertEqual(["clang++", "-O2", "-Wall", "-Xclang", "-other", "a.cpp"], tools.strip(cmake))

    def test_a_missing_build_is_an_error(self):
        with self.assertRaisesRegex(tools.Unusable,
                                    "compile_commands.json does not exist: build first, or say --build-dir"):
            list(tools.check_tidy(self.tree({"scalers/a.cpp": ""}), self.folder))


class Command(LintTest):
    def run_lint(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = lint.main([*arguments, "--root", self.folder])
        return code, out.getvalue().splitlines()

    def test_it_reads_the_files_of_git_and_prints_its_findings(self):
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        self.tree({".gitignore": "/build/\n", "build/x.cpp": "\t\n", "server/a.cpp": "\tint x;\n"}, self.folder)
        finding = "server/a.cpp:1: a tab, write spaces (\\t inside a literal)"

        self.assertEqual((1, [finding, "lint: 2 files, text, lines: 1 finding"]), self.run_lint("text", "lines"))
        (pathlib.Path(self.folder) / "server/a.cpp").write_text("int x;\n")
        self.assertEqual((0, ["lint: 2 files, text: no findings"]), self.run_lint("text"))

    def test_without_a_rule_all_rules_run_and_an_unknown_rule_is_an_error(self):
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        with unittest.mock.patch.dict(lint.RULES, {name: lambda tree, build: [] for name in lint.RULES}):
            code, lines = self.run_lint()
        with contextlib.redirect_stderr(io.StringIO()) as refusal, self.assertRaises(SystemExit):
            self.run_lint("tiddy")

        self.assertEqual((0, [f"lint: 0 files, {', '.join(lint.RULES)}: no findings"]), (code, lines))
        self.assertIn("there is no rule tiddy, use one of all, fast, layers", refusal.getvalue())


if __name__ == "__main__":
    unittest.main()
