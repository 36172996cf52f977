// AmqpMachine: a broker's bytes mean the same however they are cut, answer only what was asked, and
// make the machine say only what AMQP lets it say. The input is a script, a line a step:
//   start | nested DEPTH | tune CHANNELS FRAME_MAX SECONDS | open_ok | channel_ok CHANNEL
//   declared CHANNEL QUEUE READY | channel_close CHANNEL CODE TEXT | close CODE TEXT
//   frame TYPE CHANNEL BYTES | raw BYTES (percent-encoded) | ask QUEUE | forget
#include "scalers/clients/amqp/machine.hpp"
#include "scalers/settings/url.hpp"
#include "test/fuzz/property.hpp"
#include "test/rigs/amqp_frames.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weir::fuzz {
namespace {

using namespace test::amqp;
using scalers::Errc;
using scalers::Error;
using scalers::Secret;
using scalers::clients::AmqpGuard;
using scalers::clients::AmqpMachine;
using scalers::clients::QueueLengthQueryPtr;

constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kFrameBytes = 8;  // head and end

Loop& loop() {
  static Loop kept;
  return kept;
}

std::string_view take_until(std::string_view& text, char end) {
  const std::string_view out = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), out.size() + 1));
  return out;
}

unsigned take_number(std::string_view& line) {
  const std::string_view word = take_until(line, ' ');
  unsigned out = 0;
  std::from_chars(word.data(), word.data() + word.size(), out);
  return out;
}

std::string name_of(std::string_view text) { return std::string(text.substr(0, kMaxNameBytes)); }

std::string decoded(std::string_view text) {
  return scalers::percent_decoded(text).value_or(std::string(text));
}

// A start whose server properties are tables in tables.
std::string nested_start(unsigned depth) {
  std::string table;
  for (unsigned i = 0; i < depth % 1200; ++i) table = short_text("t") + "F" + long_text(table);
  return method(0,
                10,
                10,
                u8(0) + u8(9) + long_text(table) + long_text("PLAIN") + long_text("en_US"));
}

// The bytes of a step of the broker; empty when the step is none.
std::string bytes_of(std::string_view step, std::string_view rest) {
  if (step == "start") return start();
  if (step == "nested") return nested_start(take_number(rest));
  if (step == "open_ok") return open_ok();
  if (step == "raw") return decoded(rest);
  const unsigned first = take_number(rest);
  if (step == "channel_ok") return channel_open_ok(first);
  if (step == "close") return connection_close(first, name_of(rest));
  if (step == "declared") {
    const std::string_view queue = take_until(rest, ' ');
    return declare_ok(first, name_of(queue), take_number(rest));
  }
  const unsigned second = take_number(rest);
  if (step == "tune") return tune(first, second, take_number(rest));
  if (step == "channel_close") return channel_close(first, second, name_of(rest));
  if (step == "frame") return frame(static_cast<int>(first % 256), second, decoded(rest));
  return {};
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t out = 0;
  for (const char byte : bytes.substr(at, width))
    out = out << 8U | static_cast<unsigned char>(byte);
  return out;
}

// The methods among what the machine says, each as class and number in one.
std::vector<std::uint64_t> methods_of(std::string_view said) {
  std::vector<std::uint64_t> out;
  while (!said.empty()) {
    require(said.size() > kFrameBytes && said.front() == 1, "only methods are said");
    require(number_at(said, 1, 2) <= AmqpGuard::kMaxChannels, "channels are bounded in number");
    const std::size_t size = kFrameBytes + number_at(said, 3, 4);
    require(size <= said.size() && said[size - 1] == '\xce', "frames are said whole");
    out.push_back(number_at(said, 7, 4));
    said.remove_prefix(size);
  }
  return out;
}

constexpr std::uint64_t kDeclare = 0x0032000a;
// start-ok, tune-ok, open, close-ok; channel open, channel close-ok; declare.
constexpr std::array<std::uint64_t, 7>
    kSayable{0x000a000b, 0x000a001f, 0x000a0028, 0x000a0033, 0x0014000a, 0x00140029, kDeclare};

// One machine that goes through a script, and what came of it.
class Session {
 public:
  explicit Session(bool is_cut)
      : machine_({Secret("weir"), Secret("s3cret"), "ml", "weir/pod-1"}), is_cut_(is_cut) {
    std::string greeting;
    machine_.on_connected(greeting);
  }

  // Until an error, or the script's end.
  void play(std::string_view script) {
    while (!script.empty() && !failure) {
      std::string_view line = take_until(script, '\n');
      const std::string_view step = take_until(line, ' ');
      if (step == "ask") {
        query(name_of(line));
      } else if (step == "forget") {
        if (!questions.empty()) questions.erase(questions.begin());
      } else {
        hear(step, line);
      }
    }
  }

  void check() {
    const auto methods = methods_of(said);
    for (const std::uint64_t method : methods)
      require(std::ranges::find(kSayable, method) != kSayable.end(), "only a few methods are said");
    require(static_cast<std::size_t>(std::ranges::count(methods, kDeclare)) <= asked_,
            "a queue is declared when it is asked for");
    for (const QueueLengthQueryPtr& question : questions) {
      if (!question->ready_messages || !question->ready_messages->has_value() || is_raw_) continue;
      require(counts_.contains({question->queue, **question->ready_messages}),
              "an answer is what the broker said of that queue");
    }
    open_at_end = static_cast<std::size_t>(std::ranges::count_if(questions, [](const auto& one) {
      return !one->ready_messages.has_value();
    }));
    machine_.on_disconnected({Errc::unreachable, "lost", ""});
    for (const QueueLengthQueryPtr& question : questions)
      require(question->ready_messages.has_value(), "every waiter is notified of the end");
    require(!machine_.waiting_since(), "nothing is open behind the end");
  }

  std::string said;
  std::optional<Error> failure;
  std::vector<QueueLengthQueryPtr> questions;
  std::size_t open_at_end = 0;
  [[nodiscard]] bool is_ready() const { return machine_.is_ready(); }

 private:
  void query(const std::string& queue) {
    if (!machine_.is_ready()) return;
    ++asked_;
    questions.push_back(machine_.query_length(loop(), queue, said));
  }

  void hear(std::string_view step, std::string_view rest) {
    const std::string bytes = bytes_of(step, rest);
    is_raw_ = is_raw_ || step == "raw" || step == "frame";
    if (step == "declared") {
      take_number(rest);
      const std::string queue = name_of(take_until(rest, ' '));
      counts_.emplace(queue, take_number(rest));
    }
    const std::size_t before = said.size();
    for (const auto& piece : pieces_of(bytes, is_cut_ ? bytes.size() : 0)) {
      if (!failure) failure = machine_.receive(view_of(piece), said);
    }
    require(said.size() - before <= 1024 + 32 * bytes.size(), "what is said is bounded");
  }

  AmqpMachine machine_;
  bool is_cut_;
  bool is_raw_ = false;
  std::size_t asked_ = 0;
  std::set<std::pair<std::string, std::uint64_t>> counts_;
};

}  // namespace

void run(std::string_view input) {
  Session whole(false);
  whole.play(input);
  whole.check();
  Session cut(true);
  cut.play(input);
  cut.check();

  require(whole.failure.has_value() == cut.failure.has_value(),
          "a stream is good however it is cut");
  // A guard that sees all at once refuses all at once: in pieces what stands before is heard.
  require(cut.said.starts_with(whole.said), "the same is said however the stream is cut");
  if (whole.failure) return;
  require(cut.said == whole.said && cut.is_ready() == whole.is_ready() &&
              cut.open_at_end == whole.open_at_end,
          "a stream means the same however it is cut");
  for (std::size_t i = 0; i < whole.questions.size(); ++i)
    require(whole.questions[i]->ready_messages == cut.questions[i]->ready_messages,
            "an answer is one however it is cut");
}

}  // namespace weir::fuzz
