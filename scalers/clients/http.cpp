#include "scalers/clients/http.hpp"

#include "scalers/clients/http_guard.hpp"
#include "scalers/clients/http_worker.hpp"
#include "scalers/clients/resolver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace weir::scalers::clients {
namespace {

// libcurl sends header bytes as they are: a line end inside one would forge another header.
bool has_line_end(const HttpRequest& request) {
  return std::ranges::any_of(request.headers, [](const auto& header) {
    return (header.name + header.value.reveal()).find_first_of(std::string_view("\r\n\0", 3)) !=
           std::string::npos;
  });
}

SteadyTime now() { return std::chrono::steady_clock::now(); }

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group <<= 8U;
      if (at + i < bytes.size()) group |= static_cast<std::uint8_t>(bytes[at + i]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const bool is_padding = at + i > bytes.size();
      out += is_padding ? '=' : kDigits[(group >> (18U - 6U * i)) & 63U];
    }
  }
  return out;
}

}  // namespace

HttpClient::HttpClient(Loop& loop, Resolver& resolver)
    : loop_(loop),
      resolver_(resolver),
      worker_(std::make_unique<HttpWorker>(loop)),
      guard_(std::make_shared<HttpGuard>()) {}

HttpClient::~HttpClient() = default;

void HttpClient::close() { worker_->close(); }

awaitable<Result<HttpReply>> HttpClient::send(HttpRequest request, Deadline deadline) {
  if (has_line_end(request)) {
    co_return Error{Errc::refused,
                    "a header or credential holds a line end; write it on one line",
                    ""};
  }
  const auto guard = guard_;  // the client may be gone by the time of the answer
  if (auto kept = guard->stand_in(request, now())) {
    if (request.counts) request.counts->is_breaker_open = true;
    if (*kept && request.digest) request.digest(**kept);
    co_return std::move(*kept);
  }
  auto addresses = co_await resolver_.resolve(request.url.host, deadline);
  if (!addresses) co_return addresses.error();
  const auto transfer =
      std::make_shared<HttpTransfer>(loop_, std::move(request), std::move(*addresses), deadline);
  worker_->start(transfer);
  const bool is_done = co_await transfer->done.wait(deadline.left(now()));
  if (!is_done || transfer->is_given_up) worker_->cancel(transfer);
  transfer->is_given_up = true;
  if (!is_done) {
    co_return Error{Errc::timed_out, "it did not answer", ""};
  }
  guard->note(transfer->request, transfer->outcome, transfer->is_unconnected, now());
  if (transfer->request.counts)
    transfer->request.counts->is_breaker_open = guard->is_open_for(transfer->request);
  co_return std::move(transfer->outcome);
}

std::vector<std::string> hidden_texts(const HttpRequest& request) {
  std::vector<std::string> out = request.hidden;
  out.push_back(request.url.authority());
  out.push_back(request.url.host);
  for (const HttpHeader& header : request.headers) {
    if (header.is_secret) out.push_back(header.value.reveal());
  }
  if (request.basic) {
    out.push_back(request.basic->first.reveal());
    out.push_back(request.basic->second.reveal());
    out.push_back(base64(request.basic->first.reveal() + ':' + request.basic->second.reveal()));
  }
  return out;
}

}  // namespace weir::scalers::clients
