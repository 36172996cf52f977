// What the configuration adds to each request: headers and query parameters of a backend, and
// query parameters of a metric. Their texts may contain $(namespace), so that one backend serves
// many tenants. Pure.
#pragma once

#include "scalers/reading.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/parameters.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/template.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::backends::prometheus {

enum class Method { get, post };

// A header's value: a text of the configuration, or read from a file when it is a secret.
struct HeaderValue {
  std::string text;
  SecretFile file;
  Mark mark = {};           // of the text
  TextTemplate value = {};  // of the text; empty until parse_values()
};
using Headers = std::vector<std::pair<std::string, HeaderValue>>;

struct UrlParameter {
  std::string name;
  std::string text;
  Mark mark;                // of the text
  TextTemplate value = {};  // of the text; empty until parse_values()
};

// Query parameters of every request, in the order of the configuration; a name with several values
// is there once for each. Not encoded, and no secrets.
struct UrlParameters {
  std::vector<UrlParameter> all;

  [[nodiscard]] bool empty() const { return all.empty(); }
  [[nodiscard]] bool has_parameter(std::string_view name) const;
};

// Found by read_settings(). The values are parsed afterwards, by one who knows the names.
void read_value(const Node& node, Headers& out, Problems& problems);
void read_value(const Node& node, UrlParameters& out, Problems& problems);

void parse_values(Headers& headers, ParameterNames& names, Problems& problems);
void parse_values(UrlParameters& parameters, ParameterNames& names, Problems& problems);
// Adds a problem for each parameter of a metric that its backend has as well: a second value could
// make a proxy see another tenant than the server.
void check_not_repeated(const UrlParameters& of_backend,
                        const UrlParameters& of_metric,
                        Problems& problems);

// Names and values for one query, not encoded.
using UrlPairs = std::vector<std::pair<std::string, std::string>>;
// Appends those of `parameters`.
void render(const UrlParameters& parameters, const Parameters& values, UrlPairs& out);
// As in a url, without a ? in front: "namespace=team-a&dedup=false".
[[nodiscard]] std::string encoded(const UrlPairs& pairs);
// "namespace=team-a, dedup=false": not encoded, for people; empty without parameters.
[[nodiscard]] std::string text_of(const UrlPairs& pairs);

// What errors must not contain of `value`, in both forms in which a server may repeat it. Nothing
// for the caller's own namespace, which the error names anyway, and for texts that say nothing and
// would be found in every message: under 4 bytes, true and false.
void add_redactions(const std::string& value,
                    const std::string& name_space,
                    std::vector<std::string>& out);

// A GET whose url has more bytes is refused by some servers and proxies.
inline constexpr std::size_t kMaxGetUrlBytes = 2000;

// Where a request has its parameters, encoded as application/x-www-form-urlencoded.
struct RequestForm {
  Method method;
  std::string query;  // of the url
  std::string body;   // of a POST; empty for a GET
};
// `form` holds the request's own parameters, encoded, and `parameters` those of the configuration.
// The latter are in the url for both methods, because a proxy that authorizes by them
// (kube-rbac-proxy of OpenShift) reads no body. Without a `method` a GET, or a POST where the url,
// whose part in front of the query has `base_bytes`, would have more than kMaxGetUrlBytes.
[[nodiscard]] RequestForm make_form(std::optional<Method> method,
                                    std::size_t base_bytes,
                                    std::string parameters,
                                    std::string form);

}  // namespace weir::scalers::backends::prometheus
