// A Status is encoded from its JSON, because errors are rare and one renderer of their text is
// enough.
#include "apiservice/encoding/protobuf.hpp"

#include "apiservice/encoding/protobuf_writer.hpp"

#include <nlohmann/json.hpp>

namespace weir::apiservice {
namespace {

using nlohmann::json;

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
