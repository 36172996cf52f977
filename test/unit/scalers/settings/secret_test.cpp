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

constexpr std::string_view kRest = "; the log of Weir names the file";

TEST_CASE("a file without a usable secret is an error without its path and content") {
  const Row rows[] = {
      {"empty", "", "is empty"},
      {"line ends alone", "\r\n\n", "is empty"},
      {"too large", std::string(65'537, 'x'), "is over 64 KiB"},
      // Field report 16: the mark went to the server as a part of the secret.
      {"UTF-8 with a byte order mark",
       "\xef\xbb\xbfs3cret",
       "begins with a byte order mark; save it as UTF-8 without BOM"},
      {"UTF-16", "\xff\xfes", "begins with a byte order mark; save it as UTF-8 without BOM"},
      {"UTF-16, big-endian",
       "\xfe\xffs",
       "begins with a byte order mark; save it as UTF-8 without BOM"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Folder folder;
      const SecretFile file(folder.write("secret", row.content));

      CHECK(shown(file.read()) == "refused: a credential file " + row.secret + std::string(kRest));
      CHECK(file.problem() == "the credential file " + file.path() + " " + row.secret);
    }
  }
}

TEST_CASE("a missing file is named for the log alone") {
  const SecretFile file("/no/such");

  CHECK(shown(file.read()) ==
        "refused: a credential file cannot be read: No such file or directory" +
            std::string(kRest));
  CHECK(file.problem() == "the credential file /no/such cannot be read: No such file or directory");
}

TEST_CASE("the user and the password of a url in a file are secrets of their own") {
  using Part = SecretFile::Part;
  const Folder folder;
  const auto path = folder.write("url", "amqp://a%3Ab:p%40s@broker:5672/%2F\n");
  const auto plain = folder.write("plain", "amqp://broker/v");
  const auto bad = folder.write("bad", "redis://:100%@cache/0");

  CHECK(SecretFile(path, Part::url_user).read()->reveal() == "a:b");
  CHECK(SecretFile(folder.write("at", "amqp://u:p@w@h/"), Part::url_password).read()->reveal() ==
        "p@w");
  CHECK(SecretFile(plain, Part::url_user).problem() ==
        "the credential file " + plain + " has a url without user");
  CHECK(SecretFile(bad, Part::url_password).problem() ==
        "the credential file " + bad + " has an invalid escape in the user or password of its url");
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
  const std::string refusal =
      "refused: a credential file cannot be read: No such file or directory" + std::string(kRest);

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
  wrong.erase("refused: the credential files change while they are read" + std::string(kRest));

  const auto last = read_pair(user, password);

  CHECK(wrong == std::set<std::string>{});
  REQUIRE(last.has_value());
  CHECK(last->first.reveal() == "499");
  CHECK(last->second.reveal() == "499");
}

}  // namespace
}  // namespace weir::scalers
