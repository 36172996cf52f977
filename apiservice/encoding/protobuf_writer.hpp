// Kubernetes' protobuf wire form: fields, and the envelope around a document, byte for byte as Go's
// generated code writes them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::apiservice {

// Inline, because a read writes a dozen fields of a few bytes.
enum class Wire : std::uint8_t { varint = 0, bytes = 2 };

inline void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7fU) | 0x80U);
  out += static_cast<char>(value);
}

inline void append_tag(std::string& out, unsigned field, Wire wire) {
  append_varint(out, (field << 3U) | static_cast<unsigned>(wire));
}

// Each appends one field of that number.
inline void append_number(std::string& out, unsigned field, std::int64_t value) {
  append_tag(out, field, Wire::varint);
  append_varint(out, static_cast<std::uint64_t>(value));
}

inline void append_bytes(std::string& out, unsigned field, std::string_view bytes) {
  append_tag(out, field, Wire::bytes);
  append_varint(out, bytes.size());
  out += bytes;
}
// Bytes that are not UTF-8 become U+FFFD, because a protobuf string must not contain them.
void append_text(std::string& out, unsigned field, std::string_view text);

// ListMeta: selfLink, resourceVersion and continue, all empty, as Go writes them.
inline constexpr std::string_view kListMeta{"\x0a\x00\x12\x00\x1a\x00", 6};

// Appends the magic number and runtime.Unknown around `raw`.
void append_envelope(std::string& out,
                     std::string_view api_version,
                     std::string_view kind,
                     std::string_view raw);

}  // namespace weir::apiservice
