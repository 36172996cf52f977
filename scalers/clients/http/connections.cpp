#include "scalers/clients/http/connections.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr std::size_t kMaxKept = 64;
constexpr std::chrono::seconds kMaxIdle{110};  // below the two minutes of many proxies
constexpr std::chrono::seconds kBetweenPrunings{1};

Error given_up() { return {Errc::unreachable, "the request was given up", ""}; }

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
  auto& kept = owner_->kept_;
  if (kept.size() == kMaxKept) {
    drop(kept.front(), ConnectionCounts::kIdle);
    kept.erase(kept.begin());
  }
  kept.push_back({std::move(origin_), std::exchange(stream_, nullptr), std::move(counts_), now});
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
    const auto newest = std::ranges::find(kept_.rbegin(), kept_.rend(), origin, &Kept::origin);
    if (newest == kept_.rend()) return nullptr;
    Kept found = std::move(*newest);
    kept_.erase(std::next(newest).base());
    if (found.stream->is_quiet()) {
      return std::make_unique<Lease>(shared_from_this(),
                                     std::move(found.origin),
                                     std::move(found.stream),
                                     std::move(found.counts));
    }
    // It has ended, or said what nobody asked for: that must not pass for the next reply.
    drop(found, ConnectionCounts::kIdle);
  }
}

awaitable<Result<std::unique_ptr<HttpConnections::Lease>>> HttpConnections::connect(
    std::shared_ptr<HttpConnections> self,
    HttpOrigin origin,
    Addresses addresses,
    Counts counts,
    Deadline deadline) {
  if (self->is_closed_) co_return given_up();
  const auto attempt = std::make_shared<ConnectAttempt>();
  self->attempts_.push_back(attempt);
  auto stream = co_await Stream::connect_to(self->loop_,
                                            std::move(addresses),
                                            origin.target,
                                            origin.context,
                                            deadline,
                                            attempt);
  std::erase(self->attempts_, attempt);
  if (self->is_closed_) co_return given_up();
  if (!stream) {
    if (counts) add(counts->failed, name_of(stream.error().code));
    co_return stream.error();
  }
  if (counts) ++counts->opened;
  co_return std::make_unique<Lease>(self, std::move(origin), std::move(*stream), std::move(counts));
}

void HttpConnections::close() {
  is_closed_ = true;
  for (const Kept& one : std::exchange(kept_, {})) drop(one, ConnectionCounts::kClosed);
  for (Stream* stream : leased_) stream->close();
  for (const auto& attempt : attempts_) attempt->cancel();
}

void HttpConnections::prune(SteadyTime now) {
  if (now - pruned_at_ < kBetweenPrunings) return;
  pruned_at_ = now;
  std::erase_if(kept_, [now](const Kept& one) {
    const bool is_over = now - one.since > kMaxIdle || !one.stream->is_quiet();
    if (is_over) drop(one, ConnectionCounts::kIdle);
    return is_over;
  });
}

void HttpConnections::drop(const Kept& one, std::string_view reason) {
  one.stream->close();
  count(one.counts, reason);
}

}  // namespace weir::scalers::clients
