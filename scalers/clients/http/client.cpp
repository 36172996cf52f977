// The order of a request: circuit breaker, idle connection or new one, parsing of the reply.
#include "scalers/clients/http/client.hpp"

#include "scalers/clients/http/circuit_breaker.hpp"
#include "scalers/clients/http/connect_race.hpp"
#include "scalers/clients/http/curl_multi.hpp"
#include "scalers/clients/http/curl_transfer.hpp"
#include "scalers/clients/http/head.hpp"
#include "scalers/clients/http/proxy.hpp"
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

Duration connect_budget(const HttpRequest& request, Deadline deadline) {
  const Duration budget = std::max(Duration{1}, deadline.left(now()) * kConnectPercent / 100);
  return request.on_chunk ? std::min(budget, kStreamConnect) : budget;
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

using HostState = HttpCircuitBreaker::HostState;

// A request's outcome, and what it proves about the host.
struct Performed {
  Result<HttpReply> outcome;
  HostState host = HostState::reachable;
};

Result<HttpOrigin> origin_of(const HttpRequest& request, TlsContexts& contexts) {
  const Url& url = request.url;
  HttpOrigin out{url.scheme, url.host, url.port, nullptr, request.proxy, request.is_http2};
  out.address = request.address;
  if (is_forwarded(request)) {
    // One connection to the proxy serves every server.
    out.host = request.proxy->host;
    out.port = request.proxy->port;
  }
  const bool is_tls_proxy = request.proxy && request.proxy->scheme == "https";
  if (url.scheme == "https" || is_tls_proxy) {
    auto context = contexts.of(request.tls, request.pems, now());
    if (!context) return context.error();
    // The CA bundle of the backend verifies both, as in Go.
    if (is_tls_proxy) out.proxy_context = *context;
    if (url.scheme == "https") out.context = std::move(*context);
  }
  return out;
}

// Resolves the host, or its proxy, and sends the request on a new connection.
awaitable<Performed> connect_and_send(std::shared_ptr<CurlMulti> multi,
                                      Resolver& resolver,
                                      std::shared_ptr<const HttpRequest> request,
                                      HttpOrigin origin,
                                      Deadline deadline) {
  const Proxy* const proxy = request->proxy.get();
  Result<Addresses> addresses = Addresses{request->address};
  if (request->address.empty())
    addresses = co_await resolver.resolve(proxy ? proxy->host : request->url.host, deadline);
  if (multi->is_closed()) co_return Performed{canceled(), HostState::unknown};
  if (!addresses) {
    const Error& error = addresses.error();
    co_return Performed{proxy ? error.within("the proxy") : error, HostState::unknown};
  }
  // The lookup took all of the time, which proves nothing about the host.
  if (deadline.is_past(now())) co_return Performed{no_response(), HostState::unknown};
  const Duration budget = connect_budget(*request, deadline);
  const bool may_reuse = origin.is_http2;
  auto transfer =
      co_await send_to_one(multi, request, origin, *addresses, budget, deadline, may_reuse);
  // libcurl chose a connection that must not be used, such as another backend's.
  const bool is_refused = may_reuse && transfer && transfer->needs_connection();
  if (is_refused && !multi->is_closed() && !deadline.is_past(now())) {
    transfer = co_await send_to_one(multi,
                                    request,
                                    std::move(origin),
                                    std::move(*addresses),
                                    connect_budget(*request, deadline),
                                    deadline,
                                    false);
  }
  if (multi->is_closed()) co_return Performed{canceled(), HostState::unknown};
  if (!transfer) {
    const Error none{Errc::unreachable, "it has no addresses to connect to", ""};
    co_return Performed{none, HostState::unknown};
  }
  const bool is_connected = transfer->was_connected();
  auto outcome = std::move(transfer->outcome());
  if (is_connected) co_return Performed{std::move(outcome)};
  if (request->counts && !outcome) add(request->counts->failed, name_of(outcome.error().code));
  if (outcome || outcome.error().code != Errc::timed_out)
    // An error here was a rejection at once, or in the handshake: the host is up, and the breaker
    // stays closed.
    co_return Performed{std::move(outcome)};
  if (budget < kMinConclusiveConnectTime) co_return Performed{no_response(), HostState::unknown};
  co_return Performed{std::move(outcome), HostState::unreachable};
}

awaitable<Performed> send_once(std::shared_ptr<CurlMulti> multi,
                               Resolver& resolver,
                               std::shared_ptr<const HttpRequest> request,
                               HttpOrigin origin,
                               Deadline deadline) {
  const std::string address = multi->sockets().usable_address(origin, now());
  if (!address.empty()) {
    CurlTransfer transfer(multi,
                          request,
                          origin,
                          {.address = address,
                           .may_connect = false,
                           .may_reuse = true,
                           .connect_budget = deadline.left(now())},
                          deadline);
    transfer.start();
    co_await transfer.finished();
    if (multi->is_closed()) co_return Performed{canceled(), HostState::unknown};
    // The server may have closed the connection: the request is sent once more, on a new one. POST
    // as well, because the requests of Weir are queries and reviews, which change nothing.
    if (!transfer.needs_connection()) co_return Performed{std::move(transfer.outcome())};
    if (deadline.is_past(now())) co_return Performed{no_response()};
  }
  auto performed = co_await connect_and_send(std::move(multi),
                                             resolver,
                                             std::move(request),
                                             std::move(origin),
                                             deadline);
  co_return performed;
}

}  // namespace

struct HttpClient::State {
  State(Loop& owner, std::shared_ptr<TlsContexts> shared_contexts)
      : loop(owner), contexts(std::move(shared_contexts)), multi(CurlMulti::make(owner)) {}

  Loop& loop;
  HttpCircuitBreaker breaker;
  std::shared_ptr<TlsContexts> contexts;                    // also owned by the other clients
  std::shared_ptr<CurlMulti> multi;                         // also owned by its transfers
  std::unique_ptr<boost::asio::thread_pool> parser_thread;  // null until the first large reply
};

HttpClient::HttpClient(Loop& loop, Resolver& resolver, std::shared_ptr<TlsContexts> contexts)
    : resolver_(resolver), state_(std::make_shared<State>(loop, std::move(contexts))) {}

HttpClient::~HttpClient() { close(); }

void HttpClient::close() {
  state_->multi->close();
  // After the close, because from then on no request posts to the thread.
  if (state_->parser_thread) state_->parser_thread->join();
}

awaitable<Result<HttpReply>> HttpClient::run_on_reply(std::shared_ptr<State> state,
                                                      std::shared_ptr<const HttpRequest> request,
                                                      HttpReply reply,
                                                      Deadline deadline) {
  if (reply.body.size() <= kMaxInlineParseBytes) co_return parsed(*request, std::move(reply));
  // After close() the thread has ended, and nothing would run the callback.
  if (state->multi->is_closed()) co_return canceled();
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

awaitable<Result<HttpReply>> HttpClient::send(HttpRequest new_request, Deadline deadline) {
  if (auto injection = find_injection(new_request)) co_return std::move(*injection);
  const auto state = state_;  // the client may be gone when the response arrives
  if (state->multi->is_closed()) co_return canceled();
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
  auto origin = origin_of(*request, *state->contexts);
  // An unusable file of ours proves nothing about the host.
  if (!origin) co_return origin.error();
  auto [outcome, host] =
      co_await send_once(state->multi, resolver_, request, std::move(*origin), deadline);
  if (outcome && request->on_reply)
    outcome = co_await run_on_reply(state, request, std::move(*outcome), deadline);
  state->breaker.note(*request, outcome, host, now());
  if (request->counts) note_login(*request->counts, *request, outcome);
  if (request->counts) request->counts->is_breaker_open = state->breaker.is_open_for(*request);
  co_return std::move(outcome);
}

}  // namespace weir::scalers::clients
