#include "server/connections/peer_address.hpp"

#include <catch2/catch.hpp>

namespace weir::server {
namespace {

PeerAddress at(const char* text) { return PeerAddress(boost::asio::ip::make_address(text)); }

TEST_CASE("S40: an IPv4 address counts for itself, also where IPv6 maps it") {
  CHECK(at("10.0.0.7") == at("::ffff:10.0.0.7"));
  CHECK(at("10.0.0.7") != at("10.0.0.8"));
  CHECK(at("::ffff:10.0.0.7") != at("::ffff:10.0.0.8"));
  CHECK(at("::ffff:10.0.0.7").text() == "10.0.0.7");
}

TEST_CASE("S40: IPv6 addresses count by their first 64 bits") {
  CHECK(at("2001:db8:0:1::7") == at("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  CHECK(at("2001:db8:0:1::7") != at("2001:db8:0:2::7"));
  CHECK(at("2001:db8:0:1::7").text() == "2001:db8:0:1::/64");
}

TEST_CASE("a peer that has disconnected has an address of its own") {
  CHECK(PeerAddress() != at("10.0.0.7"));
  CHECK(PeerAddress().text() == "::/64");
}

}  // namespace
}  // namespace weir::server
