// Parses kubeconfigs with Weir's YAML parser. Errors are exceptions, because they end the startup.
#include "server/kube/client/kubeconfig.hpp"

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "server/crypto/base64.hpp"
#include "server/yaml/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>

namespace weir::server::cluster {
namespace {

using scalers::Node;

// Bounds the memory if the path is a device or a large file by mistake.
constexpr std::size_t kMaxKubeconfigBytes = std::size_t{1} << 20;

// Every error names the file, because several kubeconfigs may be in use.
[[noreturn]] void refuse(const std::string& path, std::string_view what) {
  throw std::runtime_error(fmt::format("kubeconfig {}: {}", path, what));
}

struct Unsupported {
  std::string_view key;
  std::string_view reason;
};

// Ignoring one of these keys would connect to another server, or as another user, than kubectl does
// with the same file.
constexpr std::array kUnsupportedOfCluster{
    Unsupported{"tls-server-name",
                "tls-server-name is not supported; write the certificate's name in server"},
};
constexpr std::array kUnsupportedOfUser{
    Unsupported{
        "exec",
        "exec plugins are not supported; use a token file, a token or a client certificate"},
    Unsupported{
        "auth-provider",
        "auth-provider is not supported; use a token file, a token or a client certificate"},
    Unsupported{"username",
                "a user name and password are not supported; use a token file, a token or a client "
                "certificate"},
    Unsupported{"as", "impersonation (as) is not supported; use the account itself"},
};

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  // One byte more than the maximum: a longer file is one whose end was not reached.
  std::string text(kMaxKubeconfigBytes + 1, '\0');
  if (!file) refuse(path, "the file cannot be read");
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  // Also for a folder, which can be opened and not read.
  if (!file.eof()) refuse(path, "the file cannot be read, or is over 1 MiB");
  return text;
}

Node parse(const std::string& path) {
  const std::string text = read_text(path);
  if (std::ranges::all_of(text, [](unsigned char c) { return std::isspace(c) != 0; }))
    refuse(path, "the file is empty");
  scalers::Problems problems;
  Node out = parse_yaml(text, path, problems);
  if (!problems.empty()) throw std::runtime_error("kubeconfig " + problems.lines().front());
  return out;
}

// The scalar under `key`; empty without one.
std::string text_of(const Node& block, std::string_view key) {
  const Node* value = block.find(key);
  return value != nullptr && value->kind == Node::Kind::scalar ? value->text : std::string();
}

// The block `kind` of the entry called `name` in the list `lists`.
// Lists of a kubeconfig have entries {name: NAME, KIND: {...}}.
const Node& entry_of(const std::string& path,
                     const Node& config,
                     std::string_view lists,
                     std::string_view kind,
                     const std::string& name) {
  if (const Node* entries = config.find(lists)) {
    for (const Node& entry : entries->items) {
      const Node* block = entry.find(kind);
      if (block != nullptr && text_of(entry, "name") == name) return *block;
    }
  }
  refuse(path, fmt::format("there is no {} \"{}\" in {}", kind, name, lists));
}

template <std::size_t N>
void refuse_unsupported(const std::string& path,
                        const Node& block,
                        const std::array<Unsupported, N>& table) {
  for (const Unsupported& entry : table) {
    const Node* value = block.find(entry.key);
    // Kubernetes reads a key with null as an absent one.
    if (value != nullptr && value->kind != Node::Kind::null) refuse(path, entry.reason);
  }
}

// The decoded PEM of KEY-data; empty when there is none. It takes precedence over the file, as in
// client-go.
std::string data_of(const std::string& path, const Node& block, const std::string& key) {
  std::string text = text_of(block, key + "-data");
  if (text.empty()) return text;
  auto decoded = base64_decoded(std::move(text));
  if (!decoded) refuse(path, key + "-data is not base64");
  return std::move(*decoded);
}

// The path of a file in the kubeconfig, which is relative to the folder of the kubeconfig.
std::string file_of(const std::string& path, const Node& block, const std::string& key) {
  std::string file = text_of(block, key);
  if (file.empty()) return file;
  const auto full = std::filesystem::path(path).parent_path() / file;
  std::error_code failed;
  // Checked at startup, because the first request would report it to a caller who cannot fix it.
  if (!std::filesystem::is_regular_file(full, failed))
    refuse(path, fmt::format("{} {} is not a readable file", key, full.string()));
  return full.string();
}

void read_cluster(const std::string& path, const Node& cluster, ClusterAccess& out) {
  refuse_unsupported(path, cluster, kUnsupportedOfCluster);
  if (text_of(cluster, "insecure-skip-tls-verify") == "true") {
    refuse(path,
           "insecure-skip-tls-verify is not supported, because the kube-apiserver decides who may "
           "read; write certificate-authority instead");
  }
  auto parsed = scalers::parse_http_url(text_of(cluster, "server"));
  if (const auto* problem = std::get_if<scalers::UrlProblem>(&parsed))
    refuse(path, "server: " + problem->what);
  out.server = std::get<scalers::Url>(std::move(parsed));
  // Plain http would show the tokens that reviews contain to the network.
  if (out.server.scheme != "https") refuse(path, "server: write an https url");
  if (const std::string proxy = text_of(cluster, "proxy-url"); !proxy.empty()) {
    auto parsed_proxy = scalers::clients::parse_proxy(proxy);
    if (const auto* invalid = std::get_if<scalers::clients::InvalidProxy>(&parsed_proxy))
      refuse(path, "proxy-url: " + invalid->what);
    out.proxy = std::make_shared<const scalers::clients::Proxy>(
        std::get<scalers::clients::Proxy>(std::move(parsed_proxy)));
  }
  out.tls.ca.path = file_of(path, cluster, "certificate-authority");
  out.pems.ca = data_of(path, cluster, "certificate-authority");
}

void read_user(const std::string& path, const Node& user, ClusterAccess& out) {
  refuse_unsupported(path, user, kUnsupportedOfUser);
  out.tls.certificate.path = file_of(path, user, "client-certificate");
  out.tls.key.path = file_of(path, user, "client-key");
  out.pems.certificate = data_of(path, user, "client-certificate");
  out.pems.key = scalers::Secret(data_of(path, user, "client-key"));
  const bool has_certificate = !(out.tls.certificate.path + out.pems.certificate).empty();
  const bool has_key = !(out.tls.key.path + out.pems.key.reveal()).empty();
  // Half a pair would connect without the client certificate, as another user.
  if (has_certificate != has_key) {
    refuse(path, "client-certificate and client-key go together; write both or neither");
  }
  out.token_file = scalers::SecretFile(file_of(path, user, "tokenFile"));
  out.token = scalers::Secret(text_of(user, "token"));
}

}  // namespace

ClusterAccess read_kubeconfig(const std::string& path) {
  const Node config = parse(path);
  const std::string name = text_of(config, "current-context");
  if (name.empty()) refuse(path, "it has no current-context");
  const Node& context = entry_of(path, config, "contexts", "context", name);
  ClusterAccess out;
  read_cluster(path,
               entry_of(path, config, "clusters", "cluster", text_of(context, "cluster")),
               out);
  read_user(path, entry_of(path, config, "users", "user", text_of(context, "user")), out);
  return out;
}

ClusterAccess in_cluster_access(const std::string& host,
                                const std::string& port,
                                const std::string& folder) {
  // In a dual-stack cluster KUBERNETES_SERVICE_HOST may be an IPv6 address without brackets.
  const bool is_v6 = host.find(':') != host.npos;
  const auto parsed = scalers::parse_http_url(
      fmt::format("https://{0}{1}{2}:{3}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port));
  const auto* server = std::get_if<scalers::Url>(&parsed);
  if (server == nullptr) {
    throw std::runtime_error(fmt::format(
        "KUBERNETES_SERVICE_HOST \"{}\" and KUBERNETES_SERVICE_PORT \"{}\" are not a valid "
        "address; set --kubeconfig instead",
        host,
        port));
  }
  ClusterAccess out;
  out.server = *server;
  out.tls.ca.path = folder + "/ca.crt";
  out.token_file = scalers::SecretFile(folder + "/token");
  // Checked at startup: a pod without these files could never query the kube-apiserver.
  for (const std::string& file : {out.tls.ca.path, out.token_file.path()}) {
    std::error_code failed;
    if (std::filesystem::is_regular_file(file, failed)) continue;
    throw std::runtime_error(
        fmt::format("{} cannot be read: give the pod a service account "
                    "(automountServiceAccountToken), or set --kubeconfig",
                    file));
  }
  return out;
}

}  // namespace weir::server::cluster
