#include "scalers/settings/secret.hpp"

#include "test/rigs/folder.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

namespace weir::scalers {
namespace {

using test::Folder;
using test::shown;
using namespace std::string_literals;

struct Row {
  std::string_view name;
  std::string content;
  std::string secret;
};

TEST_CASE("a secret is its file's content without trailing line ends") {
  const Row rows[] = {
      {"plain", "s3cret", "s3cret"},
      {"a line feed", "s3cret\n", "s3cret"},
      {"a carriage return and a line feed", "s3cret\r\n", "s3cret"},
      {"several line ends", "s3cret\n\r\n\n", "s3cret"},
      {"a blank last", "s3cret ", "s3cret "},
      {"blanks in front", "\n s3cret", "\n s3cret"},
      {"a line end inside", "a\nb\n", "a\nb"},
      {"a NUL byte", "a\0b"s, "a\0b"s},
      {"64 KiB", std::string(65'536, 'x'), std::string(65'536, 'x')},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Folder folder;
      const SecretFile file(folder.write("secret", row.content));

      const auto secret = file.read();

      REQUIRE(shown(secret) == "a value");
      CHECK(secret->reveal() == row.secret);
    }
  }
}

TEST_CASE("a file without a usable secret is an error without the content") {
  const Folder folder;
  const auto path = folder.path("secret");

  const auto missing = SecretFile(path).read();
  folder.write("secret", "");
  const auto empty = SecretFile(path).read();
  folder.write("secret", "\r\n\n");
  const auto line_ends = SecretFile(path).read();
  folder.write("secret", std::string(65'537, 'x'));
  const auto too_large = SecretFile(path).read();

  CHECK(shown(missing) ==
        "refused: the credential file " + path + " cannot be read: No such file or directory");
  CHECK(shown(empty) == "refused: the credential file " + path + " is empty");
  CHECK(shown(line_ends) == "refused: the credential file " + path + " is empty");
  CHECK(shown(too_large) == "refused: the credential file " + path + " is over 64 KiB");
}

// Field report 16: the mark went to the server as a part of the secret, and only "refused" came
// back.
TEST_CASE("a byte order mark in front of a secret is an error") {
  const auto mark = GENERATE("\xef\xbb\xbf", "\xff\xfe", "\xfe\xff");
  const Folder folder;
  const auto path = folder.write("secret", mark + "s3cret"s);

  CHECK(shown(SecretFile(path).read()) == "refused: the credential file " + path +
                                              " begins with a byte order mark; save it as UTF-8 "
                                              "without BOM");
}

TEST_CASE("a folder is not a secret") {
  const Folder folder;

  const auto secret = SecretFile(folder.path("")).read();

  CHECK(secret.error().code == Errc::refused);
}

TEST_CASE("a rotated file is read at its next use") {
  const Folder folder;
  const SecretFile file(folder.write("secret", "old"));

  const auto before = file.read();
  folder.write("secret", "new");
  const auto after = file.read();

  CHECK(before->reveal() == "old");
  CHECK(after->reveal() == "new");
}

TEST_CASE("a secret has no conversion to text") {
  CHECK_FALSE(std::is_convertible_v<Secret, std::string>);
  CHECK_FALSE(std::is_convertible_v<Secret, std::string_view>);
  CHECK_FALSE(std::is_convertible_v<std::string, Secret>);
}

TEST_CASE("a pair needs both of its files") {
  const Folder folder;
  const SecretFile user(folder.write("user", "me"));
  const SecretFile password(folder.write("password", "pw\n"));
  const SecretFile missing(folder.path("missing"));

  const auto pair = read_pair(user, password);
  const auto no_user = read_pair(missing, password);
  const auto no_password = read_pair(user, missing);
  const std::string refusal = "refused: the credential file " + missing.path() +
                              " cannot be read: No such file or directory";

  REQUIRE(shown(pair) == "a value");
  CHECK(pair->first.reveal() == "me");
  CHECK(pair->second.reveal() == "pw");
  CHECK(shown(no_user) == refusal);
  CHECK(shown(no_password) == refusal);
}

// Swaps the link `data` from one fresh folder to the next while pairs are read, as the kubelet
// swaps a mounted Secret.
TEST_CASE("a pair is always from one state of its folder") {
  const Folder folder;
  const auto swap_to = [&](int state) {
    const auto name = std::to_string(state);
    folder.write(name + "/user", name);
    folder.write(name + "/password", name);
    folder.link(name, "data");
  };
  swap_to(0);
  const SecretFile user(folder.path("data/user"));
  const SecretFile password(folder.path("data/password"));
  std::atomic<bool> is_over = false;
  std::thread swapper([&] {
    for (int state = 1; state < 500; ++state) swap_to(state);
    is_over = true;
  });

  std::set<std::string> wrong;
  while (!is_over) {
    const auto pair = read_pair(user, password);
    const bool is_one_state = pair && pair->first.reveal() == pair->second.reveal();
    if (pair && !is_one_state) wrong.insert(pair->first.reveal() + " " + pair->second.reveal());
    if (!pair) wrong.insert(shown(pair));
  }
  swapper.join();
  // The folder may really change five times during one read: that is told, never papered over.
  wrong.erase("refused: the credential files " + user.path() + " and " + password.path() +
              " change while they are read");

  const auto last = read_pair(user, password);

  CHECK(wrong == std::set<std::string>{});
  REQUIRE(last.has_value());
  CHECK(last->first.reveal() == "499");
  CHECK(last->second.reveal() == "499");
}

}  // namespace
}  // namespace weir::scalers
