#include "server/commands/record/options.hpp"

#include "test/rigs/command_line.hpp"

#include <catch2/catch.hpp>

#include <chrono>

namespace weir::server {
namespace {

using test::parse_as;
using test::refusal;
using test::Texts;

TEST_CASE("record takes metrics with their selectors, HPAs, and how long") {
  const auto bare = parse_as<RecordOptions>({"record", "ml/depth", "--config", "weir.yaml"});
  const auto full = parse_as<RecordOptions>({"record",
                                             "ml/depth?queue=a",
                                             "ml/p95",
                                             "--kubeconfig",
                                             "k",
                                             "--hpa",
                                             "ml/worker",
                                             "--interval",
                                             "2s",
                                             "--duration",
                                             "8m",
                                             "--csv",
                                             "a.csv",
                                             "--html",
                                             "a.html"});

  CHECK(bare.interval == std::chrono::seconds(5));
  CHECK(bare.duration == std::chrono::seconds(0));
  CHECK(bare.csv == "weir-record.csv");
  CHECK(bare.html == "weir-record.html");
  CHECK(full.targets == Texts{"ml/depth?queue=a", "ml/p95"});
  CHECK(full.hpas == Texts{"ml/worker"});
  CHECK(full.interval == std::chrono::seconds(2));
  CHECK(full.duration == std::chrono::minutes(8));
}

TEST_CASE("a record without a source or a target is an error that says what to write") {
  CHECK(refusal({"record", "--config", "x"}) ==
        "weir: there is nothing to record: give a NAMESPACE/METRIC or --hpa NAMESPACE/NAME\nRun "
        "`weir record --help` for usage.\n");
  CHECK(
      refusal({"record", "ml/depth"}) ==
      "weir: there is no source: add --config to query the backends, or --kubeconfig to query the "
      "cluster\nRun `weir record --help` for usage.\n");
  CHECK(refusal({"record", "ml/depth", "--config", "x", "--hpa", "ml/worker"}) ==
        "weir: --hpa reads from the kube-apiserver: add --kubeconfig\nRun `weir record --help` for "
        "usage.\n");
  CHECK_THAT(refusal({"record", "depth", "--config", "x"}),
             Catch::Contains("write NAMESPACE/NAME"));
  CHECK_THAT(refusal({"record", "ml/depth", "--config", "x", "--interval", "0s"}),
             Catch::Contains("write a duration such as 5s or 8m"));
}

}  // namespace
}  // namespace weir::server
