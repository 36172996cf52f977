// Which paths are served to whom: health to everybody, the rest after admission.
#include "test/rigs/server_rig.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace weir::server {
namespace {

using apiservice::Request;
using apiservice::Response;
using test::ServerRig;

Request get_request(std::string path, bool has_bad_certificate = false) {
  Request out;
  out.method = "GET";
  out.path = std::move(path);
  if (has_bad_certificate) out.peer.emplace().by_client_ca = apiservice::Trust::untrusted;
  return out;
}

struct Row {
  std::string_view name;
  std::string path;
  bool has_bad_certificate;
  bool is_allowed;
  int status;
  std::string_view authorized_path;  // that the authorizer decides about; empty: none
};

TEST_CASE("health is open to everybody, and every other path is authorized first") {
  const Row rows[] = {
      {"case 76: livez needs no rights", "/livez", false, false, 200, ""},
      {"readyz with a bad certificate", "/readyz", true, false, 200, ""},
      {"healthz", "/healthz", false, false, 200, ""},
      {"case 81: one check without rights", "/healthz/ping", false, false, 403, "/healthz/ping"},
      {"case 81: one check with rights", "/healthz/ping", false, true, 200, "/healthz/ping"},
      {"one check with a bad certificate", "/healthz/ping", true, true, 401, ""},
      {"an unknown check without rights", "/livez/x", false, false, 403, "/livez/x"},
      {"an unknown check with rights", "/livez/x", false, true, 404, "/livez/x"},
      {"readyz with a slash", "/readyz/", false, false, 403, "/readyz/"},
      {"case 82: metrics", "/metrics", false, false, 403, "/metrics"},
      {"metrics with rights", "/metrics", false, true, 200, "/metrics"},
      {"metrics with a bad certificate", "/metrics", true, true, 401, ""},
      {"below metrics", "/metrics/x", false, true, 404, "/metrics/x"},
      {"case 85: nowhere without rights", "/nope", false, false, 403, "/nope"},
      {"case 85: nowhere with rights", "/nope", false, true, 404, "/nope"},
      {"discovery without rights", "/apis", false, false, 403, "/apis"},
      {"discovery with rights", "/apis", false, true, 200, "/apis"},
      {"discovery with a bad certificate", "/apis", true, true, 401, ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ServerRig rig;
      rig.api.authorizer.decision.is_allowed = row.is_allowed;

      const Response response = rig.send(get_request(row.path, row.has_bad_certificate));

      CHECK(response.status == row.status);
      CHECK(rig.api.source.queries.empty());
      REQUIRE(rig.api.authorizer.attributes.size() == (row.authorized_path.empty() ? 0U : 1U));
      CHECK((row.authorized_path.empty() ||
             rig.api.authorizer.attributes[0].path == row.authorized_path));
    }
  }
}

TEST_CASE("case 117: after the shutdown began livez succeeds and readyz fails") {
  ServerRig rig;
  rig.api.authorizer.decision.is_allowed = false;
  rig.health.begin_shutdown();

  CHECK(rig.send(get_request("/livez")).status == 200);
  CHECK(rig.send(get_request("/readyz")).status == 500);
}

TEST_CASE("telemetry is a text page for GET only") {
  ServerRig rig;
  rig.api.authorizer.decision.is_allowed = true;

  const Response response = rig.send(get_request("/metrics"));
  const std::string user = rig.api.user;
  Request post = get_request("/metrics");
  post.method = "POST";

  CHECK(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(response.body == "a page\n");
  CHECK(user == "system:anonymous");
  CHECK(rig.send(post).status == 404);
}

TEST_CASE("a caller with permission reads a metric through the API") {
  ServerRig rig;
  rig.api.authorizer.decision.is_allowed = true;

  const Response response =
      rig.send(get_request("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/m"));

  CHECK(response.status == 200);
  CHECK(rig.api.source.queries.size() == 1);
}

}  // namespace
}  // namespace weir::server
