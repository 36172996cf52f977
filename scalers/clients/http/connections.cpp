// A pool without limits on connections in use: the in-flight cap of each backend limits them.
#include "scalers/clients/http/connections.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr std::size_t kMaxIdleConnections = 64;
constexpr std::chrono::seconds kMaxIdle{110};  // below the two minutes of many proxies
// Each check is a system call per idle connection, too much for every request.
constexpr std::chrono::seconds kPruneInterval{1};

Error canceled() { return {Errc::unreachable, "the request was canceled", ""}; }

void count(const HttpConnections::Counts& counts, std::string_view reason) {
  if (counts) add(counts->closed, reason);
}

}  // namespace

HttpConnections::Lease::Lease(std::shared_ptr<HttpConnections> owner,
                              HttpOrigin origin,
                              std::shared_ptr<Stream> stream,
                              Counts counts)
    : owner_(std::move(owner)),
      origin_(std::move(origin)),
      stream_(std::move(stream)),
      counts_(std::move(counts)) {
  owner_->leased_.push_back(stream_.get());
}

HttpConnections::Lease::~Lease() { end(ConnectionCounts::kClosed); }

void HttpConnections::Lease::keep(SteadyTime now) {
  if (owner_->is_closed_) return end(ConnectionCounts::kClosed);
  std::erase(owner_->leased_, stream_.get());
  auto& idle = owner_->idle_;
  if (idle.size() == kMaxIdleConnections) {
    drop(idle.front(), ConnectionCounts::kIdle);
    idle.erase(idle.begin());
  }
  idle.push_back({std::move(origin_), std::exchange(stream_, nullptr), std::move(counts_), now});
}

void HttpConnections::Lease::end(std::string_view reason) {
  if (!stream_) return;
  std::erase(owner_->leased_, stream_.get());
  std::exchange(stream_, nullptr)->close();
  count(counts_, reason);
}

std::unique_ptr<HttpConnections::Lease> HttpConnections::take(const HttpOrigin& origin,
                                                              SteadyTime now) {
  prune(now);
  while (true) {
    // The newest one, because the server is least likely to have closed it.
    const auto newest = std::ranges::find(idle_.rbegin(), idle_.rend(), origin, &Idle::origin);
    if (newest == idle_.rend()) return nullptr;
    Idle connection = std::move(*newest);
    // base() of a reverse iterator refers to the element that follows in forward order.
    idle_.erase(std::next(newest).base());
    if (connection.stream->has_no_unsolicited_data()) {
      return std::make_unique<Lease>(shared_from_this(),
                                     std::move(connection.origin),
                                     std::move(connection.stream),
                                     std::move(connection.counts));
    }
    // Closed by the server, or with unsolicited data, which must not be taken for the next
    // response.
    drop(connection, ConnectionCounts::kIdle);
  }
}

awaitable<Result<std::unique_ptr<HttpConnections::Lease>>> HttpConnections::connect(
    std::shared_ptr<HttpConnections> self,
    HttpOrigin origin,
    Addresses addresses,
    Counts counts,
    Deadline deadline) {
  if (self->is_closed_) co_return canceled();
  const auto attempt = std::make_shared<ConnectAttempt>();
  self->attempts_.push_back(attempt);
  auto stream = co_await Stream::connect_to(self->loop_,
                                            std::move(addresses),
                                            origin.target,
                                            origin.context,
                                            deadline,
                                            attempt);
  std::erase(self->attempts_, attempt);
  // Not counted: close() ended the attempt, not the server.
  if (self->is_closed_) co_return canceled();
  if (!stream) {
    if (counts) add(counts->failed, name_of(stream.error().code));
    co_return stream.error();
  }
  if (counts) ++counts->opened;
  co_return std::make_unique<Lease>(self, std::move(origin), std::move(*stream), std::move(counts));
}

void HttpConnections::close() {
  is_closed_ = true;
  for (const Idle& connection : std::exchange(idle_, {}))
    drop(connection, ConnectionCounts::kClosed);
  // Only closed: each lease is returned by its request, whose read or write ends with an error.
  for (Stream* stream : leased_) stream->close();
  for (const auto& attempt : attempts_) attempt->cancel();
}

void HttpConnections::prune(SteadyTime now) {
  if (now - pruned_at_ < kPruneInterval) return;
  pruned_at_ = now;
  std::erase_if(idle_, [now](const Idle& connection) {
    const bool is_expired =
        now - connection.since > kMaxIdle || !connection.stream->has_no_unsolicited_data();
    if (is_expired) drop(connection, ConnectionCounts::kIdle);
    return is_expired;
  });
}

void HttpConnections::drop(const Idle& connection, std::string_view reason) {
  connection.stream->close();
  count(connection.counts, reason);
}

}  // namespace weir::scalers::clients
