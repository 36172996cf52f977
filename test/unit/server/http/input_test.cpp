#include "server/http/input.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <string>
#include <string_view>

namespace weir::server {
namespace {

// As a socket does it.
void come(SessionInput& input, std::string_view bytes) {
  const auto room = input.room();
  REQUIRE(room.size() >= bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  input.add(bytes.size());
}

TEST_CASE("received bytes stay in order until they are removed") {
  SessionInput input;
  CHECK(input.is_empty());

  come(input, "one ");
  come(input, "two ");
  CHECK(input.bytes() == "one two ");

  input.drop(4);
  come(input, "three");
  CHECK(input.bytes() == "two three");

  input.drop(9);
  CHECK(input.is_empty());
  come(input, "four");
  CHECK(input.bytes() == "four");
}

TEST_CASE("bytes after a long head stay, and its buffer is freed") {
  const std::string chunk(4096, 'x');
  SessionInput input;
  for (int i = 0; i < 16; ++i) come(input, chunk);
  come(input, "rest");

  input.drop(16 * chunk.size());
  CHECK(input.bytes() == "rest");
  CHECK(input.capacity() > 16 * chunk.size());

  input.drop(4);
  CHECK(input.is_empty());
  CHECK(input.capacity() < chunk.size());
  come(input, "next");
  CHECK(input.bytes() == "next");
}

}  // namespace
}  // namespace weir::server
