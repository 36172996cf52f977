// Admission from cached decisions: which requests go on without a query of the authorizer.
#include "test/rigs/api_rig.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace weir::apiservice {
namespace {

using test::ApiRig;

// One request in flight at most. The authorizer has cached that alice may list queue-len in the
// namespace default, and denies all that it has to decide.
struct AdmissionRig : ApiRig {
  AdmissionRig() : ApiRig({.max_in_flight = 1}) {
    authorizer.cached = {{"alice", "list", "queue-len", "default"}};
    authorizer.decision = {false, ""};
  }
};

Request request(Trust trust, std::string user, std::string_view metric = "queue-len") {
  Request out = test::proxied_request(
      "GET",
      "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/" + std::string(metric));
  out.headers = {{"x-remote-user", std::move(user)}, {"authorization", "Bearer secret"}};
  out.peer->by_request_header_ca = trust;
  return out;
}

TEST_CASE("a caller whose permission is cached is admitted by name") {
  AdmissionRig rig;

  const Response response = rig.send(request(Trust::trusted, "alice"));

  CHECK(response.status == 200);
  CHECK(rig.user == "alice");
  CHECK(rig.authorizer.attributes.empty());
}

TEST_CASE("no other request is admitted from the cache") {
  Request without_certificate = request(Trust::trusted, "alice");
  without_certificate.peer.reset();
  struct Row {
    std::string_view name;
    Request request;
    int status;
    std::size_t decisions;  // that the authorizer makes
  };
  const Row rows[] = {
      {"another user", request(Trust::trusted, "bob"), 403, 1},
      {"another metric", request(Trust::trusted, "alice", "other"), 403, 1},
      {"a certificate that is not trusted", request(Trust::untrusted, "alice"), 401, 0},
      {"no bundle to trust by", request(Trust::no_bundle, "alice"), 401, 0},
      {"no certificate", without_certificate, 401, 0},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      AdmissionRig rig;

      const Response response = rig.send(row.request);

      CHECK(response.status == row.status);
      CHECK(rig.user.empty() == (row.status == 401));
      CHECK(rig.authorizer.attributes.size() == row.decisions);
    }
  }
}

TEST_CASE("a request over the in-flight limit is not admitted, except from system:masters") {
  AdmissionRig rig;
  Request privileged = request(Trust::trusted, "alice");
  privileged.headers.push_back({"x-remote-group", std::string(kMasters)});

  const Response first = rig.send(request(Trust::trusted, "alice"));
  const auto in_flight = rig.hold_in_flight();
  const Response second = rig.send(request(Trust::trusted, "alice"));

  CHECK(first.status == 200);
  CHECK(second.status == 429);
  CHECK(rig.user.empty());
  CHECK(rig.send(privileged).status == 200);
  CHECK(rig.authorizer.attributes.empty());
}

}  // namespace
}  // namespace weir::apiservice
