// Slots and redirects by Redis' cluster specification.
#include "scalers/clients/redis/redirect.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <utility>

namespace weir::scalers::clients {
namespace {

// One step of CRC-16 for every byte: polynomial 0x1021, initial value 0, not reflected.
constexpr std::array<std::uint16_t, 256> kCrc16 = [] {
  std::array<std::uint16_t, 256> out{};
  for (std::size_t byte = 0; byte < out.size(); ++byte) {
    auto crc = static_cast<std::uint16_t>(byte << 8U);
    for (int bit = 0; bit < 8; ++bit) {
      const bool has_carry = (crc & 0x8000U) != 0;
      crc = static_cast<std::uint16_t>(crc << 1U);
      if (has_carry) crc = static_cast<std::uint16_t>(crc ^ 0x1021U);
    }
    out[byte] = crc;
  }
  return out;
}();

std::string_view hashed_part(std::string_view key) {
  const auto open = key.find('{');
  if (open == key.npos) return key;
  const auto close = key.find('}', open + 1);
  if (close == key.npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

// "HOST:PORT"; an IPv6 address is without brackets.
std::optional<RedisAddress> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  RedisAddress out{std::string(text.substr(0, colon)), 0};
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  const bool is_number = failed == std::errc{} && end == digits.data() + digits.size();
  // An empty host means that of the node that was asked.
  const bool is_named = out.host.empty() || is_host(out.host);
  if (!is_number || out.port == 0 || !is_named) return std::nullopt;
  return out;
}

bool is_transaction(const std::vector<RedisWords>& all) { return all.front().front() == "MULTI"; }

}  // namespace

std::uint16_t slot_of(std::string_view key) {
  unsigned crc = 0;
  for (const char c : hashed_part(key)) {
    const auto byte = static_cast<unsigned char>(c);
    crc = ((crc << 8U) ^ kCrc16[((crc >> 8U) ^ byte) & 0xFFU]) & 0xFFFFU;
  }
  return static_cast<std::uint16_t>(crc % kSlots);
}

Result<std::optional<Redirect>> find_redirect(std::span<const RedisReply> replies,
                                              const RedisAddress& sender) {
  for (const RedisReply& reply : replies) {
    if (reply.kind != RedisReply::Kind::error) continue;
    std::string_view text = reply.text;
    // ElastiCache Serverless writes redirects so.
    if (text.starts_with("ERR ")) text.remove_prefix(4);
    const bool is_ask = text.starts_with("ASK ");
    if (!is_ask && !text.starts_with("MOVED ")) continue;
    auto address = parse_address(text.substr(text.rfind(' ') + 1));
    if (!address) {
      return Error{Errc::bad_reply,
                   "the cluster names no address for the key; set cluster-announce-hostname on its "
                   "nodes, or cluster-preferred-endpoint-type ip",
                   ""};
    }
    if (address->host.empty()) address->host = sender.host;
    return std::optional(Redirect{is_ask, std::move(*address)});
  }
  return std::optional<Redirect>();
}

std::vector<RedisWords> with_asking(const std::vector<RedisWords>& all) {
  std::vector<RedisWords> out;
  for (const RedisWords& words : all) {
    if (out.empty() || !is_transaction(all)) out.push_back({"ASKING"});
    out.push_back(words);
  }
  return out;
}

std::vector<RedisReply> without_asking(const std::vector<RedisWords>& all,
                                       std::vector<RedisReply> replies) {
  std::vector<RedisReply> out;
  const std::size_t step = is_transaction(all) ? 1 : 2;
  for (std::size_t i = 1; i < replies.size(); i += step) out.push_back(std::move(replies[i]));
  return out;
}

}  // namespace weir::scalers::clients
