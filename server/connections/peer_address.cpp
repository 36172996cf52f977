// Reduces an address to what a peer cannot change at will.
#include "server/connections/peer_address.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <cstddef>

namespace weir::server {
namespace {

using boost::asio::ip::address_v6;

constexpr std::size_t kNetworkBytes = 8;

}  // namespace

PeerAddress::PeerAddress(const boost::asio::ip::address& address) {
  // A socket of "::" sees a peer of 10.0.0.7 as ::ffff:10.0.0.7, which all share their first bits.
  const address_v6 v6 =
      address.is_v4()
          ? boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4())
          : address.to_v6();
  const address_v6::bytes_type all = v6.to_bytes();
  const std::size_t size = v6.is_v4_mapped() ? all.size() : kNetworkBytes;
  std::copy_n(all.begin(), size, bytes_.begin());
}

std::string PeerAddress::text() const {
  const address_v6 v6(bytes_);
  if (v6.is_v4_mapped())
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
  return v6.to_string() + "/64";
}

}  // namespace weir::server
