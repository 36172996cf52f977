// The servers that NO_PROXY excepts from a proxy, by the rules of Go's httpproxy. Pure.
#pragma once

#include "scalers/settings/url.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

// An IP address. An IPv4 address mapped into IPv6 is the IPv4 address.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  // the first four of an IPv4 address
  bool is_v4 = false;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};
// Without brackets, zone and leading zeros; nullopt for anything else.
[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);

// Servers without a proxy: the entries of NO_PROXY.
class NoProxyList {
 public:
  NoProxyList() = default;
  // Entries with commas in between.
  explicit NoProxyList(std::string_view list);
  // The entry that the server matches, in lower case; empty: none.
  [[nodiscard]] std::string_view match(const Url& url) const;
  // Entries that match no server, as in Go, because they have a blank, a scheme or a path.
  [[nodiscard]] std::vector<std::string> unusable() const;

 private:
  struct Entry {
    std::string text;
    std::optional<IpAddress> address = {};  // an address or a network; nullopt: a domain
    unsigned prefix = 0;                    // bits of the network
    std::string domain = {};                // with the dot in front
    bool includes_domain = false;           // also without the dot
    std::string port = {};                  // empty: any
    bool is_all = false;

    [[nodiscard]] bool matches(const std::optional<IpAddress>& ip,
                               const std::string& host,
                               const std::string& port_text) const;
  };
  static std::optional<Entry> parse(std::string_view text);
  static std::optional<Entry> parse_network(std::string_view text);

  std::vector<Entry> entries_;
};

}  // namespace weir::scalers::clients
