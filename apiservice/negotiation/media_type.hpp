// In which form a caller wants an answer: the Accept header, `pretty` and the user agent, read as
// Kubernetes' API servers do. And putting answers into it. Pure.
#pragma once

#include "apiservice/request/http.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace weir::apiservice {

struct Form {
  enum class Media : std::uint8_t { json, yaml, protobuf };
  enum class Shape : std::uint8_t { as_is, table_v1, table_v1beta1, group_discovery };

  Media media = Media::json;
  Shape shape = Shape::as_is;
  bool is_pretty = false;  // JSON alone: 2 blanks a level, no line end behind it

  friend bool operator==(const Form&, const Form&) = default;
};

// What there is beside JSON and YAML as it is.
struct Offer {
  bool has_protobuf = false;
  bool has_table = false;
  bool has_group_discovery = false;
};

// The form of the best clause of Accept that the offer can meet; JSON when there is no Accept.
// nullopt: not_acceptable().
[[nodiscard]] std::optional<Form> form_of(const Request& request, Offer offer);

// 406 with the media types of the offer; indented JSON, whatever was asked for.
[[nodiscard]] Response not_acceptable(Offer offer);

// The form of a Status to this request: JSON when no other can be met.
[[nodiscard]] Form status_form_of(const Request& request);

// A Status as `form` wants it. Any other answer, and a 406, comes back as it is.
[[nodiscard]] Response status_in_form(Response answer, Form form);

// A document in compact JSON as JSON or YAML.
[[nodiscard]] Response document_in_form(std::string json, Form form);

inline constexpr std::string_view kProtobufType = "application/vnd.kubernetes.protobuf";

}  // namespace weir::apiservice
