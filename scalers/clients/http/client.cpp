#include "scalers/clients/http/client.hpp"

#include "scalers/clients/http/connections.hpp"
#include "scalers/clients/http/exchange.hpp"
#include "scalers/clients/http/guard.hpp"
#include "scalers/clients/http/head.hpp"
#include "scalers/clients/net/resolver.hpp"
#include "scalers/signal.hpp"
#include "scalers/text/redact.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace weir::scalers::clients {
namespace {

// A connect that takes nearly all of the time leaves none for an answer; it ends a little before
// the request, so that it is told apart from an answer that is late.
constexpr int kConnectPercent = 90;
constexpr Duration kStreamConnect{10'000};
// A connect that runs out in less says nothing of the host.
constexpr Duration kTelling{50};
// A reply of this size is digested in a quarter of a millisecond.
constexpr std::size_t kDigestedHere = std::size_t{16} * 1024;

SteadyTime now() { return std::chrono::steady_clock::now(); }

Error late() { return {Errc::timed_out, "it did not answer", ""}; }

Error given_up() { return {Errc::unreachable, "the request was given up", ""}; }

Deadline connect_deadline(const HttpRequest& request, Deadline deadline) {
  Duration budget = std::max(Duration{1}, deadline.left(now()) * kConnectPercent / 100);
  if (request.on_chunk) budget = std::min(budget, kStreamConnect);
  return Deadline::after(now(), budget);
}

// The reply, digested.
Result<HttpReply> digested(const HttpRequest& request, HttpReply reply) {
  try {
    request.digest(reply);
  } catch (const std::exception& bug) {
    // A bug in whoever digests, or no memory: this request fails, the program goes on.
    return Error{Errc::bad_reply,
                 "an internal error; please report it",
                 remote_text(bug.what(), {})};
  }
  return reply;
}

// What the thread works on. Shared by it and by the request that waits for it; the reply belongs
// to the thread until `done` is raised.
struct Digestion {
  explicit Digestion(Loop& loop) : done(loop) {}
  Signal done;
  Result<HttpReply> outcome = given_up();
};

}  // namespace

struct HttpClient::State {
  explicit State(Loop& asked)
      : loop(asked), connections(std::make_shared<HttpConnections>(asked)) {}

  Loop& loop;
  HttpGuard guard;
  TlsContexts contexts;
  std::shared_ptr<HttpConnections> connections;     // also owned by its leases
  std::unique_ptr<boost::asio::thread_pool> large;  // the thread for large replies; null: none came
};

HttpClient::HttpClient(Loop& loop, Resolver& resolver)
    : resolver_(resolver), state_(std::make_shared<State>(loop)) {}

HttpClient::~HttpClient() { close(); }

void HttpClient::close() {
  state_->connections->close();
  if (state_->large) state_->large->join();
}

awaitable<Result<HttpReply>> HttpClient::digest(std::shared_ptr<State> state,
                                                std::shared_ptr<const HttpRequest> request,
                                                HttpReply reply,
                                                Deadline deadline) {
  if (reply.body.size() <= kDigestedHere) co_return digested(*request, std::move(reply));
  if (state->connections->is_closed()) co_return given_up();
  if (!state->large) state->large = std::make_unique<boost::asio::thread_pool>(1);
  const auto digestion = std::make_shared<Digestion>(state->loop);
  digestion->outcome = std::move(reply);
  boost::asio::post(*state->large, [&loop = state->loop, digestion, request] {
    auto outcome = digested(*request, std::move(*digestion->outcome));
    boost::asio::post(loop, [digestion, outcome = std::move(outcome)]() mutable {
      digestion->outcome = std::move(outcome);
      digestion->done.raise();
    });
  });
  const bool is_done = co_await digestion->done.wait(deadline.left(now()));
  if (!is_done) co_return late();
  co_return std::move(digestion->outcome);
}

// A request's outcome, and what it tells of the host.
struct HttpClient::Performed {
  Result<HttpReply> outcome;
  HttpGuard::Reach reach = HttpGuard::Reach::connected;
};

awaitable<HttpClient::Performed> HttpClient::perform(std::shared_ptr<State> state,
                                                     Resolver& resolver,
                                                     std::shared_ptr<const HttpRequest> request,
                                                     Deadline deadline) {
  using Reach = HttpGuard::Reach;
  const Url& url = request->url;
  HttpOrigin origin{{url.host, url.port, url.scheme == "https", request->tls}, nullptr};
  if (origin.target.is_tls) {
    auto context = state->contexts.of(request->tls, request->pems, now());
    if (!context) co_return Performed{context.error(), Reach::untold};
    origin.context = std::move(*context);
  }
  auto lease = state->connections->take(origin, now());
  const bool is_kept = static_cast<bool>(lease);
  // A kept connection may prove lost: the request is sent once more, on a new one.
  for (int tries = 0; tries < 2; ++tries) {
    if (!lease) {
      auto addresses = co_await resolver.resolve(url.host, deadline);
      if (!addresses) co_return Performed{addresses.error(), Reach::untold};
      const SteadyTime begun = now();
      if (deadline.is_past(begun)) co_return Performed{late(), Reach::untold};
      const Deadline limit = connect_deadline(*request, deadline);
      auto made = co_await HttpConnections::connect(state->connections,
                                                    origin,
                                                    std::move(*addresses),
                                                    request->counts,
                                                    limit);
      if (!made && made.error().code == Errc::timed_out) {
        if (limit.left(begun) < kTelling) co_return Performed{late(), Reach::untold};
        co_return Performed{made.error(), Reach::silent};
      }
      if (!made) co_return Performed{made.error()};
      lease = std::move(*made);
    }
    auto heard = co_await exchange(state->loop, lease->stream(), request, deadline);
    if (state->connections->is_closed()) co_return Performed{given_up(), Reach::untold};
    if (heard.is_kept) {
      lease->keep(now());
    } else if (!heard.outcome) {
      lease->end(name_of(heard.outcome.error().code));
    }
    lease.reset();
    if (heard.is_unheard && is_kept && tries == 0) continue;
    if (!heard.outcome || !request->digest) co_return Performed{std::move(heard.outcome)};
    auto outcome = co_await digest(state, request, std::move(*heard.outcome), deadline);
    co_return Performed{std::move(outcome)};
  }
  co_return Performed{given_up(), Reach::untold};
}

awaitable<Result<HttpReply>> HttpClient::send(HttpRequest asked, Deadline deadline) {
  if (auto forgery = forgery_in(asked)) co_return std::move(*forgery);
  const auto state = state_;  // the client may be gone by the time of the answer
  if (state->connections->is_closed()) co_return given_up();
  if (auto kept = state->guard.stand_in(asked, now())) {
    if (asked.counts) asked.counts->is_breaker_open = true;
    if (!*kept || !asked.digest) co_return std::move(*kept);
    co_return digested(asked, std::move(**kept));
  }
  const auto request = std::make_shared<const HttpRequest>(std::move(asked));
  auto [outcome, reach] = co_await perform(state, resolver_, request, deadline);
  state->guard.note(*request, outcome, reach, now());
  if (request->counts) request->counts->is_breaker_open = state->guard.is_open_for(*request);
  co_return std::move(outcome);
}

}  // namespace weir::scalers::clients
