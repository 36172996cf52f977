// The wire primitives, apart from the documents because every API group writes its own messages.
#include "apiservice/encoding/protobuf_writer.hpp"

#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <cstddef>

namespace weir::apiservice {
namespace {

constexpr std::size_t kEnvelopeBytes = 80;  // the usual size of an envelope, to reserve

}  // namespace

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

}  // namespace weir::apiservice
