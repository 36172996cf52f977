#include "scalers/clients/amqp/machine.hpp"

#include "scalers/text/redact.hpp"

#include <amqp.h>
#include <amqp_framing.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr std::uint16_t kHeartbeatSeconds = 10;
constexpr std::string_view kProtocolHeader("AMQP\x00\x00\x09\x01", 8);
constexpr std::string_view kHeartbeatFrame("\x08\x00\x00\x00\x00\x00\x00\xce", 8);
constexpr std::size_t kMethodIdBytes = 4;
// rabbitmq-c's type of what it makes of a broker's "AMQP...": it has no public name.
constexpr unsigned char kProtocolHeaderFrame = 'A';
constexpr char kFrameEnd = '\xce';
constexpr std::size_t kFixedRoom = 1024;    // for two names of 255 bytes, and numbers
constexpr std::size_t kStartOkRoom = 4096;  // beside the credentials

amqp_bytes_t bytes_of(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};  // the codec only reads it
}

std::string_view view_of(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

void append_big_endian(std::string& out, std::uint32_t value, int width) {
  for (int shift = (width - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>((value >> shift) & 0xffU);
}

// Appends a method frame; rabbitmq-c encodes the arguments into `room`, the frame around them is
// ours. False when they do not fit.
template <class Method>
[[nodiscard]] bool append_method(std::string& out,
                                 std::uint16_t channel,
                                 amqp_method_number_t id,
                                 Method method,
                                 std::span<char> room) {
  const int size = amqp_encode_method(id, &method, {room.size(), room.data()});
  if (size < 0) return false;
  out += static_cast<char>(AMQP_FRAME_METHOD);
  append_big_endian(out, channel, 2);
  append_big_endian(out, static_cast<std::uint32_t>(size) + kMethodIdBytes, 4);
  append_big_endian(out, id, 4);
  out.append(room.data(), static_cast<std::size_t>(size));
  out += kFrameEnd;
  return true;
}

// As append_method, for methods whose names are bounded by whoever asks: at most 255 bytes.
template <class Method>
void append_fixed(std::string& out, std::uint16_t channel, amqp_method_number_t id, Method method) {
  std::array<char, kFixedRoom> room;
  const bool has_fitted = append_method(out, channel, id, method, room);
  assert(has_fitted);
  static_cast<void>(has_fitted);
}

amqp_table_entry_t entry(std::string_view key, amqp_table_t table) {
  amqp_table_entry_t out{};
  out.key = bytes_of(key);
  out.value.kind = AMQP_FIELD_KIND_TABLE;
  out.value.value.table = table;
  return out;
}

amqp_table_entry_t entry(std::string_view key, std::string_view text) {
  amqp_table_entry_t out{};
  out.key = bytes_of(key);
  out.value.kind = AMQP_FIELD_KIND_UTF8;
  out.value.value.bytes = bytes_of(text);
  return out;
}

amqp_table_entry_t flag(std::string_view key) {
  amqp_table_entry_t out{};
  out.key = bytes_of(key);
  out.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  out.value.value.boolean = 1;
  return out;
}

bool append_start_ok(std::string& out, const AmqpLogin& login) {
  const bool is_external = login.username.reveal().empty();
  const std::string response =
      is_external ? std::string() : '\0' + login.username.reveal() + '\0' + login.password.reveal();
  std::array capabilities{flag("authentication_failure_close")};
  std::array properties{entry("product", "weir"),
                        entry("connection_name", login.connection_name),
                        entry("capabilities", amqp_table_t{1, capabilities.data()})};
  amqp_connection_start_ok_t method{};
  method.client_properties = {static_cast<int>(properties.size()), properties.data()};
  method.mechanism = bytes_of(is_external ? "EXTERNAL" : "PLAIN");
  method.response = bytes_of(response);
  method.locale = bytes_of("en_US");
  std::string room(kStartOkRoom + response.size(), '\0');
  return append_method(out, 0, AMQP_CONNECTION_START_OK_METHOD, method, room);
}

// What a broker's closing of a connection means for whoever asked.
Error connection_error(std::uint16_t code, std::string_view text, const AmqpLogin& login) {
  const std::array hidden{login.username.reveal(), login.password.reveal()};
  const std::string remote = remote_text(text, hidden);
  const bool is_full = code == AMQP_NOT_ALLOWED && text.find("limit") != text.npos;
  if (is_full) return {Errc::unreachable, "the broker takes no further connection", remote};
  if (code == AMQP_ACCESS_REFUSED) return {Errc::refused, "the credentials are refused", ""};
  if (code == AMQP_NOT_ALLOWED && text.find("not found") != text.npos) {
    return {Errc::unknown_object, fmt::format("vhost \"{}\" does not exist", login.vhost), ""};
  }
  if (code == AMQP_NOT_ALLOWED)
    return {Errc::forbidden, fmt::format("no access to vhost \"{}\"", login.vhost), remote};
  return {Errc::unreachable, "the broker closed the connection", remote};
}

Error channel_error(std::uint16_t code,
                    std::string_view text,
                    const std::string& queue,
                    const AmqpLogin& login) {
  const std::array hidden{login.username.reveal(), login.password.reveal()};
  const std::string named = fmt::format("queue \"{}\"", queue);
  // The broker's number for a queue whose node is down or does not answer, too: that one is there.
  const bool is_missing = code == AMQP_NOT_FOUND && text.find("no queue '") != text.npos;
  if (is_missing) {
    return {Errc::unknown_object,
            fmt::format("{} does not exist in vhost \"{}\"", named, login.vhost),
            ""};
  }
  switch (code) {
    case AMQP_ACCESS_REFUSED:
      return {Errc::forbidden,
              fmt::format("no permission on {} in vhost \"{}\"", named, login.vhost),
              ""};
    case AMQP_RESOURCE_LOCKED:
      return {
          Errc::bad_reply,
          fmt::format("{} is exclusive to another connection; its length cannot be asked", named),
          ""};
    default:
      return {Errc::bad_reply,
              fmt::format("{} could not be asked", named),
              remote_text(text, hidden)};
  }
}

}  // namespace

struct AmqpMachine::Codec {
  amqp_connection_state_t state = amqp_new_connection();
  Codec() = default;
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  ~Codec() { amqp_destroy_connection(state); }
};

struct AmqpMachine::Frame {
  std::uint16_t channel;
  amqp_method_number_t method;
  void* arguments;

  template <class Method>
  [[nodiscard]] const Method& as() const {
    return *static_cast<const Method*>(arguments);
  }
};

AmqpMachine::AmqpMachine(AmqpLogin login)
    : login_(std::move(login)), codec_(std::make_unique<Codec>()) {}
AmqpMachine::~AmqpMachine() = default;

void AmqpMachine::greet(std::string& out) { out += kProtocolHeader; }

std::optional<Error> AmqpMachine::receive(std::string_view bytes, std::string& out) {
  heard_at_ = std::chrono::steady_clock::now();
  if (!guard_.accept(bytes)) {
    return Error{Errc::bad_reply, "what came is not AMQP 0-9-1, or a frame is over 16 KiB", ""};
  }
  while (!bytes.empty()) {
    amqp_frame_t frame{};
    const int consumed = amqp_handle_input(codec_->state, bytes_of(bytes), &frame);
    if (consumed < 0)
      return Error{Errc::bad_reply, "what came is not AMQP 0-9-1", amqp_error_string2(consumed)};
    bytes.remove_prefix(std::min(bytes.size(), static_cast<std::size_t>(consumed)));
    if (frame.frame_type == kProtocolHeaderFrame) {
      return Error{Errc::bad_reply, "the server speaks another version of AMQP than 0-9-1", ""};
    }
    if (frame.frame_type == AMQP_FRAME_METHOD) {
      auto failed =
          take({frame.channel, frame.payload.method.id, frame.payload.method.decoded}, out);
      if (failed) return failed;
    }
    amqp_maybe_release_buffers(codec_->state);
    if (consumed == 0) break;
  }
  return std::nullopt;
}

std::optional<Error> AmqpMachine::take(const Frame& frame, std::string& out) {
  if (frame.method == AMQP_CONNECTION_CLOSE_METHOD) return take_close(frame, out);
  if (state_ != State::ready) return take_login(frame, out);
  const bool is_ours = frame.channel >= 1 && frame.channel <= channels_.size();
  if (!is_ours) return std::nullopt;
  if (frame.method == AMQP_CHANNEL_CLOSE_METHOD) {
    take_channel_close(frame, out);
  } else if (frame.method == AMQP_QUEUE_DECLARE_OK_METHOD) {
    return take_declared(frame, out);
  }
  return std::nullopt;
}

std::optional<Error> AmqpMachine::take_login(const Frame& frame, std::string& out) {
  Error unexpected{Errc::bad_reply, "the broker's login does not follow AMQP 0-9-1", ""};
  if (state_ == State::start && frame.method == AMQP_CONNECTION_START_METHOD) {
    if (!append_start_ok(out, login_))
      return Error{Errc::refused, "the credentials are too long for AMQP", ""};
    state_ = State::tune;
    return std::nullopt;
  }
  if (state_ == State::tune && frame.method == AMQP_CONNECTION_TUNE_METHOD) {
    const auto& offered = frame.as<amqp_connection_tune_t>();
    const std::uint16_t channels = std::min<std::uint16_t>(
        AmqpGuard::kMaxChannels,
        offered.channel_max == 0 ? AmqpGuard::kMaxChannels : offered.channel_max);
    const std::uint32_t frame_max = offered.frame_max == 0
                                        ? AmqpGuard::kMaxFrameBytes
                                        : std::min(AmqpGuard::kMaxFrameBytes, offered.frame_max);
    const std::uint16_t seconds =
        offered.heartbeat == 0 ? kHeartbeatSeconds : std::min(kHeartbeatSeconds, offered.heartbeat);
    channels_.resize(channels);
    heartbeat_ = std::chrono::seconds{seconds};
    append_fixed(out,
                 0,
                 AMQP_CONNECTION_TUNE_OK_METHOD,
                 amqp_connection_tune_ok_t{channels, frame_max, seconds});
    amqp_tune_connection(codec_->state, channels, static_cast<int>(frame_max), 0);
    append_fixed(out,
                 0,
                 AMQP_CONNECTION_OPEN_METHOD,
                 amqp_connection_open_t{bytes_of(login_.vhost), {}, 0});
    state_ = State::open;
    return std::nullopt;
  }
  if (state_ == State::open && frame.method == AMQP_CONNECTION_OPEN_OK_METHOD) {
    state_ = State::ready;
    return std::nullopt;
  }
  return unexpected;
}

std::optional<Error> AmqpMachine::take_close(const Frame& frame, std::string& out) {
  const auto& close = frame.as<amqp_connection_close_t>();
  append_fixed(out, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, amqp_connection_close_ok_t{});
  return connection_error(close.reply_code, view_of(close.reply_text), login_);
}

// The count of another queue is not an answer, whatever made the broker give it.
std::optional<Error> AmqpMachine::take_declared(const Frame& frame, std::string& out) {
  const auto& declared = frame.as<amqp_queue_declare_ok_t>();
  const auto& current = channels_[frame.channel - 1U].current;
  if (current && view_of(declared.queue) != current->queue) {
    return Error{Errc::bad_reply,
                 fmt::format("the broker answered about another queue than \"{}\"", current->queue),
                 ""};
  }
  answer(frame.channel, declared.message_count, out);
  return std::nullopt;
}

// Only this channel is closed: it is confirmed at once, and opened again with its next question.
void AmqpMachine::take_channel_close(const Frame& frame, std::string& out) {
  const auto& close = frame.as<amqp_channel_close_t>();
  Channel& channel = channels_[frame.channel - 1U];
  if (!std::exchange(channel.is_open, false)) return;
  append_fixed(out, frame.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t{});
  if (!channel.current) return;
  answer(frame.channel,
         channel_error(close.reply_code, view_of(close.reply_text), channel.current->queue, login_),
         out);
}

void AmqpMachine::answer(std::uint16_t channel, Result<std::uint64_t> outcome, std::string& out) {
  const auto question = std::exchange(channels_[channel - 1U].current, nullptr);
  if (question) {
    question->ready_messages = std::move(outcome);
    question->done.raise();
  }
  while (!waiting_.empty() && !channels_[channel - 1U].current) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    const bool is_awaited = next.use_count() > 1;
    if (is_awaited) declare(channel, std::move(next), out);
  }
}

AmqpQuestionPtr AmqpMachine::ask(Loop& loop, const std::string& queue, std::string& out) {
  for (const Channel& channel : channels_) {
    if (channel.current && channel.current->queue == queue) return channel.current;
  }
  for (const auto& waiting : waiting_) {
    if (waiting->queue == queue) return waiting;
  }
  auto question = std::make_shared<AmqpQuestion>(loop, queue);
  const auto is_free = [](const Channel& channel) { return channel.current == nullptr; };
  // An open channel first: a new one is opened only when all of them are busy.
  auto found = std::ranges::find_if(channels_, [&](const Channel& one) {
    return one.is_open && is_free(one);
  });
  if (found == channels_.end()) found = std::ranges::find_if(channels_, is_free);
  if (found == channels_.end()) {
    waiting_.push_back(question);
  } else {
    declare(static_cast<std::uint16_t>(found - channels_.begin() + 1), question, out);
  }
  return question;
}

void AmqpMachine::declare(std::uint16_t channel, AmqpQuestionPtr question, std::string& out) {
  Channel& used = channels_[channel - 1U];
  if (!used.is_open) append_fixed(out, channel, AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t{});
  used.is_open = true;
  amqp_queue_declare_t method{};
  method.queue = bytes_of(question->queue);
  method.passive = 1;
  question->sent_at = std::chrono::steady_clock::now();
  append_fixed(out, channel, AMQP_QUEUE_DECLARE_METHOD, method);
  used.current = std::move(question);
}

std::optional<Error> AmqpMachine::tick(SteadyTime now, std::string& out) {
  if (now - heard_at_ > 2 * heartbeat_)
    return Error{Errc::unreachable, "the broker's heartbeat stopped", ""};
  out += kHeartbeatFrame;
  return std::nullopt;
}

std::optional<SteadyTime> AmqpMachine::waiting_since() const {
  std::optional<SteadyTime> out;
  for (const Channel& channel : channels_) {
    if (channel.current && (!out || channel.current->sent_at < *out))
      out = channel.current->sent_at;
  }
  return out;
}

void AmqpMachine::lose(const Error& why) {
  const auto fail = [&](const AmqpQuestionPtr& question) {
    question->ready_messages = why;
    question->done.raise();
  };
  for (Channel& channel : channels_) {
    if (const auto question = std::exchange(channel.current, nullptr)) fail(question);
  }
  for (const auto& question : std::exchange(waiting_, {})) fail(question);
}

}  // namespace weir::scalers::clients
