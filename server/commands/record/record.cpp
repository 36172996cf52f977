// `weir record`: one coroutine for each metric and each HPA reads once an interval, until the
// duration is over or a signal arrives. Each sample goes to the timeline, the files and the
// terminal.
#include "apiservice/encoding/quantity.hpp"
#include "scalers/signal.hpp"
#include "scalers/text/utf8.hpp"
#include "server/commands/record/csv.hpp"
#include "server/commands/record/files.hpp"
#include "server/commands/record/options.hpp"
#include "server/commands/record/record_source.hpp"
#include "server/commands/record/rounds.hpp"
#include "server/commands/world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace weir::server {
namespace {

using record::HpaSample;
using record::HpaTrack;
using record::MetricTrack;
using record::Sample;

constexpr Duration kMaxReadTime{30'000};  // the longest deadline that a metric may have
constexpr Duration kMaxStopTime{3'000};   // for reads in flight when the record ends
// Not after each sample, because each page is rendered from the whole record.
constexpr Duration kPageInterval{10'000};

double seconds_of(SteadyTime::duration span) { return std::chrono::duration<double>(span).count(); }

// The state that the coroutines share. Owned by run(), which outlives them.
struct Recording {
  Recording(Loop& its_loop,
            const Clock& its_clock,
            record::RecordSource& its_source,
            const RecordOptions& options)
      : loop(its_loop),
        clock(its_clock),
        source(its_source),
        interval(options.interval),
        files(options.csv, options.html, options.csv_wide),
        ended(loop),
        began(clock.steady()),
        page_at(began + kPageInterval) {
    timeline.began = clock.wall();
    for (const std::string& name : options.targets) timeline.metrics.push_back({name, {}});
    for (const std::string& name : options.hpas) timeline.hpas.push_back({name, {}});
    under_way = timeline.metrics.size() + timeline.hpas.size();
  }

  Loop& loop;
  const Clock& clock;
  record::RecordSource& source;
  Duration interval;
  // A CSV that cannot be written ends the command here, before anything is queried.
  record::RecordFiles files;
  record::Timeline timeline;
  record::Rounds rounds;
  scalers::Signal ended;
  SteadyTime began;
  SteadyTime page_at;
  std::size_t under_way;
  bool is_stopped = false;  // later samples are dropped
  std::exception_ptr failure;
};

// The first failure ends the whole record, because all coroutines share the files.
void end(Recording& recording, const std::exception_ptr& failure) {
  --recording.under_way;
  if (failure) recording.failure = failure;
  if (failure) recording.ended.raise();
}

void write_page_if_due(Recording& recording) {
  if (recording.clock.steady() < recording.page_at) return;
  recording.files.write_page(recording.timeline, recording.interval);
  // From the end of the writing, so that a long record is not written all the time.
  recording.page_at = recording.clock.steady() + kPageInterval;
}

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print("{}\n", line);
  std::fflush(stdout);  // for readers of a pipe
}

// The place of a track in the order in which they were given: metrics, then HPAs.
std::size_t index_of(const Recording& recording, const MetricTrack& track) {
  return static_cast<std::size_t>(&track - recording.timeline.metrics.data());
}

std::size_t index_of(const Recording& recording, const HpaTrack& track) {
  return recording.timeline.metrics.size() +
         static_cast<std::size_t>(&track - recording.timeline.hpas.data());
}

std::size_t round_of(const Recording& recording, double at) {
  return static_cast<std::size_t>(at / seconds_of(recording.interval) + 1e-6);
}

std::string text_of(const Sample& sample) {
  if (sample.readings.empty()) return "ERROR " + sample.error;
  std::string out;
  for (const scalers::Reading& reading : sample.readings) {
    const std::string labels = record::text_of(reading.labels);
    out += fmt::format("{}{}{}{} ({:.1f} s old)",
                       out.empty() ? "" : ", ",
                       labels,
                       labels.empty() ? "" : " ",
                       apiservice::decimal(reading.value),
                       record::age_of(sample, reading));
  }
  return out;
}

std::string text_of(const HpaSample& sample) {
  if (!sample.error.empty()) return "ERROR " + sample.error;
  const auto text = [](const std::optional<std::int64_t>& count) {
    return count ? fmt::format("{}", *count) : std::string("unknown");
  };
  return fmt::format("{} replicas, {} desired; {}",
                     text(sample.state.current),
                     text(sample.state.desired),
                     record::text_of(sample.state.conditions));
}

template <class Track, class AnySample>
void add_sample(Recording& recording, Track& track, AnySample sample) {
  // Errors of the reads that the stop itself has ended are not recorded.
  if (recording.is_stopped) return;
  sample.took = seconds_of(recording.clock.steady() - recording.began) - sample.at;
  // The file first: a record that is killed has every line that was printed.
  recording.files.add_lines(record::csv_of(track.name, sample));
  print_lines(recording.rounds.add(round_of(recording, sample.at),
                                   index_of(recording, track),
                                   fmt::format("{:>9.1f} s  {}  {}",
                                               sample.at,
                                               scalers::printable(track.name),
                                               scalers::printable(text_of(sample)))));
  track.samples.push_back(std::move(sample));
  write_page_if_due(recording);
}

// True when the record is over, false when the next round is due.
awaitable<bool> wait_for_round(Recording& recording, int round) {
  // A multiple of the interval since the beginning, so that slow reads do not shift later ones.
  // Rounded up, because a wait that ended early would repeat the round.
  const SteadyTime due = recording.began + round * recording.interval;
  const auto left = std::chrono::ceil<Duration>(due - recording.clock.steady());
  const bool is_over = co_await recording.ended.wait(std::max(left, Duration{0}));
  co_return is_over;
}

template <class AnySample>
AnySample start_sample(const Recording& recording) {
  AnySample out;
  out.at = seconds_of(recording.clock.steady() - recording.began);
  out.time = recording.clock.wall();
  return out;
}

// Rounds that passed during a slow read are skipped.
int next_round(const Recording& recording) {
  return static_cast<int>((recording.clock.steady() - recording.began) / recording.interval) + 1;
}

awaitable<void> follow_metric(Recording& recording, MetricTrack& track) {
  const record::Target target = record::target_of(track.name);
  for (bool is_over = false; !is_over;) {
    auto sample = start_sample<Sample>(recording);
    const Deadline deadline = Deadline::after(recording.clock.steady(), kMaxReadTime);
    auto readings = co_await recording.source.read_metric(target, deadline);
    if (readings) {
      sample.readings = std::move(*readings);
    } else {
      sample.error = readings.error().message();
    }
    add_sample(recording, track, std::move(sample));
    is_over = co_await wait_for_round(recording, next_round(recording));
  }
}

awaitable<void> follow_hpa(Recording& recording, HpaTrack& track) {
  for (bool is_over = false; !is_over;) {
    auto sample = start_sample<HpaSample>(recording);
    const Deadline deadline = Deadline::after(recording.clock.steady(), kMaxReadTime);
    auto state = co_await recording.source.read_hpa(track.name, deadline);
    if (state) {
      sample.state = std::move(*state);
    } else {
      sample.error = state.error().message();
    }
    add_sample(recording, track, std::move(sample));
    is_over = co_await wait_for_round(recording, next_round(recording));
  }
}

// Raises the end signal after `duration`, unless the record has ended before.
awaitable<void> end_after(Recording& recording, Duration duration) {
  const bool is_over = co_await recording.ended.wait(duration);
  if (!is_over) recording.ended.raise();
}

void start(Recording& recording, const RecordOptions& options) {
  const auto done = [&recording](const std::exception_ptr& failure) { end(recording, failure); };
  for (MetricTrack& track : recording.timeline.metrics)
    boost::asio::co_spawn(recording.loop.get_executor(), follow_metric(recording, track), done);
  for (HpaTrack& track : recording.timeline.hpas)
    boost::asio::co_spawn(recording.loop.get_executor(), follow_hpa(recording, track), done);
  if (options.duration.count() == 0) return;
  // The timer counts too, because it also refers to the recording.
  ++recording.under_way;
  boost::asio::co_spawn(recording.loop.get_executor(),
                        end_after(recording, options.duration),
                        done);
}

}  // namespace

ExitCode run(const RecordOptions& options) {
  Loop loop(1);
  const Clock clock;
  SilentObserver observer;
  scalers::Clients clients(loop, options.identity, scalers::clients::ProxyRules(options.proxies));
  LoadedWorld loaded;
  if (!options.config.empty()) {
    loaded = load_world(options.config, loop, clients, clock, observer);
    if (!loaded.world) return ExitCode::failed;
    print_problems(loaded);
  }
  std::optional<cluster::KubeClient> kube;
  if (!options.kubeconfig.empty())
    kube.emplace(clients, cluster::read_kubeconfig(options.kubeconfig));
  record::RecordSource source(loaded.world ? &loaded.world->source() : nullptr,
                              kube ? &*kube : nullptr);
  Recording recording(loop, clock, source, options);
  boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
  bool is_over = false;
  signals.async_wait([&](const boost::system::error_code& failed, int) {
    if (!failed) recording.ended.raise();
    // A signal does not wait for reads in flight; the end of --duration does.
    if (!failed) is_over = true;
  });
  start(recording, options);
  while (recording.under_way > 0 && !is_over && loop.run_one() > 0) {
    // A recording may last longer than a password.
    clients.check_credentials(clock.steady());
  }
  signals.cancel();
  recording.is_stopped = true;
  clients.close();
  // Closing the clients ends the reads in flight, and with them their coroutines.
  const SteadyTime limit = clock.steady() + kMaxStopTime;
  while (recording.under_way > 0 && loop.run_one_until(limit) > 0) {
  }
  recording.files.write_page(recording.timeline, recording.interval);
  print_lines(recording.rounds.flush());
  // After the page, so that what was recorded is not lost.
  if (recording.failure) std::rethrow_exception(recording.failure);
  fmt::print("written: {}{}{} and {}\n",
             options.csv,
             options.csv_wide.empty() ? "" : ", ",
             options.csv_wide,
             options.html);
  return ExitCode::ok;
}

}  // namespace weir::server
