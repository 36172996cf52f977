#include "scalers/read/query_cache.hpp"

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
  Cache cache(2, 2);

  CHECK(cache.find("a") == nullptr);
  CHECK(cache.find("") == nullptr);
}

TEST_CASE("the answer least recently put leaves first") {
  Cache cache(2, 2);
  cache.put("a", "ns", of(1));
  cache.put("b", "ns", of(2));

  cache.put("c", "ns", of(3));

  CHECK(kept(cache, "a") == -1);
  CHECK(kept(cache, "b") == 2);
  CHECK(kept(cache, "c") == 3);
  CHECK(cache.size() == 2);
}

TEST_CASE("an answer that was found again stays") {
  Cache cache(2, 2);
  cache.put("a", "ns", of(1));
  cache.put("b", "ns", of(2));

  kept(cache, "a");
  cache.put("c", "ns", of(3));

  CHECK(kept(cache, "a") == 1);
  CHECK(kept(cache, "b") == -1);
}

TEST_CASE("a new answer replaces the old one, takes no second place, and stays") {
  Cache cache(2, 2);
  cache.put("a", "ns", of(1));
  cache.put("b", "ns", of(2));

  cache.put("a", "ns", of(10));
  const auto size = cache.size();
  cache.put("c", "ns", of(3));

  CHECK(size == 2);
  CHECK(kept(cache, "a") == 10);
  CHECK(kept(cache, "b") == -1);
}

TEST_CASE("a cache of one keeps the last answer") {
  Cache cache(1, 1);
  cache.put("a", "ns", of(1));

  cache.put("b", "ns", of(2));

  CHECK(kept(cache, "a") == -1);
  CHECK(kept(cache, "b") == 2);
}

TEST_CASE("keys live as long as their answers, not as long as the caller's text") {
  Cache cache(3, 3);
  {
    std::string key(100, 'k');
    cache.put(key, "ns", of(1));
    key.assign(100, 'x');
  }

  CHECK(kept(cache, std::string(100, 'k')) == 1);
}

TEST_CASE("S41: a namespace that asks too much loses its own answers alone") {
  Cache cache(10, 3);
  cache.put("b1", "b", of(1));

  for (int n = 0; n < 100; ++n) cache.put("a" + std::to_string(n), "a", of(n));

  CHECK(cache.size() == 4);
  CHECK(kept(cache, "b1") == 1);
  CHECK(kept(cache, "a96") == -1);
  CHECK(kept(cache, "a97") == 97);
}

TEST_CASE("S41: a full cache forgets an answer of the namespace with the most") {
  Cache cache(4, 3);
  cache.put("b1", "b", of(1));
  for (int n = 0; n < 3; ++n) cache.put("a" + std::to_string(n), "a", of(n));

  cache.put("c1", "c", of(5));

  CHECK(cache.size() == 4);
  CHECK(kept(cache, "b1") == 1);
  CHECK(kept(cache, "a0") == -1);
  CHECK(kept(cache, "a1") == 1);
  CHECK(kept(cache, "c1") == 5);
}

TEST_CASE("an answer that another namespace asks anew keeps its one place") {
  Cache cache(3, 2);
  cache.put("k", "a", of(1));

  cache.put("k", "b", of(2));

  CHECK(cache.size() == 1);
  CHECK(kept(cache, "k") == 2);
}

}  // namespace
}  // namespace weir::scalers::read
