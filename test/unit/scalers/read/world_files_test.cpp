// The files that settings name: what of them is a problem, and whose.
#include "scalers/read/world.hpp"
#include "test/rigs/folder.hpp"
#include "test/rigs/world_rig.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace weir::scalers {
namespace {

using test::Lines;
using test::Site;

// Field report 16: it was sent as "Bearer Bearer abc", and only "refused" came back.
TEST_CASE("a token file that begins with its scheme is reported") {
  const test::Folder folder;
  const std::string path = folder.write("token", "Bearer abc\n");
  Site site;

  const auto built =
      site.build({"{backends: {a: {prometheus: {url: 'http://a', token: {file: " + path + "}}}}}"});

  CHECK(built.world != nullptr);
  CHECK(built.problems_in_files ==
        Lines{"t.yaml:1:54: the token file begins with \"Bearer\"; write only the "
              "token into it"});
  CHECK(site.clients.problem_of(*built.world->backends().at(0).files) ==
        "the file " + path + " begins with \"Bearer\"; write only the token into it");
}

TEST_CASE("a file that is missing is a problem of its backend alone") {
  Site site;

  const auto built =
      site.build({"{backends: {a: {prometheus: {url: 'https://a', token: {file: /no/token},\n"
                  "tls: {ca: /no/ca}}}, b: {redis: {url: 'redis://b'}}}}"});

  REQUIRE(built.world != nullptr);
  CHECK(built.problems.empty());
  CHECK(
      built.problems_in_files ==
      Lines{"t.yaml:1:62: the credential file /no/token cannot be read: No such file or directory",
            "t.yaml:2:11: there is no file /no/ca"});
  const auto backends = built.world->backends();
  REQUIRE(backends.size() == 2);
  CHECK(site.clients.problem_of(*backends[0].files) ==
        "the credential file /no/token cannot be read: No such file or directory; the CA bundle "
        "/no/ca: No such file or directory");
  CHECK(backends[1].files->empty());
}

TEST_CASE("a backend whose url is in a missing file has metrics, which are checked") {
  const auto build = [](Site& site, const std::string& query) {
    return site.build(
        {"{backends: {a: {prometheus: {url: {file: /no/url}}}}, metrics: [\n"
         "{name: m, namespaces: [ml], labels: {q: '.+'}, prometheus: {backend: a, "
         "query: '" +
         query + "'}}]}"});
  };
  Site site;

  const auto built = build(site, "up{a=\"$(q)\"}");
  const auto wrong = build(site, "up + $(q)");

  REQUIRE(built.world != nullptr);
  CHECK(built.world->metrics().size() == 1);
  CHECK(built.world->backends().at(0).files->at(0).problem ==
        "the credential file /no/url cannot be read: No such file or directory");
  CHECK(wrong.world == nullptr);
  CHECK(wrong.problems.size() == 1);
}

}  // namespace
}  // namespace weir::scalers
