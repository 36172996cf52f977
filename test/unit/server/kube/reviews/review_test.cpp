// Requests and responses of reviews, and how long verdicts are cached.
#include "server/kube/client/backoff.hpp"
#include "server/kube/reviews/access_reviews.hpp"
#include "server/kube/reviews/review_cache.hpp"
#include "server/kube/reviews/review_texts.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server::cluster {
namespace {

using apiservice::RequestInfo;
using apiservice::UserInfo;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::shown;
using Texts = std::vector<std::string>;

RequestInfo list_of(const std::string& resource) {
  RequestInfo out;
  out.is_resource = true;
  out.verb = "list";
  out.group = "external.metrics.k8s.io";
  out.version = "v1beta1";
  out.name_space = "default";
  out.resource = resource;
  return out;
}

TEST_CASE("a TokenReview has the token, and audiences only when there are some") {
  CHECK(
      token_review(scalers::Secret("t\"1"), {}) ==
      R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"t\"1"}})");
  CHECK(token_review(scalers::Secret("t"), {"a", "b"}) ==
        R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview",)"
        R"("spec":{"audiences":["a","b"],"token":"t"}})");
}

TEST_CASE("a TokenReview's response is a user, a rejection or an error") {
  struct Row {
    std::string_view name;
    std::string_view status;
    Texts audiences;
    std::string_view outcome;
  };
  const Row rows[] = {
      {"good", R"({"authenticated":true,"user":{"username":"u"}})", {}, "u"},
      {"refused", R"({"error":"no"})", {}, "refused: no"},
      {"one of ours",
       R"({"authenticated":true,"user":{"username":"u"},"audiences":["b"]})",
       {"a", "b"},
       "u"},
      {"S08: of others",
       R"({"authenticated":true,"user":{"username":"u"},"audiences":["c"]})",
       {"a", "b"},
       "refused: the token is for other audiences"},
      {"no audiences said", R"({"authenticated":true,"user":{"username":"u"}})", {"a"}, "u"},
      {"no user", R"({"authenticated":true})", {}, "bad_reply: the TokenReview names no user"},
      {"no name",
       R"({"authenticated":true,"user":{}})",
       {},
       "bad_reply: the TokenReview names no user"},
      {"in words",
       R"({"authenticated":"true","user":{"username":"u"}})",
       {},
       "bad_reply: the TokenReview's authenticated is not a boolean"},
      {"no status", "null", {}, "bad_reply: the response is a TokenReview without a status"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto verdict =
          parse_token_review(R"({"kind":"TokenReview","status":)" + std::string(row.status) + "}",
                             row.audiences);

      const std::string outcome = !verdict          ? shown(verdict)
                                  : verdict->caller ? verdict->caller->user
                                                    : "refused: " + verdict->reason;
      CHECK(outcome == row.outcome);
    }
  }
  CHECK(shown(parse_token_review("x", {})) == "bad_reply: the response is not a TokenReview");
}

TEST_CASE("a SubjectAccessReview has the user and all attributes") {
  const UserInfo caller{"u", "1", {"g"}, {{"k", {"v"}}}};
  RequestInfo path;
  path.verb = "get";
  path.path = "/apis";

  CHECK(
      access_review(caller, list_of("m")) ==
      R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{)"
      R"("extra":{"k":["v"]},"groups":["g"],"resourceAttributes":{"group":"external.metrics.k8s.io",)"
      R"("namespace":"default","resource":"m","verb":"list","version":"v1beta1"},"uid":"1","user":"u"}})");
  CHECK(access_review({"u", "", {}, {}}, path) ==
        R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{)"
        R"("nonResourceAttributes":{"path":"/apis","verb":"get"},"user":"u"}})");
}

TEST_CASE("the key is equal only for equal reviews") {
  const UserInfo caller{"u", "1", {"a", "b"}, {{"k", {"v", "w"}}}};
  RequestInfo attributes = list_of("m");
  attributes.name = "n";
  struct Row {
    std::string_view name;
    UserInfo caller;
    RequestInfo attributes;
  };
  const auto changed = [&](auto change) {
    RequestInfo out = attributes;
    change(out);
    return out;
  };
  const Row rows[] = {
      {"another user", {"v", "1", {"a", "b"}, {{"k", {"v", "w"}}}}, attributes},
      {"another uid", {"u", "2", {"a", "b"}, {{"k", {"v", "w"}}}}, attributes},
      {"another value of an extra", {"u", "1", {"a", "b"}, {{"k", {"v", "x"}}}}, attributes},
      {"a part between user and uid", {"u1", "", {"a", "b"}, {{"k", {"v", "w"}}}}, attributes},
      {"one group less", {"u", "1", {"a"}, {{"k", {"v", "w"}}}}, attributes},
      {"groups as one", {"u", "1", {"ab"}, {{"k", {"v", "w"}}}}, attributes},
      {"groups the other way round", {"u", "1", {"b", "a"}, {{"k", {"v", "w"}}}}, attributes},
      {"a group more, empty", {"u", "1", {"a", "b", ""}, {{"k", {"v", "w"}}}}, attributes},
      {"a group that holds a length", {"u", "1", {"a\x01"}, {{"k", {"v", "w"}}}}, attributes},
      {"no extra", {"u", "1", {"a", "b"}, {}}, attributes},
      {"an extra of no value", {"u", "1", {"a", "b"}, {{"k", {}}}}, attributes},
      {"another name of an extra", {"u", "1", {"a", "b"}, {{"l", {"v", "w"}}}}, attributes},
      {"values of two extras", {"u", "1", {"a", "b"}, {{"k", {"v"}}, {"w", {}}}}, attributes},
      {"another verb", caller, changed([](auto& one) { one.verb = "get"; })},
      {"another group of the API", caller, changed([](auto& one) { one.group = "x"; })},
      {"another version", caller, changed([](auto& one) { one.version = "v1"; })},
      {"another namespace", caller, changed([](auto& one) { one.name_space = "kube-system"; })},
      {"another resource", caller, changed([](auto& one) { one.resource = "mn"; })},
      {"another name", caller, changed([](auto& one) { one.name = ""; })},
      {"the name as subresource", caller, changed([](auto& one) {
         std::swap(one.name, one.subresource);
       })},
      {"no resource", caller, changed([](auto& one) { one.is_resource = false; })},
      {"a subresource", caller, changed([](auto& one) { one.subresource = "s"; })},
      {"another path", caller, changed([](auto& one) { one.path = "/"; })},
  };
  const std::string key = access_key(caller, attributes);

  CHECK(access_key(UserInfo(caller), RequestInfo(attributes)) == key);
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(access_key(row.caller, row.attributes) != key); }
  }
}

TEST_CASE("a part of 128 bytes and more does not mix with the parts around it") {
  const std::string group(128, 'g');

  CHECK(access_key({"u", "", {group}, {}}, list_of("m")) !=
        access_key({"u", "", {group.substr(1)}, {}}, list_of("m")));
  CHECK(access_key({"u", "", {group, "a"}, {}}, list_of("m")) !=
        access_key({"u", "", {group + "a"}, {}}, list_of("m")));
}

TEST_CASE("the key of a long review is a digest, and still differs for other reviews") {
  const std::string group(800, 'g');
  const std::string key = access_key({"u", "", {group}, {}}, list_of("m"));

  CHECK(key.size() == 40);
  CHECK(access_key({"u", "", {group}, {}}, list_of("m")) == key);
  CHECK(access_key({"u", "", {group}, {}}, list_of("n")) != key);
  CHECK(access_key({"v", "", {group}, {}}, list_of("m")) != key);
}

TEST_CASE("a self review has no user, and its response has its own kind") {
  CHECK(self_access_review(list_of("m")) ==
        R"({"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{)"
        R"("resourceAttributes":{"group":"external.metrics.k8s.io","namespace":"default",)"
        R"("resource":"m","verb":"list","version":"v1beta1"}}})");
  CHECK(parse_self_access_review(R"({"kind":"SelfSubjectAccessReview","status":{"allowed":true}})")
            ->is_allowed);
  CHECK_FALSE(
      parse_self_access_review(R"({"kind":"SelfSubjectAccessReview","status":{}})")->is_allowed);
  CHECK(
      shown(parse_self_access_review(R"({"kind":"SubjectAccessReview","status":{"allowed":true}})")
                .error()) == "bad_reply: the response is not a SelfSubjectAccessReview");
  CHECK(
      shown(parse_self_access_review(R"({"kind":"SelfSubjectAccessReview","status":{"allowed":1}})")
                .error()) ==
      "bad_reply: the SelfSubjectAccessReview's allowed or denied is not a boolean");
}

TEST_CASE("invalid UTF-8 in a name becomes the replacement character, as in Go") {
  const std::string body = access_review({"a\xff", "", {}, {}}, list_of("m"));

  CHECK(body.find("\"user\":\"a\xef\xbf\xbd\"") != body.npos);
}

TEST_CASE("system:masters and the open paths need no review, resources do") {
  const UserInfo master{"u", "", {"a", "system:masters"}, {}};
  const UserInfo user{"u", "", {"system:mastersx"}, {}};
  const Texts paths{"/healthz", "/open*"};
  const auto path = [](const char* text) {
    RequestInfo out;
    out.path = text;
    return out;
  };
  RequestInfo resource = list_of("m");
  resource.path = "/healthz";

  CHECK(is_always_allowed(master, list_of("m"), {}));
  CHECK_FALSE(is_always_allowed(user, list_of("m"), {"*"}));
  CHECK_FALSE(is_always_allowed(user, resource, paths));
  CHECK(is_always_allowed(user, path("/healthz"), paths));
  CHECK(is_always_allowed(user, path("/opened/x"), paths));
  CHECK_FALSE(is_always_allowed(user, path("/healthz/ping"), paths));
  CHECK_FALSE(is_always_allowed(user, path("/"), paths));
}

TEST_CASE("attributes of 10000 bytes are not cached") {
  const std::size_t rest = std::string("listexternal.metrics.k8s.iov1beta1default").size();

  CHECK(is_cacheable(list_of(std::string(9999 - rest, 'x'))));
  CHECK_FALSE(is_cacheable(list_of(std::string(10'000 - rest, 'x'))));
}

TEST_CASE("a verdict is cached until its time, and the least recently used is evicted first") {
  ReviewCache<int> cache(2);
  const SteadyTime start{};

  cache.put("a", 1, start + seconds{10});
  cache.put("b", 2, start + seconds{10});
  REQUIRE(cache.find("a", start) != nullptr);
  cache.put("c", 3, start + seconds{5});

  CHECK(cache.find("b", start) == nullptr);
  CHECK(*cache.find("a", start + milliseconds{9999}) == 1);
  CHECK(cache.find("a", start + seconds{10}) == nullptr);
  CHECK(cache.find("c", start + seconds{5}) == nullptr);
  CHECK(cache.size() == 0);
}

TEST_CASE("a verdict replaces the one under the same key") {
  ReviewCache<int> cache(2);

  cache.put("a", 1, SteadyTime{} + seconds{1});
  cache.put("a", 2, SteadyTime{} + seconds{9});

  CHECK(cache.size() == 1);
  CHECK(*cache.find("a", SteadyTime{} + seconds{2}) == 2);
}

TEST_CASE("a pause grows to its bound, with jitter") {
  const Backoff backoff{milliseconds{500}, 2.0, 0.5, seconds{30}};

  CHECK(backoff.pause(0, 0) == milliseconds{500});
  CHECK(backoff.pause(1, 0) == milliseconds{1000});
  CHECK(backoff.pause(1, 0.5) == milliseconds{1250});
  CHECK(backoff.pause(6, 0) == seconds{30});
  CHECK(backoff.pause(1'000'000, 0) == seconds{30});
}

}  // namespace
}  // namespace weir::server::cluster
