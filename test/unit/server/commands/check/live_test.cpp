#include "server/commands/check/live.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace weir::server {
namespace {

using scalers::Explanation;
using scalers::MetricInfo;
using scalers::Reading;

const MetricInfo kMetric{.name = "depth",
                         .namespaces = {"*"},
                         .labels = {{"queue", false}, {"shard", true}},
                         .backend = "cache"};
const Addresses kAddresses{{"cache", "127.0.0.1:6379"}};

Explanation explanation_of(scalers::Result<std::vector<Reading>> result, std::string cause) {
  Explanation out{};
  out.queries.push_back({.labels = {},
                         .text = "",
                         .reply = scalers::Error{scalers::Errc::no_value, "", ""},
                         .notice = "",
                         .queried_at = {},
                         .policies = {},
                         .result = std::move(result),
                         .diagnosis = scalers::Diagnosis{std::move(cause), {}, 0},
                         .steps = {}});
  return out;
}

TEST_CASE("the address of a backend is that of its state") {
  const std::vector<scalers::BackendState> states{{.name = "cache",
                                                   .settings = 0,
                                                   .health = nullptr,
                                                   .in_flight = 0,
                                                   .waiting = 0,
                                                   .connections = {},
                                                   .address = "127.0.0.1:6379"}};

  CHECK(addresses_of(states) == kAddresses);
}

TEST_CASE("a value is ok, and a warning when its object does not exist") {
  const Reading zero{{}, 0, {}};

  const auto good = live_read(kMetric, explanation_of(std::vector{zero}, ""), kAddresses);
  const auto odd =
      live_read(kMetric, explanation_of(std::vector{zero}, "there is no key"), kAddresses);

  CHECK(text_of(good) == "ok         default/depth = 0");
  CHECK(text_of(odd) ==
        "warning    default/depth = 0, but there is no key (cache is 127.0.0.1:6379)");
  CHECK_FALSE(odd.is_failed());
}

TEST_CASE("an error has its code first and the address last") {
  const scalers::Error error{scalers::Errc::unreachable, "metric default/depth: refused", ""};

  const auto read = live_read(kMetric, explanation_of(error, ""), kAddresses);

  CHECK(read.is_failed());
  CHECK(text_of(read) == "unreachable metric default/depth: refused (cache is 127.0.0.1:6379)");
}

TEST_CASE("a metric gets the requirements of the labels that it declares") {
  using Requirement = scalers::LabelRequirement;
  const std::vector<Requirement> selector{{"queue", Requirement::Operator::equals, {"a"}},
                                          {"other", Requirement::Operator::exists, {}}};

  CHECK(requirements_for(kMetric, selector) == std::vector{selector[0]});
  CHECK(text_of(skipped(kMetric, kAddresses)) ==
        "skipped    default/depth: it needs label values: add -l queue=VALUE");
}

}  // namespace
}  // namespace weir::server
