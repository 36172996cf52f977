// The address that a peer's connections are counted by. Pure.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <array>
#include <compare>
#include <string>

namespace weir::server {

// An IPv4 address, also where IPv6 maps it, or the first 64 bits of an IPv6 address: a host with
// one address of such a network has all of them.
class PeerAddress {
 public:
  // The unspecified address, for a peer that has disconnected already.
  PeerAddress() = default;
  explicit PeerAddress(const boost::asio::ip::address& address);

  // "10.0.0.7", "2001:db8:0:1::/64".
  [[nodiscard]] std::string text() const;

  friend auto operator<=>(const PeerAddress&, const PeerAddress&) = default;

 private:
  std::array<unsigned char, 16> bytes_{};  // IPv4 as IPv6 maps it
};

}  // namespace weir::server
