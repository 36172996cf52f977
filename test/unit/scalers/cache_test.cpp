#include "scalers/read/cache.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace weir::scalers::read {
namespace {

Answer of(double value) {
  return {Sample{value, WallTime{}}, SteadyTime{}, WallTime{}, SteadyTime{}, Duration{}};
}

double kept(Cache& cache, std::string_view key) {
  const Answer* found = cache.find(key);
  return found == nullptr ? -1 : found->sample->value;
}

TEST_CASE("an unknown key has no answer") {
  Cache cache(2);

  CHECK(cache.find("a") == nullptr);
  CHECK(cache.find("") == nullptr);
}

TEST_CASE("the answer least recently put leaves first") {
  Cache cache(2);
  cache.put("a", of(1));
  cache.put("b", of(2));

  cache.put("c", of(3));

  CHECK(kept(cache, "a") == -1);
  CHECK(kept(cache, "b") == 2);
  CHECK(kept(cache, "c") == 3);
  CHECK(cache.size() == 2);
}

TEST_CASE("an answer that was found again stays") {
  Cache cache(2);
  cache.put("a", of(1));
  cache.put("b", of(2));

  kept(cache, "a");
  cache.put("c", of(3));

  CHECK(kept(cache, "a") == 1);
  CHECK(kept(cache, "b") == -1);
}

TEST_CASE("a new answer replaces the old one, takes no second place, and stays") {
  Cache cache(2);
  cache.put("a", of(1));
  cache.put("b", of(2));

  cache.put("a", of(10));
  const auto size = cache.size();
  cache.put("c", of(3));

  CHECK(size == 2);
  CHECK(kept(cache, "a") == 10);
  CHECK(kept(cache, "b") == -1);
}

TEST_CASE("a cache of one keeps the last answer") {
  Cache cache(1);
  cache.put("a", of(1));

  cache.put("b", of(2));

  CHECK(kept(cache, "a") == -1);
  CHECK(kept(cache, "b") == 2);
}

TEST_CASE("keys live as long as their answers, not as long as the caller's text") {
  Cache cache(3);
  {
    std::string key(100, 'k');
    cache.put(key, of(1));
    key.assign(100, 'x');
  }

  CHECK(kept(cache, std::string(100, 'k')) == 1);
}

}  // namespace
}  // namespace weir::scalers::read
