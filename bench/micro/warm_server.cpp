#include "bench/micro/warm_server.hpp"

#include "apiservice/auth/access.hpp"
#include "apiservice/meta/label_selector.hpp"
#include "bench/micro/sample.hpp"
#include "server/yaml/parse.hpp"
#include "test/rigs/tcp_server.hpp"

#include <fmt/format.h>

#include <span>
#include <string>

namespace weir::bench {
namespace {

using test::Connection;

constexpr Duration kKeptFor{3'600'000};
constexpr int kTries = 10;

void play_redis(Connection& connection) {
  if (!connection.read_until("PING\r\n")) return;
  connection.write("+PONG\r\n");
  if (!connection.read_until("LLEN\r\n$8\r\nrequests\r\n")) return;
  connection.write(":1234\r\n");
  connection.wait_for_close();
}

void play_kube_apiserver(Connection& connection) {
  if (connection.read_request().empty()) return;
  constexpr std::string_view kAllowed =
      R"({"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}})";
  connection.write(fmt::format(
      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      kAllowed.size(),
      kAllowed));
  connection.wait_for_close();
}

}  // namespace

WarmServer::WarmServer() {
  warm_up();
  // The servers are gone: the loop takes notice here, not while something is measured.
  loop_.restart();
  while (loop_.poll() > 0) loop_.restart();
}

WarmServer::~WarmServer() {
  access_->close();
  clients_.close();
  loop_.restart();
  loop_.run();
}

void WarmServer::warm_up() {
  test::TcpServer redis({play_redis});
  test::TcpServer kube_apiserver({play_kube_apiserver});
  scalers::Problems problems;
  const auto document =
      server::parse_yaml(fmt::format(kConfig, fmt::arg("port", redis.port())), "bench", problems);
  world_ =
      scalers::World::build(std::span(&document, 1), loop_, clients_, clock_, telemetry_, problems);
  expect(world_ != nullptr, "the configuration is refused");
  telemetry_.set_metrics(world_->metrics(), world_->index());
  kube_.emplace(
      clients_,
      server::cluster::ClusterAccess{.server = {"http", "127.0.0.1", kube_apiserver.port(), ""},
                                     .tls = {},
                                     .pems = {},
                                     .proxy = {},
                                     .token_file = {},
                                     .token = {}});
  access_.emplace(loop_, *kube_, clock_, server::cluster::AccessSettings{{}, kKeptFor, kKeptFor});

  // A leave is waited for no longer than 2.5 s, while the question goes on: a busy machine may take
  // several turns.
  bool is_allowed = false;
  for (int i = 0; i < kTries && !is_allowed; ++i) is_allowed = finish(sample_decision()).is_allowed;
  expect(is_allowed, "the review refuses");
  const auto readings = finish(source().read({std::string(kNamespace),
                                              std::string(kMetric),
                                              apiservice::parse_selector(kSelector).value()},
                                             deadline()));
  expect(readings && readings->front().value == 1234, "another reading");
}

awaitable<apiservice::Decision> WarmServer::sample_decision() {
  const auto request = sample_request();
  auto caller = apiservice::effective_user(apiservice::identity_of(request, front_proxy_rules()));
  return access_->decide(std::move(*caller),
                         apiservice::request_info_of(request, served()),
                         deadline());
}

}  // namespace weir::bench
