#include "server/commands/options.hpp"

#include "test/rigs/command_line.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::server {
namespace {

using test::CapturedError;
using test::parse;
using test::parse_as;
using test::Parsed;
using test::Texts;

TEST_CASE("serve: an option that is not set has Kubernetes' default") {
  const auto options = parse_as<ServeOptions>({"serve", "--config", "a.yaml"});

  CHECK(options.config == Texts{"a.yaml"});
  CHECK_FALSE(options.is_standalone);
  CHECK(options.bind_address == "0.0.0.0");
  CHECK(options.secure_port == 443);
  CHECK(options.tls_cert_file.empty());
  CHECK(options.tls_private_key_file.empty());
  CHECK(options.cert_dir == "apiserver.local.config/certificates");
  CHECK(options.client_ca_file.empty());
  CHECK(options.requestheader_client_ca_file.empty());
  CHECK(options.requestheader_allowed_names.empty());
  CHECK(options.requestheader_username_headers == Texts{"x-remote-user"});
  CHECK(options.requestheader_group_headers == Texts{"x-remote-group"});
  CHECK(options.requestheader_extra_headers_prefix == Texts{"x-remote-extra-"});
}

TEST_CASE("serve: each flag reaches its option") {
  const auto options = parse_as<ServeOptions>({"serve",
                                               "--config=a.yaml",
                                               "--config",
                                               "b",
                                               "--standalone",
                                               "--bind-address=::1",
                                               "--secure-port=6443",
                                               "--tls-cert-file=tls.crt",
                                               "--tls-private-key-file=tls.key",
                                               "--cert-dir=certs",
                                               "--client-ca-file=ca.crt",
                                               "--requestheader-client-ca-file=proxy.crt",
                                               "--requestheader-allowed-names=a,b",
                                               "--requestheader-username-headers=X-User",
                                               "--requestheader-group-headers=X-Group,X-Groups",
                                               "--requestheader-extra-headers-prefix=X-Extra-"});

  CHECK(options.config == Texts{"a.yaml", "b"});
  CHECK(options.is_standalone);
  CHECK(options.bind_address == "::1");
  CHECK(options.secure_port == 6443);
  CHECK(options.tls_cert_file == "tls.crt");
  CHECK(options.tls_private_key_file == "tls.key");
  CHECK(options.cert_dir == "certs");
  CHECK(options.client_ca_file == "ca.crt");
  CHECK(options.requestheader_client_ca_file == "proxy.crt");
  CHECK(options.requestheader_allowed_names == Texts{"a", "b"});
  CHECK(options.requestheader_username_headers == Texts{"X-User"});
  CHECK(options.requestheader_group_headers == Texts{"X-Group", "X-Groups"});
  CHECK(options.requestheader_extra_headers_prefix == Texts{"X-Extra-"});
}

TEST_CASE("serve in a cluster: an option that is not set has Kubernetes' default") {
  const auto options = parse_as<ServeOptions>({"serve", "--config", "a.yaml"});

  CHECK(options.kubeconfig.empty());
  CHECK(options.authentication_kubeconfig.empty());
  CHECK(options.authorization_kubeconfig.empty());
  CHECK_FALSE(options.skips_lookup);
  CHECK_FALSE(options.tolerates_lookup_failure);
  CHECK(options.api_audiences.empty());
  CHECK(options.requestheader_uid_headers.empty());
  CHECK(options.token_cache_ttl == std::chrono::seconds{10});
  CHECK(options.authorized_cache_ttl == std::chrono::seconds{10});
  CHECK(options.unauthorized_cache_ttl == std::chrono::seconds{10});
  CHECK(options.always_allow_paths == Texts{"/healthz", "/readyz", "/livez"});
}

TEST_CASE("serve in a cluster: each flag reaches its option") {
  const auto options =
      parse_as<ServeOptions>({"serve",
                              "--config=a.yaml",
                              "--kubeconfig=k",
                              "--authentication-kubeconfig=n",
                              "--authorization-kubeconfig=z",
                              "--authentication-skip-lookup",
                              "--authentication-tolerate-lookup-failure",
                              "--api-audiences=weir,other",
                              "--requestheader-uid-headers=X-Remote-Uid",
                              "--authentication-token-webhook-cache-ttl=1m30s",
                              "--authorization-webhook-cache-authorized-ttl=500ms",
                              "--authorization-webhook-cache-unauthorized-ttl=0",
                              "--authorization-always-allow-paths=/healthz,/open*"});

  CHECK(options.kubeconfig == "k");
  CHECK(options.authentication_kubeconfig == "n");
  CHECK(options.authorization_kubeconfig == "z");
  CHECK(options.skips_lookup);
  CHECK(options.tolerates_lookup_failure);
  CHECK(options.api_audiences == Texts{"weir", "other"});
  CHECK(options.requestheader_uid_headers == Texts{"X-Remote-Uid"});
  CHECK(options.token_cache_ttl == std::chrono::seconds{90});
  CHECK(options.authorized_cache_ttl == std::chrono::milliseconds{500});
  CHECK(options.unauthorized_cache_ttl == std::chrono::seconds{0});
  CHECK(options.always_allow_paths == Texts{"/healthz", "/open*"});
}

TEST_CASE("the log's flags are klog's") {
  struct Row {
    std::string_view name;
    Texts flags;
    int verbosity;
    bool logs_json;
  };
  const Row rows[] = {
      {"nothing", {}, 0, false},
      {"a word apart", {"-v", "3"}, 3, false},
      {"with =", {"-v=4"}, 4, false},
      {"two dashes", {"--v=10"}, 10, false},
      {"text", {"--logging-format", "text"}, 0, false},
      {"JSON", {"--logging-format=json", "-v=1"}, 1, true},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Texts arguments{"serve", "--config", "a.yaml"};
      arguments.insert(arguments.end(), row.flags.begin(), row.flags.end());

      const auto options = parse_as<ServeOptions>(arguments);

      CHECK(options.verbosity == row.verbosity);
      CHECK(options.logs_json == row.logs_json);
    }
  }
}

TEST_CASE("an invalid verbosity is an error that says what to write") {
  for (const char* text : {"-v=11", "-v=-1", "-v=x", "--v=3x"}) {
    DYNAMIC_SECTION(text) {
      CapturedError captured;

      const auto parsed = parse({"serve", "--config=a", text});

      CHECK(std::get<ExitCode>(parsed) == ExitCode::usage);
      CHECK(captured.text().find("write a number from 0 to 10") != std::string::npos);
    }
  }
}

TEST_CASE("an invalid duration is an error that says what to write") {
  CapturedError captured;
  const auto parsed =
      parse({"serve", "--config=a", "--authentication-token-webhook-cache-ttl", "soon"});

  CHECK(std::get<ExitCode>(parsed) == ExitCode::usage);
  CHECK(captured.text().find("--authentication-token-webhook-cache-ttl: write a duration such as "
                             "10s, 1m30s or 0") != std::string::npos);
}

TEST_CASE("a repeated list flag adds to the list, with one word each time") {
  const auto options = parse_as<ServeOptions>({"serve",
                                               "--config",
                                               "a",
                                               "--requestheader-allowed-names",
                                               "x",
                                               "--requestheader-allowed-names",
                                               "y,z"});

  CHECK(options.requestheader_allowed_names == Texts{"x", "y", "z"});
}

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

      CHECK(options.name_space == row.name_space);
      CHECK(options.metric == row.metric);
      CHECK(options.selector.empty());
      CHECK_FALSE(options.is_json);
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
  CHECK(brief.is_json);
  CHECK(full.config == Texts{"a", "b"});
  CHECK(full.selector == "!a");
  CHECK(full.metric == "m");
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
  CHECK_FALSE(bare.is_json);
  CHECK_FALSE(bare.is_strict);
  CHECK(full.kubeconfig == "k");
  CHECK(full.config == Texts{"a", "b"});
  CHECK(full.server == "[::1]:6443");
  CHECK(full.service == "n/s");
  CHECK(full.service_account == "n/a");
  CHECK(full.is_strict);
  CHECK(full.is_json);
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
    std::string_view word;
  };
  const Row rows[] = {
      {"no command", {}, "subcommand is required"},
      {"an unknown command", {"sevre"}, "unknown command \"sevre\"; did you mean \"serve\"?"},
      {"two commands", {"version", "describe"}, "describe"},
      {"an unknown flag", {"serve", "--config", "a", "--standalon"}, "--standalon"},
      {"a flag of another command", {"check", "a", "--standalone"}, "--standalone"},
      {"serve without --config", {"serve"}, "--config is required"},
      {"--config without a value", {"serve", "--config"}, "--config"},
      {"a word that belongs to no flag", {"serve", "--config", "a", "b"}, "b"},
      {"port 0", {"serve", "--config", "a", "--secure-port", "0"}, "--secure-port"},
      {"port 65536", {"serve", "--config", "a", "--secure-port", "65536"}, "--secure-port"},
      {"a negative port", {"serve", "--config", "a", "--secure-port", "-1"}, "--secure-port"},
      {"a port that is no number", {"serve", "--config", "a", "--secure-port", "https"}, "https"},
      {"a certificate without its key",
       {"serve", "--config", "a", "--tls-cert-file", "x"},
       "--tls-private-key-file"},
      {"a key without its certificate",
       {"serve", "--config", "a", "--tls-private-key-file", "x"},
       "--tls-cert-file"},
      {"check without a file", {"check"}, "FILE is required"},
      {"get without a target", {"get", "--config", "a"}, "NAMESPACE/METRIC is required"},
      {"get without --config", {"get", "ns/m"}, "--config is required"},
      {"get with another output", {"get", "--config", "a", "ns/m", "-o", "yaml"}, "yaml"},
      {"describe with two kinds", {"describe", "a", "b"}, "b"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CapturedError error;
      const Parsed parsed = parse(row.arguments);
      const std::string text = error.text();

      REQUIRE(std::holds_alternative<ExitCode>(parsed));
      CHECK(std::get<ExitCode>(parsed) == ExitCode::usage);
      CHECK_THAT(text, Catch::StartsWith("weir: "));
      CHECK_THAT(text, Catch::Contains(std::string(row.word)));
      CHECK_THAT(text,
                 Catch::EndsWith("\nRun `weir --help` or `weir COMMAND --help` for usage.\n"));
    }
  }
}

TEST_CASE("get: a target without both halves ends with 2 and shows a valid target") {
  const std::string targets[] = {"m", "/m", "ns/", "/"};

  for (const std::string& target : targets) {
    DYNAMIC_SECTION(target) {
      CapturedError error;
      const Parsed parsed = parse({"get", "--config", "a", target});
      const std::string text = error.text();

      REQUIRE(std::holds_alternative<ExitCode>(parsed));
      CHECK(std::get<ExitCode>(parsed) == ExitCode::usage);
      CHECK(text ==
            "weir: \"" + target + "\" is not NAMESPACE/METRIC, such as ml-inference/p95_latency\n");
    }
  }
}

TEST_CASE("help is not an error") {
  const Texts lines[] = {{"--help"}, {"serve", "--help"}, {"get", "-h"}};

  for (const Texts& line : lines) {
    DYNAMIC_SECTION(line.front()) {
      std::ostringstream printed;
      std::streambuf* const before = std::cout.rdbuf(printed.rdbuf());
      const Parsed parsed = parse(line);
      std::cout.rdbuf(before);

      REQUIRE(std::holds_alternative<ExitCode>(parsed));
      CHECK(std::get<ExitCode>(parsed) == ExitCode::ok);
      CHECK_THAT(printed.str(), Catch::Contains("Usage: weir"));
    }
  }
}

}  // namespace
}  // namespace weir::server
