#include "bench/micro/callers.hpp"
#include "bench/micro/clients.hpp"
#include "bench/micro/measure.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/clients/redis/client.hpp"

#include <hiredis/hiredis.h>

#include <memory>
#include <stdexcept>
#include <vector>

namespace weir::bench {
namespace {

constexpr std::size_t kInFlight = 100;
constexpr std::size_t kDefaultInFlight = 8;  // a backend's maxInFlight
constexpr long long kLength = 42;

void expect(bool is_right, const char* what) {
  if (!is_right) throw std::runtime_error(what);
}

struct ContextFree {
  void operator()(redisContext* context) const { redisFree(context); }
};
using Context = std::unique_ptr<redisContext, ContextFree>;

void take_reply(redisContext& context) {
  void* raw = nullptr;
  expect(redisGetReply(&context, &raw) == REDIS_OK, "hiredis: no reply");
  const auto* reply = static_cast<redisReply*>(raw);
  expect(reply->type == REDIS_REPLY_INTEGER && reply->integer == kLength,
         "hiredis: another length");
  freeReplyObject(raw);
}

void bare(redisContext& context, std::size_t operations, std::size_t in_flight) {
  for (std::size_t done = 0; done < operations; done += in_flight) {
    for (std::size_t i = 0; i < in_flight; ++i) redisAppendCommand(&context, "LLEN %s", "bench");
    for (std::size_t i = 0; i < in_flight; ++i) take_reply(context);
  }
}

awaitable<void> query(scalers::clients::RedisServers& client, std::size_t operations) {
  const std::vector<std::string> words{"LLEN", "bench"};
  for (std::size_t i = 0; i < operations; ++i) {
    const auto reply = co_await client.command("bench", words, within_a_minute());
    expect(reply.has_value() && reply->integer == kLength, "weir: another length");
  }
}

}  // namespace

void bench_llen(std::uint16_t port, const Amount& amount) {
  const Context context(redisConnect("127.0.0.1", port));
  expect(context != nullptr && context->err == 0, "hiredis: no connection");
  Loop loop;
  scalers::Clients clients(loop);
  scalers::clients::RedisTarget target;
  target.stream = {"127.0.0.1", port, false, {}};
  const auto client = clients.make_redis(target);
  const auto weir = [&](std::size_t operations, std::size_t in_flight) {
    run_callers(loop, in_flight, [&](std::size_t) {
      return query(*client, operations / in_flight);
    });
  };
  measure({{"LLEN, hiredis, one by one",
            amount.one_by_one,
            [&](std::size_t operations) { bare(*context, operations, 1); }},
           {"LLEN, Weir, one by one",
            amount.one_by_one,
            [&](std::size_t operations) { weir(operations, 1); }},
           {"LLEN, hiredis, 100 in flight",
            amount.pipelined,
            [&](std::size_t operations) { bare(*context, operations, kInFlight); }},
           {"LLEN, Weir, 8 in flight",
            amount.pipelined,
            [&](std::size_t operations) { weir(operations, kDefaultInFlight); }},
           {"LLEN, Weir, 100 in flight",
            amount.pipelined,
            [&](std::size_t operations) { weir(operations, kInFlight); }}},
          amount.rounds);
  clients.close();
  loop.restart();
  loop.run();
}

}  // namespace weir::bench
