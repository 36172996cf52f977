#include "server/commands/check/remarks.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server {
namespace {

using scalers::MetricInfo;
using Lines = std::vector<std::string>;

MetricInfo metric(const std::string& name, std::string_view kind, bool has_empty) {
  MetricInfo out{name, {"ml"}, {}, "backend"};
  out.kind = kind;
  out.has_empty = has_empty;
  return out;
}

TEST_CASE("what empty covers is said once for each kind that has it") {
  const std::vector<MetricInfo> metrics{metric("a", "prometheus", true),
                                        metric("b", "prometheus", false),
                                        metric("c", "redis", true),
                                        metric("d", "prometheus", true),
                                        metric("e", "prometheus", true),
                                        metric("f", "rabbitmq", true)};

  CHECK(remarks_on(metrics) ==
        Lines{"note       ml/a and 2 more: empty covers a response without series; never a value "
              "that is absent, null or of another type",
              "warning    ml/f: empty has no effect for kind rabbitmq; use missing",
              "warning    ml/c: empty has no effect for kind redis; use missing"});
}

TEST_CASE("a configuration without empty has no remark on it") {
  CHECK(remarks_on(std::vector{metric("a", "redis", false)}).empty());
}

// Field report 7.
TEST_CASE("a name with capitals is read by HPAs in lower case") {
  CHECK(remarks_on(std::vector{metric("QueueDepth", "redis", false)}) ==
        Lines{"note       ml/QueueDepth: an HPA reads it as queuedepth; names are matched without "
              "regard to case, but a Role's resources must be in lower case"});
}

Lines remarks_on_label(const std::string& pattern, bool has_default) {
  MetricInfo out = metric("a", "prometheus", false);
  out.labels.push_back({"queue", has_default, pattern});
  return remarks_on(std::vector{out});
}

TEST_CASE("a label that no selector can set is a warning") {
  const std::string start = "warning    ml/a: no label can have a value that matches the pattern ";
  const std::string end =
      "; write the value into the query, in a metric of its own without the label";

  CHECK(remarks_on_label("team/.*", false) ==
        Lines{start + "team/.* of label queue, so no HPA can read the metric" + end});
  CHECK(remarks_on_label("team/.*", true) ==
        Lines{start + "team/.* of label queue, so the label always has its default" + end});
  CHECK(remarks_on_label("-jobs", false).size() == 1);
  CHECK(remarks_on_label(std::string(64, 'x'), false).size() == 1);
}

TEST_CASE("a label that some selector can set has no remark") {
  const std::string pattern = GENERATE(as<std::string>{},
                                       ".+",
                                       "[a-z/]+",
                                       "a/b|c",
                                       "ml\\.[a-z]+",
                                       "[^/]*",
                                       "Ml_jobs-1",
                                       ".*",
                                       "(?:team/)?[a-z]+");

  CHECK(remarks_on_label(pattern, false).empty());
}

scalers::BackendState backend(const char* name, std::string proxy) {
  scalers::BackendState out{};
  out.name = name;
  out.proxy = std::move(proxy);
  return out;
}

TEST_CASE("a backend with a proxy has a note, and an unusable variable a warning") {
  const std::vector backends{backend("a", ""),
                             backend("b", "none (.svc in NO_PROXY)"),
                             backend("c", "http://***@proxy:3128 (HTTPS_PROXY)")};
  const scalers::clients::ProxyRules rules(
      {{"HTTP_PROXY", "http://"}, {"HTTPS_PROXY", "proxy:3128"}, {"NO_PROXY", ".svc"}});

  CHECK(remarks_on_proxies(backends, rules) ==
        Lines{"warning    environment: HTTP_PROXY is ignored: the url needs a valid HOST or "
              "HOST:PORT after ://; write an IPv6 address in brackets",
              "note       backend c: it uses the proxy http://***@proxy:3128 (HTTPS_PROXY)"});
  CHECK(remarks_on_proxies(backends, {}).size() == 1);
  CHECK(remarks_on_proxies({}, {}).empty());
}

TEST_CASE("a risk in the settings of a backend is a warning") {
  std::vector backends{backend("a", ""), backend("b", "")};
  backends[1].remarks = {"x is http://", "y is http://"};

  CHECK(remarks_on_backends(backends) ==
        Lines{"warning    backend b: x is http://", "warning    backend b: y is http://"});
}

}  // namespace
}  // namespace weir::server
