// A response as libcurl passes it on: lines of heads and trailers, then pieces of the body. Bounds
// every size and rejects what libcurl would accept; a server may be broken or hostile. Pure, but
// the Date of an error is compared with the clock.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::scalers::clients {

class ResponseReader {
 public:
  explicit ResponseReader(const HttpRequest& request) : request_(request) {}

  // One line with its line end. False: the transfer must end, and problem() says why.
  // `is_multiplexed`: of a connection of HTTP/2.
  [[nodiscard]] bool read_line(std::string_view line, bool is_multiplexed);
  // False: the transfer must end; problem() says why, unless is_stopped().
  [[nodiscard]] bool read_body(std::string_view piece);

  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }
  // True once the head of the final response is complete.
  [[nodiscard]] bool is_head_done() const { return is_head_done_; }
  // True when nothing but the end of the connection says where the 2xx body ends.
  [[nodiscard]] bool is_until_close() const;
  // True once `on_chunk` has ended the stream.
  [[nodiscard]] bool is_stopped() const { return is_stopped_; }
  // The response; called once, after its end.
  [[nodiscard]] HttpReply take_reply();

 private:
  [[nodiscard]] bool is_stream() const;
  [[nodiscard]] bool read_status(std::string_view line, bool is_multiplexed);
  [[nodiscard]] bool read_field(std::string_view line);
  [[nodiscard]] bool end_head();
  // Returns false.
  bool reject(std::string_view reason);
  bool reject_as_compressed(std::string_view encoding);
  bool reject_as_too_large();

  const HttpRequest& request_;
  std::size_t line_bytes_ = 0;  // of all heads and trailers
  int heads_ = 0;
  bool is_in_head_ = false;
  bool is_head_done_ = false;
  bool is_multiplexed_ = false;
  int status_ = 0;
  bool is_chunked_ = false;
  std::optional<std::uint64_t> length_;  // Content-Length
  std::optional<WallTime::duration> clock_ahead_;
  std::string body_;
  bool is_stopped_ = false;
  std::optional<Error> problem_;
};

// A response that breaks the protocol; `reason` is a fixed text.
[[nodiscard]] Error not_http(std::string_view reason);

}  // namespace weir::scalers::clients
