// Content negotiation: the media type of a response from the Accept header, `pretty` and the user
// agent, as in Kubernetes' API servers; and the encoding of documents in it. Pure.
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
  bool is_pretty = false;  // JSON only: 2 spaces per level, no line end after it

  friend bool operator==(const MediaType&, const MediaType&) = default;
};

// What an endpoint supports beside JSON and YAML without conversion.
struct SupportedMediaTypes {
  bool has_protobuf = false;
  bool has_table = false;
  bool has_group_discovery = false;
};

// What one request accepts. The header is parsed once per request.
class Negotiation {
 public:
  // `request` must outlive this object.
  explicit Negotiation(const Request& request);

  // The media type of the best clause of Accept that is supported; JSON when there is no Accept.
  // nullopt: not_acceptable().
  [[nodiscard]] std::optional<MediaType> media_type(SupportedMediaTypes supported) const;
  // The media type of a Status: JSON when nothing else is acceptable.
  [[nodiscard]] MediaType of_status() const;
  // Whether JSON without conversion is acceptable.
  [[nodiscard]] bool accepts_json() const;

 private:
  // Common headers, which are recognised without parsing.
  enum class Common : std::uint8_t { no, json, protobuf_or_json };
  [[nodiscard]] static Common common(std::string_view accept);
  [[nodiscard]] std::optional<MediaType> best(SupportedMediaTypes supported) const;
  [[nodiscard]] bool is_pretty() const;

  const Request& request_;
  Common common_;
  std::vector<AcceptClause> clauses_;  // of an uncommon header, the best first
};

// The same for a single use.
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
