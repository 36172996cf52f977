#include "server/tls/peer.hpp"

#include "test/rigs/certificates.hpp"
#include "test/rigs/folder.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::server {
namespace {

using test::CertificateSettings;
using test::Folder;
using test::Issued;
using Chain = std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)>;

CaBundle bundle_of(const std::string& pem) {
  const Folder folder;
  auto loaded = CaBundle::load(folder.write("ca.crt", pem));
  REQUIRE(std::holds_alternative<CaBundle>(loaded));
  return std::get<CaBundle>(std::move(loaded));
}

// What a peer sends beside its leaf.
Chain chain_of(const std::vector<Issued>& intermediates) {
  Chain out(sk_X509_new_null(), [](STACK_OF(X509) * chain) { sk_X509_free(chain); });
  for (const Issued& one : intermediates) sk_X509_push(out.get(), one.certificate.get());
  return out;
}

Issued leaf_of(const Issued& issuer,
               const std::string& usage = "clientAuth",
               long starts_in = -60,
               long ends_in = 3600) {
  return test::issue({.subject = {{"CN", "leaf"}},
                      .is_authority = false,
                      .extended_key_usage = usage,
                      .starts_in = starts_in,
                      .ends_in = ends_in},
                     &issuer);
}

TEST_CASE("a bundle that cannot be used is an error with the reason") {
  const Folder folder;
  const Issued authority = test::issue_authority("ca");
  const std::string pem = test::certificate_pem(authority);
  const std::string broken = pem.substr(0, 60) + "!!!!" + pem.substr(64);
  struct Row {
    std::string_view name;
    std::string path;
    std::string_view why;
  };
  const Row rows[] = {
      {"no file", folder.path("missing.crt"), "the file cannot be read"},
      {"an empty file", folder.write("empty.crt", ""), "it has no PEM certificate"},
      {"a text", folder.write("text.crt", "hello\n"), "it has no PEM certificate"},
      {"a key alone",
       folder.write("key.crt", test::key_pem(authority)),
       "it has no PEM certificate"},
      {"a folder", folder.path("."), "it has no PEM certificate"},
      {"a good and a broken one",
       folder.write("broken.crt", pem + broken),
       "it has an invalid certificate"},
      {"a good one and one cut off",
       folder.write("cut.crt", pem + pem.substr(0, pem.size() / 2)),
       "it has an invalid certificate"},
      {"a broken one between good ones",
       folder.write("between.crt", pem + broken + pem),
       "it has an invalid certificate"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto loaded = CaBundle::load(row.path);

      REQUIRE(std::holds_alternative<CaBundle::Invalid>(loaded));
      CHECK(std::get<CaBundle::Invalid>(loaded).why == row.why);
    }
  }
}

TEST_CASE("a bundle contains every certificate of its file, whatever is between the certificates") {
  const Issued first = test::issue_authority("first");
  const Issued second = test::issue_authority("second");
  const CaBundle bundle =
      bundle_of("# a comment\n" + test::certificate_pem(first) + test::key_pem(first) +
                "\nmore words\n" + test::certificate_pem(second));

  CHECK(bundle.certificates().size() == 2);
  CHECK(bundle.verifies(leaf_of(first).certificate.get(), nullptr));
  CHECK(bundle.verifies(leaf_of(second).certificate.get(), nullptr));
}

TEST_CASE("a bundle is read from a text as from a file") {
  const Issued first = test::issue_authority("first");
  const Issued second = test::issue_authority("second");
  const auto why = [](std::string_view text) {
    return std::get<CaBundle::Invalid>(CaBundle::parse(text)).why;
  };

  const auto both =
      CaBundle::parse(test::certificate_pem(first) + "\n" + test::certificate_pem(second));

  REQUIRE(std::holds_alternative<CaBundle>(both));
  CHECK(std::get<CaBundle>(both).certificates().size() == 2);
  CHECK(why("") == "it has no PEM certificate");
  CHECK(why("hello") == "it has no PEM certificate");
  CHECK(why("-----BEGIN CERTIFICATE-----\nAAAA\n") == "it has an invalid certificate");
}

TEST_CASE("a leaf verifies for client authentication, now, and by its own authority") {
  const Issued authority = test::issue_authority("ca");
  const Issued impostor = test::issue_authority("ca");
  const Issued server_only = test::issue(
      {.subject = {{"CN", "servers"}}, .is_authority = true, .extended_key_usage = "serverAuth"},
      &authority);
  const Issued no_authority = leaf_of(authority);
  const CaBundle bundle = bundle_of(test::certificate_pem(authority));
  struct Row {
    std::string_view name;
    Issued leaf;
    std::vector<Issued> sent;
    bool verifies;
  };
  const Row rows[] = {
      {"clientAuth", leaf_of(authority), {}, true},
      {"clientAuth and serverAuth", leaf_of(authority, "clientAuth,serverAuth"), {}, true},
      {"no extended key usage", leaf_of(authority, ""), {}, true},
      {"S04: serverAuth alone", leaf_of(authority, "serverAuth"), {}, false},
      {"S04: another usage", leaf_of(authority, "codeSigning"), {}, false},
      {"case 93, S04: expired", leaf_of(authority, "clientAuth", -7200, -60), {}, false},
      {"S04: not yet valid", leaf_of(authority, "clientAuth", 3600, 7200), {}, false},
      {"case 88: a foreign authority of the same name", leaf_of(impostor), {}, false},
      {"a foreign authority that the peer sends", leaf_of(impostor), {impostor}, false},
      {"signed by itself",
       test::issue({.subject = {{"CN", "ca"}}, .extended_key_usage = "clientAuth"}),
       {},
       false},
      {"an intermediate for servers only", leaf_of(server_only), {server_only}, false},
      {"signed by a leaf", leaf_of(no_authority), {no_authority}, false},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Chain chain = chain_of(row.sent);

      CHECK(bundle.verifies(row.leaf.certificate.get(), chain.get()) == row.verifies);
    }
  }
}

TEST_CASE("an intermediate is used when the peer sends it or the bundle contains it") {
  const Issued root = test::issue_authority("root");
  const Issued middle = test::issue_authority("middle", &root);
  const Issued other = test::issue_authority("other");
  const Issued leaf = leaf_of(middle);
  const Chain sent = chain_of({middle});
  const Chain sent_out_of_order = chain_of({other, root, middle});
  const Chain wrong = chain_of({other});
  const CaBundle of_root = bundle_of(test::certificate_pem(root));
  const CaBundle of_middle = bundle_of(test::certificate_pem(middle));
  const CaBundle of_both = bundle_of(test::certificate_pem(root) + test::certificate_pem(middle));
  const CaBundle of_other = bundle_of(test::certificate_pem(other));
  X509* const raw = leaf.certificate.get();

  CHECK(of_root.verifies(raw, sent.get()));
  CHECK(of_root.verifies(raw, sent_out_of_order.get()));
  CHECK_FALSE(of_root.verifies(raw, nullptr));
  CHECK_FALSE(of_root.verifies(raw, wrong.get()));
  CHECK(of_middle.verifies(raw, nullptr));
  CHECK(of_both.verifies(raw, nullptr));
  CHECK_FALSE(of_other.verifies(raw, sent.get()));
  CHECK_FALSE(of_middle.verifies(leaf_of(root).certificate.get(), sent.get()));
}

TEST_CASE("an expired authority verifies no certificate") {
  const Issued expired = test::issue({.subject = {{"CN", "ca"}},
                                      .is_authority = true,
                                      .extended_key_usage = {},
                                      .starts_in = -7200,
                                      .ends_in = -60});
  const CaBundle bundle = bundle_of(test::certificate_pem(expired));

  CHECK_FALSE(bundle.verifies(leaf_of(expired).certificate.get(), nullptr));
}

}  // namespace
}  // namespace weir::server
