// Searches an error response for the member that is for people. Tolerant, because every gateway has
// a form of its own.
#include "scalers/text/refusal.hpp"

#include "scalers/text/html.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace weir::scalers {
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

std::string joined(std::string name, const std::string& text) {
  if (name.empty() || text.empty() || name == text) return name.empty() ? text : name;
  return std::move(name) + ": " + text;
}

// The code of an error, of use beside its explanation: not a number, which the status line has, and
// at the top no `status`, where "error" says nothing.
std::string code_in(const Json& object, int depth) {
  for (const char* key : {"code", "Code", "status"}) {
    const auto member = object.find(key);
    if (member == object.end() || !member->is_string()) continue;
    if (depth == 0 && std::string_view(key) == "status") continue;
    const auto& text = member->get_ref<const std::string&>();
    if (text.find_first_not_of("0123456789") != text.npos) return text;
  }
  return {};
}

std::string words_in_object(const Json& object, int depth) {
  // A kind of error and its explanation are often apart: {"error": "invalid_token",
  // "error_description": "..."}, {"title": "Forbidden", "detail": "..."}, {"error":
  // "not_authorized", "reason": "..."}.
  std::string name = words_of_first(object, std::array{"error", "errors", "title"}, depth);
  const std::string text = words_of_first(
      object,
      std::array{"message", "Message", "msg", "error_description", "detail", "details", "reason"},
      depth);
  if (name.empty() || name == text) name = code_in(object, depth);
  if (!name.empty() || !text.empty()) return joined(std::move(name), text);
  if (depth == 0) return words_of_first(object, std::array{"code"}, depth);
  return words_of_first(object, std::array{"status", "code"}, depth);
}

std::string words_in(const Json& value, int depth) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  if (depth >= kMaxDepth) return {};
  if (value.is_array() && !value.empty()) return words_in(value.front(), depth + 1);
  return value.is_object() ? words_in_object(value, depth) : std::string();
}

// AWS: <ErrorResponse><Error><Code>AccessDenied</Code><Message>...</Message></Error>.
std::string words_in_xml(std::string_view body) {
  const auto start = body.find_first_not_of(" \t\r\n");
  if (start == body.npos || body[start] != '<') return {};
  return joined(xml_text(body, "Code"), xml_text(body, "Message"));
}

Refusal other_than_json(std::string_view body) {
  if (auto words = words_in_xml(body); !words.empty())
    return {RefusalForm::members, std::move(words)};
  if (auto words = page_words(body))
    return {is_html(body) ? RefusalForm::page : RefusalForm::xml, std::move(*words)};
  if (body.empty()) return {};
  return {RefusalForm::text, std::string(body)};
}

}  // namespace

Refusal read_refusal(std::string_view body) {
  // The parser takes a NUL byte for the end of the text.
  const bool has_nul = body.find('\0') != body.npos;
  const Json reply = has_nul ? Json(Json::value_t::discarded) : Json::parse(body, nullptr, false);
  if (reply.is_discarded()) return other_than_json(body);
  if (auto words = words_in(reply, 0); !words.empty()) {
    const Json& first = reply.is_array() ? reply.front() : reply;
    return {first.is_object() ? RefusalForm::members : RefusalForm::text, std::move(words)};
  }
  // JSON of an unknown form says more than nothing; the values of a result are not for a Status.
  const bool may_have_result =
      !reply.is_object() || reply.empty() || reply.contains("data") || reply.contains("status");
  if (may_have_result) return {};
  return {RefusalForm::unknown_json, std::string(body)};
}

std::string refusal_words(std::string_view body) { return read_refusal(body).words; }

}  // namespace weir::scalers
