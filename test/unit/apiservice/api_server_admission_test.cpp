// is_admitted(): what may go on without a question, judged as refuse() would judge it.
#include "apiservice/api_server.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

class NoSource final : public scalers::Source {
 public:
  [[nodiscard]] awaitable<scalers::Result<std::vector<scalers::Reading>>> read(
      scalers::Query /*query*/,
      Deadline /*deadline*/) override {
    co_return scalers::Error{scalers::Errc::unreachable, "nothing is asked here", ""};
  }
};

// Knows of one user that it may read one metric.
class KnowingAuthorizer final : public Authorizer {
 public:
  [[nodiscard]] awaitable<Decision> decide(Caller /*caller*/,
                                           Attributes /*asked*/,
                                           Deadline /*deadline*/) override {
    co_return Decision{};
  }
  [[nodiscard]] bool is_allowed_already(const Caller& caller, const Attributes& asked) override {
    return caller.user == "alice" && asked.verb == "list" && asked.resource == "queue-len" &&
           asked.name_space == "default";
  }
};

struct World {
  NoSource source;
  KnowingAuthorizer authorizer;
  FrontProxyRules rules{.allowed_names = {},
                        .username_headers = {"x-remote-user"},
                        .group_headers = {"x-remote-group"},
                        .extra_header_prefixes = {}};
  ApiService api{rules, nullptr, authorizer, source, make_discovery({"queue-len"}), 1};
  std::string user;
};

Request request(Trust trust, std::string user, std::string_view metric = "queue-len") {
  Request out;
  out.method = "GET";
  out.path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/" + std::string(metric);
  out.headers = {{"x-remote-user", std::move(user)}, {"authorization", "Bearer secret"}};
  out.peer.emplace();
  out.peer->by_request_header_ca = trust;
  return out;
}

TEST_CASE("a caller whose leave is known is admitted by name") {
  World world;

  CHECK(world.api.is_admitted(request(Trust::trusted, "alice"), world.user));
  CHECK(world.user == "alice");
}

TEST_CASE("nobody else is admitted without a question, and no name is told") {
  Request without_certificate = request(Trust::trusted, "alice");
  without_certificate.peer.reset();
  struct Row {
    std::string_view name;
    Request request;
  };
  const Row rows[] = {
      {"another user", request(Trust::trusted, "bob")},
      {"another metric", request(Trust::trusted, "alice", "other")},
      {"a certificate that is not trusted", request(Trust::untrusted, "alice")},
      {"no bundle to trust by", request(Trust::no_bundle, "alice")},
      {"no certificate", without_certificate},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      World world;

      CHECK_FALSE(world.api.is_admitted(row.request, world.user));
      CHECK(world.user.empty());
    }
  }
}

TEST_CASE("one request too many is not admitted, but of system:masters") {
  World world;
  const ApiService::InFlight one(world.api);
  const bool alone = world.api.is_admitted(request(Trust::trusted, "alice"), world.user);
  const ApiService::InFlight another(world.api);
  Request master = request(Trust::trusted, "alice");
  master.headers.push_back({"x-remote-group", std::string(kMasters)});

  CHECK(alone);
  CHECK_FALSE(world.api.is_admitted(request(Trust::trusted, "alice"), world.user));
  CHECK(world.api.is_admitted(master, world.user));
}

}  // namespace
}  // namespace weir::apiservice
