#include "server/commands/command_line.hpp"

#include "server/commands/check/options.hpp"
#include "server/commands/describe/options.hpp"
#include "server/commands/doctor/options.hpp"
#include "server/commands/environment.hpp"
#include "server/commands/explain/options.hpp"
#include "server/commands/get/options.hpp"
#include "server/commands/record/options.hpp"
#include "server/commands/serve/options.hpp"
#include "server/commands/version/options.hpp"
#include "test/rigs/command_line.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace weir::server {
namespace {

using test::parse;
using test::parse_as;
using test::Parsed;
using test::Texts;

TEST_CASE("get: the target is split at its first slash") {
  struct Row {
    std::string_view name;
    std::string target;
    std::string_view name_space;
    std::string_view metric;
  };
  const Row rows[] = {
      {"plain", "ns/m", "ns", "m"},
      {"a slash in the metric", "ns/a/b", "ns", "a/b"},
      {"blanks and capitals", "ns/UPPER case:x", "ns", "UPPER case:x"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto options = parse_as<GetOptions>({"get", "--config", "a", row.target});

      CHECK(options.target.name_space == row.name_space);
      CHECK(options.target.metric == row.metric);
      CHECK(options.selector.empty());
      CHECK(options.output == Output::text);
    }
  }
}

TEST_CASE("get: selector and output are accepted in both spellings, before or after the target") {
  const auto brief =
      parse_as<GetOptions>({"get", "ns/m", "--config", "a", "-l", "a in (b,c)", "-o", "json"});
  const auto full = parse_as<GetOptions>(
      {"get", "--config", "a", "--config", "b", "--selector=!a", "--output=json", "ns/m"});

  CHECK(brief.config == Texts{"a"});
  CHECK(brief.selector == "a in (b,c)");
  CHECK(brief.output == Output::json);
  CHECK(full.config == Texts{"a", "b"});
  CHECK(full.selector == "!a");
  CHECK(full.target.metric == "m");
}

TEST_CASE("doctor needs no flags, and each flag reaches its option") {
  const auto bare = parse_as<DoctorOptions>({"doctor"});
  const auto full = parse_as<DoctorOptions>({"doctor",
                                             "--kubeconfig",
                                             "k",
                                             "--config",
                                             "a",
                                             "--config",
                                             "b",
                                             "--server",
                                             "[::1]:6443",
                                             "--service",
                                             "n/s",
                                             "--service-account",
                                             "n/a",
                                             "--strict",
                                             "-o",
                                             "json"});

  CHECK(bare.config.empty());
  CHECK(bare.output == Output::text);
  CHECK_FALSE(bare.is_strict);
  CHECK(full.kubeconfig == "k");
  CHECK(full.config == Texts{"a", "b"});
  CHECK(full.server == "[::1]:6443");
  CHECK(full.service == "n/s");
  CHECK(full.service_account == "n/a");
  CHECK(full.is_strict);
  CHECK(full.output == Output::json);
}

TEST_CASE("check, describe and version") {
  CHECK(parse_as<CheckOptions>({"check", "a", "b"}).config == Texts{"a", "b"});
  CHECK_FALSE(parse_as<CheckOptions>({"check", "a"}).is_live);
  CHECK(parse_as<CheckOptions>({"check", "--live", "a"}).is_live);
  CHECK(parse_as<DescribeOptions>({"describe"}).kind.empty());
  CHECK(parse_as<DescribeOptions>({"describe", "prometheus"}).kind == "prometheus");
  static_cast<void>(parse_as<VersionOptions>({"version"}));
}

TEST_CASE("a wrong command line ends with 2, says what is wrong and names --help") {
  struct Row {
    std::string_view name;
    Texts arguments;
    std::string_view problem;
    std::string_view help;
  };
  const Row rows[] = {
      {"no command", {}, "a command is required, such as weir serve", "weir --help"},
      {"an unknown command",
       {"sevre"},
       "unknown command \"sevre\"; did you mean \"serve\"?",
       "weir --help"},
      {"a flag in place of a command",
       {"--standalone"},
       "unknown flag --standalone: the flags of a command follow its name",
       "weir --help"},
      {"two commands", {"version", "describe"}, "unexpected argument describe", "version --help"},
      {"an unknown flag",
       {"serve", "--config", "a", "--standalon"},
       "unknown flag --standalon; did you mean \"--standalone\"?",
       "weir serve --help"},
      {"two unknown flags in their order, before what is missing",
       {"serve", "--standalone", "--port", "1", "--cofig=a"},
       "unknown flag --port; did you mean \"--secure-port\" or \"--healthz-port\"?\n      unknown "
       "flag --cofig; did you "
       "mean \"--config\"?",
       "weir serve --help"},
      {"a short flag", {"get", "-z", "a/b"}, "unknown flag -z\n", "weir get --help"},
      {"a flag of another command", {"check", "a", "--standalone"}, "--standalone", "check --help"},
      {"serve without --config",
       {"serve"},
       "--config is required: give a YAML file or a folder of YAML files, or set the environment "
       "variable WEIR_CONFIG",
       "weir serve --help"},
      {"--config without a value", {"serve", "--config"}, "--config", "weir serve --help"},
      {"words that belong to no flag",
       {"serve", "--config", "a", "b", "c"},
       "unexpected arguments b c",
       "weir serve --help"},
      {"port 0", {"serve", "--config", "a", "--secure-port", "0"}, "--secure-port", "weir"},
      {"port 65536", {"serve", "--config", "a", "--secure-port", "65536"}, "--secure-port", "weir"},
      {"a negative port", {"serve", "--config", "a", "--secure-port", "-1"}, "--secure-port", ""},
      {"a port that is no number",
       {"serve", "--config", "a", "--secure-port", "https"},
       "https",
       ""},
      {"a certificate without its key",
       {"serve", "--config", "a", "--tls-cert-file", "x"},
       "--tls-private-key-file",
       "weir serve --help"},
      {"a key without its certificate",
       {"serve", "--config", "a", "--tls-private-key-file", "x"},
       "--tls-cert-file",
       "weir serve --help"},
      {"check without a file", {"check"}, "FILE is required", "weir check --help"},
      {"get without a target",
       {"get", "--config", "a"},
       "METRIC is required: write NAMESPACE/METRIC, or -n NAMESPACE METRIC",
       "weir get --help"},
      {"get without --config", {"get", "ns/m"}, "--config is required", "weir get --help"},
      {"get with another output", {"get", "--config", "a", "ns/m", "-o", "xml"}, "xml", "weir get"},
      {"get with two namespaces",
       {"get", "--config", "a", "-n", "ns", "ns/m"},
       "\"ns/m\" has a namespace, and so has -n ns; write only one of them",
       "weir get --help"},
      {"describe with two kinds", {"describe", "a", "b"}, "b", "weir describe --help"},
      {"help of an unknown command", {"help", "sevre"}, "unknown command \"sevre\"", "weir --help"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const std::string text = test::refusal(row.arguments);

      CHECK_THAT(text, Catch::StartsWith("weir: "));
      CHECK_THAT(text, Catch::Contains(std::string(row.problem)));
      CHECK_THAT(text, Catch::Contains("\nRun `weir "));
      CHECK_THAT(text, Catch::Contains(std::string(row.help)));
      CHECK_THAT(text, Catch::EndsWith("--help` for usage.\n"));
    }
  }
}

TEST_CASE("a flag's value may look like a flag") {
  const auto options = parse_as<GetOptions>({"get", "--config", "--odd", "-l", "-a", "ns/m"});

  CHECK(options.config == Texts{"--odd"});
  CHECK(options.selector == "-a");
}

TEST_CASE("-n gives the namespace as in kubectl") {
  const auto get = parse_as<GetOptions>({"get", "-n", "shop", "depth", "--config=a", "-oyaml"});
  const auto explain =
      parse_as<ExplainOptions>({"explain", "--config=a", "depth", "--namespace=shop"});

  CHECK(get.target.name_space == "shop");
  CHECK(get.target.metric == "depth");
  CHECK(get.output == Output::yaml);
  CHECK(explain.target.name_space == "shop");
  CHECK(explain.target.metric == "depth");
}

TEST_CASE("WEIR_CONFIG is the default of --config") {
  Environment environment;
  environment.config = {"a", "b"};

  CHECK(parse_as<ServeOptions>({"serve"}, environment).config == Texts{"a", "b"});
  CHECK(parse_as<CheckOptions>({"check"}, environment).config == Texts{"a", "b"});
  CHECK(parse_as<GetOptions>({"get", "n/m"}, environment).config == Texts{"a", "b"});
  CHECK(parse_as<GetOptions>({"get", "n/m", "--config=c"}, environment).config == Texts{"c"});
  CHECK(parse_as<ExplainOptions>({"explain", "n/m"}, environment).config == Texts{"a", "b"});
  CHECK(parse_as<DoctorOptions>({"doctor"}, environment).config == Texts{"a", "b"});
  CHECK(parse_as<RecordOptions>({"record", "n/m"}, environment).config == Texts{"a", "b"});
  // The cluster that is named has the metrics then.
  CHECK(parse_as<RecordOptions>({"record", "n/m", "--kubeconfig=k"}, environment).config.empty());
}

TEST_CASE("every command that sends requests gets the proxies of the environment") {
  Environment environment;
  environment.config = {"a"};
  environment.proxies.https = {"https_proxy", "proxy:3128"};
  const auto proxy = [](const auto& options) { return options.proxies.https.value; };

  CHECK(proxy(parse_as<ServeOptions>({"serve"}, environment)) == "proxy:3128");
  CHECK(proxy(parse_as<CheckOptions>({"check"}, environment)) == "proxy:3128");
  CHECK(proxy(parse_as<GetOptions>({"get", "n/m"}, environment)) == "proxy:3128");
  CHECK(proxy(parse_as<ExplainOptions>({"explain", "n/m"}, environment)) == "proxy:3128");
  CHECK(proxy(parse_as<DoctorOptions>({"doctor"}, environment)) == "proxy:3128");
  CHECK(proxy(parse_as<RecordOptions>({"record", "n/m"}, environment)) == "proxy:3128");
}

TEST_CASE("WEIR_CONFIG has colons between its paths") {
  CHECK(split_paths("").empty());
  CHECK(split_paths("a") == Texts{"a"});
  CHECK(split_paths("a:/b/c:") == Texts{"a", "/b/c"});
  CHECK(split_paths(":a::b") == Texts{"a", "b"});
}

TEST_CASE("get: a target without both halves ends with 2 and shows a valid target") {
  const std::string targets[] = {"m", "/m", "ns/", "/"};

  for (const std::string& target : targets) {
    DYNAMIC_SECTION(target) {
      CHECK_THAT(
          test::refusal({"get", "--config", "a", target}),
          Catch::StartsWith("weir: \"" + target +
                            "\" is not NAMESPACE/METRIC, such as ml-inference/p95_latency; or "
                            "add -n NAMESPACE\n"));
    }
  }
}

// The help of a command line, which asks for it.
std::string help_of(const Texts& arguments) {
  test::CapturedOutput output;
  const Parsed parsed = parse(arguments);
  REQUIRE(std::holds_alternative<ExitCode>(parsed));
  CHECK(std::get<ExitCode>(parsed) == ExitCode::ok);
  return output.text();
}

TEST_CASE("help is not an error, in any spelling") {
  const std::string program = help_of({"--help"});
  const std::string get = help_of({"get", "--help"});

  CHECK(help_of({"help"}) == program);
  CHECK(help_of({"-h"}) == program);
  CHECK(help_of({"help", "get"}) == get);
  CHECK(help_of({"get", "-h"}) == get);
  for (const char* word : {"serve", "check", "record", "help ", "--version", "Exit codes: 0"})
    CHECK_THAT(program, Catch::Contains(word));
}

TEST_CASE("the help of get has its usage, examples, and no type of the parser") {
  CHECK(help_of({"help", "get"}) == R"(Read one metric as an HPA would, without a server

Usage:
  weir get [flags] METRIC

Arguments:
  METRIC                            What to read: NAMESPACE/METRIC, or METRIC with -n

Examples:
  weir get --config weir.yaml ml-inference/p95_latency
  weir get --config weir.yaml -n shop queue_depth -l queue=orders -o yaml

Flags:
  -n, --namespace NAMESPACE         Namespace of METRIC, in place of NAMESPACE/METRIC
  -l, --selector SELECTOR           Label selector, as in an HPA
      --config PATH                 YAML file or folder of YAML files; may be repeated (default
                                    WEIR_CONFIG)
  -o, --output FORMAT               json or yaml: print the response of the API

Other:
  -h, --help                        Print this help

Exit codes: 0 success; 1 the configuration has problems or the server cannot run; 2 invalid command
line; 3 a metric could not be read (check --live, get, explain); 4 weir doctor found problems.
)");
}

TEST_CASE("the flags of serve are in groups") {
  const std::string help = help_of({"help", "serve"});

  const std::string groups[] = {"\nServing:\n",
                                "\nCertificates:\n",
                                "\nCallers:\n",
                                "\nkube-apiserver:\n",
                                "\nLog:\n",
                                "\nOther:\n"};
  std::size_t at = 0;
  for (const std::string& group : groups) {
    const auto found = help.find(group, at);
    REQUIRE(found != std::string::npos);
    at = found;
  }
  CHECK_THAT(
      help,
      Catch::Contains("      --secure-port PORT            Port to listen on (default 443)"));
  CHECK_THAT(help, Catch::Contains("--tls-sni-cert-key CERTIFICATE,KEY[:NAME,...]\n"));
  CHECK_THAT(help, Catch::Contains("--authentication-tolerate-lookup-failure\n"));
  for (const char* noise : {"TEXT", "UINT", "REQUIRED", " INT", " in ["})
    CHECK_THAT(help.substr(0, help.find("Exit codes")), !Catch::Contains(noise));
}

}  // namespace
}  // namespace weir::server
