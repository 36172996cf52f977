// The settings of the prometheus kind: its tables, their structs, and their checks. Pure.
#pragma once

#include "scalers/backends/prometheus/prometheus.hpp"
#include "scalers/backends/prometheus/request_settings.hpp"
#include "scalers/clients/http/proxy.hpp"
#include "scalers/clients/tokens/settings.hpp"
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

struct BackendSettings {
  ServerUrl server;
  Url url;                       // of `server`; without a host when that cannot be used
  std::optional<Method> method;  // nullopt: by the length of the url
  SecretFile token;
  SecretFile username;
  SecretFile password;
  clients::AuthSettings auth;
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
  UrlParameters parameters;
};

struct MetricBlock {
  MetricSettings settings;
  QueryTemplate query;
  QueryTemplate age_of;
};

BackendSettings read_backend(const Node& block, Problems& problems);

// The token of a request. Errors of SecretFile::read(), and refused for a file with a scheme in
// front of the token.
[[nodiscard]] Result<Secret> read_token(const SecretFile& file);
MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems);

// The rows of both settings tables, for `weir describe`.
[[nodiscard]] std::vector<SettingDoc> backend_docs();
[[nodiscard]] std::vector<SettingDoc> metric_docs();

}  // namespace weir::scalers::backends::prometheus
