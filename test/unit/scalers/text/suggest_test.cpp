#include "scalers/text/suggest.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using Names = std::vector<std::string_view>;

struct Row {
  std::string_view name;
  std::string wanted;
  Names names;
  std::string tail;
};

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) { CHECK(did_you_mean(row.wanted, row.names) == row.tail); }
}

TEST_CASE("a typing error gives the nearest names") {
  const Row rows[] = {
      {"a letter less", "quue", {"queue", "vhost"}, "; did you mean \"queue\"?"},
      {"a letter more", "queuee", {"queue", "vhost"}, "; did you mean \"queue\"?"},
      {"another letter", "quege", {"queue", "vhost"}, "; did you mean \"queue\"?"},
      {"letter case", "QUEUE", {"queue"}, "; did you mean \"queue\"?"},
      {"dashes and dots",
       "ml-queue.depth",
       {"ml_queue_depth"},
       "; did you mean \"ml_queue_depth\"?"},
      {"a part of it", "depth", {"queue_depth"}, "; did you mean \"queue_depth\"?"},
      {"more than it", "queue_depth_total", {"depth"}, "; did you mean \"depth\"?"},
      {"a short name", "ur", {"url"}, "; did you mean \"url\"?"},
      {"two as near, in alphabetical order", "b", {"c", "a"}, "; did you mean \"a\" or \"c\"?"},
      {"the nearer first", "queue", {"quexx", "queux"}, "; did you mean \"queux\" or \"quexx\"?"},
      {"three of five",
       "abcdef",
       {"abcdez", "abcdey", "abcdex", "abcdew", "abcdef"},
       "; did you mean \"abcdef\", \"abcdew\" or \"abcdex\"?"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a name that is not a typing error gives no names") {
  const Row rows[] = {
      {"no names", "queue", {}, ""},
      {"nothing alike", "queue", {"freshness", "url"}, ""},
      {"two letters of four", "quxx", {"queue"}, ""},
      {"a part that is too short", "que", {"the_queue_of_all"}, ""},
      {"empty", "", {"queue"}, ""},
      {"an empty name", "queue", {""}, ""},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a caller's endless name costs no more than a long name") {
  const std::string endless(1'000'000, 'a');
  const std::string long_name(128, 'a');

  CHECK(nearest(endless, Names{long_name}) == std::vector<std::string>{long_name});
}

TEST_CASE("the number of names is at most the requested number") {
  const Names names{"a1", "a2", "a3"};

  CHECK(nearest("a0", names, 0).empty());
  CHECK(nearest("a0", names, 2) == std::vector<std::string>{"a1", "a2"});
}

}  // namespace
}  // namespace weir::scalers
