// What a request is counted as, whatever groups are served.
#include "server/telemetry/request_labels.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server {
namespace {

using apiservice::Endpoint;
using apiservice::GroupVersion;
using apiservice::Request;
using apiservice::RequestInfo;

const std::vector<GroupVersion> kServed{{"external.metrics.k8s.io", "v1beta1"},
                                        {"tides.example.com", "v2"}};

apiservice::Endpoints endpoints() {
  return {{.path = "/readyz", .respond = {}, .label = "/readyz"},
          {.path = "/readyz", .match = Endpoint::Match::below, .respond = {}, .label = "/readyz"},
          {.path = "/apis/tides.example.com/v2",
           .respond = {},
           .label = "/apis/tides.example.com/v2",
           .group = "tides.example.com",
           .version = "v2"}};
}

struct Row {
  std::string_view name;
  std::string method;
  std::string path;
  std::size_t endpoint;  // its place in endpoints()
  Verb verb;
  std::string metric;
  EndpointLabels labels;
};

TEST_CASE("every served group has its own rows") {
  constexpr std::size_t kNone = RequestInfo::kNone;
  const EndpointTable table(kServed, endpoints());
  const std::string tides = "/apis/tides.example.com/v2";
  const Row rows[] = {
      {"a collection of the first",
       "GET",
       "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/m",
       kNone,
       Verb::list,
       "m",
       {"", "external.metrics.k8s.io", "v1beta1", "namespace"}},
      {"a collection of the second",
       "GET",
       tides + "/namespaces/ns/ebb",
       kNone,
       Verb::list,
       "ebb",
       {"", "tides.example.com", "v2", "namespace"}},
      {"an explanation of the second",
       "GET",
       tides + "/namespaces/ns/ebb/explain",
       kNone,
       Verb::get,
       "ebb",
       {"explain", "tides.example.com", "v2", "namespace"}},
      {"another resource of the second",
       "PUT",
       tides + "/ebb",
       kNone,
       Verb::put,
       "",
       {"", "tides.example.com", "v2", ""}},
      {"a group that is not served",
       "GET",
       "/apis/apps/v1/namespaces/ns/m",
       kNone,
       Verb::get,
       "",
       {"", "", "", ""}},
      {"a document of the second",
       "GET",
       tides,
       2,
       Verb::get,
       "",
       {"/apis/tides.example.com/v2", "tides.example.com", "v2", ""}},
      {"a health check", "GET", "/readyz", 0, Verb::get, "", {"/readyz", "", "", ""}},
      {"a part of one", "HEAD", "/readyz/ping", 1, Verb::head, "", {"/readyz", "", "", ""}},
      {"no endpoint", "BREW", "/x", kNone, Verb::other, "", {"", "", "", ""}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Request request;
      request.method = row.method;
      request.path = row.path;
      RequestInfo info = apiservice::request_info_of(request, kServed);
      info.endpoint = row.endpoint;

      const RequestLabels labels = table.labels_of(request, info);

      CHECK(labels.verb == row.verb);
      CHECK(labels.metric == row.metric);
      CHECK(table[labels.endpoint] == row.labels);
    }
  }
}

TEST_CASE("endpoints of one label share a row") {
  // What is unknown, three rows a group version, and two labels.
  CHECK(EndpointTable(kServed, endpoints()).size() == 1 + 3 * 2 + 2);
}

}  // namespace
}  // namespace weir::server
