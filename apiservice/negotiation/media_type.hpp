// In which media type a caller wants a response: the Accept header, `pretty` and the user agent,
// read as Kubernetes' API servers do. And encoding documents as it. Pure.
#pragma once

#include "apiservice/negotiation/accept.hpp"
#include "apiservice/request/http.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

struct MediaType {
  enum class Media : std::uint8_t { json, yaml, protobuf };
  enum class Conversion : std::uint8_t { as_is, table_v1, table_v1beta1, group_discovery };

  Media media = Media::json;
  Conversion conversion = Conversion::as_is;
  bool is_pretty = false;  // JSON alone: 2 blanks a level, no line end after it

  friend bool operator==(const MediaType&, const MediaType&) = default;
};

// What there is beside JSON and YAML as it is.
struct SupportedMediaTypes {
  bool has_protobuf = false;
  bool has_table = false;
  bool has_group_discovery = false;
};

// What one request accepts. The header is read once, however many endpoints and Statuses ask.
class Negotiation {
 public:
  // `request` is lent for as long as this lives.
  explicit Negotiation(const Request& request);

  // The media type of the best clause of Accept that is supported; JSON when there is no Accept.
  // nullopt: not_acceptable().
  [[nodiscard]] std::optional<MediaType> media_type(SupportedMediaTypes supported) const;
  // That of a Status: JSON when no other can be met.
  [[nodiscard]] MediaType of_status() const;
  // Whether JSON, as it is, is among what is accepted.
  [[nodiscard]] bool accepts_json() const;

 private:
  // What most callers send, and is answered without taking it apart.
  enum class Usual : std::uint8_t { no, json, protobuf_or_json };
  [[nodiscard]] static Usual usual(std::string_view accept);
  [[nodiscard]] std::optional<MediaType> best(SupportedMediaTypes supported) const;
  [[nodiscard]] bool is_pretty() const;

  const Request& request_;
  Usual usual_;
  std::vector<AcceptClause> clauses_;  // of an unusual header, the best first
};

// The same for one question alone.
[[nodiscard]] inline std::optional<MediaType> negotiate(const Request& request,
                                                        SupportedMediaTypes supported) {
  return Negotiation(request).media_type(supported);
}
[[nodiscard]] inline MediaType status_media_type(const Request& request) {
  return Negotiation(request).of_status();
}

// 406 with the supported media types; indented JSON, whatever was accepted.
[[nodiscard]] Response not_acceptable(SupportedMediaTypes supported);

// A Status as `media_type`. Any other response, and a 406, comes back as it is.
[[nodiscard]] Response encode_status(Response response, MediaType media_type);

// A document in compact JSON as JSON or YAML.
[[nodiscard]] Response encode(std::string json, MediaType media_type);

inline constexpr std::string_view kProtobufType = "application/vnd.kubernetes.protobuf";

}  // namespace weir::apiservice
