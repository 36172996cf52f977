// The client certificate of a kept connection, when its files change: a server that asks for it
// records which one each connection has shown.
#include "scalers/clients/net/link.hpp"
#include "scalers/clients/net/resolver.hpp"
#include "test/rigs/certificates.hpp"
#include "test/rigs/folder.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"
#include "test/rigs/tcp_server.hpp"

#include <catch2/catch.hpp>
#include <openssl/ssl.h>
#include <sys/time.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;

// Is ready at the first bytes of the server.
class Silent final : public Machine {
 public:
  void on_connected(std::string& out) override { out += "hello"; }
  std::optional<Error> receive(std::string_view /*bytes*/, std::string& /*out*/) override {
    is_ready_ = true;
    return std::nullopt;
  }
  [[nodiscard]] bool is_ready() const override { return is_ready_; }
  void on_disconnected(const Error& /*why*/) override {}

 private:
  bool is_ready_ = false;
};

using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;

std::string common_name_of(const SSL* ssl) {
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return "none";
  std::array<char, 64> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
                            NID_commonName,
                            name.data(),
                            static_cast<int>(name.size()));
  return name.data();
}

// Reads the credential files as AMQP and Redis do, and shares its contexts with HTTP backends.
struct Site {
  test::Issued ca = test::issue_authority("ca");
  test::Folder folder;
  TlsFiles files{{folder.write("ca.crt", test::certificate_pem(ca))}, {}, {}};
  std::shared_ptr<SSL_CTX> server_context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  TcpServer server{{[this](test::Connection& plain) { serve(plain); }}, TcpServer::Order::at_once};
  Loop loop;
  Resolver resolver{loop};
  std::shared_ptr<TlsContexts> contexts = std::make_shared<TlsContexts>();
  std::unique_ptr<Connection> connection;

  Site() {
    const auto own = test::issue({.subject = {{"CN", "server"}},
                                  .extended_key_usage = "serverAuth",
                                  .alternative_names = "IP:127.0.0.1"},
                                 &ca);
    SSL_CTX_use_certificate(server_context.get(), own.certificate.get());
    SSL_CTX_use_PrivateKey(server_context.get(), own.key.get());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server_context.get()), ca.certificate.get());
    SSL_CTX_set_verify(server_context.get(), SSL_VERIFY_PEER, nullptr);
    write_pair("old");
    connection = std::make_unique<Connection>(
        loop,
        resolver,
        StreamTarget{"127.0.0.1", server.port(), true, files},
        [] { return Result<std::unique_ptr<Machine>>(std::make_unique<Silent>()); },
        fingerprint_of({SecretFile(files.certificate.path), SecretFile(files.key.path)}),
        std::make_shared<ConnectionCounts>(),
        contexts);
  }

  void write_pair(const std::string& name) {
    const auto client =
        test::issue({.subject = {{"CN", name}}, .extended_key_usage = "clientAuth"}, &ca);
    files.certificate.path = folder.write("tls.crt", test::certificate_pem(client));
    files.key.path = folder.write("tls.key", test::key_pem(client));
  }
  std::string link() {
    const auto link = test::finish(loop, test::start(loop, connection->link(test::within(15s))));
    return link ? "up" : shown(link.error());
  }
  // The names of the certificates that the server was shown, once there are `count`; credentials
  // are checked at later and later times.
  std::vector<std::string> shown_names(std::size_t count) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    auto now = std::chrono::steady_clock::now();
    while (server.requests().size() < count && std::chrono::steady_clock::now() < limit) {
      connection->check_credentials(now += 2s);
      loop.run_for(10ms);
      loop.restart();
    }
    return server.requests();
  }

 private:
  void serve(test::Connection& plain) {
    const timeval limit{10, 0};
    ::setsockopt(plain.socket(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    const Ssl ssl(SSL_new(server_context.get()), SSL_free);
    SSL_set_fd(ssl.get(), plain.socket());
    if (SSL_accept(ssl.get()) != 1) return;
    server.record(common_name_of(ssl.get()));
    SSL_write(ssl.get(), "welcome", 7);
    plain.wait_for_close();
  }
};

TEST_CASE("a new client certificate is shown though another user of the files has just looked") {
  Site site;
  REQUIRE(site.link() == "up");
  // An HTTP backend with the same files looks at them with each request.
  REQUIRE(site.contexts->of(site.files, {}, std::chrono::steady_clock::now()).has_value());

  site.write_pair("new");

  CHECK(site.shown_names(2) == std::vector<std::string>{"old", "new"});
}

TEST_CASE("a new client certificate beside a damaged CA is shown once the CA is whole") {
  Site site;
  REQUIRE(site.link() == "up");

  site.folder.write("ca.crt", "no certificate");
  site.write_pair("new");
  // With the last good files, because the password may have changed as well.
  REQUIRE(site.shown_names(2) == std::vector<std::string>{"old", "old"});
  site.folder.write("ca.crt", test::certificate_pem(site.ca));

  CHECK(site.shown_names(3) == std::vector<std::string>{"old", "old", "new"});
}

}  // namespace
}  // namespace weir::scalers::clients
