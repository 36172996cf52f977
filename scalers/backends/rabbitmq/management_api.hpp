// The queries of RabbitMQ's management API. Owned by the backend; loop thread only.
#pragma once

#include "scalers/backends/rabbitmq/rabbitmq.hpp"
#include "scalers/clients/http/client.hpp"
#include "scalers/clients/http/proxy_rules.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/settings/url.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::scalers::backends::rabbitmq {

struct ManagementTarget {
  Url url;
  SecretFile username;
  SecretFile password;
  TlsFiles tls;
  bool is_http2 = false;
  clients::ProxyChoice proxy;
  std::shared_ptr<ConnectionCounts> counts;  // also owned by the requests under way
};

class ManagementApi {
 public:
  // What a listing says of each queue. Totals are cheap, and at most 0.1 s old for classic queues;
  // full statistics lag by the broker's collection interval. Names alone have every queue: a
  // crashed one is left out of the totals.
  enum class Detail { names, totals, statistics };

  // `http` outlives the API.
  ManagementApi(clients::HttpClient& http, ManagementTarget target)
      : http_(http), target_(std::move(target)) {}

  // The queues of the vhost whose whole name matches `pattern`, of Erlang's regex language and
  // without regard to case. Errors of parse_page(); Errc::partial when the list changed between two
  // pages; too_many.
  [[nodiscard]] awaitable<Result<std::vector<QueueStats>>> list_queues(std::string vhost,
                                                                       std::string pattern,
                                                                       Detail detail,
                                                                       Deadline deadline) const;
  // The reply to one query of a diagnosis.
  [[nodiscard]] awaitable<Result<clients::HttpReply>> get(std::string path,
                                                          std::string query,
                                                          Deadline deadline) const;
  [[nodiscard]] std::string address() const { return target_.url.authority(); }
  [[nodiscard]] std::string proxy() const { return target_.proxy.text(); }
  [[nodiscard]] ConnectionCounts connections() const { return *target_.counts; }

 private:
  // One page of the vhost's queues whose whole name matches `pattern`.
  [[nodiscard]] Result<clients::HttpRequest> request(const std::string& vhost,
                                                     const std::string& pattern,
                                                     std::size_t page,
                                                     Detail detail) const;
  // A request to `path` below the url, without parameters.
  [[nodiscard]] Result<clients::HttpRequest> request_to(const std::string& path) const;

  clients::HttpClient& http_;
  ManagementTarget target_;
};

// A pattern that matches `text` alone.
[[nodiscard]] std::string quoted_pattern(const std::string& text);

}  // namespace weir::scalers::backends::rabbitmq
