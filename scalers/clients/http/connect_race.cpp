// Each attempt is a transfer of its own, which is stopped before it sends the request once another
// one has connected.
#include "scalers/clients/http/connect_race.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

// RFC 8305, section 5: the delay between attempts at two addresses.
constexpr Duration kConnectionAttemptDelay{250};
constexpr Duration kNoLimit{60'000};

SteadyTime now() { return std::chrono::steady_clock::now(); }

bool is_running(const std::vector<std::unique_ptr<CurlTransfer>>& attempts) {
  return !std::ranges::all_of(
      attempts,
      &CurlTransfer::is_done,
      [](const auto& attempt) -> auto& { return *attempt; });
}

}  // namespace

bool ConnectRace::claim(const CurlTransfer* transfer) {
  if (is_decided_) return chosen_ == transfer;
  chosen_ = transfer;
  is_decided_ = true;
  note_progress();
  return true;
}

void ConnectRace::note_end(const CurlTransfer* transfer, bool is_final) {
  if (is_decided_) return;
  chosen_ = transfer;
  is_decided_ = is_final;
  note_progress();
}

void ConnectRace::note_progress() {
  // Replaced, because a Signal is raised once for good.
  std::exchange(progress_, std::make_shared<Signal>(loop_))->raise();
}

awaitable<void> ConnectRace::wait_for_progress(Duration budget) {
  const auto progress = progress_;
  co_await progress->wait(budget);
}

awaitable<std::unique_ptr<CurlTransfer>> send_to_one(std::shared_ptr<CurlMulti> multi,
                                                     std::shared_ptr<const HttpRequest> request,
                                                     HttpOrigin origin,
                                                     Addresses addresses,
                                                     Duration connect_budget,
                                                     Deadline deadline,
                                                     bool may_reuse) {
  const Deadline limit = Deadline::after(now(), connect_budget);
  const auto race = std::make_shared<ConnectRace>(multi->loop());
  std::vector<std::unique_ptr<CurlTransfer>> attempts;
  // A failure of TLS ends the search, because another address of the same host would fail likewise.
  for (std::size_t i = 0; i < addresses.size() && !race->is_decided(); ++i) {
    // Each address may use all of the time that is left, because the attempts are concurrent.
    CurlTransfer::Route route{.address = addresses[i],
                              .may_reuse = may_reuse,
                              .connect_budget = limit.left(now())};
    attempts.push_back(
        std::make_unique<CurlTransfer>(multi, request, origin, std::move(route), deadline, race));
    attempts.back()->start();
    const Duration delay = std::min(limit.left(now()), kConnectionAttemptDelay);
    if (i + 1 < addresses.size() && !race->is_decided() && is_running(attempts))
      co_await race->wait_for_progress(delay);
  }
  // Each attempt has its own limit: this wait needs none.
  while (!race->is_decided() && is_running(attempts)) co_await race->wait_for_progress(kNoLimit);
  const CurlTransfer* const chosen = race->chosen();
  for (auto& attempt : attempts) {
    if (attempt.get() != chosen) continue;
    auto out = std::move(attempt);
    attempts.clear();  // ends the others
    if (!out->is_done()) co_await out->finished();
    co_return out;
  }
  co_return nullptr;
}

}  // namespace weir::scalers::clients
