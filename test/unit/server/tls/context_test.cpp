#include "server/tls/context.hpp"

#include "test/rigs/certificates.hpp"
#include "test/rigs/folder.hpp"

#include <catch2/catch.hpp>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weir::server {
namespace {

using test::Folder;
using test::Issued;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

unsigned mode_of(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 0777U : 0;
}

std::shared_ptr<X509> certificate_in(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  return {file ? PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, X509_free};
}

bool names_host(const std::shared_ptr<X509>& certificate, const std::string& name) {
  return X509_check_host(certificate.get(), name.data(), name.size(), 0, nullptr) == 1;
}

bool names_address(const std::shared_ptr<X509>& certificate, const char* address) {
  return X509_check_ip_asc(certificate.get(), address, 0) == 1;
}

// The text of what make_server_context throws; empty when it throws nothing.
std::string failure_of(const KeyPair& pair) {
  try {
    static_cast<void>(make_server_context(pair, {}));
  } catch (const std::runtime_error& failure) {
    return failure.what();
  }
  return {};
}

TEST_CASE("a self-signed pair is created in its folder, and only the owner can read its key") {
  const Folder folder;
  const std::string deep = folder.path("a/b");
  const mode_t before = ::umask(0);

  const KeyPair pair = self_signed_pair(deep, "127.0.0.1");
  ::umask(before);

  CHECK(pair.certificate_file == deep + "/apiserver.crt");
  CHECK(pair.key_file == deep + "/apiserver.key");
  CHECK(mode_of(pair.key_file) == 0600);
  CHECK(mode_of(pair.certificate_file) == 0644);
  CHECK(failure_of(pair).empty());
}

TEST_CASE("creating a pair does not change the process' umask") {
  const Folder folder;
  const mode_t before = ::umask(027);

  static_cast<void>(self_signed_pair(folder.path("pair"), "127.0.0.1"));
  const mode_t after = ::umask(before);

  CHECK(after == 027);
}

TEST_CASE("a self-signed certificate names localhost, the loopbacks and the bind address") {
  struct Row {
    std::string_view name;
    std::string address;
    const char* also;
  };
  const Row rows[] = {
      {"a v4 address", "10.1.2.3", "10.1.2.3"},
      {"a v6 address", "fd00::1", "fd00::1"},
      {"every v4 address", "0.0.0.0", "0.0.0.0"},
      {"every v6 address", "::", "::"},
      {"no address is left out", "example.org", "127.0.0.1"},
      {"a text that would add a name", "1.2.3.4,DNS:evil.example", "::1"},
      {"nothing", "", "127.0.0.1"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Folder folder;

      const auto made =
          certificate_in(self_signed_pair(folder.path("pair"), row.address).certificate_file);

      REQUIRE(made);
      CHECK(names_host(made, "localhost"));
      CHECK(names_address(made, "127.0.0.1"));
      CHECK(names_address(made, "::1"));
      CHECK(names_address(made, row.also));
      CHECK_FALSE(names_host(made, "evil.example"));
      CHECK_FALSE(names_address(made, "1.2.3.4"));
    }
  }
}

TEST_CASE("a second call does not change either file") {
  const Folder folder;
  const KeyPair pair = self_signed_pair(folder.path("pair"), "127.0.0.1");
  const std::string certificate = text_of(pair.certificate_file);
  const std::string key = text_of(pair.key_file);

  const KeyPair again = self_signed_pair(folder.path("pair"), "10.0.0.1");

  CHECK(text_of(again.certificate_file) == certificate);
  CHECK(text_of(again.key_file) == key);
}

TEST_CASE("one file without the other is never replaced") {
  const Folder folder;
  const KeyPair pair = self_signed_pair(folder.path("pair"), "127.0.0.1");
  const std::string key = text_of(pair.key_file);
  std::filesystem::remove(pair.certificate_file);

  CHECK_THROWS_WITH(self_signed_pair(folder.path("pair"), "127.0.0.1"),
                    pair.key_file + " exists but " + pair.certificate_file +
                        " does not; restore the missing file, or remove the other so that a new "
                        "pair is created");
  CHECK(text_of(pair.key_file) == key);
}

TEST_CASE("a folder that cannot be created is an error with the flag to change") {
  const Folder folder;
  const std::string file = folder.write("file", "x");

  CHECK_THROWS_WITH(self_signed_pair(file, "127.0.0.1"),
                    "cannot create a self-signed certificate: " + file +
                        "/apiserver.key cannot be written; set --cert-dir to a folder that can be");
}

TEST_CASE("a pair that cannot be served is an error with its file and the reason") {
  const Folder folder;
  const Issued one = test::issue_authority("one");
  const Issued other = test::issue_authority("other");
  const std::string certificate = folder.write("tls.crt", test::certificate_pem(one));
  const std::string key = folder.write("tls.key", test::key_pem(one));
  const std::string other_key = folder.write("other.key", test::key_pem(other));
  const std::string empty = folder.write("empty", "");
  const std::string missing = folder.path("missing");
  struct Row {
    std::string_view name;
    KeyPair pair;
    std::string beginning;
    std::string_view reason;
  };
  const Row rows[] = {
      {"no certificate file",
       {missing, key},
       "cannot use the certificate " + missing + ": ",
       "No such file or directory"},
      {"an empty certificate file",
       {empty, key},
       "cannot use the certificate " + empty + ": ",
       "no start line"},
      {"a key for a certificate",
       {key, key},
       "cannot use the certificate " + key + ": ",
       "no start line"},
      {"no key file",
       {certificate, missing},
       "cannot use the key " + missing + " of " + certificate + ": ",
       "No such file or directory"},
      {"an empty key file",
       {certificate, empty},
       "cannot use the key " + empty + " of " + certificate + ": ",
       ""},
      {"a certificate for a key",
       {certificate, certificate},
       "cannot use the key " + certificate + " of " + certificate + ": ",
       ""},
      {"case 110: another's key",
       {certificate, other_key},
       "cannot use the key " + other_key + " of " + certificate + ": ",
       "key values mismatch"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const std::string failure = failure_of(row.pair);

      CHECK_THAT(failure, Catch::StartsWith(row.beginning));
      CHECK_THAT(failure, Catch::EndsWith(std::string(row.reason)));
      CHECK_THAT(failure, !Catch::Contains("error:00000000"));
    }
  }
  CHECK(failure_of({certificate, key}).empty());
}

}  // namespace
}  // namespace weir::server
