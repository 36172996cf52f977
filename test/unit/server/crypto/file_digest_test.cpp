// A change of content is a change, a touch is not.
#include "server/crypto/file_digest.hpp"

#include "test/rigs/folder.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace weir::server {
namespace {

TEST_CASE("a digest changes with the content of a file, and with nothing else") {
  const test::Folder folder;
  const std::vector<std::string> paths{folder.write("a", "one"), folder.path("b")};
  const std::string first = file_digest(paths);

  folder.write("a", "one");
  CHECK(file_digest(paths) == first);
  folder.write("a", "two");
  CHECK(file_digest(paths) != first);
}

TEST_CASE("an empty file differs from a missing file, and a folder counts as missing") {
  const test::Folder folder;
  const std::vector<std::string> paths{folder.path("a")};
  const std::string missing = file_digest(paths);
  const std::string empty = (folder.write("a", ""), file_digest(paths));

  CHECK(empty != missing);
  CHECK(file_digest(std::vector{folder.path("")}) == missing);
}

TEST_CASE("moving content from a file to the next changes the digest") {
  const test::Folder folder;

  const std::string left =
      file_digest(std::vector{folder.write("a", "xy"), folder.write("b", "z")});
  const std::string right =
      file_digest(std::vector{folder.write("a", "x"), folder.write("b", "yz")});

  CHECK(left != right);
}

}  // namespace
}  // namespace weir::server
