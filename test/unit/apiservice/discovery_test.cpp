#include "apiservice/discovery.hpp"

#include "apiservice/groups/external.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

std::string resource(std::string_view name, std::string_view kind) {
  return R"({"name":")" + std::string(name) + R"(","singularName":"","namespaced":true,"kind":")" +
         std::string(kind) + R"(","verbs":["get"]})";
}

std::string resource(std::string_view name) { return resource(name, name); }

std::string discovered(std::string_view name, std::string_view kind) {
  return R"({"resource":")" + std::string(name) +
         R"(","responseKind":{"group":"","version":"","kind":")" + std::string(kind) +
         R"("},"scope":"Namespaced","singularResource":"","verbs":["get"]})";
}

// The documents of external metrics alone.
Discovery discovery_of(std::vector<std::string> metrics) {
  const ApiGroup group = external_metrics_group(std::move(metrics), nullptr);
  return make_discovery({&group, 1});
}

// In every list, for the kind of the items.
const std::string kItems = resource("externalmetrics", "ExternalMetricValue");

TEST_CASE("cases 65 and 66: groups are the same whatever the metrics are") {
  const Discovery discovery = discovery_of({"b", "a"});

  CHECK(discovery.group_list ==
        R"({"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"external.metrics.k8s.io",)"
        R"("versions":[{"groupVersion":"external.metrics.k8s.io/v1beta1","version":"v1beta1"}],)"
        R"("preferredVersion":{"groupVersion":"external.metrics.k8s.io/v1beta1",)"
        R"("version":"v1beta1"}}]})"
        "\n");
  CHECK(discovery.documents[0].json ==
        R"({"kind":"APIGroup","apiVersion":"v1","name":"external.metrics.k8s.io",)"
        R"("versions":[{"groupVersion":"external.metrics.k8s.io/v1beta1","version":"v1beta1"}],)"
        R"("preferredVersion":{"groupVersion":"external.metrics.k8s.io/v1beta1",)"
        R"("version":"v1beta1"}})"
        "\n");
  CHECK(discovery.documents[0].path == "/apis/external.metrics.k8s.io");
  CHECK(discovery.documents[1].path == "/apis/external.metrics.k8s.io/v1beta1");
  CHECK(discovery_of({}).group_list == discovery.group_list);
  CHECK(discovery_of({}).documents[0].json == discovery.documents[0].json);
}

TEST_CASE("case 60: the resources are the metrics, sorted, each once, each of its own kind") {
  struct Row {
    std::string_view name;
    std::vector<std::string> metrics;
    std::string items;
  };
  const Row rows[] = {
      {"none", {}, kItems},
      {"one", {"q"}, kItems + "," + resource("q")},
      {"two, sorted", {"z", "a"}, resource("a") + "," + kItems + "," + resource("z")},
      {"duplicates apart", {"b", "a", "b"}, resource("a") + "," + resource("b") + "," + kItems},
      {"capitals before small letters",
       {"a", "B"},
       resource("B") + "," + resource("a") + "," + kItems},
      {"case 121: names that need escapes",
       {"a\"b", "UPPER.case:x", "<&"},
       resource(R"(\u003c\u0026)") + "," + resource("UPPER.case:x") + "," + resource(R"(a\"b)") +
           "," + kItems},
      {"no UTF-8", {"a\xff"}, resource(R"(a\ufffd)") + "," + kItems},
      {"a name that ends with a bracket",
       {"a[", "b"},
       resource("a[") + "," + resource("b") + "," + kItems},
      {"a metric of the extra one's name", {"externalmetrics"}, kItems},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(discovery_of(row.metrics).documents[1].json ==
            R"({"kind":"APIResourceList","apiVersion":"v1",)"
            R"("groupVersion":"external.metrics.k8s.io/v1beta1","resources":[)" +
                row.items + "]}\n");
    }
  }
}

TEST_CASE("case 62: aggregated discovery lists the same resources") {
  CHECK(discovery_of({"q"}).group_discovery ==
        R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},)"
        R"("items":[{"metadata":{"name":"external.metrics.k8s.io"},"versions":[)"
        R"({"version":"v1beta1","resources":[)" +
            discovered("externalmetrics", "ExternalMetricValue") + "," + discovered("q", "q") +
            R"(],"freshness":"Current"}]}]})"
            "\n");
}

TEST_CASE("the hash of aggregated discovery changes with the metrics, and with nothing else") {
  const std::string hash = discovery_of({"a", "b"}).group_discovery_hash;

  CHECK(hash.size() == 32);
  CHECK(discovery_of({"b", "a"}).group_discovery_hash == hash);
  CHECK(discovery_of({"a"}).group_discovery_hash != hash);
  CHECK(discovery_of({"a", "c"}).group_discovery_hash != hash);
}

}  // namespace
}  // namespace weir::apiservice
