#include "scalers/text/near_names.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using Names = std::vector<std::string_view>;
using Texts = std::vector<std::string>;

// Names of `length` letters that differ in their last ones.
Texts many(std::size_t count, std::size_t length) {
  Texts out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(fmt::format("{:x>{}}", i, length));
  return out;
}

std::vector<std::string_view> likely_of(std::string_view wanted, const Texts& texts) {
  const Names names(texts.begin(), texts.end());
  return likely_names(wanted, names);
}

TEST_CASE("similar names of a configured name are in the cause") {
  Diagnosis out;

  const std::string tail =
      near_names(NameOrigin::configuration, "jobs:a", Names{"jobs:b", "other"}, out);

  CHECK(tail == "; did you mean \"jobs:b\"?");
  CHECK(out.findings.empty());
}

TEST_CASE(
    "similar names of a caller's name are counted in the cause and named only in the explanation") {
  Diagnosis out;

  const std::string tail =
      near_names(NameOrigin::caller, "jobs:a", Names{"jobs:b", "jobs:c", "other"}, out);

  CHECK(tail == "; weir explain lists 2 similar names");
  CHECK(out.findings == Texts{R"(similar names: "jobs:b", "jobs:c")"});
}

TEST_CASE("a single similar name is counted in the singular") {
  Diagnosis out;

  CHECK(near_names(NameOrigin::caller, "jobs:a", Names{"jobs:b"}, out) ==
        "; weir explain lists 1 similar name");
}

TEST_CASE("without a similar name nothing is added") {
  Diagnosis out;

  CHECK(near_names(NameOrigin::caller, "jobs", Names{"other"}, out).empty());
  CHECK(near_names(NameOrigin::configuration, "jobs", Names{"other"}, out).empty());
  CHECK(out.findings.empty());
}

TEST_CASE("of many names only those with a similar beginning or end are compared") {
  Texts texts = many(3 * kMostCompared, 8);
  texts.emplace_back("OLLAMA:tasks");

  const auto likely = likely_of("ollama:task", texts);

  CHECK(likely.size() == kMostCompared);
  CHECK(likely.front() == "OLLAMA:tasks");
}

TEST_CASE("a name with a wrong first letter is still compared") {
  Texts texts = many(3 * kMostCompared, 8);
  texts.emplace_back("ollama:tasks");

  CHECK(likely_of("allama:tasks", texts).front() == "ollama:tasks");
}

TEST_CASE("long names are compared in smaller numbers") {
  const Texts texts = many(kMostCompared, 200);

  CHECK(likely_of(std::string(200, 'x'), texts).size() == kMostPairs / (128 * 128));
}

TEST_CASE("few names are all compared") {
  CHECK(likely_of("jobs", {"a", "", "jobs:1"}).size() == 3);
  CHECK(likely_of("", {"a"}).size() == 1);
  CHECK(likely_of("jobs", {}).empty());
}

}  // namespace
}  // namespace weir::scalers
