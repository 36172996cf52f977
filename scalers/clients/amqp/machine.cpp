// The states of an AMQP login and of its channels. rabbitmq-c encodes and decodes method arguments;
// its own connection handling is not used, because it blocks.
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

// A broker that vanished while no query is in flight is noticed after two intervals.
constexpr std::uint16_t kHeartbeatSeconds = 10;
constexpr std::uint32_t kMinFrameBytes = 4096;
constexpr std::string_view kProtocolHeader("AMQP\x00\x00\x09\x01", 8);
constexpr std::string_view kHeartbeatFrame("\x08\x00\x00\x00\x00\x00\x00\xce", 8);
constexpr std::size_t kMethodIdBytes = 4;
// rabbitmq-c's frame type for a broker's "AMQP..."; the library has no public name for it.
constexpr unsigned char kProtocolHeaderFrame = 'A';
constexpr char kFrameEnd = '\xce';
constexpr std::size_t kFixedRoom = 1024;    // two names of 255 bytes, and numbers
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

// As append_method, for methods that always fit: their callers limit names to 255 bytes.
template <class Method>
void append_fixed(std::string& out, std::uint16_t channel, amqp_method_number_t id, Method method) {
  std::array<char, kFixedRoom> room;
  const bool fits = append_method(out, channel, id, method, room);
  assert(fits);
  static_cast<void>(fits);
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
  // RFC 4616: an empty authorization identity, then user and password, each after a NUL.
  const std::string response =
      is_external ? std::string() : '\0' + login.username.reveal() + '\0' + login.password.reveal();
  // With this capability RabbitMQ reports rejected credentials by connection.close; without it the
  // socket is closed and the reason is lost.
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

// What connection.close means for the queries.
Error connection_error(std::uint16_t code, std::string_view text, const AmqpLogin& login) {
  const std::array redactions{login.username.reveal(), login.password.reveal()};
  const std::string remote = remote_text(text, redactions);
  // RabbitMQ uses one code for a connection limit, a missing vhost and a missing permission; only
  // the text distinguishes them.
  const bool is_full = code == AMQP_NOT_ALLOWED && text.find("limit") != text.npos;
  if (is_full) return {Errc::unreachable, "the broker accepts no more connections", remote};
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
  const std::array redactions{login.username.reveal(), login.password.reveal()};
  const std::string queue_text = fmt::format("queue \"{}\"", queue);
  // The broker also sends this code for an existing queue whose node is down or does not respond.
  const bool is_missing = code == AMQP_NOT_FOUND && text.find("no queue '") != text.npos;
  if (is_missing) {
    return {Errc::unknown_object,
            fmt::format("{} does not exist in vhost \"{}\"", queue_text, login.vhost),
            ""};
  }
  switch (code) {
    case AMQP_ACCESS_REFUSED:
      return {Errc::forbidden,
              fmt::format("no permission on {} in vhost \"{}\"", queue_text, login.vhost),
              ""};
    case AMQP_RESOURCE_LOCKED:
      return {Errc::bad_reply,
              fmt::format("{} is exclusive to another connection; its length cannot be queried",
                          queue_text),
              ""};
    default:
      return {Errc::bad_reply,
              fmt::format("{} could not be queried", queue_text),
              remote_text(text, redactions)};
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

void AmqpMachine::on_connected(std::string& out) { out += kProtocolHeader; }

std::optional<Error> AmqpMachine::receive(std::string_view bytes, std::string& out) {
  last_received_at_ = std::chrono::steady_clock::now();
  if (!guard_.accept(bytes)) {
    return Error{Errc::bad_reply, "the response is not AMQP 0-9-1, or a frame is over 16 KiB", ""};
  }
  while (!bytes.empty()) {
    amqp_frame_t frame{};
    const int consumed = amqp_handle_input(codec_->state, bytes_of(bytes), &frame);
    if (consumed < 0)
      return Error{Errc::bad_reply, "the response is not AMQP 0-9-1", amqp_error_string2(consumed)};
    bytes.remove_prefix(std::min(bytes.size(), static_cast<std::size_t>(consumed)));
    if (frame.frame_type == kProtocolHeaderFrame) {
      return Error{Errc::bad_reply, "the server requires a version of AMQP other than 0-9-1", ""};
    }
    if (frame.frame_type == AMQP_FRAME_METHOD) {
      auto failed =
          take({frame.channel, frame.payload.method.id, frame.payload.method.decoded}, out);
      if (failed) return failed;
    }
    // Frees the decoded frame, which take() does not use any more.
    amqp_maybe_release_buffers(codec_->state);
    // Without progress the loop would not end.
    if (consumed == 0) break;
  }
  return std::nullopt;
}

std::optional<Error> AmqpMachine::take(const Frame& frame, std::string& out) {
  // In every state, because rejected credentials end the login in this way.
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
  Error unexpected{Errc::bad_reply, "the broker's login sequence is not that of AMQP 0-9-1", ""};
  if (state_ == State::start && frame.method == AMQP_CONNECTION_START_METHOD) {
    if (!append_start_ok(out, login_))
      return Error{Errc::refused, "the credentials are too long for AMQP", ""};
    state_ = State::tune;
    return std::nullopt;
  }
  if (state_ == State::tune && frame.method == AMQP_CONNECTION_TUNE_METHOD) {
    // A zero from the broker means no limit; the smaller of the two values is used.
    const auto& offered = frame.as<amqp_connection_tune_t>();
    // AMQP 0-9-1 section 4.2.3: every peer accepts frames of 4096 bytes. rabbitmq-c writes beyond a
    // smaller buffer.
    if (offered.frame_max != 0 && offered.frame_max < kMinFrameBytes) {
      return Error{Errc::bad_reply,
                   fmt::format("the broker offers frames of {} bytes; AMQP needs 4096 or more",
                               offered.frame_max),
                   ""};
    }
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
    // No heartbeat for rabbitmq-c: it has no socket, and tick() sends them.
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

// A count for another queue is an error, never a value.
std::optional<Error> AmqpMachine::take_declared(const Frame& frame, std::string& out) {
  const auto& declared = frame.as<amqp_queue_declare_ok_t>();
  const auto& current = channels_[frame.channel - 1U].current;
  if (current && view_of(declared.queue) != current->queue) {
    return Error{
        Errc::bad_reply,
        fmt::format("the broker's response is for a queue other than \"{}\"", current->queue),
        ""};
  }
  complete(frame.channel, declared.message_count, out);
  return std::nullopt;
}

// Only this channel is closed: the close is confirmed at once, and the next query opens the channel
// again.
void AmqpMachine::take_channel_close(const Frame& frame, std::string& out) {
  const auto& close = frame.as<amqp_channel_close_t>();
  Channel& channel = channels_[frame.channel - 1U];
  if (!std::exchange(channel.is_open, false)) return;
  // Before the channel is opened again: otherwise RabbitMQ ends the whole connection with 504
  // (second 'channel.open' seen).
  append_fixed(out, frame.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t{});
  if (!channel.current) return;
  complete(
      frame.channel,
      channel_error(close.reply_code, view_of(close.reply_text), channel.current->queue, login_),
      out);
}

void AmqpMachine::complete(std::uint16_t channel, Result<std::uint64_t> outcome, std::string& out) {
  // One query per channel, because RabbitMQ silently drops what follows a failed declare.
  const auto query = std::exchange(channels_[channel - 1U].current, nullptr);
  if (query) {
    query->ready_messages = std::move(outcome);
    query->done.raise();
  }
  while (!waiting_.empty() && !channels_[channel - 1U].current) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    // A query that only the queue owns has lost its callers, and is not sent.
    const bool is_awaited = next.use_count() > 1;
    if (is_awaited) declare(channel, std::move(next), out);
  }
}

QueueLengthQueryPtr AmqpMachine::query_length(Loop& loop,
                                              const std::string& queue,
                                              std::string& out) {
  for (const Channel& channel : channels_) {
    if (channel.current && channel.current->queue == queue) return channel.current;
  }
  for (const auto& waiting : waiting_) {
    if (waiting->queue == queue) return waiting;
  }
  auto query = std::make_shared<QueueLengthQuery>(loop, queue);
  const auto is_free = [](const Channel& channel) { return channel.current == nullptr; };
  // Open channels first: another one is opened only when all of them are busy.
  auto channel = std::ranges::find_if(channels_, [&](const Channel& candidate) {
    return candidate.is_open && is_free(candidate);
  });
  if (channel == channels_.end()) channel = std::ranges::find_if(channels_, is_free);
  if (channel == channels_.end()) {
    waiting_.push_back(query);
  } else {
    declare(static_cast<std::uint16_t>(channel - channels_.begin() + 1), query, out);
  }
  return query;
}

void AmqpMachine::declare(std::uint16_t channel, QueueLengthQueryPtr query, std::string& out) {
  Channel& used = channels_[channel - 1U];
  // Without a wait for channel.open-ok, which would cost a round trip.
  if (!used.is_open) append_fixed(out, channel, AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t{});
  used.is_open = true;
  // A passive declare changes nothing; its response has the number of ready messages.
  amqp_queue_declare_t method{};
  method.queue = bytes_of(query->queue);
  method.passive = 1;
  query->sent_at = std::chrono::steady_clock::now();
  append_fixed(out, channel, AMQP_QUEUE_DECLARE_METHOD, method);
  used.current = std::move(query);
}

std::optional<Error> AmqpMachine::tick(SteadyTime now, std::string& out) {
  // AMQP 0-9-1, 4.2.7: a peer without traffic for two intervals is dead.
  if (now - last_received_at_ > 2 * heartbeat_)
    return Error{Errc::unreachable, "the broker's heartbeat stopped", ""};
  out += kHeartbeatFrame;
  return std::nullopt;
}

std::optional<SteadyTime> AmqpMachine::waiting_since() const {
  std::optional<SteadyTime> out;
  for (const Channel& channel : channels_) {
    // Queries in waiting_ do not count: the broker has not received them.
    if (channel.current && (!out || channel.current->sent_at < *out))
      out = channel.current->sent_at;
  }
  return out;
}

void AmqpMachine::on_disconnected(const Error& why) {
  const auto fail = [&](const QueueLengthQueryPtr& query) {
    query->ready_messages = why;
    query->done.raise();
  };
  for (Channel& channel : channels_) {
    if (const auto query = std::exchange(channel.current, nullptr)) fail(query);
  }
  for (const auto& query : std::exchange(waiting_, {})) fail(query);
}

}  // namespace weir::scalers::clients
