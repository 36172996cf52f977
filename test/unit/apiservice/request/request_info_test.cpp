#include "apiservice/request/request_info.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using Route = RequestInfo::Route;

constexpr std::string_view kBase = "/apis/external.metrics.k8s.io/v1beta1";

const std::vector<GroupVersion> kServed{{"external.metrics.k8s.io", "v1beta1"}};

std::string below(std::string_view rest) { return std::string(kBase) + std::string(rest); }

Request request(std::string_view method,
                std::string path,
                std::vector<std::pair<std::string, std::string>> query = {}) {
  Request out;
  out.method = std::string(method);
  out.path = std::move(path);
  out.query = std::move(query);
  return out;
}

TEST_CASE("every path leads to its route, with one trailing slash or none") {
  struct Row {
    std::string_view name;
    std::string path;
    Route route;
  };
  const Row rows[] = {
      {"the groups", "/apis", Route::non_resource},
      {"the groups with a slash", "/apis/", Route::non_resource},
      {"the group", "/apis/external.metrics.k8s.io", Route::non_resource},
      {"the group with a slash", "/apis/external.metrics.k8s.io/", Route::non_resource},
      {"the version", below(""), Route::non_resource},
      {"the version with a slash", below("/"), Route::non_resource},
      {"case 40: a metric without a namespace", below("/queue-len"), Route::unknown_resource},
      {"namespaces alone", below("/namespaces"), Route::unknown_resource},
      {"case 41: a namespace alone", below("/namespaces/ns"), Route::unknown_resource},
      {"an empty metric", below("/namespaces/ns//"), Route::unknown_resource},
      {"an empty namespace", below("/namespaces//m"), Route::unknown_resource},
      {"two trailing slashes", below("/namespaces/ns/m//"), Route::unknown_resource},
      {"below a metric", below("/namespaces/ns/m/x"), Route::unknown_resource},
      {"below an explanation", below("/namespaces/ns/m/explain/x"), Route::unknown_resource},
      {"an explanation of no metric", below("/namespaces/ns//explain"), Route::unknown_resource},
      {"a metric with a decoded slash", below("/namespaces/ns/a/b"), Route::unknown_resource},
      {"another word for namespaces", below("/Namespaces/ns/m"), Route::unknown_resource},
      {"a slash too many after the version", below("//namespaces/ns/m"), Route::unknown_resource},
      {"case 68: OpenAPI v2", "/openapi/v2", Route::non_resource},
      {"OpenAPI v3", "/openapi/v3", Route::non_resource},
      {"OpenAPI v3 with a slash", "/openapi/v3/", Route::non_resource},
      {"case 74: OpenAPI of the group",
       "/openapi/v3/apis/external.metrics.k8s.io/v1beta1",
       Route::non_resource},
      {"OpenAPI of another group", "/openapi/v3/apis/apps/v1", Route::non_resource},
      {"OpenAPI of no version", "/openapi", Route::non_resource},
      {"case 84", "/version", Route::non_resource},
      {"the root", "/", Route::non_resource},
      {"the index", "/index.html", Route::non_resource},
      {"nothing", "", Route::non_resource},
      {"case 85", "/nope", Route::non_resource},
      {"case 42: another version", "/apis/external.metrics.k8s.io/v1", Route::non_resource},
      {"a longer version", below("1"), Route::non_resource},
      {"another group", "/apis/custom.metrics.k8s.io/v1beta1", Route::non_resource},
      {"the group in capitals", "/apis/External.metrics.k8s.io", Route::non_resource},
      {"apis in capitals", "/APIS", Route::non_resource},
      {"the legacy root", "/api", Route::non_resource},
      {"two slashes first", "//apis", Route::non_resource},
      {"two slashes after the groups", "/apis//", Route::non_resource},
      {"a longer word", "/apisx", Route::non_resource},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const RequestInfo info = request_info_of(request("GET", row.path), kServed);

      CHECK(info.route == row.route);
      CHECK(info.is_resource == (row.route != Route::non_resource));
    }
  }
}

TEST_CASE("case 121: a metric's name is the segment of the path, unchanged") {
  struct Row {
    std::string_view name;
    std::string rest;
    std::string_view metric;
  };
  const Row rows[] = {
      {"plain", "m", "m"},
      {"with a slash after it", "m/", "m"},
      {"capitals and a colon", "UPPER.case:x", "UPPER.case:x"},
      {"a blank", "a b", "a b"},
      {"UTF-8", "\xc3\xa4", "\xc3\xa4"},
      {"no UTF-8", "\xff", "\xff"},
      {"a percent sign", "a%2fb", "a%2fb"},
      {"case 122: status", "status", "status"},
      {"finalize", "finalize", "finalize"},
      {"a name like the word before", "namespaces", "namespaces"},
      {"dots", "..", ".."},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const RequestInfo info =
          request_info_of(request("GET", below("/namespaces/ns/" + row.rest)), kServed);

      CHECK(info.route == Route::collection);
      CHECK(info.name_space == "ns");
      CHECK(info.collection() == row.metric);
      CHECK(info.group_version == 0);
    }
  }
}

TEST_CASE("an explanation is below its metric") {
  for (const std::string rest : {"m/explain", "m/explain/"}) {
    DYNAMIC_SECTION(rest) {
      const RequestInfo info =
          request_info_of(request("GET", below("/namespaces/ns/" + rest)), kServed);

      CHECK(info.route == Route::explanation);
      CHECK(info.name_space == "ns");
      CHECK(info.collection() == "m");
    }
  }
  CHECK(request_info_of(request("GET", below("/namespaces/ns/explain")), kServed).route ==
        Route::collection);
}

TEST_CASE("an explanation's permission is that of the metric's subresource") {
  const RequestInfo info =
      request_info_of(request("GET", below("/namespaces/ns/m/explain")), kServed);
  const RequestInfo other = request_info_of(request("GET", below("/namespaces/ns/m/x")), kServed);
  const RequestInfo reserved =
      request_info_of(request("GET", below("/namespaces/ns/status/explain")), kServed);

  CHECK(info.verb == "get");
  CHECK(info.resource == "m");
  CHECK(info.subresource == "explain");
  CHECK(info.name.empty());
  CHECK(info.name_space == "ns");
  CHECK(other.name == "x");
  CHECK(other.subresource.empty());
  CHECK(reserved.resource == "namespaces");
  CHECK(reserved.subresource == "status");
}

TEST_CASE("the verb of a resource comes from the method, the name and watch") {
  struct Row {
    std::string_view name;
    std::string_view method;
    std::string rest;
    std::vector<std::pair<std::string, std::string>> query;
    std::string_view verb;
  };
  const Row rows[] = {
      {"a read is a list", "GET", "m", {}, "list"},
      {"with a slash", "GET", "m/", {}, "list"},
      {"HEAD too", "HEAD", "m", {}, "list"},
      {"below it is a get", "GET", "m/x", {}, "get"},
      {"HEAD below it", "HEAD", "m/x", {}, "get"},
      {"watch=true", "GET", "m", {{"watch", "true"}}, "watch"},
      {"watch empty", "GET", "m", {{"watch", ""}}, "watch"},
      {"watch=no", "GET", "m", {{"watch", "no"}}, "watch"},
      {"watch=FALSE", "GET", "m", {{"watch", "FALSE"}}, "list"},
      {"watch=0", "GET", "m", {{"watch", "0"}}, "list"},
      {"watch=00", "GET", "m", {{"watch", "00"}}, "watch"},
      {"the first watch counts", "GET", "m", {{"watch", "0"}, {"watch", "1"}}, "list"},
      {"Watch is another parameter", "GET", "m", {{"Watch", "1"}}, "list"},
      {"watch below it is still a get", "GET", "m/x", {{"watch", "1"}}, "get"},
      {"POST", "POST", "m", {}, "create"},
      {"PUT", "PUT", "m", {}, "update"},
      {"PATCH", "PATCH", "m", {}, "patch"},
      {"DELETE", "DELETE", "m", {}, "deletecollection"},
      {"DELETE below it", "DELETE", "m/x", {}, "delete"},
      {"OPTIONS has no verb", "OPTIONS", "m", {}, ""},
      {"an unknown method", "BREW", "m", {}, ""},
      {"a method in small letters", "get", "m", {}, ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const RequestInfo info =
          request_info_of(request(row.method, below("/namespaces/ns/" + row.rest), row.query),
                          kServed);

      CHECK(info.is_resource);
      CHECK(info.verb == row.verb);
      CHECK(info.resource == "m");
      CHECK(info.name_space == "ns");
      CHECK(info.group == "external.metrics.k8s.io");
      CHECK(info.version == "v1beta1");
      CHECK(info.path.empty());
    }
  }
}

struct Resource {
  std::string_view name;
  std::string path;
  std::string_view verb;
  std::string_view name_space;
  std::string_view resource;
  std::string_view object;
  std::string_view subresource;
};

TEST_CASE("case 122: a path below the version is read as Kubernetes reads it") {
  const Resource rows[] = {
      {"status", below("/namespaces/ns/status"), "get", "ns", "namespaces", "ns", "status"},
      {"finalize", below("/namespaces/ns/finalize"), "get", "ns", "namespaces", "ns", "finalize"},
      {"Status is a metric", below("/namespaces/ns/Status"), "list", "ns", "Status", "", ""},
      {"a namespace alone", below("/namespaces/ns"), "get", "ns", "namespaces", "ns", ""},
      {"namespaces alone", below("/namespaces"), "list", "", "namespaces", "", ""},
      {"no namespace", below("/queue-len"), "list", "", "queue-len", "", ""},
      {"a name without a namespace", below("/queue-len/x"), "get", "", "queue-len", "x", ""},
      {"a name", below("/namespaces/ns/m/x"), "get", "ns", "m", "x", ""},
      {"a subresource", below("/namespaces/ns/m/x/y"), "get", "ns", "m", "x", "y"},
      {"deeper", below("/namespaces/ns/m/x/y/z"), "get", "ns", "m", "x", "y"},
      {"case 121: a decoded name",
       below("/namespaces/n s/\xc3\xa4"),
       "list",
       "n s",
       "\xc3\xa4",
       "",
       ""},
  };

  for (const Resource& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const RequestInfo info = request_info_of(request("GET", row.path), kServed);

      CHECK(info.is_resource);
      CHECK(info.verb == row.verb);
      CHECK(info.name_space == row.name_space);
      CHECK(info.resource == row.resource);
      CHECK(info.name == row.object);
      CHECK(info.subresource == row.subresource);
    }
  }
}

TEST_CASE("a path leads to the served group version that it names") {
  const std::vector<GroupVersion> served{{"a", "v1"}, {"a", "v2"}, {"b", "v1"}};
  const auto place_of = [&served](std::string path) {
    return request_info_of(request("GET", std::move(path)), served).group_version;
  };

  CHECK(place_of("/apis/a/v1/namespaces/ns/m") == 0);
  CHECK(place_of("/apis/a/v2/namespaces/ns/m") == 1);
  CHECK(place_of("/apis/b/v1/namespaces/ns/m/explain") == 2);
  CHECK(request_info_of(request("GET", "/apis/b/v2/namespaces/ns/m"), served).route ==
        Route::unserved);
}

TEST_CASE("another group's path is a resource of that group") {
  const RequestInfo info = request_info_of(request("GET", "/apis/apps/v1/deployments"), kServed);

  CHECK(info.is_resource);
  CHECK(info.group == "apps");
  CHECK(info.version == "v1");
  CHECK(info.resource == "deployments");
  CHECK(info.route == Route::unserved);
}

TEST_CASE("a non-resource request has its path, and its method in lower case") {
  struct Row {
    std::string_view name;
    std::string_view method;
    std::string path;
    std::string_view verb;
  };
  const Row rows[] = {
      {"case 82: metrics", "GET", "/metrics", "get"},
      {"POST", "POST", "/metrics", "post"},
      {"an unknown method", "BREW", "/x", "brew"},
      {"the root", "GET", "/", "get"},
      {"the groups", "GET", "/apis", "get"},
      {"the group", "GET", "/apis/external.metrics.k8s.io", "get"},
      {"the version", "GET", below(""), "get"},
      {"the version with a slash", "GET", below("/"), "get"},
      {"openapi", "GET", "/openapi/v3/apis/external.metrics.k8s.io/v1beta1", "get"},
      {"a check of health", "GET", "/readyz/ping", "get"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const RequestInfo info = request_info_of(request(row.method, row.path), kServed);

      CHECK_FALSE(info.is_resource);
      CHECK(info.verb == row.verb);
      CHECK(info.path == row.path);
      CHECK(info.resource.empty());
      CHECK(info.group.empty());
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
