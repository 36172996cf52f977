// A transfer inside libcurl: the handle and everything its options point to. Made, run and ended on
// the worker's thread only. libcurl's handles are void pointers here, its codes ints.
#pragma once

#include "scalers/clients/http_worker.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

struct curl_slist;

namespace weir::scalers::clients {

struct SlistFree {
  void operator()(curl_slist* list) const;
};
using Slist = std::unique_ptr<curl_slist, SlistFree>;

struct EasyFree {
  void operator()(void* easy) const;
};

class HttpExchange {
 public:
  HttpExchange(Loop& loop, std::shared_ptr<HttpTransfer> transfer);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  ~HttpExchange() = default;

  [[nodiscard]] void* easy() const { return easy_.get(); }
  [[nodiscard]] const std::shared_ptr<HttpTransfer>& transfer() const { return transfer_; }
  [[nodiscard]] Result<HttpReply> outcome(int code);
  // True for a connect, or a TLS handshake, that ran out of time.
  [[nodiscard]] bool is_unconnected(int code) const;
  // What became of its connections: read here, counted on the loop.
  struct Wire {
    bool is_new;        // made for this transfer; one that never came up is not
    bool is_connected;  // the last of them, or the kept one, came up with its TLS
  };
  [[nodiscard]] Wire wire() const;

 private:
  static constexpr std::size_t kErrorBytes = 256;  // CURL_ERROR_SIZE

  void set_target();
  void set_headers();
  void set_tls();
  [[nodiscard]] Error error_of(int code) const;
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  // Takes in a piece of the body; false when it is too much.
  bool take(std::string_view piece);
  // The same for a reply that is kept whole.
  bool keep(std::string_view piece);
  void set_pem(int option, const std::string& pem);

  Loop& loop_;
  std::shared_ptr<HttpTransfer> transfer_;
  std::unique_ptr<void, EasyFree> easy_;
  std::string address_;  // the url's text
  Slist headers_;
  Slist resolved_;
  std::array<char, kErrorBytes> error_{};
  std::string body_;
  bool is_too_large_ = false;
};

}  // namespace weir::scalers::clients
