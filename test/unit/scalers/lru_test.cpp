#include "scalers/lru.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::scalers {
namespace {

int value_of(Lru<int>& lru, std::string_view key) {
  const int* found = lru.find(key);
  return found == nullptr ? -1 : *found;
}

TEST_CASE("an unknown key has no value, and erasing it changes nothing") {
  Lru<int> lru(2, 2);
  lru.put("a", "", 1);

  lru.erase("b");

  CHECK(value_of(lru, "b") == -1);
  CHECK(value_of(lru, "a") == 1);
  CHECK(lru.size() == 1);
}

TEST_CASE("the value least recently put or read is evicted first") {
  Lru<int> lru(3, 3);
  lru.put("a", "", 1);
  lru.put("b", "", 2);
  lru.put("c", "", 3);

  value_of(lru, "a");
  lru.put("b", "", 20);
  lru.put("d", "", 4);

  CHECK(lru.size() == 3);
  CHECK(value_of(lru, "a") == 1);
  CHECK(value_of(lru, "b") == 20);
  CHECK(value_of(lru, "c") == -1);
  CHECK(value_of(lru, "d") == 4);
}

TEST_CASE("the victim of another key is known before it is put, and changes nothing") {
  Lru<int> lru(3, 2);
  lru.put("a1", "a", 1);
  lru.put("a2", "a", 2);
  CHECK(lru.victim("b") == nullptr);
  REQUIRE(lru.victim("a") != nullptr);
  CHECK(*lru.victim("a") == 1);
  lru.put("b1", "b", 3);

  value_of(lru, "a1");

  REQUIRE(lru.victim("c") != nullptr);
  CHECK(*lru.victim("c") == 2);
  CHECK(lru.size() == 3);
}

TEST_CASE("an erased value makes room in the cache and in its partition") {
  Lru<int> lru(3, 2);
  lru.put("a1", "a", 1);
  lru.put("a2", "a", 2);
  lru.put("b1", "b", 3);

  lru.erase("a2");
  lru.put("a3", "a", 4);

  CHECK(lru.size() == 3);
  CHECK(value_of(lru, "a1") == 1);
  CHECK(value_of(lru, "a2") == -1);
  CHECK(value_of(lru, "a3") == 4);
  CHECK(value_of(lru, "b1") == 3);
}

TEST_CASE("a partition whose last value was erased can be filled again") {
  Lru<int> lru(2, 1);
  lru.put("a", "p", 1);

  lru.erase("a");
  lru.put("a", "q", 2);
  lru.put("b", "p", 3);

  CHECK(lru.size() == 2);
  CHECK(value_of(lru, "a") == 2);
  CHECK(value_of(lru, "b") == 3);
}

TEST_CASE("a full partition evicts its own value, a full cache a value of the largest partition") {
  Lru<int> lru(4, 3);
  lru.put("b1", "b", 1);
  lru.put("a1", "a", 2);
  lru.put("a2", "a", 3);
  lru.put("a3", "a", 4);

  lru.put("a4", "a", 5);
  lru.put("c1", "c", 6);

  CHECK(lru.size() == 4);
  CHECK(value_of(lru, "b1") == 1);
  CHECK(value_of(lru, "a1") == -1);
  CHECK(value_of(lru, "a2") == -1);
  CHECK(value_of(lru, "a3") == 4);
  CHECK(value_of(lru, "c1") == 6);
}

TEST_CASE("a key that another partition puts again stays in its first partition") {
  Lru<int> lru(3, 1);
  lru.put("k", "a", 1);

  lru.put("k", "b", 2);
  lru.put("other", "b", 3);

  CHECK(lru.size() == 2);
  CHECK(value_of(lru, "k") == 2);
  CHECK(value_of(lru, "other") == 3);
}

TEST_CASE("a key lives as long as its value, not as long as the caller's text") {
  Lru<std::string> lru(2, 2);
  std::string key(100, 'k');
  lru.put(key, "", "1");
  key.assign(100, 'x');

  lru.erase(std::string(100, 'k'));

  CHECK(lru.find(std::string(100, 'k')) == nullptr);
  CHECK(lru.size() == 0);
}

}  // namespace
}  // namespace weir::scalers
