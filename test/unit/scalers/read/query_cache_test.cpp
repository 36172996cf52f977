#include "scalers/read/query_cache.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>

namespace weir::scalers::read {
namespace {

AnswerPtr of(double value) {
  return std::make_shared<const Answer>(
      Answer{Sample{value, WallTime{}}, SteadyTime{}, WallTime{}, SteadyTime{}, Duration{}});
}

double cached(QueryCache& cache, std::string_view key) {
  const AnswerPtr answer = cache.find(key);
  return answer == nullptr ? -1 : answer->samples->front().value;
}

TEST_CASE("an unknown key has no result") {
  QueryCache cache(2, 2);

  CHECK(cache.find("a") == nullptr);
  CHECK(cache.find("") == nullptr);
}

TEST_CASE("the result least recently put is evicted first") {
  QueryCache cache(2, 2);
  cache.put("a", "ns", of(1));
  cache.put("b", "ns", of(2));

  cache.put("c", "ns", of(3));

  CHECK(cached(cache, "a") == -1);
  CHECK(cached(cache, "b") == 2);
  CHECK(cached(cache, "c") == 3);
  CHECK(cache.size() == 2);
}

TEST_CASE("a result that was read again stays") {
  QueryCache cache(2, 2);
  cache.put("a", "ns", of(1));
  cache.put("b", "ns", of(2));

  cached(cache, "a");
  cache.put("c", "ns", of(3));

  CHECK(cached(cache, "a") == 1);
  CHECK(cached(cache, "b") == -1);
}

TEST_CASE("a new result replaces the old result, uses no second place, and stays") {
  QueryCache cache(2, 2);
  cache.put("a", "ns", of(1));
  cache.put("b", "ns", of(2));

  cache.put("a", "ns", of(10));
  const auto size = cache.size();
  cache.put("c", "ns", of(3));

  CHECK(size == 2);
  CHECK(cached(cache, "a") == 10);
  CHECK(cached(cache, "b") == -1);
}

TEST_CASE("a cache of size 1 has the last result") {
  QueryCache cache(1, 1);
  cache.put("a", "ns", of(1));

  cache.put("b", "ns", of(2));

  CHECK(cached(cache, "a") == -1);
  CHECK(cached(cache, "b") == 2);
}

TEST_CASE("keys live as long as their results, not as long as the caller's text") {
  QueryCache cache(3, 3);
  {
    std::string key(100, 'k');
    cache.put(key, "ns", of(1));
    key.assign(100, 'x');
  }

  CHECK(cached(cache, std::string(100, 'k')) == 1);
}

TEST_CASE("S41: a namespace with too many results loses only its own") {
  QueryCache cache(10, 3);
  cache.put("b1", "b", of(1));

  for (int n = 0; n < 100; ++n) cache.put("a" + std::to_string(n), "a", of(n));

  CHECK(cache.size() == 4);
  CHECK(cached(cache, "b1") == 1);
  CHECK(cached(cache, "a96") == -1);
  CHECK(cached(cache, "a97") == 97);
}

TEST_CASE("S41: a full cache evicts a result of the namespace with the most") {
  QueryCache cache(4, 3);
  cache.put("b1", "b", of(1));
  for (int n = 0; n < 3; ++n) cache.put("a" + std::to_string(n), "a", of(n));

  cache.put("c1", "c", of(5));

  CHECK(cache.size() == 4);
  CHECK(cached(cache, "b1") == 1);
  CHECK(cached(cache, "a0") == -1);
  CHECK(cached(cache, "a1") == 1);
  CHECK(cached(cache, "c1") == 5);
}

TEST_CASE("a result that another namespace queries again uses one place") {
  QueryCache cache(3, 2);
  cache.put("k", "a", of(1));

  cache.put("k", "b", of(2));

  CHECK(cache.size() == 1);
  CHECK(cached(cache, "k") == 2);
}

}  // namespace
}  // namespace weir::scalers::read
