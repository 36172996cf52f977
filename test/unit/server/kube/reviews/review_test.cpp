// What is asked of the kube-apiserver in a review, what its answer means, and how long it is kept.
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

TEST_CASE("a TokenReview holds the token, and audiences only when there are some") {
  CHECK(
      token_review(scalers::Secret("t\"1"), {}) ==
      R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"t\"1"}})");
  CHECK(token_review(scalers::Secret("t"), {"a", "b"}) ==
        R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview",)"
        R"("spec":{"audiences":["a","b"],"token":"t"}})");
}

TEST_CASE("a TokenReview's answer is a caller, a refusal or an error") {
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
       "bad_reply: the TokenReview's authenticated is no truth value"},
      {"no status", "null", {}, "bad_reply: the answer is a TokenReview without a status"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto verdict =
          parse_token_review(R"({"kind":"TokenReview","status":)" + std::string(row.status) + "}",
                             row.audiences);

      const std::string outcome = !verdict          ? shown(verdict)
                                  : verdict->caller ? verdict->caller->user
                                                    : "refused: " + verdict->why;
      CHECK(outcome == row.outcome);
    }
  }
  CHECK(shown(parse_token_review("x", {})) == "bad_reply: the answer is no TokenReview");
}

TEST_CASE("a SubjectAccessReview holds the whole question") {
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

TEST_CASE("the key of an answer is the same for the same question alone") {
  const UserInfo caller{"u", "1", {"a", "b"}, {{"k", {"v", "w"}}}};
  RequestInfo asked = list_of("m");
  asked.name = "n";
  struct Row {
    std::string_view name;
    UserInfo caller;
    RequestInfo asked;
  };
  const auto changed = [&](auto change) {
    RequestInfo out = asked;
    change(out);
    return out;
  };
  const Row rows[] = {
      {"another user", {"v", "1", {"a", "b"}, {{"k", {"v", "w"}}}}, asked},
      {"another uid", {"u", "2", {"a", "b"}, {{"k", {"v", "w"}}}}, asked},
      {"another value of an extra", {"u", "1", {"a", "b"}, {{"k", {"v", "x"}}}}, asked},
      {"a part between user and uid", {"u1", "", {"a", "b"}, {{"k", {"v", "w"}}}}, asked},
      {"one group less", {"u", "1", {"a"}, {{"k", {"v", "w"}}}}, asked},
      {"groups as one", {"u", "1", {"ab"}, {{"k", {"v", "w"}}}}, asked},
      {"groups the other way round", {"u", "1", {"b", "a"}, {{"k", {"v", "w"}}}}, asked},
      {"a group more, empty", {"u", "1", {"a", "b", ""}, {{"k", {"v", "w"}}}}, asked},
      {"a group that holds a length", {"u", "1", {"a\x01"}, {{"k", {"v", "w"}}}}, asked},
      {"no extra", {"u", "1", {"a", "b"}, {}}, asked},
      {"an extra of no value", {"u", "1", {"a", "b"}, {{"k", {}}}}, asked},
      {"another name of an extra", {"u", "1", {"a", "b"}, {{"l", {"v", "w"}}}}, asked},
      {"values of two extras", {"u", "1", {"a", "b"}, {{"k", {"v"}}, {"w", {}}}}, asked},
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
  const std::string key = access_key(caller, asked);

  CHECK(access_key(UserInfo(caller), RequestInfo(asked)) == key);
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(access_key(row.caller, row.asked) != key); }
  }
}

TEST_CASE("a part of 128 bytes and more is told apart from the parts around it") {
  const std::string group(128, 'g');

  CHECK(access_key({"u", "", {group}, {}}, list_of("m")) !=
        access_key({"u", "", {group.substr(1)}, {}}, list_of("m")));
  CHECK(access_key({"u", "", {group, "a"}, {}}, list_of("m")) !=
        access_key({"u", "", {group + "a"}, {}}, list_of("m")));
}

TEST_CASE("the key of a long question is a digest, and still that of this question alone") {
  const std::string group(600, 'g');
  const std::string key = access_key({"u", "", {group}, {}}, list_of("m"));

  CHECK(key.size() == 34);
  CHECK(access_key({"u", "", {group}, {}}, list_of("m")) == key);
  CHECK(access_key({"u", "", {group}, {}}, list_of("n")) != key);
  CHECK(access_key({"v", "", {group}, {}}, list_of("m")) != key);
}

TEST_CASE("the asking account's own review names nobody, and its answer is of its kind") {
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
                .error()) == "bad_reply: the answer is no SelfSubjectAccessReview");
  CHECK(
      shown(parse_self_access_review(R"({"kind":"SelfSubjectAccessReview","status":{"allowed":1}})")
                .error()) == "bad_reply: the SelfSubjectAccessReview's verdict is no truth value");
}

TEST_CASE("a name that is no UTF-8 is asked about with the replacement character, as Go does") {
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

TEST_CASE("attributes of 10000 bytes are not kept") {
  const std::size_t rest = std::string("listexternal.metrics.k8s.iov1beta1default").size();

  CHECK(is_keepable(list_of(std::string(9999 - rest, 'x'))));
  CHECK_FALSE(is_keepable(list_of(std::string(10'000 - rest, 'x'))));
}

TEST_CASE("a verdict is kept until its time, and the least used goes first") {
  ReviewCache<int> cache(2);
  const SteadyTime start{};

  cache.keep("a", 1, start + seconds{10});
  cache.keep("b", 2, start + seconds{10});
  REQUIRE(cache.find("a", start) != nullptr);
  cache.keep("c", 3, start + seconds{5});

  CHECK(cache.find("b", start) == nullptr);
  CHECK(*cache.find("a", start + milliseconds{9999}) == 1);
  CHECK(cache.find("a", start + seconds{10}) == nullptr);
  CHECK(cache.find("c", start + seconds{5}) == nullptr);
  CHECK(cache.size() == 0);
}

TEST_CASE("a verdict that comes again takes the place of the one before") {
  ReviewCache<int> cache(2);

  cache.keep("a", 1, SteadyTime{} + seconds{1});
  cache.keep("a", 2, SteadyTime{} + seconds{9});

  CHECK(cache.size() == 1);
  CHECK(*cache.find("a", SteadyTime{} + seconds{2}) == 2);
}

TEST_CASE("a pause grows to its bound, with some chance in it") {
  const Backoff backoff{milliseconds{500}, 2.0, 0.5, seconds{30}};

  CHECK(backoff.pause(0, 0) == milliseconds{500});
  CHECK(backoff.pause(1, 0) == milliseconds{1000});
  CHECK(backoff.pause(1, 0.5) == milliseconds{1250});
  CHECK(backoff.pause(6, 0) == seconds{30});
  CHECK(backoff.pause(1'000'000, 0) == seconds{30});
}

}  // namespace
}  // namespace weir::server::cluster
