// What a server says in words when it refuses, whatever the form: its own API, a gateway, a proxy
// or a login page may respond. One place for every client of HTTP. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::scalers {

enum class RefusalForm {
  none,          // there are no words, or the response has a result
  members,       // of JSON, or of the XML of AWS, those that are for people
  page,          // a page for browsers: its title, or its text
  xml,           // other markup: its text
  unknown_json,  // JSON without such members, as it is
  text,          // a text: the response as it is, or the JSON text in it
};

// Neither bounded nor redacted.
struct Refusal {
  RefusalForm form = RefusalForm::none;
  std::string words = {};  // empty for a page without a text, too
};

// The words of an error response. Of JSON those of the members that Prometheus, RabbitMQ, AWS,
// Google, Azure, OAuth 2.0, Kubernetes and gateways use (`error`, `message`, `Message`, ...), with
// the name of the error before its explanation.
[[nodiscard]] Refusal read_refusal(std::string_view body);

// Its words alone.
[[nodiscard]] std::string refusal_words(std::string_view body);

}  // namespace weir::scalers
