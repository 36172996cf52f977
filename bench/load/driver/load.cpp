#include "bench/load/driver/load.hpp"

#include "bench/load/driver/answer.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr int kMaxEvents = 256;
constexpr std::chrono::seconds kPatience{30};  // with a server that does not answer

class Poll {
 public:
  Poll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  ~Poll() { ::close(fd_); }

  void watch(int fd, std::size_t index, Wants wants, bool is_new) const {
    epoll_event event{};
    event.events = wants == Wants::write ? EPOLLOUT : EPOLLIN;
    event.data.u64 = index;
    if (::epoll_ctl(fd_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0)
      throw std::runtime_error(fmt::format("epoll_ctl: {}", std::strerror(errno)));
  }
  // The indices that are ready, at the latest after `span`.
  [[nodiscard]] std::vector<std::size_t> wait(Clock::duration span) const {
    std::array<epoll_event, kMaxEvents> events{};
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(span).count();
    const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
    const int count = ::epoll_pwait2(fd_, events.data(), kMaxEvents, &timeout, nullptr);
    if (count < 0 && errno != EINTR)
      throw std::runtime_error(fmt::format("epoll_pwait2: {}", std::strerror(errno)));
    std::vector<std::size_t> out;
    for (int i = 0; i < count; ++i) out.push_back(events[static_cast<std::size_t>(i)].data.u64);
    return out;
  }

 private:
  int fd_;
};

class Driver {
 public:
  explicit Driver(const Load& load)
      : load_(load), context_(client_context(load.target)), slots_(load.connections) {}

  Report run() {
    for (std::size_t i = 0; i < slots_.size(); ++i) idle_.push_back(i);
    if (!load_.is_reconnecting) connect_all();
    began_ = Clock::now();
    const Time end = began_ + seconds(load_.seconds);
    Time answered = began_;
    while (true) {
      begin_due(end);
      const Time now = Clock::now();
      if (now >= end && under_way_ == 0) break;
      if (under_way_ > 0 && now > answered + kPatience)
        throw std::runtime_error("the server has not answered for 30 s");
      const auto before = report_.answers;
      for (const std::size_t index : poll_.wait(pause(now, end))) go_on(index);
      if (report_.answers != before || under_way_ == 0) answered = now;
    }
    report_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    std::ranges::sort(report_.latencies);
    return std::move(report_);
  }

 private:
  enum class Phase { handshake, send, receive, idle };
  struct Slot {
    std::optional<TlsConnection> connection;
    Phase phase = Phase::idle;
    Wants watched = Wants::nothing;
    Time due;
    std::string_view out;
    std::string in;
  };

  static Clock::duration seconds(double count) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
  }

  // When read number `n` is due.
  [[nodiscard]] Time due(std::uint64_t n) const {
    return began_ + seconds(static_cast<double>(n) / load_.rate);
  }

  void begin_due(Time end) {
    while (!idle_.empty()) {
      const Time now = Clock::now();
      const Time at = load_.rate > 0 ? due(begun_) : now;
      if (at > now || now >= end) return;
      const std::size_t index = idle_.front();
      idle_.pop_front();
      begin(index, at);
    }
  }

  // Before the clock runs: handshakes are no part of reads on kept connections.
  void connect_all() {
    const Time end = Clock::now() + kPatience;
    for (const std::size_t index : std::exchange(idle_, {})) {
      ++under_way_;
      connect(slots_[index]);
      go_on(index);
    }
    while (under_way_ > 0) {
      if (Clock::now() > end) throw std::runtime_error("no handshake within 30 s");
      for (const std::size_t index : poll_.wait(std::chrono::milliseconds{100})) go_on(index);
    }
  }

  void connect(Slot& slot) {
    slot.connection.emplace(context_.get(), load_.target);
    slot.watched = Wants::nothing;
    slot.phase = Phase::handshake;
  }

  [[nodiscard]] Clock::duration pause(Time now, Time end) const {
    const bool is_waiting_for_time = load_.rate > 0 && !idle_.empty() && now < end;
    if (!is_waiting_for_time) return std::chrono::milliseconds{100};
    return std::max(std::min(due(begun_), end) - now, Clock::duration::zero());
  }

  void begin(std::size_t index, Time at) {
    Slot& slot = slots_[index];
    slot.due = at;
    slot.in.clear();
    slot.out = load_.requests[begun_ % load_.requests.size()];
    ++begun_;
    ++under_way_;
    slot.phase = Phase::send;
    if (!slot.connection) connect(slot);
    go_on(index);
  }

  void go_on(std::size_t index) {
    Slot& slot = slots_[index];
    if (slot.phase == Phase::idle) return listen(slot);
    while (slot.phase != Phase::idle) {
      const Wants wants = step(slot);
      if (wants == Wants::nothing) continue;
      if (wants != slot.watched)
        poll_.watch(slot.connection->descriptor(), index, wants, slot.watched == Wants::nothing);
      slot.watched = wants;
      return;
    }
    if (load_.is_reconnecting) slot.connection.reset();
    --under_way_;
    idle_.push_back(index);
  }

  // A server may say things of TLS on an idle connection, and nothing else.
  static void listen(Slot& slot) {
    if (slot.connection->read(slot.in) == Wants::nothing)
      throw std::runtime_error("bytes came that nobody asked for");
  }

  // One step; `nothing`: it is done, and the phase is the next.
  Wants step(Slot& slot) {
    switch (slot.phase) {
      case Phase::handshake:
        return advance(slot,
                       slot.connection->handshake(),
                       slot.out.empty() ? Phase::idle : Phase::send);
      case Phase::send: return advance(slot, slot.connection->write(slot.out), Phase::receive);
      case Phase::receive: return receive(slot);
      case Phase::idle: break;
    }
    return Wants::nothing;
  }

  static Wants advance(Slot& slot, Wants wants, Phase next) {
    if (wants == Wants::nothing) slot.phase = next;
    return wants;
  }

  Wants receive(Slot& slot) {
    const Wants wants = slot.connection->read(slot.in);
    if (wants != Wants::nothing) return wants;
    const auto status = whole_answer(slot.in);
    if (!status) return Wants::nothing;
    ++report_.answers;
    ++report_.statuses[*status];
    report_.latencies.push_back(
        std::chrono::duration<double, std::micro>(Clock::now() - slot.due).count());
    slot.phase = Phase::idle;
    return Wants::nothing;
  }

  const Load& load_;
  Context context_;
  Poll poll_;
  std::vector<Slot> slots_;
  std::deque<std::size_t> idle_;
  Time began_;
  std::uint64_t begun_ = 0;
  std::size_t under_way_ = 0;
  Report report_;
};

}  // namespace

Report run(const Load& load) { return Driver(load).run(); }

}  // namespace weir::bench
