// SENTINEL GET-MASTER-ADDR-BY-NAME names the promoted replica from the moment of its promotion;
// SENTINEL MASTER has the epoch that orders the opinions of several Sentinels.
#include "scalers/clients/redis/sentinel_reply.hpp"

#include "scalers/clients/redis/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace weir::scalers::clients {
namespace {

using Kind = RedisReply::Kind;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Error sentinel_error(const std::string& service, const RedisReply& reply) {
  if (reply.text.starts_with("ERR No such master")) {
    return {Errc::bad_reply,
            fmt::format("a Sentinel does not monitor \"{}\"; is the name of the service right?",
                        service),
            ""};
  }
  if (reply.text.starts_with("ERR unknown command")) {
    return {Errc::bad_reply,
            "a node is not a Sentinel; write the addresses of the Sentinels, by default with port "
            "26379",
            ""};
  }
  if (reply.text.starts_with("NOPERM")) {
    return {Errc::refused,
            "the user may not ask the Sentinel; grant +sentinel|master and "
            "+sentinel|get-master-addr-by-name",
            ""};
  }
  return redis_error(reply.text);
}

}  // namespace

std::vector<RedisWords> master_commands(const std::string& service) {
  return {{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", service}, {"SENTINEL", "MASTER", service}};
}

Result<SentinelMaster> parse_master(const std::string& service,
                                    std::span<const RedisReply> replies) {
  for (const RedisReply& reply : replies) {
    if (reply.kind == Kind::error) return sentinel_error(service, reply);
  }
  const auto bad_reply = [](std::string_view what) {
    return Error{Errc::bad_reply, fmt::format("a Sentinel's reply has no {}", what), ""};
  };
  const RedisReply& address = replies.front();
  const RedisReply* epoch_text = field_of(replies.back(), "config-epoch");
  if (address.items.size() != 2 || !is_host(address.items[0].text)) return bad_reply("address");
  const auto port = parse_number<std::uint16_t>(address.items[1].text);
  if (!port || *port == 0) return bad_reply("port");
  const auto epoch =
      epoch_text == nullptr ? std::nullopt : parse_number<std::uint64_t>(epoch_text->text);
  if (!epoch) return bad_reply("config-epoch");
  SentinelMaster out{{address.items[0].text, *port}, *epoch};
  const RedisReply* flags = field_of(replies.back(), "flags");
  const RedisReply* old_port = field_of(replies.back(), "port");
  const RedisReply* old_host = field_of(replies.back(), "ip");
  // After the promotion the flags are still those of the old master.
  const bool is_old =
      old_host == nullptr || old_port == nullptr ||
      (old_host->text == out.address.host && old_port->text == address.items[1].text);
  if (flags != nullptr && is_old) {
    const auto has = [&](std::string_view flag) {
      return flags->text.find(flag) != std::string::npos;
    };
    out.is_down = has("s_down") || has("o_down");
    out.is_replaced = has("o_down") || has("failover_in_progress");
  }
  return out;
}

Result<SentinelMaster> newest_master(std::span<const Result<SentinelMaster>> opinions,
                                     std::size_t configured) {
  const auto answered = static_cast<std::size_t>(
      std::ranges::count_if(opinions, [](const auto& opinion) { return bool{opinion}; }));
  if (2 * answered <= configured) {
    const auto failed =
        std::ranges::find_if(opinions, [](const auto& opinion) { return !opinion; });
    const Error why = failed == opinions.end() ? Error{Errc::timed_out, "no response in time", ""}
                                               : failed->error();
    if (configured == 1) return why.within("the Sentinel");
    return why.within(fmt::format("{} of {} Sentinels named the master, which is no majority",
                                  answered,
                                  configured));
  }
  const SentinelMaster* newest = nullptr;
  for (const auto& opinion : opinions) {
    if (opinion && (newest == nullptr || opinion->epoch > newest->epoch)) newest = &*opinion;
  }
  for (const auto& opinion : opinions) {
    if (opinion && opinion->epoch == newest->epoch && opinion->address != newest->address)
      return Error{Errc::partial, "the Sentinels name different masters", ""};
  }
  const auto count = [&](auto is_counted) {
    return static_cast<std::size_t>(std::ranges::count_if(opinions, [&](const auto& opinion) {
      return opinion && opinion->epoch == newest->epoch && is_counted(*opinion);
    }));
  };
  const std::size_t down = count([](const auto& opinion) { return opinion.is_down; });
  const std::size_t replaced = count([](const auto& opinion) { return opinion.is_replaced; });
  if (replaced > 0 || 2 * down > configured) {
    return Error{Errc::partial,
                 "the Sentinels take the master for down, or a failover is in progress",
                 ""};
  }
  SentinelMaster out = *newest;
  out.is_of_all = answered == configured;
  return out;
}

std::optional<Error> master_problem(const RedisReply& role) {
  if (role.kind == Kind::error) {
    Error why = redis_error(role.text);
    if (why.code != Errc::forbidden) return why;
    return Error{Errc::refused,
                 "the server that the Sentinels name counts only if it is a master by ROLE; grant "
                 "+role",
                 ""};
  }
  if (role.items.empty() || role.items[0].kind != Kind::text)
    return Error{Errc::bad_reply, "the response to ROLE has an unexpected type", ""};
  if (role.items[0].text == "master") return std::nullopt;
  if (role.items[0].text == "slave") {
    return Error{
        Errc::partial,
        "the server that the Sentinels name as the master is a replica (ROLE: slave); is a "
        "failover in progress?",
        ""};
  }
  return Error{Errc::bad_reply, "the server that the Sentinels name is not a master by ROLE", ""};
}

}  // namespace weir::scalers::clients
