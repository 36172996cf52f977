// Pages of the management API: valid and invalid ones, and how they become one list.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::rabbitmq {
namespace {

using test::shown;

std::string page(std::string_view items, std::string_view pages = "1") {
  return fmt::format(R"({{"page_count":{},"page":1,"items":[{}]}})", pages, items);
}

struct Bad {
  std::string_view name;
  long status;
  std::string body;
  std::string message;
};

void check(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    const std::array<std::string, 2> redactions{"weirduser", "s3cret-word"};

    CHECK(shown(parse_page(row.status, row.body, "ml", redactions)) == row.message);
  }
}

TEST_CASE("a page lists its queues and how many pages there are") {
  const auto parsed = parse_page(
      200,
      page(
          R"({"name":"a","messages":5,"messages_ready":3,"messages_unacknowledged":2,)"
          R"("message_stats":{"publish_details":{"rate":1.5},"deliver_get_details":{"rate":0.5}}},)"
          R"({"name":"b","messages":7})",
          "3"),
      "ml",
      {});

  REQUIRE(shown(parsed) == "a value");
  CHECK(parsed->page_count == 3);
  REQUIRE(parsed->queues.size() == 2);
  CHECK(parsed->queues[0].total == 5);
  CHECK(parsed->queues[0].ready == 3);
  CHECK(parsed->queues[0].unacknowledged == 2);
  CHECK(parsed->queues[0].publish_rate == 1.5);
  CHECK(parsed->queues[0].deliver_get_rate == 0.5);
  CHECK(parsed->queues[1].total == 7);
  CHECK(parsed->queues[1].ready == std::nullopt);
  CHECK(parsed->queues[1].publish_rate == std::nullopt);
}

TEST_CASE("a page without queues is a page") {
  const auto parsed = parse_page(200, page("", "0"), "ml", {});

  REQUIRE(shown(parsed) == "a value");
  CHECK(parsed->queues.empty());
  CHECK(parsed->page_count == 0);
}

TEST_CASE("a statistic that is not a number is unknown, never zero") {
  struct Row {
    std::string_view name;
    std::string members;
    std::string wrong_column;
  };
  const Row rows[] = {
      {"null", R"("messages":null)", ""},
      {"absent", R"("x":1)", ""},
      {"undefined in Erlang", R"("messages":"")", ""},
      {"null statistics", R"("message_stats":null)", ""},
      {"an empty list of statistics", R"("message_stats":[])", ""},
      {"null details", R"("message_stats":{"publish_details":null})", ""},
      {"a text", R"("messages":"5")", "messages"},
      {"a list", R"("messages":[5])", "messages"},
      {"true", R"("messages":true)", "messages"},
      {"a map", R"("messages":{"5":5})", "messages"},
      {"ready as text", R"("messages_ready":"5")", "messages_ready"},
      {"unacknowledged as text", R"("messages_unacknowledged":"5")", "messages_unacknowledged"},
      {"statistics that are a number", R"("message_stats":1)", "publish_details"},
      {"details that are a number", R"("message_stats":{"publish_details":1})", "publish_details"},
      {"a rate as text",
       R"("message_stats":{"deliver_get_details":{"rate":"1"}})",
       "deliver_get_details"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto parsed = parse_page(200, page(R"({"name":"a",)" + row.members + "}"), "ml", {});

      REQUIRE(shown(parsed) == "a value");
      REQUIRE(parsed->queues.size() == 1);
      CHECK(parsed->queues[0].total == std::nullopt);
      CHECK(parsed->queues[0].ready == std::nullopt);
      CHECK(parsed->queues[0].publish_rate == std::nullopt);
      CHECK(parsed->queues[0].deliver_get_rate == std::nullopt);
      CHECK(parsed->queues[0].wrong_column == row.wrong_column);
    }
  }
}

// RabbitMQ omits the delivery rate until the first delivery, and so an absent one may be 0.
TEST_CASE("a delivery rate that is null is not one that is absent") {
  const auto is_unknown = [](const std::string& statistics) {
    const auto parsed = parse_page(
        200,
        page(R"({"name":"a","message_stats":{"publish_details":{"rate":1})" + statistics + "}}"),
        "ml",
        {});
    return parsed.value().queues.at(0).is_delivery_unknown;
  };

  CHECK(is_unknown(R"(,"deliver_get_details":{"rate":null})"));
  CHECK(is_unknown(R"(,"deliver_get_details":null)"));
  CHECK(is_unknown(R"(,"deliver_get_details":"")"));
  CHECK_FALSE(is_unknown(R"(,"deliver_get_details":{"rate":0})"));
  CHECK_FALSE(is_unknown(R"(,"deliver_get_details":[])"));
  CHECK_FALSE(is_unknown(""));
}

TEST_CASE("each status other than 200 has its own error") {
  const Bad rows[] = {
      {"wrong credentials",
       401,
       R"({"error":"not_authorised","reason":"Login failed"})",
       "refused: the credentials are refused, or the user has no access to vhost \"ml\" (HTTP 401) "
       "<not_authorised: Login failed>"},
      {"no access",
       403,
       "",
       "refused: the credentials are refused, or the user has no access to vhost \"ml\" (HTTP "
       "403)"},
      {"no vhost",
       404,
       R"({"error":"Object Not Found"})",
       "unknown_object: vhost \"ml\" does not exist, or the url is not the url of the management "
       "API"},
      {"a redirect",
       301,
       "",
       "bad_reply: HTTP 301: redirects are not followed; write the final url"},
      {"the broker starts",
       503,
       "",
       "unreachable: the management API returned an error (HTTP 503)"},
      {"a bad request",
       400,
       R"({"reason":"page out of range"})",
       "bad_reply: HTTP 400 instead of a list of queues <page out of range>"},
      {"a page of a proxy",
       502,
       "<html><title>502 Bad Gateway</title><body>nginx</body></html>",
       "unreachable: the management API returned an error (HTTP 502) <502 Bad Gateway>"},
      {"a page that has gone",
       400,
       R"({"error":"page_out_of_range","reason":"page out of range, page: 2"})",
       "partial: the broker's list of queues changed while it was read"},
      {"no content", 204, "", "bad_reply: HTTP 204 instead of a list of queues"},
      {"credentials that are echoed",
       400,
       "weirduser s3cret-word",
       "bad_reply: HTTP 400 instead of a list of queues <[hidden] [hidden]>"},
      {"a page with the status of an error",
       500,
       page(""),
       R"(unreachable: the management API returned an error (HTTP 500) <{"page_count":1,"page":1,"items":[]}>)"},
  };

  for (const Bad& row : rows) check(row);
}

QueueStats named(std::string name) {
  QueueStats out;
  out.name = std::move(name);
  return out;
}

Page page_of(std::vector<std::string> names, std::size_t pages, std::size_t count) {
  Page out{{}, pages, count};
  for (std::string& name : names) out.queues.push_back(named(std::move(name)));
  return out;
}

TEST_CASE("pages of one listing are one list") {
  Listing listing;
  REQUIRE_FALSE(listing.add(page_of({"a", "b"}, 2, 3)));
  REQUIRE_FALSE(listing.add(page_of({"c"}, 2, 3)));

  const auto queues = listing.take();

  REQUIRE(queues.has_value());
  CHECK(queues->size() == 3);
}

TEST_CASE("pages of a list that changed in between are an error") {
  const std::string changed = "partial: the broker's list of queues changed while it was read";
  struct Changed {
    std::string_view name;
    Page second;
    std::string message;
  };
  const Changed rows[] = {
      {"a queue fewer", page_of({"c"}, 2, 2), changed},
      {"a page more", page_of({"c"}, 3, 3), changed},
      {"a queue twice", page_of({"b"}, 2, 3), changed},
      {"a queue too few", page_of({}, 2, 3), "partial: the broker lists 2 of 3 queues"},
  };

  for (const Changed& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Listing listing;
      REQUIRE_FALSE(listing.add(page_of({"a", "b"}, 2, 3)));

      const auto failed = listing.add(row.second);

      CHECK((failed ? shown(*failed) : shown(listing.take())) == row.message);
    }
  }
}

TEST_CASE("names that mean all queues, or another queue, are errors") {
  const auto why = [](std::string_view vhost, std::string_view name) {
    const auto invalid = check_names(vhost, name);
    return invalid ? shown(*invalid) : "none";
  };
  const std::string empty = "bad_request: queue and vhost names must not be empty";
  const std::string dots = "bad_request: a vhost named . or .. cannot be part of a url";
  const std::string large = "bad_request: queue and vhost names must not exceed 255 bytes";

  CHECK(why("/", "a") == "none");
  CHECK(why("/", ".") == "none");
  CHECK(why("", "a") == empty);
  CHECK(why("/", "") == empty);
  CHECK(why(".", "a") == dots);
  CHECK(why("..", "a") == dots);
  CHECK(why("/", std::string(256, 'x')) == large);
  CHECK(why(std::string(256, 'x'), "a") == large);
}

// Field report 4: /api/queues/%2F is decoded to /api/queues/, the queues of all vhosts.
TEST_CASE("queues of another vhost are an error, not numbers") {
  const Bad row{
      "a proxy decodes the path",
      200,
      page(R"({"name":"a","vhost":"ml","messages":7},)"
           R"({"name":"b","vhost":"staging","messages":33})"),
      "bad_reply: the response has queue \"b\" of vhost \"staging\", not of vhost \"ml\"; "
      "does a proxy in front of the management API decode %2F in the path?"};

  check(row);
  CHECK(parse_page(200, page(R"({"name":"a","vhost":"ml","messages":7})"), "ml", {}).has_value());
}

// Field reports 5 and 13.
TEST_CASE("a queue whose numbers do not count is an error that says why") {
  struct Row {
    std::string_view name;
    std::string members;
    std::string message;
  };
  const std::string contradict = "bad_reply: the counts of queue \"jobs\" contradict each other: ";
  const Row rows[] = {
      {"running", R"(,"state":"running")", "none"},
      {"idle", R"(,"state":"idle")", "none"},
      {"flow", R"(,"state":"flow")", "none"},
      {"an old broker", "", "none"},
      {"stopped, with a count",
       R"(,"state":"stopped","messages":0)",
       "partial: queue \"jobs\" is stopped, so its messages are not counted"},
      {"down",
       R"(,"state":"down","node":"rabbit@b")",
       "partial: queue \"jobs\" is down on node rabbit@b, so its messages are not counted"},
      {"crashed",
       R"(,"state":"crashed")",
       "partial: queue \"jobs\" is crashed, so its messages are not counted"},
      {"minority",
       R"(,"state":"minority")",
       "partial: queue \"jobs\" is minority, so its messages are not counted"},
      {"a state of a later release",
       R"(,"state":"melting")",
       "partial: queue \"jobs\" is melting, so its messages are not counted"},
      {"all kinds of messages",
       R"(,"messages":5,"messages_ready":5,"messages_unacknowledged":0)",
       "none"},
      {"on their way to a dead letter exchange",
       R"(,"messages":9,"messages_ready":1,"messages_unacknowledged":2)",
       "none"},
      {"more ready ones than all",
       R"(,"messages":5,"messages_ready":6,"messages_unacknowledged":0)",
       contradict + "5 messages, 6 ready, 0 unacknowledged"},
      {"more unacknowledged ones than all",
       R"(,"messages":0,"messages_unacknowledged":2)",
       contradict + "0 messages, 0 ready, 2 unacknowledged"},
      {"a kind below zero, hidden by the sum",
       R"(,"messages":5,"messages_ready":-4,"messages_unacknowledged":9)",
       contradict + "5 messages, -4 ready, 9 unacknowledged"},
      {"a kind below zero beside none",
       R"(,"messages":0,"messages_ready":-4,"messages_unacknowledged":0)",
       contradict + "0 messages, -4 ready, 0 unacknowledged"},
      {"below zero, for the policy negative",
       R"(,"messages":-4,"messages_ready":-4,"messages_unacknowledged":0)",
       "none"},
      {"a null state",
       R"(,"state":null,"messages":0)",
       "partial: the broker lists queue \"jobs\" without its state"},
      {"a state of another type",
       R"(,"state":{"stopped":1},"messages":0)",
       "partial: the broker lists queue \"jobs\" without its state"},
      {"a null vhost",
       R"(,"vhost":null,"messages":33)",
       "partial: the broker lists queue \"jobs\" without its vhost"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto parsed =
          parse_page(200, page(R"({"name":"other"},{"name":"jobs")" + row.members + "}"), "ml", {});
      REQUIRE(parsed.has_value());

      const auto problem = validity_problem(parsed->queues);

      CHECK((problem ? shown(*problem) : "none") == row.message);
    }
  }
}

TEST_CASE("a response that is not a page is an error") {
  const std::string no_page =
      "bad_reply: the response is not a page of the management API; is the url right?";
  const std::string no_count = "bad_reply: the response has no page_count";
  const Bad rows[] = {
      {"empty", 200, "", no_page},
      {"HTML", 200, "<html></html>", no_page},
      {"truncated", 200, page(R"({"messages":5})").substr(0, 30), no_page},
      {"text after the end", 200, page("") + "x", no_page},
      {"a list, as without page=", 200, R"([{"messages":5}])", no_page},
      {"null", 200, "null", no_page},
      {"no items", 200, R"({"page_count":1})", no_page},
      {"items as map", 200, R"({"page_count":1,"items":{}})", no_page},
      {"items null", 200, R"({"page_count":1,"items":null})", no_page},
      {"a number beyond a double", 200, page(R"({"messages":1e400})"), no_page},
      {"no page_count", 200, R"({"items":[]})", no_count},
      {"page_count as text", 200, page("", R"("1")"), no_count},
      {"page_count null", 200, page("", "null"), no_count},
      {"a negative page_count", 200, page("", "-1"), no_count},
      {"a huge page_count", 200, page("", "1e300"), no_count},
      {"a queue without a name",
       200,
       page(R"({"messages":5})"),
       "bad_reply: a queue on the page has no name"},
      {"a queue that is a number", 200, page("3"), "bad_reply: a queue on the page has no name"},
      {"100,000 open lists", 200, std::string(100'000, '['), no_page},
  };

  for (const Bad& row : rows) check(row);
}

// Field report 6: the list with statistics has a crashed queue as it was.
TEST_CASE("a queue without totals is not counted") {
  const auto parsed =
      parse_page(200, page(R"({"name":"jobs"},{"name":"crash","messages":12})"), "ml", {});
  REQUIRE(parsed.has_value());

  CHECK(!gap_problem(parsed->queues, {"jobs", "crash", "deleted since"}));
  const auto gap = gap_problem(parsed->queues, {"jobs"});
  REQUIRE(gap);
  CHECK(
      shown(*gap) ==
      "partial: the broker lists queue \"crash\" without its messages; has its process crashed? a "
      "restart of its node brings them back");
}

TEST_CASE("a response about other queues alone is not that of a missing one") {
  const auto problem = [](const std::string& items) {
    const auto parsed = parse_page(200, page(items), "ml", {});
    const auto found = other_queue_problem(parsed->queues, "jobs");
    return found ? shown(*found) : "none";
  };

  CHECK(problem("") == "none");
  CHECK(problem(R"({"name":"jobs"},{"name":"other"})") == "none");
  CHECK(problem(R"({"name":"JOBS"})") == "none");
  CHECK(problem(R"({"name":"other"})") ==
        "bad_reply: the response has queue \"other\", not \"jobs\"; does a proxy in front of the "
        "management API drop the query of the url, or answer from a cache?");
}

}  // namespace
}  // namespace weir::scalers::backends::rabbitmq
