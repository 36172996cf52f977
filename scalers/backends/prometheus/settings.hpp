// The settings of the prometheus kind: its tables, their structs, and their checks. Pure.
#pragma once

#include "scalers/backends/prometheus/prometheus.hpp"
#include "scalers/clients/http/proxy.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/parameters.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/server_url.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/settings/url.hpp"
#include "scalers/settings/value_readers.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::scalers::backends::prometheus {

enum class Method { get, post };

// A header's value: written in the configuration, or read from a file when it is a secret.
struct HeaderValue {
  std::string text;
  SecretFile file;
};
using Headers = std::vector<std::pair<std::string, HeaderValue>>;

// Query parameters of every request of a backend, in the order of the configuration; a name with
// several values is there once for each. Not encoded, and no secrets.
struct UrlParameters {
  std::vector<std::pair<std::string, std::string>> pairs;
};

struct BackendSettings {
  ServerUrl server;
  Url url;  // of `server`; without a host when that cannot be used
  Method method = Method::get;
  SecretFile token;
  SecretFile username;
  SecretFile password;
  Headers headers;
  UrlParameters parameters;
  TlsFiles tls;
  bool is_http2 = false;
  clients::ProxySetting proxy;
};

struct MetricSettings {
  std::string backend;
  std::string query;
  Aggregate aggregate = Aggregate::none;
  Warnings warnings = Warnings::error;
  std::optional<Duration> max_age;
  std::string age_of;
};

struct MetricBlock {
  MetricSettings settings;
  QueryTemplate query;
  QueryTemplate age_of;
};

BackendSettings read_backend(const Node& block, Problems& problems);

// Where a request has its parameters, encoded as application/x-www-form-urlencoded.
struct RequestForm {
  std::string query;  // of the url
  std::string body;   // of a POST; empty for a GET
};
// `form` holds the request's own parameters, encoded. Those of the backend are in the url for both
// methods, because a proxy that authorizes by them (kube-rbac-proxy of OpenShift) reads no body.
[[nodiscard]] RequestForm make_form(Method method,
                                    const UrlParameters& parameters,
                                    std::string form);
// "namespace=team-a, dedup=false": not encoded, for people; empty without parameters.
[[nodiscard]] std::string text_of(const UrlParameters& parameters);
// The token of a request. Errors of SecretFile::read(), and refused for a file with a scheme in
// front of the token.
[[nodiscard]] Result<Secret> read_token(const SecretFile& file);
MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems);

// The rows of both settings tables, for `weir describe`.
[[nodiscard]] std::vector<SettingDoc> backend_docs();
[[nodiscard]] std::vector<SettingDoc> metric_docs();

}  // namespace weir::scalers::backends::prometheus
