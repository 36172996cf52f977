// OpenSSL contexts from files or PEM texts, apart from the streams because a context is shared by
// many of them.
#include "scalers/clients/net/tls.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

namespace weir::scalers::clients {
namespace {

// A check calls stat() for each file, which is too much for every request.
constexpr Duration kCheckInterval{1'000};
constexpr std::size_t kMaxEntries = 64;
constexpr std::size_t kMaxChecked = 1'024;
// The suites of TLS 1.2 with forward secrecy and authenticated encryption.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM";

template <auto free>
struct CDeleter {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Bio = std::unique_ptr<BIO, CDeleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, CDeleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, CDeleter<EVP_PKEY_free>>;

// Otherwise OpenSSL would prompt for the password of an encrypted key on the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*purpose*/, void* /*data*/) { return 0; }

// The text of the oldest error in OpenSSL's queue, which is cleared.
std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  // A file that cannot be opened has an errno as its reason.
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

// Makes the error of a part and, for the log, the same text with the path of its file.
class Unusable {
 public:
  explicit Unusable(std::string* problem) : problem_(problem) {}

  // `what` names the part; `path` is empty for a PEM text.
  [[nodiscard]] Error operator()(std::string_view what, const std::string& path) const {
    const std::string reason = openssl_reason();
    if (problem_ != nullptr) *problem_ = fmt::format("the {} {}: {}", what, path, reason);
    return Error{
        Errc::tls,
        fmt::format("the {} cannot be used: {}{}", what, reason, path.empty() ? "" : kFileIsInLog),
        ""};
  }

 private:
  std::string* problem_;
};

Bio reading(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Certificate next_certificate(BIO* bio) {
  // AUX, as in OpenSSL's own readers of files, which accept TRUSTED CERTIFICATE blocks, too.
  return Certificate(PEM_read_bio_X509_AUX(bio, nullptr, no_password, nullptr));
}

// Whether next_certificate() found no further one, rather than a damaged one.
bool is_at_end() {
  const auto code = ERR_peek_last_error();
  const bool is_end =
      ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  if (is_end) ERR_clear_error();
  return is_end;
}

bool add_trusted_certificates(SSL_CTX* context, const std::string& bundle) {
  const Bio bio = reading(bundle);
  bool is_any = false;
  for (auto next = next_certificate(bio.get()); next; next = next_certificate(bio.get()))
    is_any = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), next.get()) == 1 || is_any;
  // Without a certificate the reason stays in OpenSSL's queue, for the message.
  return is_any && is_at_end();
}

bool use_certificate_chain(SSL_CTX* context, const std::string& chain) {
  const Bio bio = reading(chain);
  // The client's own certificate is the first one of a chain (RFC 8446, section 4.4.2).
  const Certificate own = next_certificate(bio.get());
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) return false;
  for (auto next = next_certificate(bio.get()); next; next = next_certificate(bio.get()))
    // add1 takes a reference of its own; `next` releases the other one.
    SSL_CTX_add1_chain_cert(context, next.get());
  return is_at_end();
}

bool use_private_key(SSL_CTX* context, const std::string& pem) {
  const Bio bio = reading(pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  return key && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

// Changes when the file at `path` is changed or replaced.
std::string state_of(const char* path) {
  struct stat state {};
  // A missing file has a state as well, so that its return is a change.
  if (*path == '\0' || ::stat(path, &state) != 0) return ";";
  return fmt::format("{}.{}.{}.{}.{};",
                     state.st_dev,
                     state.st_ino,
                     state.st_size,
                     state.st_mtim.tv_sec,
                     state.st_mtim.tv_nsec);
}

std::string fingerprint_of(const TlsFiles& files) {
  // Without a CA the system's roots count, which an update of the system may replace.
  const char* roots = X509_get_default_cert_file();
  return state_of(files.ca.path.empty() ? roots : files.ca.path.c_str()) +
         state_of(files.certificate.path.c_str()) + state_of(files.key.path.c_str());
}

}  // namespace

Result<TlsContext> make_tls_context(const TlsFiles& files,
                                    const TlsPems& pems,
                                    std::string* problem) {
  const Unusable unusable(problem);
  // The queue of errors belongs to the thread, and an older error must not explain this failure.
  ERR_clear_error();
  TlsContext out(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX* raw = out.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, kCiphers);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  // Every certificate of the bundle is a trust anchor, including intermediates and server
  // certificates, as in Go.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(raw), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_default_passwd_cb(raw, no_password);
  if (!pems.ca.empty()) {
    if (!add_trusted_certificates(raw, pems.ca)) return unusable("CA bundle", "");
  } else if (files.ca.path.empty()) {
    SSL_CTX_set_default_verify_paths(raw);
  } else if (SSL_CTX_load_verify_locations(raw, files.ca.path.c_str(), nullptr) != 1) {
    return unusable("CA bundle", files.ca.path);
  }
  // The certificate comes before the key: OpenSSL compares a key with the certificate that is set,
  // but drops a key silently when a certificate that does not match is set afterwards.
  const std::string& certificate = files.certificate.path;
  if (!pems.certificate.empty()) {
    if (!use_certificate_chain(raw, pems.certificate)) return unusable("certificate", "");
  } else if (!certificate.empty() &&
             SSL_CTX_use_certificate_chain_file(raw, certificate.c_str()) != 1) {
    return unusable("certificate", certificate);
  }
  const std::string& key = files.key.path;
  if (!pems.key.reveal().empty()) {
    if (!use_private_key(raw, pems.key.reveal())) return unusable("key", "");
  } else if (!key.empty() && SSL_CTX_use_PrivateKey_file(raw, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable("key", key);
  }
  // A key of another type than the certificate is no error until here.
  const bool has_key = !pems.key.reveal().empty() || !key.empty();
  if (has_key && SSL_CTX_check_private_key(raw) != 1) return unusable("key", key);
  return out;
}

bool copy_tls_context(const TlsContext& source, const std::string& host, ssl_ctx_st* target) {
  SSL_CTX* from = source.get();
  SSL_CTX_set_min_proto_version(target, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(target, kCiphers);
  SSL_CTX_set_verify(target, SSL_VERIFY_PEER, nullptr);
  // The other library may write the keys of a connection to the file in SSLKEYLOGFILE.
  SSL_CTX_set_keylog_callback(target, nullptr);
  SSL_CTX_set1_cert_store(target, SSL_CTX_get_cert_store(from));
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(target);
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  std::string name = host;
  if (name.ends_with('.')) name.pop_back();  // the root's, which no certificate has
  // The first one fails for a name, and the second one compares an address as a name.
  bool is_done = X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1 ||
                 X509_VERIFY_PARAM_set1_host(rules, name.c_str(), 0) == 1;
  if (X509* certificate = SSL_CTX_get0_certificate(from); certificate != nullptr) {
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get0_chain_certs(from, static_cast<void*>(&chain));
    is_done = is_done && SSL_CTX_use_certificate(target, certificate) == 1 &&
              SSL_CTX_set1_chain(target, chain) == 1;
    if (EVP_PKEY* key = SSL_CTX_get0_privatekey(from); key != nullptr)
      is_done = is_done && SSL_CTX_use_PrivateKey(target, key) == 1;
  }
  ERR_clear_error();
  return is_done;
}

bool has_unread_data(const ssl_st* connection) { return SSL_has_pending(connection) == 1; }

bool has_close_notify(const ssl_st* connection) {
  return (SSL_get_shutdown(connection) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool has_chosen_http2(const ssl_st* connection) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(connection, &name, &size);
  return size == 2 && name[0] == 'h' && name[1] == '2';
}

TlsContexts::Entry* TlsContexts::find(const TlsFiles& files, const TlsPems& pems) {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.files == files && entry.pems == pems;
  });
  if (found == entries_.end()) return nullptr;
  // The place of the most recently used entry is the last one.
  std::rotate(found, std::next(found), entries_.end());
  return &entries_.back();
}

Result<TlsContext> TlsContexts::of(const TlsFiles& files, const TlsPems& pems, SteadyTime now) {
  const Entry* cached = find(files, pems);
  if (cached != nullptr && now - cached->checked_at < kCheckInterval) return cached->context;
  return current(files, pems, now);
}

Result<TlsContext> TlsContexts::current(const TlsFiles& files,
                                        const TlsPems& pems,
                                        SteadyTime now) {
  Entry* cached = find(files, pems);
  // Taken before the files are read, so that a change in between is noticed by the next check.
  std::string fingerprint = fingerprint_of(files);
  if (cached != nullptr && cached->fingerprint == fingerprint) {
    cached->checked_at = now;
    return cached->context;
  }
  auto context = make_tls_context(files, pems);
  if (cached != nullptr) {
    cached->checked_at = now;
    // Files are replaced one after the other, or by mistake: the last good ones stay in use. Their
    // fingerprint stays as well, so that the next check tries again.
    if (!context) return cached->context;
    cached->fingerprint = std::move(fingerprint);
    cached->context = *context;
    return context;
  }
  if (!context) return context.error();
  if (entries_.size() == kMaxEntries) entries_.erase(entries_.begin());
  entries_.push_back({files, pems, std::move(fingerprint), now, *context});
  return context;
}

std::string TlsContexts::problem_of(const TlsFiles& files) {
  std::string fingerprint = fingerprint_of(files);
  const auto known = std::ranges::find(checked_, files, &CheckedFiles::files);
  if (known != checked_.end() && known->fingerprint == fingerprint) return {};
  std::string problem;
  const auto context = make_tls_context(files, {}, &problem);
  // Files with a problem are made again at each call, because a permission changes nothing else.
  if (!context) return problem;
  if (known != checked_.end()) {
    known->fingerprint = std::move(fingerprint);
    return {};
  }
  // A reload may have replaced every backend: what is in use is checked once more.
  if (checked_.size() == kMaxChecked) checked_.clear();
  checked_.push_back({files, std::move(fingerprint)});
  return {};
}

}  // namespace weir::scalers::clients
