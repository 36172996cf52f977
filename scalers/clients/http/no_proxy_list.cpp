// What an entry matches differs from curl's NO_PROXY: a domain with a dot in front is its
// subdomains alone, and an entry may have a port.
#include "scalers/clients/http/no_proxy_list.hpp"

#include "scalers/text/utf8.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr std::size_t kV4Bytes = 4;
constexpr std::size_t kMappedAt = 12;  // the IPv4 address within a mapped one
constexpr unsigned kMappedBits = 96;

bool is_mapped(const std::array<std::uint8_t, 16>& bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto byte) { return byte == 0; }) &&
         bytes[10] == 0xff && bytes[11] == 0xff;
}

IpAddress v4_within(const std::array<std::uint8_t, 16>& bytes) {
  IpAddress out{{}, true};
  std::copy(bytes.begin() + kMappedAt, bytes.end(), out.bytes.begin());
  return out;
}

void clear_host_bits(IpAddress& address, unsigned prefix) {
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const std::size_t kept = std::clamp<std::size_t>(prefix, i * 8, i * 8 + 8) - i * 8;
    address.bytes[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto begin = std::min(text.find_first_not_of(kSpace), text.size());
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

struct HostPort {
  std::string_view host;
  std::string_view port;
};

// "host:port" or "[v6]:port"; nullopt without a port, or for an IPv6 address without brackets.
std::optional<HostPort> split_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (!is_bracketed && host.find(':') != host.npos) return std::nullopt;
  if (host.find_first_of("[]") != host.npos) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  if (port.find_first_of("[]") != port.npos) return std::nullopt;
  return HostPort{host, port};
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string terminated(text);  // as inet_pton() needs it
  IpAddress out;
  if (::inet_pton(AF_INET, terminated.c_str(), out.bytes.data()) == 1) {
    out.is_v4 = true;
    return out;
  }
  if (::inet_pton(AF_INET6, terminated.c_str(), out.bytes.data()) != 1) return std::nullopt;
  return is_mapped(out.bytes) ? v4_within(out.bytes) : out;
}

NoProxyList::NoProxyList(std::string_view list) {
  while (!list.empty()) {
    const std::string_view item = trimmed(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(list.size(), list.find(',')));
    if (!list.empty()) list.remove_prefix(1);
    if (item == "*") {
      entries_ = {Entry{.text = "*", .is_all = true}};
      return;
    }
    if (auto entry = parse(lower_case(item))) entries_.push_back(std::move(*entry));
  }
}

std::optional<NoProxyList::Entry> NoProxyList::parse_network(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const std::string_view front = text.substr(0, slash);
  const std::string_view digits = text.substr(slash + 1);
  Entry out{.text = std::string(text), .address = parse_ip(front)};
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.prefix);
  const bool is_number =
      failed == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
  const bool is_v4_text = front.find(':') == front.npos;
  if (!out.address || !is_number || out.prefix > (is_v4_text ? 32U : 128U)) return std::nullopt;
  if (out.address->is_v4 && !is_v4_text) {
    // Of a mapped address: a network of IPv4, or one of IPv6 that has all mapped addresses in it
    // and, as in Go, none of IPv4.
    if (out.prefix >= kMappedBits) {
      out.prefix -= kMappedBits;
    } else {
      IpAddress wide;
      std::copy_n(out.address->bytes.begin(), kV4Bytes, wide.bytes.begin() + kMappedAt);
      wide.bytes[10] = wide.bytes[11] = 0xff;
      out.address = wide;
    }
  }
  clear_host_bits(*out.address, out.prefix);
  return out;
}

std::optional<NoProxyList::Entry> NoProxyList::parse(std::string_view text) {
  if (auto network = parse_network(text)) return network;
  const auto split = split_host_port(text);
  std::string_view host = split ? split->host : text;
  if (host.empty()) return std::nullopt;
  Entry out{.text = std::string(text)};
  if (split) out.port = split->port;
  out.address = parse_ip(host);
  if (out.address) {
    out.prefix = out.address->is_v4 ? 32 : 128;
    return out;
  }
  if (host.starts_with("*.")) host.remove_prefix(1);
  out.includes_domain = !host.starts_with('.');
  out.domain = fmt::format("{}{}", out.includes_domain ? "." : "", host);
  return out;
}

bool NoProxyList::Entry::matches(const std::optional<IpAddress>& ip,
                                 const std::string& host,
                                 const std::string& port_text) const {
  if (is_all) return true;
  if (!port.empty() && port != port_text) return false;
  if (address) {
    if (!ip || ip->is_v4 != address->is_v4) return false;
    IpAddress network = *ip;
    clear_host_bits(network, prefix);
    return network == *address;
  }
  if (ip) return false;
  return host.ends_with(domain) || (includes_domain && host == std::string_view(domain).substr(1));
}

std::string_view NoProxyList::match(const Url& url) const {
  const std::string host = lower_case(url.host);
  const auto ip = parse_ip(host);
  const std::string port = fmt::format("{}", url.port);
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.matches(ip, host, port);
  });
  return found == entries_.end() ? std::string_view{} : found->text;
}

std::vector<std::string> NoProxyList::unusable() const {
  std::vector<std::string> out;
  for (const Entry& entry : entries_) {
    // Such as "a b", and "http://a", whose port is "//a". No name of a server has one of these.
    const bool is_name = entry.domain.find_first_of(" \t/*[]:") == entry.domain.npos;
    const bool is_number = entry.port.find_first_not_of("0123456789") == entry.port.npos;
    if (!is_name || !is_number) out.push_back(entry.text);
  }
  return out;
}

}  // namespace weir::scalers::clients
