#include "server/kube/trust/authentication_config.hpp"

#include "test/rigs/certificates.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server::cluster {
namespace {

using Data = std::map<std::string, std::string>;
using Texts = std::vector<std::string>;

std::string authority() { return test::certificate_pem(test::issue_authority("ca")); }

Data typical() {
  return {{"client-ca-file", authority()},
          {"requestheader-client-ca-file", authority() + authority()},
          {"requestheader-allowed-names", R"(["front-proxy-client", ""])"},
          {"requestheader-username-headers", R"(["X-Remote-User"])"},
          {"requestheader-group-headers", R"(["X-Remote-Group"])"},
          {"requestheader-extra-headers-prefix", R"(["X-Remote-Extra-"])"}};
}

TEST_CASE("the ConfigMap as a cluster has it") {
  const auto config = parse_authentication_config(typical());

  CHECK(config.problem.empty());
  REQUIRE(config.client_ca);
  CHECK(config.client_ca->bundle.certificates().size() == 1);
  REQUIRE(config.front_proxy);
  CHECK(config.front_proxy->ca.bundle.certificates().size() == 2);
  CHECK(config.front_proxy->rules.allowed_names == Texts{"front-proxy-client"});
  CHECK(config.front_proxy->rules.username_headers == Texts{"x-remote-user"});
  CHECK(config.front_proxy->rules.group_headers == Texts{"x-remote-group"});
  CHECK(config.front_proxy->rules.extra_header_prefixes == Texts{"x-remote-extra-"});
  CHECK(config.front_proxy->rules.uid_headers.empty());
}

TEST_CASE("an absent part is not a problem, and a uid header is used when it is listed") {
  const auto nothing = parse_authentication_config({});
  Data data = typical();
  data["requestheader-uid-headers"] = R"(["X-Remote-Uid"])";
  data.erase("client-ca-file");
  const auto proxy = parse_authentication_config(data);

  CHECK_FALSE(nothing.client_ca);
  CHECK_FALSE(nothing.front_proxy);
  CHECK(nothing.problem.empty());
  CHECK_FALSE(proxy.client_ca);
  REQUIRE(proxy.front_proxy);
  CHECK(proxy.front_proxy->rules.uid_headers == Texts{"x-remote-uid"});
}

TEST_CASE("case 105: an invalid part has a reason and does not affect the other") {
  struct Row {
    std::string_view key;
    std::string value;
    std::string_view problem;
    bool has_client_ca;
  };
  const Row rows[] = {
      {"client-ca-file", "\n", "client-ca-file is empty", false},
      {"client-ca-file", "x", "client-ca-file: it has no PEM certificate", false},
      {"requestheader-client-ca-file", "", "requestheader-client-ca-file is empty", true},
      {"requestheader-allowed-names",
       "[",
       "requestheader-allowed-names is not a JSON array of strings",
       true},
      {"requestheader-group-headers",
       "[1]",
       "requestheader-group-headers is not a JSON array of strings",
       true},
      {"requestheader-uid-headers",
       "{}",
       "requestheader-uid-headers is not a JSON array of strings",
       true},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.key << " '" << row.value << "'") {
      Data data = typical();
      data[std::string(row.key)] = row.value;

      const auto config = parse_authentication_config(data);

      CHECK(config.problem == row.problem);
      CHECK(config.client_ca.has_value() == row.has_client_ca);
      CHECK(config.front_proxy.has_value() != row.has_client_ca);
    }
  }
}

}  // namespace
}  // namespace weir::server::cluster
