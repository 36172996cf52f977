#include "apiservice/encoding/protobuf.hpp"

#include "apiservice/encoding/quantity.hpp"
#include "apiservice/request/paths.hpp"
#include "scalers/text/utf8.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::apiservice {
namespace {

using nlohmann::json;
using scalers::Reading;

enum class Wire : std::uint8_t { varint = 0, bytes = 2 };

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7fU) | 0x80U);
  out += static_cast<char>(value);
}

void append_tag(std::string& out, unsigned field, Wire wire) {
  append_varint(out, (field << 3U) | static_cast<unsigned>(wire));
}

void append_number(std::string& out, unsigned field, std::int64_t value) {
  append_tag(out, field, Wire::varint);
  append_varint(out, static_cast<std::uint64_t>(value));
}

void append_bytes(std::string& out, unsigned field, std::string_view bytes) {
  append_tag(out, field, Wire::bytes);
  append_varint(out, bytes.size());
  out += bytes;
}

// Bytes that are no UTF-8 become U+FFFD: a protobuf string must not hold them.
void append_text(std::string& out, unsigned field, std::string_view text) {
  const bool is_ascii = std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
  if (is_ascii) return append_bytes(out, field, text);
  std::string valid;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = scalers::utf8_length(text, at);
    valid += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  append_bytes(out, field, valid);
}

// ListMeta: selfLink, resourceVersion and continue, all empty and all written.
constexpr std::string_view kListMeta{"\x0a\x00\x12\x00\x1a\x00", 6};

// What an item and the envelope usually take: set aside at once.
constexpr std::size_t kItemBytes = 128;
constexpr std::size_t kEnvelopeBytes = 80;

// The magic number and runtime.Unknown around `raw`.
void append_envelope(std::string& out,
                     std::string_view api_version,
                     std::string_view kind,
                     std::string_view raw) {
  out.reserve(out.size() + kEnvelopeBytes + raw.size());
  out.append("k8s\0", 4);
  std::string type;
  type.reserve(kEnvelopeBytes);
  append_bytes(type, 1, api_version);
  append_bytes(type, 2, kind);
  append_bytes(out, 1, type);
  append_bytes(out, 2, raw);
  append_bytes(out, 3, "");  // content encoding and content type
  append_bytes(out, 4, "");
}

// Writes an ExternalMetricValue into `item`; `part` is scratch. Both are reused over the items.
void write_item(std::string& item,
                std::string& part,
                std::string_view metric,
                const Reading& reading) {
  item.clear();
  append_text(item, 1, metric);
  for (const auto& [name, value] : reading.labels) {
    part.clear();
    append_text(part, 1, name);
    append_text(part, 2, value);
    append_bytes(item, 2, part);
  }
  part.clear();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(reading.taken_at);
  append_number(part, 1, seconds.time_since_epoch().count());
  append_number(part, 2, 0);  // nanoseconds: Go cuts them off
  append_bytes(item, 3, part);
  part.clear();
  append_quantity(part, reading.value);
  const std::string text = part;
  part.clear();
  append_bytes(part, 1, text);
  append_bytes(item, 5, part);
}

std::string details_of(const json& details) {
  std::string out;
  append_text(out, 1, details.value("name", ""));
  append_text(out, 2, details.value("group", ""));
  append_text(out, 3, details.value("kind", ""));
  for (const json& cause : details.value("causes", json::array())) {
    std::string one;
    append_text(one, 1, cause.value("reason", ""));
    append_text(one, 2, cause.value("message", ""));
    append_text(one, 3, cause.value("field", ""));
    append_bytes(out, 4, one);
  }
  append_number(out, 5, 0);  // retryAfterSeconds: never
  append_bytes(out, 6, "");
  return out;
}

}  // namespace

void append_value_list_protobuf(std::string& out,
                                std::string_view metric,
                                std::span<const Reading> readings) {
  std::string raw;
  raw.reserve(kItemBytes * (readings.size() + 1));
  append_bytes(raw, 1, kListMeta);
  std::string item;
  std::string part;
  item.reserve(kItemBytes);
  part.reserve(kItemBytes);
  for (const Reading& reading : readings) {
    write_item(item, part, metric, reading);
    append_bytes(raw, 2, item);
  }
  append_envelope(out, kGroupVersion, "ExternalMetricValueList", raw);
}

std::string protobuf_of_status(std::string_view text) {
  const json status = json::parse(text);
  std::string raw;
  append_bytes(raw, 1, kListMeta);
  append_text(raw, 2, status.value("status", ""));
  append_text(raw, 3, status.value("message", ""));
  append_text(raw, 4, status.value("reason", ""));
  if (status.contains("details")) append_bytes(raw, 5, details_of(status["details"]));
  append_number(raw, 6, status.value("code", 0));
  std::string out;
  append_envelope(out, "v1", "Status", raw);
  return out;
}

}  // namespace weir::apiservice
