// What all transfers have in common: the options that never change, and the callbacks of libcurl.
#include "scalers/clients/http/curl_sockets.hpp"
#include "scalers/clients/http/curl_transfer.hpp"

#include <curl/curl.h>

#include <cstddef>

namespace weir::scalers::clients {
namespace {

constexpr long kMaxIdleSeconds = 110;

}  // namespace

// What libcurl calls, with a transfer or the sockets as `self`. noexcept, because an exception must
// not pass through C.
struct CurlCallbacks {
  static std::size_t on_header(char* text, std::size_t, std::size_t size, void* self) noexcept {
    return static_cast<CurlTransfer*>(self)->read_line(text, size) ? size : 0;
  }
  static std::size_t on_body(char* text, std::size_t, std::size_t size, void* self) noexcept {
    return static_cast<CurlTransfer*>(self)->read_body(text, size) ? size : 0;
  }
  static curl_socket_t on_open(void* self,
                               curlsocktype /*purpose*/,
                               curl_sockaddr* address) noexcept {
    return static_cast<CurlTransfer*>(self)->open_socket(address->family,
                                                         address->socktype,
                                                         address->protocol);
  }
  static int on_close(void* self, curl_socket_t fd) noexcept {
    static_cast<CurlSockets*>(self)->close(fd);
    return 0;
  }
  static int before_request(void* self,
                            char* remote_address,
                            char* local_address,
                            int remote_port,
                            int local_port) noexcept {
    const SocketEnds ends{local_address, local_port, remote_address, remote_port};
    return static_cast<CurlTransfer*>(self)->before_request(ends) ? CURL_PREREQFUNC_OK
                                                                  : CURL_PREREQFUNC_ABORT;
  }
  static int on_text(CURL* /*easy*/,
                     curl_infotype type,
                     char* text,
                     std::size_t size,
                     void* self) noexcept {
    if (type == CURLINFO_TEXT) static_cast<CurlTransfer*>(self)->note_text({text, size});
    return 0;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    return static_cast<CurlTransfer*>(self)->note_progress() ? 0 : 1;
  }
  static CURLcode on_tls(CURL* /*easy*/, void* context, void* self) noexcept {
    return static_cast<CurlTransfer*>(self)->set_up_tls(context) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
  }
};

void CurlTransfer::set_fixed_options() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy, CURLOPT_DEBUGDATA, this);
  curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, CurlCallbacks::on_text);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, CurlCallbacks::on_header);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, CurlCallbacks::on_body);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, CurlCallbacks::on_open);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, CurlCallbacks::on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &multi_->sockets());
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, CurlCallbacks::before_request);
  // Not called unless NOPROGRESS is 0.
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, CurlCallbacks::on_progress);
  // Otherwise libcurl reads no_proxy of the environment, whatever the proxy is.
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  if (origin_.proxy) set_fixed_proxy_options();
  if (!origin_.context && !origin_.proxy_context) return;
  // The context of set_up_tls() has the roots; libcurl would read its own ones beside.
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  // libcurl caches a store by the path of its file, which is the same for all of ours: none.
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  // A resumed session would not verify the certificate again, with a new CA as well.
  curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, CurlCallbacks::on_tls);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
}

void CurlTransfer::set_fixed_proxy_options() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
  if (origin_.context) curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);  // a tunnel
  // GSS-API would block the loop.
  curl_easy_setopt(easy, CURLOPT_SOCKS5_AUTH, CURLAUTH_BASIC);
  // The fields of a request, and with them its token, are not for the proxy.
  curl_easy_setopt(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);  // of CONNECT
  // As for the server: set_up_tls() has the roots.
  curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
}

}  // namespace weir::scalers::clients
