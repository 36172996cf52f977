#include "scalers/clients/net/resolver.hpp"

#include <arpa/inet.h>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr auto kKeepAddresses = std::chrono::seconds{30};
constexpr auto kKeepFailure = std::chrono::seconds{1};
constexpr std::size_t kThreads = 4;
constexpr std::size_t kMaxKeptHosts = 1024;

bool is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::string numeric_text(const addrinfo& found) {
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(found.ai_addr,
                found.ai_addrlen,
                text.data(),
                text.size(),
                nullptr,
                0,
                NI_NUMERICHOST);
  return text.data();
}

// Blocks for as long as the name servers take.
Result<Addresses> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed != 0) {
    return Error{Errc::unreachable,
                 fmt::format("its host name does not resolve ({})", ::gai_strerror(failed)),
                 ""};
  }
  Addresses out;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::string text = numeric_text(*one);
    if (!text.empty() && std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
  }
  ::freeaddrinfo(found);
  if (out.empty()) return Error{Errc::unreachable, "its host name resolves to no address", ""};
  return out;
}

}  // namespace

// What the loop and the look-up threads share. A thread may sit in getaddrinfo when the resolver
// goes away: it then finds is_closed and ends without touching the loop.
struct Resolver::Shared {
  struct Job {
    std::string host;
    std::shared_ptr<Lookup> lookup;
  };

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;
  bool is_closed = false;

  static void run(std::shared_ptr<Shared> shared, Resolver* resolver) {
    std::unique_lock lock(shared->mutex);
    while (true) {
      shared->changed.wait(lock, [&] { return shared->is_closed || !shared->jobs.empty(); });
      if (shared->is_closed) return;
      Job job = std::move(shared->jobs.front());
      shared->jobs.pop_front();
      lock.unlock();
      auto outcome = look_up(job.host);
      lock.lock();
      if (shared->is_closed) return;
      // Not closed, under the lock: the resolver and so its loop are still there.
      boost::asio::post(resolver->loop_,
                        [lookup = std::move(job.lookup), outcome = std::move(outcome)]() mutable {
                          finish(*lookup, std::move(outcome));
                        });
    }
  }
};

Resolver::Resolver(Loop& loop) : loop_(loop), shared_(std::make_shared<Shared>()) {
  for (std::size_t i = 0; i < kThreads; ++i) std::thread(Shared::run, shared_, this).detach();
}

Resolver::~Resolver() { close(); }

void Resolver::close() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->is_closed = true;
    shared_->jobs.clear();
  }
  shared_->changed.notify_all();
  for (const auto& [host, lookup] : std::exchange(lookups_, {})) lookup->done.raise();
}

void Resolver::start(const std::string& host, std::shared_ptr<Lookup> lookup) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->is_closed) {
    lookup->done.raise();
    return;
  }
  shared_->jobs.push_back({host, std::move(lookup)});
  shared_->changed.notify_one();
}

void Resolver::finish(Lookup& lookup, Result<Addresses> outcome) {
  const auto kept =
      outcome ? SteadyTime::duration(kKeepAddresses) : SteadyTime::duration(kKeepFailure);
  lookup.valid_until = std::chrono::steady_clock::now() + kept;
  lookup.outcome = std::move(outcome);
  lookup.is_running = false;
  lookup.done.raise();
}

awaitable<Result<Addresses>> Resolver::resolve(std::string host, Deadline deadline) {
  if (is_numeric(host)) co_return Addresses{std::move(host)};
  const auto now = std::chrono::steady_clock::now();
  std::shared_ptr<Lookup>& kept = lookups_[host];
  const bool is_usable = kept && (kept->is_running || kept->valid_until > now);
  if (!is_usable) {
    kept = std::make_shared<Lookup>(loop_);
    start(host, kept);
  }
  const std::shared_ptr<Lookup> lookup = kept;
  if (lookups_.size() > kMaxKeptHosts) {
    std::erase_if(lookups_, [&](const auto& one) {
      return !one.second->is_running && one.second->valid_until <= now;
    });
  }
  const bool is_done = co_await lookup->done.wait(deadline.left(now));
  if (!is_done) co_return Error{Errc::timed_out, "its host name is still being looked up", ""};
  co_return lookup->outcome;
}

}  // namespace weir::scalers::clients
