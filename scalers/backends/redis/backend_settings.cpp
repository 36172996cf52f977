// Apart from the scaler, because the three ways to name a server differ in nothing but these
// settings.
#include "scalers/backends/redis/backend_settings.hpp"

#include "scalers/settings/secret.hpp"
#include "scalers/settings/server_url.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/settings/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers::backends::redis {
namespace {

// Redis has no default port for TLS, because its tls-port is 0 (off): both schemes take 6379.
constexpr std::array<UrlScheme, 2> kSchemes{{{"redis", 6379}, {"rediss", 6379}}};
constexpr std::array<UrlScheme, 1> kSentinelScheme{{{"redis", 26379}}};

struct SentinelBlock {
  std::string service;
  std::vector<std::string> nodes;
  SecretFile username;
  SecretFile password;
  std::optional<TlsFiles> tls;
};
struct ClusterBlock {
  std::vector<std::string> nodes;
};
struct BackendBlock {
  ServerUrl url;
  std::optional<SentinelBlock> sentinel;
  std::optional<ClusterBlock> cluster;
  std::string database = "0";
  SecretFile username;
  SecretFile password;
  RoleCheck role = RoleCheck::checked;
  std::optional<TlsFiles> tls;
};

void check_login(const Node& block,
                 const SecretFile& username,
                 const SecretFile& password,
                 Problems& problems) {
  // AUTH takes a password alone, for the user `default`, but never a user alone.
  if (username.is_set() && !password.is_set())
    problems.add(block.mark, "username requires password; write both, or only password");
}

// Found by read_settings.
void read_value(const Node& node, SentinelBlock& out, Problems& problems) {
  static constexpr std::array kTable{
      required_setting<&SentinelBlock::service>("service",
                                                "name of the master, as in sentinel.conf"),
      required_setting<&SentinelBlock::nodes>("nodes", "HOST:PORT of every Sentinel"),
      setting<&SentinelBlock::username>("username", "file with the Sentinels' ACL user"),
      setting<&SentinelBlock::password>("password", "file with the Sentinels' password"),
      setting<&SentinelBlock::tls>("tls", "TLS to the Sentinels; {} for the system's roots"),
  };
  read_settings(node, kTable, "sentinel block", out, problems);
  check_login(node, out.username, out.password, problems);
}

void read_value(const Node& node, ClusterBlock& out, Problems& problems) {
  static constexpr std::array kTable{
      required_setting<&ClusterBlock::nodes>("nodes", "HOST:PORT of some nodes of the cluster"),
  };
  read_settings(node, kTable, "cluster block", out, problems);
}

constexpr std::array kBackendTable{
    setting<&BackendBlock::url>(
        "url",
        "redis://HOST:PORT/DATABASE, or rediss:// for TLS; from a file it may have "
        "USER:PASSWORD@; or write sentinel or cluster"),
    setting<&BackendBlock::sentinel>("sentinel",
                                     "{service: NAME, nodes: [HOST:PORT, ...]}, and username, "
                                     "password and tls for the Sentinels: "
                                     "the master that a majority of them names is asked"),
    setting<&BackendBlock::cluster>(
        "cluster",
        "{nodes: [HOST:PORT, ...]}: each key is asked of the node that holds it"),
    setting<&BackendBlock::database>("database",
                                     "number of the database, with sentinel; a url has it as path"),
    setting<&BackendBlock::username>("username", "file with the ACL user; requires password"),
    setting<&BackendBlock::password>("password", "file with the password"),
    setting<&BackendBlock::role>(
        "role",
        "whether a missing key is 0 only when ROLE shows a master, or a replica in sync; the user "
        "needs +role, +multi and +exec"),
    setting<&BackendBlock::tls>(
        "tls",
        "ca, certificate and key, each the path of a PEM file; with sentinel or cluster the block "
        "turns TLS on"),
};

// An unsigned number takes no sign, and the whole segment has to be the number. Whether the server
// has that database is its own answer to SELECT.
std::optional<std::uint32_t> parse_database(std::string_view path) {
  if (path.empty() || path == "/") return 0;
  path.remove_prefix(1);
  std::uint32_t out = 0;
  const auto [end, failed] = std::from_chars(path.data(), path.data() + path.size(), out);
  if (failed != std::errc{} || end != path.data() + path.size()) return std::nullopt;
  return out;
}

void read_url(const Node& node,
              const ServerUrl& setting,
              clients::RedisTarget& out,
              Problems& problems) {
  // Missing, or not readable, which has been reported.
  if (setting.text.empty()) return;
  auto parsed = parse_url(setting.text, kSchemes);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed))
    return add_url_problem(node, setting, problem->what, problems);
  const Url& url = std::get<Url>(parsed);
  const auto database = parse_database(url.path);
  if (!database) {
    return add_url_problem(node,
                           setting,
                           "the path of a redis url is the database number, such as /0",
                           problems);
  }
  out.stream.host = url.host;
  out.stream.port = url.port;
  out.stream.is_tls = url.scheme == "rediss";
  out.database = database.value_or(0);
}

// "HOST:PORT" of each node; the port of `schemes` where there is none.
std::vector<clients::RedisAddress> read_nodes(const Node& block,
                                              const std::vector<std::string>& nodes,
                                              std::span<const UrlScheme> schemes,
                                              Problems& problems) {
  std::vector<clients::RedisAddress> out;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    // What is not a text has been reported.
    if (nodes[i].empty()) continue;
    const Mark mark = block.find("nodes")->items[i].mark;
    const bool is_bare = nodes[i].find_first_of("/@?#") == std::string::npos;
    const auto parsed = parse_url("redis://" + nodes[i], schemes);
    const auto* url = std::get_if<Url>(&parsed);
    if (!is_bare || url == nullptr) {
      problems.add(mark,
                   "a node is HOST:PORT, such as redis-0.redis:6379, without a scheme or a path");
      continue;
    }
    clients::RedisAddress address{url->host, url->port};
    if (std::ranges::find(out, address) != out.end()) {
      problems.add(mark, "the node is in the list twice; remove one");
      continue;
    }
    out.push_back(std::move(address));
  }
  return out;
}

clients::SentinelTarget sentinel_target(const Node& block,
                                        const SentinelBlock& settings,
                                        clients::RedisTarget master,
                                        Problems& problems) {
  clients::SentinelTarget out{settings.service, {}, std::move(master)};
  for (auto& node : read_nodes(block, settings.nodes, kSentinelScheme, problems)) {
    clients::RedisTarget sentinel{{}, settings.username, settings.password, 0};
    sentinel.stream = {std::move(node.host), node.port, settings.tls.has_value(), {}};
    if (settings.tls) sentinel.stream.tls = *settings.tls;
    out.sentinels.push_back(std::move(sentinel));
  }
  return out;
}

// The problems of settings that do not go together.
void check_combination(const Node& block, const BackendBlock& settings, Problems& problems) {
  const bool has_url = block.find("url") != nullptr;
  const int count =
      int{has_url} + int{settings.sentinel.has_value()} + int{settings.cluster.has_value()};
  if (count != 1)
    problems.add(block.mark, "a redis backend needs one of url, sentinel and cluster");
  check_login(block, settings.username, settings.password, problems);
  const auto database = parse_database("/" + settings.database);
  if (!database) problems.add(block.find("database")->mark, "the database is a number, such as 1");
  if (has_url && block.find("database") != nullptr) {
    problems.add(block.find("database")->mark,
                 "the database of a url is its path, such as redis://HOST:PORT/1; remove database");
  } else if (settings.cluster && database.value_or(0) != 0) {
    problems.add(block.find("database")->mark, "a Redis cluster has database 0 alone; remove it");
  }
  if (settings.sentinel && settings.role == RoleCheck::unchecked) {
    problems.add(block.find("role")->mark,
                 "with sentinel every query asks for the ROLE; remove role: unchecked");
  }
}

}  // namespace

BackendSettings read_backend(const Node& block, Problems& problems) {
  BackendBlock settings;
  read_settings(block, kBackendTable, "redis backend", settings, problems);
  if (block.kind == Node::Kind::map) {
    check_combination(block, settings, problems);
    use_login(block,
              settings.url,
              UrlLogin::password,
              settings.username,
              settings.password,
              problems);
  }
  clients::RedisTarget target{{},
                              settings.username,
                              settings.password,
                              parse_database("/" + settings.database).value_or(0)};
  target.stream.tls = settings.tls.value_or(TlsFiles{});
  target.stream.is_tls = settings.tls.has_value();
  BackendSettings out;
  out.role = settings.role;
  if (settings.sentinel) {
    out.target =
        sentinel_target(*block.find("sentinel"), *settings.sentinel, std::move(target), problems);
  } else if (settings.cluster) {
    const Node& cluster = *block.find("cluster");
    target.is_cluster = true;
    out.target =
        clients::ClusterTarget{read_nodes(cluster, settings.cluster->nodes, kSchemes, problems),
                               std::move(target)};
  } else {
    if (const Node* url = block.find("url")) read_url(*url, settings.url, target, problems);
    // Files that would not be used are an error, because their author believes that the connection
    // is encrypted.
    // What cannot be read has been reported.
    if (!target.stream.is_tls && settings.tls && !target.stream.host.empty())
      add_scheme_problem(block, settings.url, "tls needs a url with rediss://", problems);
    out.target = std::move(target);
  }
  return out;
}

std::string address_of(const BackendSettings& settings) {
  std::string out;
  const auto add = [&](const std::string& host, std::uint16_t port) {
    if (!out.empty()) out += ", ";
    out += Url{.scheme = "", .host = host, .port = port, .path = ""}.authority();
  };
  if (const auto* sentinels = std::get_if<clients::SentinelTarget>(&settings.target)) {
    for (const clients::RedisTarget& one : sentinels->sentinels)
      add(one.stream.host, one.stream.port);
  } else if (const auto* cluster = std::get_if<clients::ClusterTarget>(&settings.target)) {
    for (const clients::RedisAddress& node : cluster->nodes) add(node.host, node.port);
  } else {
    const clients::StreamTarget& server = std::get<clients::RedisTarget>(settings.target).stream;
    add(server.host, server.port);
  }
  return out;
}

std::vector<SettingDoc> backend_docs() { return docs_of<BackendBlock>(kBackendTable); }

}  // namespace weir::scalers::backends::redis
