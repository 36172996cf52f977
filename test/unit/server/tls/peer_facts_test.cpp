// What a handshake leaves of the client's certificate: two ends of TLS over memory, no sockets.
#include "server/tls/context.hpp"
#include "server/tls/peer.hpp"
#include "test/rigs/certificates.hpp"
#include "test/rigs/folder.hpp"

#include <catch2/catch.hpp>
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weir::server {
namespace {

using apiservice::Trust;
using test::Folder;
using test::Issued;
using Texts = std::vector<std::string>;
using Connection = std::unique_ptr<SSL, void (*)(SSL*)>;
using Context = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;

CaBundle bundle_of(const Folder& folder, const Issued& authority) {
  return std::get<CaBundle>(
      CaBundle::load(folder.write("ca.crt", test::certificate_pem(authority))));
}

// A handshake of a client that shows `leaf` and `chain`, and of the server of `trust`.
class Handshake {
 public:
  Handshake(const ClientTrust& trust,
            const std::optional<Issued>& leaf,
            const std::vector<Issued>& chain)
      : server_context_(
            make_server_context(self_signed_pair(folder_.path("pair"), "127.0.0.1"), trust)),
        client_context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        server_(nullptr, SSL_free),
        client_(nullptr, SSL_free) {
    if (leaf) {
      SSL_CTX_use_certificate(client_context_.get(), leaf->certificate.get());
      SSL_CTX_use_PrivateKey(client_context_.get(), leaf->key.get());
    }
    for (const Issued& one : chain)
      SSL_CTX_add1_chain_cert(client_context_.get(), one.certificate.get());
    server_.reset(SSL_new(server_context_.native_handle()));
    client_.reset(SSL_new(client_context_.get()));
    BIO* server_end = nullptr;
    BIO* client_end = nullptr;
    BIO_new_bio_pair(&server_end, 1 << 16, &client_end, 1 << 16);
    SSL_set_bio(server_.get(), server_end, server_end);
    SSL_set_bio(client_.get(), client_end, client_end);
    for (int round = 0; round < 8; ++round) {
      is_done_ = SSL_connect(client_.get()) == 1;
      is_done_ = SSL_accept(server_.get()) == 1 && is_done_;
    }
  }

  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] SSL* server() const { return server_.get(); }

 private:
  Folder folder_;
  boost::asio::ssl::context server_context_;
  Context client_context_;
  Connection server_;
  Connection client_;
  bool is_done_ = false;
};

ClientTrust trust_of(const Folder& folder,
                     const std::optional<Issued>& proxies,
                     const std::optional<Issued>& users) {
  ClientTrust out;
  if (proxies) out.request_header_ca = bundle_of(folder, *proxies);
  if (users) out.client_ca = bundle_of(folder, *users);
  return out;
}

TEST_CASE("a client without a certificate passes the handshake and has no facts") {
  const Folder folder;
  const Handshake handshake(trust_of(folder, test::issue_authority("ca"), std::nullopt),
                            std::nullopt,
                            {});

  REQUIRE(handshake.is_done());
  CHECK_FALSE(peer_facts(handshake.server(), {}).certificate.has_value());
}

TEST_CASE("each bundle verifies a certificate on its own") {
  const Folder folder;
  const Issued proxies = test::issue_authority("proxies");
  const Issued users = test::issue_authority("users");
  const Issued leaf =
      test::issue({.subject = {{"CN", "bob"}}, .extended_key_usage = "clientAuth"}, &users);
  const Handshake handshake({}, leaf, {});
  REQUIRE(handshake.is_done());

  const auto none = peer_facts(handshake.server(), {});
  const auto both = peer_facts(handshake.server(), trust_of(folder, proxies, users));
  const auto one = peer_facts(handshake.server(), trust_of(folder, users, std::nullopt));

  REQUIRE(none.certificate);
  CHECK(none.certificate->by_request_header_ca == Trust::no_bundle);
  CHECK(none.certificate->by_client_ca == Trust::no_bundle);
  CHECK(both.certificate->by_request_header_ca == Trust::untrusted);
  CHECK(both.certificate->by_client_ca == Trust::trusted);
  CHECK(one.certificate->by_request_header_ca == Trust::trusted);
  CHECK(one.certificate->by_client_ca == Trust::no_bundle);
}

TEST_CASE("case 88: a certificate of an unknown CA passes the handshake untrusted") {
  const Folder folder;
  const Issued foreign = test::issue_authority("foreign");
  const Issued leaf =
      test::issue({.subject = {{"CN", "x"}}, .extended_key_usage = "serverAuth"}, &foreign);
  const ClientTrust trust = trust_of(folder, test::issue_authority("ca"), std::nullopt);
  const Handshake handshake(trust, leaf, {foreign});

  REQUIRE(handshake.is_done());
  const auto facts = peer_facts(handshake.server(), trust);
  REQUIRE(facts.certificate);
  CHECK(facts.certificate->by_request_header_ca == Trust::untrusted);
}

TEST_CASE("an intermediate that the peer sends is used") {
  const Folder folder;
  const Issued root = test::issue_authority("root");
  const Issued middle = test::issue_authority("middle", &root);
  const Issued leaf =
      test::issue({.subject = {{"CN", "x"}}, .extended_key_usage = "clientAuth"}, &middle);
  const ClientTrust trust = trust_of(folder, std::nullopt, root);
  const Handshake with(trust, leaf, {middle});
  const Handshake without(trust, leaf, {});

  REQUIRE(with.is_done());
  REQUIRE(without.is_done());
  CHECK(peer_facts(with.server(), trust).certificate->by_client_ca == Trust::trusted);
  CHECK(peer_facts(without.server(), trust).certificate->by_client_ca == Trust::untrusted);
}

TEST_CASE("case 92: the subject's names, uids and the digest are read off the certificate") {
  const Issued authority = test::issue_authority("ca");
  const Issued leaf = test::issue({.subject = {{"CN", "first"},
                                               {"O", "g1"},
                                               {"OU", "unit"},
                                               {"CN",
                                                "b\xc3\xb6"
                                                "b"},
                                               {"O", "g2"},
                                               {"1.3.6.1.4.1.57683.2", "4711"}},
                                   .extended_key_usage = "clientAuth"},
                                  &authority);
  const Handshake handshake({}, leaf, {});
  REQUIRE(handshake.is_done());

  const auto facts = peer_facts(handshake.server(), {});

  REQUIRE(facts.certificate);
  CHECK(facts.certificate->common_name ==
        "b\xc3\xb6"
        "b");
  CHECK(facts.certificate->organizations == Texts{"g1", "g2"});
  CHECK(facts.certificate->uids == Texts{"4711"});
  CHECK(facts.certificate->sha256.size() == 64);
  CHECK(facts.certificate->sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("a certificate without names has empty facts") {
  const Issued authority = test::issue_authority("ca");
  const Issued leaf =
      test::issue({.subject = {{"OU", "x"}}, .extended_key_usage = "clientAuth"}, &authority);
  const Handshake handshake({}, leaf, {});
  REQUIRE(handshake.is_done());

  const auto facts = peer_facts(handshake.server(), {});

  REQUIRE(facts.certificate);
  CHECK(facts.certificate->common_name.empty());
  CHECK(facts.certificate->organizations.empty());
  CHECK(facts.certificate->uids.empty());
}

TEST_CASE("facts hold until the first certificate of the chain expires, and a minute at most") {
  using std::chrono::seconds;
  const Issued authority = test::issue_authority("ca");
  const Issued short_middle = test::issue({.subject = {{"CN", "middle"}},
                                           .is_authority = true,
                                           .extended_key_usage = {},
                                           .ends_in = 30},
                                          &authority);
  const auto leaf_for = [](const Issued& issuer, long ends_in) {
    return test::issue(
        {.subject = {{"CN", "x"}}, .extended_key_usage = "clientAuth", .ends_in = ends_in},
        &issuer);
  };
  const Handshake lasting({}, leaf_for(authority, 86'400), {});
  const Handshake expiring({}, leaf_for(authority, 45), {});
  const Handshake chained({}, leaf_for(short_middle, 86'400), {short_middle});
  const auto now = std::chrono::system_clock::now();

  const auto left = [&](const Handshake& handshake) {
    return peer_facts(handshake.server(), {}).valid_until - now;
  };

  CHECK(left(lasting) > seconds{58});
  CHECK(left(lasting) < seconds{62});
  CHECK(left(expiring) > seconds{40});
  CHECK(left(expiring) < seconds{46});
  CHECK(left(chained) > seconds{25});
  CHECK(left(chained) < seconds{31});
}

TEST_CASE("case 104: facts have the generation of their trust") {
  ClientTrust trust;
  trust.generation = 7;
  const Issued authority = test::issue_authority("ca");
  const Handshake shown(
      trust,
      test::issue({.subject = {{"CN", "x"}}, .extended_key_usage = "clientAuth"}, &authority),
      {});
  const Handshake none(trust, std::nullopt, {});

  CHECK(peer_facts(shown.server(), trust).generation == 7);
  CHECK(peer_facts(none.server(), trust).generation == 7);
}

}  // namespace
}  // namespace weir::server
