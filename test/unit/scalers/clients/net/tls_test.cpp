// Contexts of outgoing TLS: from files and from text, kept, and made again when a file changes.
#include "scalers/clients/net/tls.hpp"

#include "test/rigs/certificates.hpp"
#include "test/rigs/folder.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include <string>
#include <string_view>

namespace weir::scalers::clients {
namespace {

using test::shown;
using namespace std::chrono_literals;

// Certificate authorities that a context trusts.
int trusted(const TlsContext& context) {
  STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.get()));
  return sk_X509_OBJECT_num(all);
}

struct Pki {
  test::Issued ca = test::issue_authority("ca");
  test::Issued other = test::issue_authority("other");
  test::Issued client =
      test::issue({.subject = {{"CN", "weir"}}, .extended_key_usage = "clientAuth"}, &ca);
};

// Both from files: a CA bundle, and the client's own pair.
TlsFiles written(const test::Folder& folder, const Pki& pki) {
  return {{folder.write("ca.crt", test::certificate_pem(pki.ca))},
          {folder.write("tls.crt", test::certificate_pem(pki.client))},
          {folder.write("tls.key", test::key_pem(pki.client))}};
}

TEST_CASE("a context trusts the bundle's CAs and has the certificate, from files or text") {
  const Pki pki;
  const test::Folder folder;
  const std::string bundle = test::certificate_pem(pki.ca) + test::certificate_pem(pki.other);
  TlsFiles files = written(folder, pki);
  files.ca.path = folder.write("bundle.crt", bundle);
  const TlsPems pems{bundle,
                     test::certificate_pem(pki.client) + test::certificate_pem(pki.ca),
                     Secret(test::key_pem(pki.client))};

  const auto from_files = make_tls_context(files);
  const auto from_text = make_tls_context({}, pems);

  REQUIRE(shown(from_files) == "a value");
  REQUIRE(shown(from_text) == "a value");
  for (const auto& context : {*from_files, *from_text}) {
    CHECK(trusted(context) == 2);
    CHECK(SSL_CTX_check_private_key(context.get()) == 1);
    CHECK(SSL_CTX_get_min_proto_version(context.get()) == TLS1_2_VERSION);
    CHECK(SSL_CTX_get_verify_mode(context.get()) == SSL_VERIFY_PEER);
    CHECK(X509_cmp(SSL_CTX_get0_certificate(context.get()), pki.client.certificate.get()) == 0);
  }
}

struct Unusable {
  std::string_view name;
  TlsPems pems;
  std::string_view message;
};

TEST_CASE("text that is not a certificate or key, or belongs to another pair, is an error") {
  const Pki pki;
  const std::string certificate = test::certificate_pem(pki.client);
  const std::string authority = test::certificate_pem(pki.ca);
  std::string damaged = test::certificate_pem(pki.other);
  const test::Issued rsa{pki.other.certificate, {EVP_RSA_gen(2048), EVP_PKEY_free}};
  damaged.insert(damaged.size() / 2, "!");
  const Unusable rows[] = {
      {"a CA and a damaged one",
       {authority + damaged, "", Secret()},
       "tls: the CA bundle cannot be used: bad base64 decode"},
      {"a certificate before a damaged one",
       {"", certificate + damaged, Secret(test::key_pem(pki.client))},
       "tls: the certificate cannot be used: bad base64 decode"},
      {"no CA", {"no PEM", "", Secret()}, "tls: the CA bundle cannot be used: no start line"},
      {"no certificate",
       {"", "no PEM", Secret()},
       "tls: the certificate cannot be used: no start line"},
      {"no key", {"", certificate, Secret("no PEM")}, "tls: the key cannot be used: unsupported"},
      {"a key of another type",
       {"", certificate, Secret(test::key_pem(rsa))},
       "tls: the key cannot be used: no certificate assigned"},
      {"another's key",
       {"", certificate, Secret(test::key_pem(pki.other))},
       "tls: the key cannot be used: key values mismatch"},
  };

  for (const Unusable& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(shown(make_tls_context({}, row.pems)) == row.message); }
  }
}

TEST_CASE("a missing file of a tls block is named for the log alone") {
  const TlsFiles files{{"/nowhere/ca.crt"}, {}, {}};
  TlsContexts contexts;

  CHECK(shown(make_tls_context(files)) ==
        "tls: the CA bundle cannot be used: No such file or directory; the log of Weir names the "
        "file");
  CHECK(contexts.problem_of(files) == "the CA bundle /nowhere/ca.crt: No such file or directory");
}

TEST_CASE("files that cannot be used any more leave the last good context in use") {
  const Pki pki;
  const test::Folder folder;
  const TlsFiles files = written(folder, pki);
  TlsContexts contexts;
  const SteadyTime start{};
  const auto good = contexts.of(files, {}, start);
  REQUIRE(contexts.problem_of(files).empty());

  folder.write("ca.crt", "no certificate");
  const auto broken = contexts.of(files, {}, start + 2s);
  const auto problem = contexts.problem_of(files);
  folder.write("ca.crt", test::certificate_pem(pki.other));
  const auto fixed = contexts.of(files, {}, start + 4s);

  REQUIRE(shown(good) == "a value");
  REQUIRE(shown(broken) == "a value");
  REQUIRE(shown(fixed) == "a value");
  CHECK(*broken == *good);
  CHECK_THAT(problem, Catch::StartsWith("the CA bundle " + files.ca.path + ": "));
  CHECK(*fixed != *good);
  CHECK(contexts.problem_of(files).empty());
}

TEST_CASE("a context is cached until one of its files changes, which is checked once a second") {
  const Pki pki;
  const test::Folder folder;
  const TlsFiles files = written(folder, pki);
  TlsContexts contexts;
  const SteadyTime start{};

  const auto first = contexts.of(files, {}, start);
  const auto unchanged = contexts.of(files, {}, start + 2s);
  folder.write("ca.crt", test::certificate_pem(pki.ca) + test::certificate_pem(pki.other));
  const auto unlooked = contexts.of(files, {}, start + 2999ms);
  const auto changed = contexts.of(files, {}, start + 3s);

  REQUIRE(shown(first) == "a value");
  REQUIRE(shown(changed) == "a value");
  CHECK(*unchanged == *first);
  CHECK(*unlooked == *first);
  CHECK(*changed != *first);
  CHECK(trusted(*changed) == 2);
}

TEST_CASE("who needs the files as they are gets them though another user has just looked") {
  const Pki pki;
  const test::Folder folder;
  const TlsFiles files = written(folder, pki);
  TlsContexts contexts;
  const SteadyTime start{};

  const auto first = contexts.of(files, {}, start);
  folder.write("ca.crt", test::certificate_pem(pki.ca) + test::certificate_pem(pki.other));
  const auto current = contexts.current(files, {}, start + 1ms);
  // From then on for everybody.
  const auto later = contexts.of(files, {}, start + 2ms);

  REQUIRE(shown(current) == "a value");
  CHECK(*current != *first);
  CHECK(trusted(*current) == 2);
  CHECK(*later == *current);
}

TEST_CASE("other files or other text give another context") {
  const Pki pki;
  const test::Folder folder;
  const TlsFiles files = written(folder, pki);
  const TlsPems pems{test::certificate_pem(pki.other), "", Secret()};
  TlsContexts contexts;

  const auto from_files = contexts.of(files, {}, SteadyTime{});
  const auto with_text = contexts.of(files, pems, SteadyTime{});
  const auto again = contexts.of(files, {}, SteadyTime{});

  CHECK(*from_files != *with_text);
  CHECK(*again == *from_files);
}

TEST_CASE("a failure is not cached") {
  const Pki pki;
  const test::Folder folder;
  const TlsFiles files{{folder.path("ca.crt")}, {}, {}};
  TlsContexts contexts;

  const auto missing = contexts.of(files, {}, SteadyTime{});
  folder.write("ca.crt", test::certificate_pem(pki.ca));
  const auto there = contexts.of(files, {}, SteadyTime{});

  CHECK(missing.has_error());
  CHECK(shown(there) == "a value");
}

}  // namespace
}  // namespace weir::scalers::clients
