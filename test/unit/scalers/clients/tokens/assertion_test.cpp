// What an assertion says about its own times, and files with another content than a token.
#include "scalers/clients/tokens/assertion.hpp"

#include "test/rigs/folder.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace weir::scalers::clients {
namespace {

using namespace std::chrono_literals;

// 2026-01-31T11:20:00Z
const WallTime kNow{std::chrono::seconds(1'769'858'400)};
// {"alg":"RS256"}
const std::string kHeader = "eyJhbGciOiJSUzI1NiJ9.";
// {"exp":1769858340}, {"exp":1769858460} and {"iat":1769858700}
const std::string kExpired = kHeader + "eyJleHAiOjE3Njk4NTgzNDB9.c2ln";
const std::string kValid = kHeader + "eyJleHAiOjE3Njk4NTg0NjB9.c2ln";
const std::string kFuture = kHeader + "eyJpYXQiOjE3Njk4NTg3MDB9.c2ln";
const std::string kNoJwt =
    "the assertion is not a JWT (three parts with dots in between), and is sent as one";

}  // namespace

TEST_CASE("the times of an assertion are compared with the clock") {
  CHECK(assertion_problem(kValid, kNow).empty());
  CHECK(assertion_problem(kExpired, kNow) ==
        "the assertion expired 60 s ago (its file is not renewed any more, or Weir's clock is "
        "wrong)");
  CHECK(assertion_problem(kFuture, kNow) ==
        "Weir's clock is 5 min behind that of the assertion's issuer; correct the clock of its "
        "node");
}

TEST_CASE("a text for the log does not change with the time") {
  const auto text = [](const std::string& assertion, WallTime now) {
    return jwt_problem(assertion, now, TimeForm::absolute);
  };

  CHECK(text(kExpired, kNow) ==
        "the assertion expired at 2026-01-31T11:19:00Z (its file is not renewed any more, or "
        "Weir's clock is wrong)");
  CHECK(text(kExpired, kNow + 2s) == text(kExpired, kNow));
  CHECK(text(kFuture, kNow) ==
        "the assertion is valid from 2026-01-31T11:25:00Z on; is Weir's clock behind that of its "
        "issuer?");
  CHECK(text(kFuture, kNow + 2s) == text(kFuture, kNow));
  CHECK(text(kValid, kNow).empty());
}

TEST_CASE("an assertion that is not a JWT is named where it is sent as one") {
  struct Row {
    std::string_view name;
    std::string assertion;
    std::string problem;
  };
  const Row rows[] = {
      {"a JWT", kValid, ""},
      {"an encrypted one", kHeader + "a.b.c.d", ""},
      {"a word", "s3cret", kNoJwt},
      {"two parts", kHeader + "c2ln", kNoJwt},
      {"a version", "1.2.3", kNoJwt},
      {"XML", "<saml2:Assertion ID=\"a.b.c\">", kNoJwt},
      {"a scheme",
       "Bearer " + kValid,
       "the assertion begins with \"Bearer\"; write only the token"},
  };

  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(jwt_problem(row.assertion, kNow) == row.problem);
    const bool is_form = row.problem == kNoJwt;
    CHECK(assertion_problem(row.assertion, kNow) == (is_form ? "" : row.problem));
  }
}

TEST_CASE("the log names the file of a token that cannot be right") {
  const test::Folder folder;
  const std::string scheme = folder.write("scheme", "bEARER abc\n");
  const std::string expired = folder.write("expired", kExpired + "\n");
  using Kind = LocalFile::Kind;

  CHECK(token_file_problem({Kind::token, scheme, {}, {}}, kNow) ==
        "the file " + scheme + " begins with \"Bearer\"; write only the token into it");
  CHECK(token_file_problem({Kind::assertion, expired, {}, {}}, kNow) ==
        "the file " + expired +
            ": the assertion expired at 2026-01-31T11:19:00Z (its file is not renewed any more, or "
            "Weir's clock is wrong)");
  // A token of the backend may be anything, and a password may begin with any word.
  CHECK(token_file_problem({Kind::token, expired, {}, {}}, kNow).empty());
  CHECK(token_file_problem({Kind::secret, scheme, {}, {}}, kNow).empty());
  CHECK(token_file_problem({Kind::assertion, folder.path("none"), {}, {}}, kNow).empty());
}

}  // namespace weir::scalers::clients
