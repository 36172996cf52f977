// The order of a request: circuit breaker, idle connection or connect, exchange, parsing of the
// reply.
#include "scalers/clients/http/client.hpp"

#include "scalers/clients/http/circuit_breaker.hpp"
#include "scalers/clients/http/connections.hpp"
#include "scalers/clients/http/exchange.hpp"
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

// A connect ends a little before the request, so that a connect timeout is distinguished from a
// late response.
constexpr int kConnectPercent = 90;
// A stream's deadline is that of the whole stream, too long for a connect.
constexpr Duration kStreamConnect{10'000};
// A connect timeout after less time does not mean that the host is unreachable.
constexpr Duration kMinConclusiveConnectTime{50};
// Parsing a reply of this size takes a quarter of a millisecond.
constexpr std::size_t kMaxInlineParseBytes = std::size_t{16} * 1024;

constexpr long kUnauthorized = 401;

SteadyTime now() { return std::chrono::steady_clock::now(); }

Error no_response() { return {Errc::timed_out, "it did not respond", ""}; }

Error canceled() { return {Errc::unreachable, "the request was canceled", ""}; }

Deadline connect_deadline(const HttpRequest& request, Deadline deadline) {
  Duration budget = std::max(Duration{1}, deadline.left(now()) * kConnectPercent / 100);
  if (request.on_chunk) budget = std::min(budget, kStreamConnect);
  return Deadline::after(now(), budget);
}

// The reply, after its callback has run.
Result<HttpReply> parsed(const HttpRequest& request, HttpReply reply) {
  try {
    request.on_reply(reply);
  } catch (const std::exception& bug) {
    // A bug in the callback, or no memory: only this request fails.
    return Error{Errc::bad_reply,
                 "an internal error; please report it",
                 remote_text(bug.what(), {})};
  }
  return reply;
}

// Parsing on the thread. Shared by the thread and the request that waits; `outcome` belongs to the
// thread until `done` is raised.
struct ThreadedParse {
  explicit ThreadedParse(Loop& loop) : done(loop) {}
  Signal done;
  Result<HttpReply> outcome = canceled();
};

// What a reply says about the credentials of its request.
void note_login(ConnectionCounts& counts,
                const HttpRequest& request,
                const Result<HttpReply>& outcome) {
  if (!outcome) return;
  if (outcome->status == kUnauthorized) {
    counts.refused_credentials =
        RefusedCredentials{{Errc::refused, "the credentials are refused (HTTP 401)", ""},
                           request.auth_scope};
  } else if (counts.refused_credentials &&
             counts.refused_credentials->scope == request.auth_scope) {
    // Only where they were refused: a server may accept them for one path and not for another.
    counts.refused_credentials.reset();
  }
}

// A new connection, or the error and what it proves about the host.
struct Connected {
  Result<std::unique_ptr<HttpConnections::Lease>> lease;
  HttpCircuitBreaker::HostState host = HttpCircuitBreaker::HostState::reachable;
};

awaitable<Connected> connect(std::shared_ptr<HttpConnections> connections,
                             Resolver& resolver,
                             std::shared_ptr<const HttpRequest> request,
                             HttpOrigin origin,
                             Deadline deadline) {
  using HostState = HttpCircuitBreaker::HostState;
  auto addresses = co_await resolver.resolve(request->url.host, deadline);
  if (!addresses) co_return Connected{addresses.error(), HostState::unknown};
  const SteadyTime started = now();
  // The lookup took all of the time, which proves nothing about the host.
  if (deadline.is_past(started)) co_return Connected{no_response(), HostState::unknown};
  const Deadline limit = connect_deadline(*request, deadline);
  auto lease = co_await HttpConnections::connect(std::move(connections),
                                                 std::move(origin),
                                                 std::move(*addresses),
                                                 request->counts,
                                                 limit);
  if (!lease && lease.error().code == Errc::timed_out) {
    if (limit.left(started) < kMinConclusiveConnectTime)
      co_return Connected{no_response(), HostState::unknown};
    co_return Connected{lease.error(), HostState::unreachable};
  }
  // An error here was a rejection at once, or in the handshake: the host is up, and the breaker
  // stays closed.
  co_return Connected{std::move(lease)};
}

}  // namespace

struct HttpClient::State {
  State(Loop& owner, std::shared_ptr<TlsContexts> shared_contexts)
      : loop(owner),
        contexts(std::move(shared_contexts)),
        connections(std::make_shared<HttpConnections>(owner)) {}

  Loop& loop;
  HttpCircuitBreaker breaker;
  std::shared_ptr<TlsContexts> contexts;                    // also owned by the other clients
  std::shared_ptr<HttpConnections> connections;             // also owned by its leases
  std::unique_ptr<boost::asio::thread_pool> parser_thread;  // null until the first large reply
};

HttpClient::HttpClient(Loop& loop, Resolver& resolver, std::shared_ptr<TlsContexts> contexts)
    : resolver_(resolver), state_(std::make_shared<State>(loop, std::move(contexts))) {}

HttpClient::~HttpClient() { close(); }

void HttpClient::close() {
  state_->connections->close();
  // After the close, because from then on no request posts to the thread.
  if (state_->parser_thread) state_->parser_thread->join();
}

awaitable<Result<HttpReply>> HttpClient::run_on_reply(std::shared_ptr<State> state,
                                                      std::shared_ptr<const HttpRequest> request,
                                                      HttpReply reply,
                                                      Deadline deadline) {
  if (reply.body.size() <= kMaxInlineParseBytes) co_return parsed(*request, std::move(reply));
  // After close() the thread has ended, and nothing would run the callback.
  if (state->connections->is_closed()) co_return canceled();
  if (!state->parser_thread) state->parser_thread = std::make_unique<boost::asio::thread_pool>(1);
  const auto parse = std::make_shared<ThreadedParse>(state->loop);
  parse->outcome = std::move(reply);
  boost::asio::post(*state->parser_thread, [&loop = state->loop, parse, request] {
    auto outcome = parsed(*request, std::move(*parse->outcome));
    // Back on the loop before it is stored, because the request reads it there.
    boost::asio::post(loop, [parse, outcome = std::move(outcome)]() mutable {
      parse->outcome = std::move(outcome);
      parse->done.raise();
    });
  });
  const bool is_done = co_await parse->done.wait(deadline.left(now()));
  // The thread may still run: it owns the request and the outcome together with us.
  if (!is_done) co_return no_response();
  co_return std::move(parse->outcome);
}

// A request's outcome, and what it proves about the host.
struct HttpClient::Performed {
  Result<HttpReply> outcome;
  HttpCircuitBreaker::HostState host = HttpCircuitBreaker::HostState::reachable;
};

awaitable<HttpClient::Performed> HttpClient::perform(std::shared_ptr<State> state,
                                                     Resolver& resolver,
                                                     std::shared_ptr<const HttpRequest> request,
                                                     Deadline deadline) {
  using HostState = HttpCircuitBreaker::HostState;
  const Url& url = request->url;
  HttpOrigin origin{{url.host, url.port, url.scheme == "https", request->tls}, nullptr};
  if (origin.target.is_tls) {
    auto context = state->contexts->of(request->tls, request->pems, now());
    // An unusable file of ours proves nothing about the host.
    if (!context) co_return Performed{context.error(), HostState::unknown};
    origin.context = std::move(*context);
  }
  auto lease = state->connections->take(origin, now());
  const bool is_reused = static_cast<bool>(lease);
  // The server may have closed an idle connection: the request is sent once more, on a new one.
  for (int attempts = 0; attempts < 2; ++attempts) {
    if (!lease) {
      auto connected = co_await connect(state->connections, resolver, request, origin, deadline);
      if (!connected.lease) co_return Performed{connected.lease.error(), connected.host};
      lease = std::move(*connected.lease);
    }
    auto exchanged = co_await exchange(state->loop, lease->stream(), request, deadline);
    if (state->connections->is_closed()) co_return Performed{canceled(), HostState::unknown};
    if (exchanged.is_reusable) {
      lease->keep(now());
    } else if (!exchanged.outcome) {
      lease->end(name_of(exchanged.outcome.error().code));
    }
    // Before the callback runs, so that the connection serves other requests meanwhile.
    lease.reset();
    // POST as well, because the requests of Weir are queries and reviews, which change nothing.
    if (exchanged.has_no_reply && is_reused && attempts == 0) continue;
    if (!exchanged.outcome || !request->on_reply) co_return Performed{std::move(exchanged.outcome)};
    auto outcome = co_await run_on_reply(state, request, std::move(*exchanged.outcome), deadline);
    co_return Performed{std::move(outcome)};
  }
  co_return Performed{canceled(), HostState::unknown};
}

awaitable<Result<HttpReply>> HttpClient::send(HttpRequest new_request, Deadline deadline) {
  if (auto injection = find_injection(new_request)) co_return std::move(*injection);
  const auto state = state_;  // the client may be gone when the response arrives
  if (state->connections->is_closed()) co_return canceled();
  if (auto cached = state->breaker.cached_failure(new_request, now())) {
    // Another backend of the same host may have opened the breaker.
    if (new_request.counts) {
      new_request.counts->is_breaker_open = true;
      note_login(*new_request.counts, new_request, *cached);
    }
    if (!*cached || !new_request.on_reply) co_return std::move(*cached);
    co_return parsed(new_request, std::move(**cached));
  }
  const auto request = std::make_shared<const HttpRequest>(std::move(new_request));
  auto [outcome, host] = co_await perform(state, resolver_, request, deadline);
  state->breaker.note(*request, outcome, host, now());
  if (request->counts) note_login(*request->counts, *request, outcome);
  if (request->counts) request->counts->is_breaker_open = state->breaker.is_open_for(*request);
  co_return std::move(outcome);
}

}  // namespace weir::scalers::clients
