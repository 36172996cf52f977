// Searches an error response for the member that is for people. Apart from parse_reply(), because
// every gateway has a form of its own.
#include "scalers/backends/prometheus/words.hpp"

#include "scalers/text/html.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace weir::scalers::backends::prometheus {
namespace {

using Json = nlohmann::json;

// Errors are inside of each other at most this deep: {"errors": [{"error": {"message": ...}}]}.
constexpr int kMaxDepth = 4;

std::string words_in(const Json& value, int depth);

// Of the first of `keys` that has any.
template <std::size_t N>
std::string words_of_first(const Json& object, const std::array<const char*, N>& keys, int depth) {
  for (const char* key : keys) {
    const auto member = object.find(key);
    if (member == object.end()) continue;
    if (auto words = words_in(*member, depth + 1); !words.empty()) return words;
  }
  return {};
}

std::string words_in_object(const Json& object, int depth) {
  // A kind of error and its explanation are often apart: {"error": "invalid_token",
  // "error_description": "..."}, {"title": "Forbidden", "detail": "..."}.
  const std::string name = words_of_first(object, std::array{"error", "errors", "title"}, depth);
  const std::string text = words_of_first(
      object,
      std::array{"message", "Message", "msg", "error_description", "detail", "details"},
      depth);
  if (!name.empty() && !text.empty() && name != text) return name + ": " + text;
  if (!name.empty() || !text.empty()) return name.empty() ? text : name;
  // "error" as a status says nothing.
  if (depth == 0) return words_of_first(object, std::array{"reason", "code"}, depth);
  return words_of_first(object, std::array{"reason", "status", "code"}, depth);
}

std::string words_in(const Json& value, int depth) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  if (depth >= kMaxDepth) return {};
  if (value.is_array() && !value.empty()) return words_in(value.front(), depth + 1);
  return value.is_object() ? words_in_object(value, depth) : std::string();
}

}  // namespace

std::string refusal_words(std::string_view body) {
  // The parser takes a NUL byte for the end of the text.
  const bool has_nul = body.find('\0') != body.npos;
  const Json reply = has_nul ? Json(Json::value_t::discarded) : Json::parse(body, nullptr, false);
  if (reply.is_discarded()) return page_words(body).value_or(std::string(body));
  if (auto words = words_in(reply, 0); !words.empty()) return words;
  // JSON of an unknown form says more than nothing; the values of a result are not for a Status.
  const bool may_have_result =
      !reply.is_object() || reply.empty() || reply.contains("data") || reply.contains("status");
  return may_have_result ? std::string() : std::string(body);
}

}  // namespace weir::scalers::backends::prometheus
