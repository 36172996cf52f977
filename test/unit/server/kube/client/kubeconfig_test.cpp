#include "server/kube/client/kubeconfig.hpp"

#include "test/rigs/folder.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace weir::server::cluster {
namespace {

using test::Folder;

std::string kubeconfig(std::string_view cluster, std::string_view user) {
  return fmt::format(
      "current-context: b\n"
      "contexts:\n"
      "- {{name: a, context: {{cluster: x, user: x}}}}\n"
      "- {{name: b, context: {{cluster: c, user: u}}}}\n"
      "clusters: [{{name: c, cluster: {{{}}}}}]\n"
      "users: [{{name: u, user: {{{}}}}}]\n",
      cluster,
      user);
}

constexpr std::string_view kServer = "server: \"https://k8s.example:6443\"";

// The text of what is thrown, without the file's name; empty when nothing is.
std::string refusal_of(const Folder& folder, const std::string& text) {
  const std::string path = folder.write("config", text);
  try {
    static_cast<void>(read_kubeconfig(path));
  } catch (const std::runtime_error& refused) {
    std::string what = refused.what();
    for (auto at = what.find(path); at != what.npos; at = what.find(path))
      what.replace(at, path.size(), "FILE");
    return what;
  }
  return {};
}

TEST_CASE("a kubeconfig's current context has the server and the credentials") {
  const Folder folder;
  folder.write("pki/ca.crt", "x");
  folder.write("token", "secret\n");

  const auto access = read_kubeconfig(folder.write(
      "config",
      kubeconfig("server: \"https://k8s.example:6443/k8s/c-1/\", certificate-authority: pki/ca.crt",
                 "tokenFile: token, token: old")));

  CHECK(access.server.text() == "https://k8s.example:6443/k8s/c-1");
  CHECK(access.tls.ca.path == folder.path("pki/ca.crt"));
  CHECK(access.token_file.read()->reveal() == "secret");
  CHECK(access.token.reveal() == "old");
  CHECK(access.pems.ca.empty());
}

TEST_CASE("data inside a kubeconfig is decoded") {
  const Folder folder;

  const auto access = read_kubeconfig(
      folder.write("config",
                   kubeconfig(std::string(kServer) + ", certificate-authority-data: Y2E=",
                              "client-certificate-data: Y3J0Cg==, client-key-data: a2V5")));

  CHECK(access.pems.ca == "ca");
  CHECK(access.pems.certificate == "crt\n");
  CHECK(access.pems.key.reveal() == "key");
  CHECK_FALSE(access.token_file.is_set());
  CHECK(access.token.reveal().empty());
}

TEST_CASE("the proxy of a kubeconfig is used, and may have a login") {
  const Folder folder;
  const std::string server(kServer);

  const auto with_proxy = read_kubeconfig(
      folder.write("config",
                   kubeconfig(server + ", proxy-url: \"http://user:word@proxy:3128\"", "")));
  const auto without = read_kubeconfig(folder.write("none", kubeconfig(server, "")));

  REQUIRE(with_proxy.proxy);
  CHECK(with_proxy.proxy->text() == "http://***@proxy:3128");
  CHECK(with_proxy.proxy->login->second.reveal() == "word");
  CHECK_FALSE(without.proxy);
}

TEST_CASE("an unsupported kubeconfig is an error that says what to write instead") {
  const Folder folder;
  struct Row {
    std::string_view name;
    std::string text;
    std::string_view refusal;
  };
  const std::string server(kServer);
  const Row rows[] = {
      {"empty", " \n", "kubeconfig FILE: the file is empty"},
      {"no YAML", "a: [", "kubeconfig FILE:2:1: not valid YAML: end of sequence flow not found"},
      {"no context", "clusters: []\n", "kubeconfig FILE: it has no current-context"},
      {"an unknown context",
       "current-context: z\ncontexts: []\n",
       "kubeconfig FILE: there is no context \"z\" in contexts"},
      {"an unknown cluster",
       "current-context: a\ncontexts: [{name: a, context: {cluster: q, user: u}}]\n",
       "kubeconfig FILE: there is no cluster \"q\" in clusters"},
      {"no verification",
       kubeconfig(server + ", insecure-skip-tls-verify: true", ""),
       "kubeconfig FILE: insecure-skip-tls-verify is not supported, because the kube-apiserver "
       "decides who may read; write certificate-authority instead"},
      {"plain http",
       kubeconfig("server: \"http://k8s.example\"", ""),
       "kubeconfig FILE: server: write an https url"},
      {"no such CA",
       kubeconfig(server + ", certificate-authority: /nowhere/ca.crt", ""),
       "kubeconfig FILE: certificate-authority /nowhere/ca.crt is not a readable file"},
      {"broken data",
       kubeconfig(server + ", certificate-authority-data: \"?\"", ""),
       "kubeconfig FILE: certificate-authority-data is not base64"},
      {"a proxy without a host",
       kubeconfig(server + ", proxy-url: \"http://u:p@\"", ""),
       "kubeconfig FILE: proxy-url: the url needs a valid HOST or HOST:PORT after ://; write an "
       "IPv6 address in brackets"},
      {"another name",
       kubeconfig(server + ", tls-server-name: n", ""),
       "kubeconfig FILE: tls-server-name is not supported; write the certificate's name in server"},
      {"exec",
       kubeconfig(server, "exec: {command: aws}"),
       "kubeconfig FILE: exec plugins are not supported; use a token file, a token or a client "
       "certificate"},
      {"auth-provider",
       kubeconfig(server, "auth-provider: {name: gcp}"),
       "kubeconfig FILE: auth-provider is not supported; use a token file, a token or a client "
       "certificate"},
      {"a password",
       kubeconfig(server, "username: u, password: p"),
       "kubeconfig FILE: a user name and password are not supported; use a token file, a token or "
       "a "
       "client certificate"},
      {"impersonation",
       kubeconfig(server, "as: admin"),
       "kubeconfig FILE: impersonation (as) is not supported; use the account itself"},
      {"half a pair",
       kubeconfig(server, "client-certificate-data: YQ=="),
       "kubeconfig FILE: client-certificate and client-key go together; write both or neither"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(refusal_of(folder, row.text) == row.refusal); }
  }
  CHECK_THROWS_WITH(read_kubeconfig("/nowhere"), "kubeconfig /nowhere: the file cannot be read");
}

TEST_CASE("in a pod the service account's files are used") {
  const Folder folder;
  folder.write("token", "t\n");
  folder.write("ca.crt", "x");

  const auto four = in_cluster_access("10.0.0.1", "443", folder.path("."));
  const auto six = in_cluster_access("fd00::1", "6443", folder.path("."));

  CHECK(four.server.text() == "https://10.0.0.1:443");
  CHECK(six.server.text() == "https://[fd00::1]:6443");
  CHECK(four.tls.ca.path == folder.path(".") + "/ca.crt");
  CHECK(four.token_file.read()->reveal() == "t");
}

TEST_CASE(
    "a pod without a service account, or with a malformed address, is an error that says what to "
    "do") {
  const Folder folder;

  CHECK_THROWS_WITH(in_cluster_access("10.0.0.1", "443", folder.path("none")),
                    folder.path("none") +
                        "/ca.crt cannot be read: give the pod a service account "
                        "(automountServiceAccountToken), or set --kubeconfig");
  CHECK_THROWS_WITH(
      in_cluster_access("10.0.0.1", "x", folder.path(".")),
      "KUBERNETES_SERVICE_HOST \"10.0.0.1\" and KUBERNETES_SERVICE_PORT \"x\" are not "
      "a valid address; set --kubeconfig instead");
}

}  // namespace
}  // namespace weir::server::cluster
