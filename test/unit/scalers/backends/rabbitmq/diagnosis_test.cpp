// The diagnosis of a queue or vhost that does not exist, from the broker's lists.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::rabbitmq {
namespace {

using Texts = std::vector<std::string>;

const MissingName kQueue{false, "ml", "request", NameOrigin::configuration};
const MissingName kQueueOfCaller{false, "ml", "request", NameOrigin::caller};
const MissingName kVhost{true, "order", "request", NameOrigin::configuration};
const MissingName kVhostOfCaller{true, "order", "request", NameOrigin::caller};

struct Row {
  std::string_view name;
  MissingName missing;
  long status;
  std::string body;
  std::string cause;
  Texts findings;
};

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) {
    Diagnosis out;

    add_similar_names(row.missing, row.status, row.body, out);

    CHECK(out.cause == row.cause);
    CHECK(out.findings == row.findings);
  }
}

TEST_CASE("similar names are in the cause, but for a caller's name only in the findings") {
  const std::string page =
      R"({"total_count":2,"items":[{"name":"requests"},{"name":"quiet"}],"page_count":1})";
  const std::string vhosts = R"([{"name":"/"},{"name":"orders"}])";
  const Texts queues_seen{"queues visible to the user: requests, quiet"};
  const Texts vhosts_seen{"vhosts visible to the user: /, orders"};
  const Row rows[] = {
      {"a queue",
       kQueue,
       200,
       page,
       R"(the user sees 2 queues in vhost "ml"; did you mean "requests"?)",
       queues_seen},
      {"a caller's queue",
       kQueueOfCaller,
       200,
       page,
       R"(the user sees 2 queues in vhost "ml"; weir explain lists 1 similar name)",
       {queues_seen[0], R"(similar names: "requests")"}},
      {"a vhost",
       kVhost,
       200,
       vhosts,
       R"(the user sees 2 vhosts; did you mean "orders"?)",
       vhosts_seen},
      {"a caller's vhost",
       kVhostOfCaller,
       200,
       vhosts,
       "the user sees 2 vhosts; weir explain lists 1 similar name",
       {vhosts_seen[0], R"(similar names: "orders")"}},
      {"one queue",
       kQueue,
       200,
       R"([{"name":"quiet"}])",
       R"(the user sees 1 queue in vhost "ml")",
       {"queues visible to the user: quiet"}},
      {"no queue at all",
       kQueue,
       200,
       R"({"total_count":0,"items":[]})",
       R"(the user sees 0 queues in vhost "ml")",
       {"queues visible to the user: "}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a failed listing states no cause") {
  const Row rows[] = {
      {"a broker that is starting",
       kQueue,
       503,
       "Service Unavailable",
       "",
       {"listing queues failed: HTTP 503"}},
      {"a list with an error status",
       kQueue,
       500,
       R"([{"name":"requests"}])",
       "",
       {"listing queues failed: HTTP 500"}},
      {"a login without permission",
       kVhost,
       401,
       R"({"error":"not_authorized"})",
       "",
       {"listing vhosts failed: HTTP 401"}},
      {"another path", kVhost, 404, "", "", {"listing vhosts failed: HTTP 404"}},
      {"a page of a proxy",
       kQueue,
       200,
       "<html>",
       "",
       {"listing queues failed: HTTP 200, but the response is not a list"}},
      {"an object",
       kQueue,
       200,
       R"({"items":7})",
       "",
       {"listing queues failed: HTTP 200, but the response is not a list"}},
  };

  for (const Row& row : rows) check(row);
}

// A page with as many queues as a page may hold, and `counts` beside them.
std::string full_page(std::string_view counts) {
  std::string items;
  for (std::size_t i = 0; i < kPageSize; ++i)
    items += fmt::format(R"({}{{"name":"q{}"}})", i == 0 ? "" : ",", i);
  return fmt::format(R"({{{}"items":[{}]}})", counts, items);
}

TEST_CASE("the first page of many is not reported as the whole list") {
  Diagnosis counted;
  Diagnosis uncounted;

  add_similar_names(kQueue, 200, full_page(R"("total_count":4000,)"), counted);
  add_similar_names(kQueue, 200, full_page(""), uncounted);

  CHECK(counted.cause == R"(the user sees 4000 queues in vhost "ml")");
  CHECK(uncounted.cause ==
        fmt::format(R"(the user sees at least {} queues in vhost "ml")", kPageSize));
}

}  // namespace
}  // namespace weir::scalers::backends::rabbitmq
