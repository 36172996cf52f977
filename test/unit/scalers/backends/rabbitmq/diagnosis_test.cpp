// What a look at the broker's lists says of a queue or a vhost that does not exist.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::rabbitmq {
namespace {

using Texts = std::vector<std::string>;

const Absent kQueue{false, "ml", "request", NameOrigin::configuration};
const Absent kQueueOfCaller{false, "ml", "request", NameOrigin::caller};
const Absent kVhost{true, "order", "request", NameOrigin::configuration};
const Absent kVhostOfCaller{true, "order", "request", NameOrigin::caller};

struct Row {
  std::string_view name;
  Absent absent;
  long status;
  std::string body;
  std::string cause;
  Texts findings;
};

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) {
    Diagnosis out;

    tell_names(row.absent, row.status, row.body, out);

    CHECK(out.cause == row.cause);
    CHECK(out.findings == row.findings);
  }
}

TEST_CASE("what there is instead is told, names near to a caller's to explain alone") {
  const std::string page =
      R"({"total_count":2,"items":[{"name":"requests"},{"name":"quiet"}],"page_count":1})";
  const std::string vhosts = R"([{"name":"/"},{"name":"orders"}])";
  const Texts queues_seen{"queues that the login sees: requests, quiet"};
  const Texts vhosts_seen{"vhosts that the login sees: /, orders"};
  const Row rows[] = {
      {"a queue",
       kQueue,
       200,
       page,
       R"(the login sees 2 queues in vhost "ml"; did you mean "requests"?)",
       queues_seen},
      {"a caller's queue",
       kQueueOfCaller,
       200,
       page,
       R"(the login sees 2 queues in vhost "ml"; weir explain lists 1 similar name)",
       {queues_seen[0], R"(similar names: "requests")"}},
      {"a vhost",
       kVhost,
       200,
       vhosts,
       R"(the login sees 2 vhosts; did you mean "orders"?)",
       vhosts_seen},
      {"a caller's vhost",
       kVhostOfCaller,
       200,
       vhosts,
       "the login sees 2 vhosts; weir explain lists 1 similar name",
       {vhosts_seen[0], R"(similar names: "orders")"}},
      {"no queue at all",
       kQueue,
       200,
       R"({"total_count":0,"items":[]})",
       R"(the login sees 0 queues in vhost "ml")",
       {"queues that the login sees: "}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a look that fails states no cause") {
  const Row rows[] = {
      {"a broker that is starting",
       kQueue,
       503,
       "Service Unavailable",
       "",
       {"HTTP 503 to the question which queues there are"}},
      {"a list behind an error",
       kQueue,
       500,
       R"([{"name":"requests"}])",
       "",
       {"HTTP 500 to the question which queues there are"}},
      {"a login without permission",
       kVhost,
       401,
       R"({"error":"not_authorized"})",
       "",
       {"HTTP 401 to the question which vhosts there are"}},
      {"another path", kVhost, 404, "", "", {"HTTP 404 to the question which vhosts there are"}},
      {"a page of a proxy",
       kQueue,
       200,
       "<html>",
       "",
       {"HTTP 200 and no list to the question which queues there are"}},
      {"an object",
       kQueue,
       200,
       R"({"items":7})",
       "",
       {"HTTP 200 and no list to the question which queues there are"}},
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

TEST_CASE("the first page of many is not taken for all of them") {
  Diagnosis counted;
  Diagnosis uncounted;

  tell_names(kQueue, 200, full_page(R"("total_count":4000,)"), counted);
  tell_names(kQueue, 200, full_page(""), uncounted);

  CHECK(counted.cause == R"(the login sees 4000 queues in vhost "ml")");
  CHECK(uncounted.cause ==
        fmt::format(R"(the login sees at least {} queues in vhost "ml")", kPageSize));
}

}  // namespace
}  // namespace weir::scalers::backends::rabbitmq
