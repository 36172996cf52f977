#include "server/commands/serve/options.hpp"

#include "test/rigs/command_line.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

namespace weir::server {
namespace {

using test::CapturedError;
using test::parse;
using test::parse_as;
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

}  // namespace
}  // namespace weir::server
