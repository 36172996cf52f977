// A url of the configuration or of a file, with the login that only a file may have.
#include "scalers/settings/server_url.hpp"

#include "test/rigs/folder.hpp"
#include "test/rigs/nodes.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using Lines = std::vector<std::string>;

struct Read {
  ServerUrl url;
  SecretFile username;
  SecretFile password;
  Problems problems;
};

// Reads `block` as a backend does.
Read read(const std::string& block, UrlLogin needs = UrlLogin::user_and_password) {
  Read out;
  const Node node = test::node(block);
  read_value(*node.find("url"), out.url, out.problems);
  use_login(node, out.url, needs, out.username, out.password, out.problems);
  return out;
}

std::string block_of(const std::string& file) { return "{url: {file: " + file + "}}"; }

TEST_CASE("a url of a file is split into the url and the files of its login") {
  const test::Folder folder;
  const auto path = folder.write("uri", "amqp://me:s3cret@broker:5672/v%2Fh\n");

  const auto out = read(block_of(path));

  CHECK(out.problems.all_lines().empty());
  CHECK(out.url.text == "amqp://broker:5672/v%2Fh");
  CHECK(out.username.read()->reveal() == "me");
  CHECK(out.password.read()->reveal() == "s3cret");
}

TEST_CASE("the login of another server is an error until its url is in use") {
  const test::Folder folder;
  const auto path = folder.write("uri", "amqp://me:s3cret@broker/v");
  const auto out = read(block_of(path));

  folder.write("uri", "amqp://you:other@broker/v");
  CHECK(out.username.read()->reveal() == "you");
  folder.write("uri", "amqp://you:other@broker-2/v");

  CHECK(out.username.read().error().detail ==
        "a credential file has the url of another server now, which is not in use yet; the log of "
        "Weir names the file");
  CHECK(out.password.read().has_error());
}

TEST_CASE("a url of the configuration has no login") {
  const auto out = read("{url: 'redis://cache'}");

  CHECK(out.url.text == "redis://cache");
  CHECK_FALSE(out.username.is_set());
  CHECK(out.problems.files().empty());
}

struct Row {
  std::string_view name;
  std::string content;
  UrlLogin needs;
  std::string problem;  // after the name of the file
};

TEST_CASE("what is wrong with the url of a file is a problem of the file, without its content") {
  const Row rows[] = {
      {"a user alone",
       "amqp://s3cret@h",
       UrlLogin::user_and_password,
       "it has a user without a password; write USER:PASSWORD@"},
      {"a password alone",
       "amqp://:s3cret@h",
       UrlLogin::user_and_password,
       "it has a password without a user; write USER:PASSWORD@"},
      {"a broken escape",
       "redis://:s3cret%@h",
       UrlLogin::password,
       "the user or the password has an invalid % escape, or one of / ? # without one; write %2F "
       "%3F %23"},
      {"a slash in the password",
       "http://me:12/s3cret@h/",
       UrlLogin::user_and_password,
       "the user or the password has an invalid % escape, or one of / ? # without one; write %2F "
       "%3F %23"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const test::Folder folder;
      const auto path = folder.write("uri", row.content);

      const auto out = read(block_of(path), row.needs);

      CHECK(out.problems.empty());
      CHECK(out.problems.lines_in_files() ==
            Lines{"t.yaml:1:14: the url in " + path + ": " + row.problem});
    }
  }
}

TEST_CASE("a password alone is a login where the user has a default") {
  const test::Folder folder;

  const auto out = read(block_of(folder.write("uri", "redis://:s3cret@h")), UrlLogin::password);

  CHECK(out.problems.all_lines().empty());
  CHECK_FALSE(out.username.is_set());
  CHECK(out.password.read()->reveal() == "s3cret");
}

TEST_CASE("a login beside the url of a file is a problem that says what to remove") {
  const test::Folder folder;
  const auto path = folder.write("uri", "redis://:s3cret@h");

  const auto out = read("{url: {file: " + path + "},\npassword: {file: x}}", UrlLogin::password);

  CHECK(out.problems.lines() == Lines{"t.yaml:2:11: url: {file: PATH} has the user and the "
                                      "password in the url; remove password"});
}

TEST_CASE("the shape of a url changes with all but the login itself") {
  const test::Folder folder;
  const auto shape = [&](const std::string& text) { return url_shape(folder.write("uri", text)); };
  const auto first = shape("amqp://a:b@h/v");

  CHECK(shape("amqp://c:d@h/v\n") == first);
  CHECK(shape("amqp://a:b@h/w") != first);
  CHECK(shape("amqp://a:b@g/v") != first);
  CHECK(shape("amqp://h/v") != first);
  CHECK(shape("amqp://a:%@h/v") == 0);
  CHECK(url_shape("/no/such") == 0);
}

}  // namespace
}  // namespace weir::scalers
