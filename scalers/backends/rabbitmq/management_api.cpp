// Requests, pages and their columns, apart from what a metric makes of the queues.
#include "scalers/backends/rabbitmq/management_api.hpp"

#include <fmt/format.h>

#include <utility>

namespace weir::scalers::backends::rabbitmq {
namespace {

// A bound on what one read makes the broker do: 100,000 queues. A page has about 60 bytes a queue.
constexpr std::size_t kMaxPages = 200;
constexpr std::size_t kMaxPageBytes = std::size_t{1} << 20;
constexpr std::string_view kColumns =
    "name,vhost,type,state,node,messages,messages_ready,messages_unacknowledged";

}  // namespace

// Erlang's regex language is PCRE: \Q...\E quotes literal text.
std::string quoted_pattern(const std::string& text) {
  std::string out = "\\Q";
  for (std::size_t at = 0; at < text.size(); ++at) {
    // "\E" inside would end the quotation.
    if (text.compare(at, 2, "\\E") == 0) {
      out += "\\E\\\\E\\Q";
      ++at;
    } else {
      out += text[at];
    }
  }
  return out + "\\E";
}

Result<clients::HttpRequest> ManagementApi::request_to(const std::string& path) const {
  clients::HttpRequest out;
  out.url = target_.url;
  out.url.path += path;
  // RabbitMQ also returns 401 for a vhost without permission, so a 401 is valid for this vhost
  // only.
  out.auth_scope = out.url.path;
  out.tls = target_.tls;
  out.is_http2 = target_.is_http2;
  out.proxy = target_.proxy.proxy;
  out.counts = target_.counts;
  out.max_body_bytes = kMaxPageBytes;
  out.if_too_large = "narrow queueRegex";
  if (target_.username.is_set()) {
    auto pair = read_pair(target_.username, target_.password);
    if (!pair) return pair.error();
    out.basic = std::move(*pair);
  }
  return out;
}

Result<clients::HttpRequest> ManagementApi::request(const std::string& vhost,
                                                    const std::string& pattern,
                                                    std::size_t page,
                                                    Detail detail) const {
  auto out = request_to(fmt::format("/api/queues/{}", percent_encoded(vhost)));
  if (!out) return out.error();
  // The group binds ^ and $ to the whole pattern, not to its first and last alternative.
  out->query = fmt::format("page={}&page_size={}&use_regex=true&name={}",
                           page,
                           kPageSize,
                           percent_encoded("^(?:" + pattern + ")$"));
  // Columns, because a whole queue object is over 1 KB.
  switch (detail) {
    case Detail::names: out->query += "&disable_stats=true&columns=name,vhost"; break;
    case Detail::totals:
      out->query += "&disable_stats=true&enable_queue_totals=true&columns=" + std::string(kColumns);
      break;
    case Detail::statistics:
      out->query +=
          "&columns=message_stats.publish_details.rate,"
          "message_stats.deliver_get_details.rate," +
          std::string(kColumns);
      break;
  }
  return out;
}

// One pass over all pages. Errc::partial when the list changed between two pages.
awaitable<Result<std::vector<QueueStats>>> ManagementApi::list_queues(std::string vhost,
                                                                      std::string pattern,
                                                                      Detail detail,
                                                                      Deadline deadline) const {
  Listing listing;
  std::size_t page_count = 1;
  for (std::size_t number = 1; number <= page_count; ++number) {
    auto next = request(vhost, pattern, number, detail);
    if (!next) co_return next.error();
    // Shared with the client's thread, which fills it before send() ends, because parsing a page
    // may take milliseconds.
    const auto page = std::make_shared<Result<Page>>(Error{Errc::bad_reply, "no response", ""});
    // It owns copies, because it may still run after send() has ended with an error.
    next->on_reply =
        [page, vhost, redactions = clients::redactions_of(*next)](const clients::HttpReply& reply) {
          *page = parse_page(reply.status, reply.body, vhost, redactions);
        };
    const auto reply = co_await http_.send(std::move(*next), deadline);
    if (!reply) co_return reply.error();
    if (!*page) co_return page->error();
    page_count = (*page)->page_count;
    if (page_count > kMaxPages) {
      co_return Error{
          Errc::too_many,
          fmt::format("more than {} queues match; narrow queueRegex", kMaxPages * kPageSize),
          ""};
    }
    auto changed = listing.add(std::move(**page));
    if (changed) co_return std::move(*changed);
  }
  co_return listing.take();
}

awaitable<Result<clients::HttpReply>> ManagementApi::get(std::string path,
                                                         std::string query,
                                                         Deadline deadline) const {
  auto request = request_to(path);
  if (!request) co_return request.error();
  request->query = std::move(query);
  auto reply = co_await http_.send(std::move(*request), deadline);
  co_return reply;
}

}  // namespace weir::scalers::backends::rabbitmq
