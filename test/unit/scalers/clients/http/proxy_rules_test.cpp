#include "scalers/clients/http/proxy_rules.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace weir::scalers::clients {
namespace {

Url url_of(std::string_view text) { return std::get<Url>(parse_http_url(text)); }

ProxyRules rules(std::string no_proxy, std::string proxy = "http://proxy:3128") {
  return ProxyRules(
      {{"HTTP_PROXY", proxy}, {"HTTPS_PROXY", proxy}, {"NO_PROXY", std::move(no_proxy)}});
}

ProxySetting own(const char* host) {
  return {ProxySetting::Use::own, std::make_shared<const Proxy>(Proxy{"http", host, 3128})};
}

struct Row {
  std::string_view name;
  std::string no_proxy;
  std::string_view url;
  bool is_proxied;
};

// Each verdict is that of golang.org/x/net/http/httpproxy v0.56.0.
TEST_CASE("NO_PROXY excepts the servers that it excepts in Go") {
  const Row rows[] = {
      {"no exception", "", "http://prom:9090", true},
      {"other names", "foo.com,bar.com", "http://prom:9090", true},
      {"the name itself", "prom", "http://prom:9090", false},
      {"the name in other letters", "PROM", "http://Prom:9090", false},
      {"blanks around the name", " foo.com , prom ", "http://prom:9090", false},
      {"empty entries", ",,prom,", "http://prom:9090", false},
      {"entries without commas", "foo.com prom", "http://prom:9090", true},
      {"a subdomain of the name",
       "svc.cluster.local",
       "http://prom.ml.svc.cluster.local:9090",
       false},
      {"a name that ends like the entry", "foo.com", "http://xfoo.com", true},
      {"a part of the name", "prom.ml", "http://prom.ml.svc", true},
      {"a dot in front: a subdomain", ".foo.com", "http://bar.foo.com", false},
      {"a dot in front: a deeper one", ".foo.com", "http://a.bar.foo.com", false},
      {"a dot in front: the domain", ".foo.com", "http://foo.com", true},
      {"a star in front: a subdomain", "*.foo.com", "http://bar.foo.com", false},
      {"a star in front: the domain", "*.foo.com", "http://foo.com", true},
      {"a star in front without a dot", "*foo.com", "http://barfoo.com", true},
      {"a star within", "prom.*.svc", "http://prom.ml.svc", true},
      {"a star alone", "*", "http://prom:9090", false},
      {"a star alone, for an address", "*", "http://10.0.0.1:9090", false},
      {"a star among others", "foo.com, * ,bar.com", "https://prom", false},
      {"a star with a port", "*:9090", "http://prom:9090", true},
      {"a dot at the end of the url's name", "foo.com", "http://foo.com.", true},
      {"a dot at the end of the entry", "foo.com.", "http://foo.com", true},
      {"the cluster's domains, short name", ".svc,.cluster.local", "http://prom.ml:9090", true},
      {"the cluster's domains, service", ".svc,.cluster.local", "http://prom.ml.svc:9090", false},
      {"the port of the url", "prom:9090", "http://prom:9090", false},
      {"another port", "prom:9091", "http://prom:9090", true},
      {"the port of http", "prom:80", "http://prom", false},
      {"the port of https", "prom:443", "https://prom", false},
      {"the port of the other scheme", "prom:80", "https://prom", true},
      {"a port for a subdomain", "foo.com:8080", "http://bar.foo.com:8080", false},
      {"a port for a star", "*.foo.com:8080", "http://bar.foo.com:8080", false},
      {"a port with a zero in front", "prom:080", "http://prom", true},
      {"a port that is empty", "prom:", "http://prom:9090", false},
      {"a scheme", "http://prom", "http://prom", true},
      {"a path", "prom/metrics", "http://prom/metrics", true},
      {"an address", "10.0.0.1", "http://10.0.0.1:9090", false},
      {"another address", "10.0.0.2", "http://10.0.0.1:9090", true},
      {"an address and its port", "10.0.0.1:9090", "http://10.0.0.1:9090", false},
      {"an address and another port", "10.0.0.1:80", "http://10.0.0.1:9090", true},
      {"the front of an address", "10.0.0", "http://10.0.0.1:9090", true},
      {"the end of an address", ".0.0.1", "http://10.0.0.1:9090", true},
      {"an address with zeros in front", "10.0.0.01", "http://10.0.0.1:9090", true},
      {"a network", "10.0.0.0/8", "http://10.1.2.3:9090", false},
      {"a network by one of its addresses", "10.9.9.9/8", "http://10.1.2.3", false},
      {"a network of odd bits", "10.0.0.0/15", "http://10.1.255.255", false},
      {"beyond a network of odd bits", "10.0.0.0/15", "http://10.2.0.0", true},
      {"a network of one", "10.0.0.1/32", "http://10.0.0.1", false},
      {"a network of all", "0.0.0.0/0", "http://10.0.0.1", false},
      {"a network and a name", "10.0.0.0/8", "http://prom", true},
      {"a network of all and a name", "0.0.0.0/0,::/0", "http://prom", true},
      {"a network with too many bits", "10.0.0.0/33", "http://10.0.0.1", true},
      {"a network without bits", "10.0.0.0/", "http://10.0.0.1", true},
      {"a network with a sign", "10.0.0.0/+8", "http://10.0.0.1", true},
      {"a network with a mask", "10.0.0.0/255.0.0.0", "http://10.0.0.1", true},
      {"a network with a port", "10.0.0.0/8:9090", "http://10.0.0.1:9090", true},
      {"an IPv6 address", "fd00::1", "http://[fd00::1]:9090", false},
      {"an IPv6 address in another form", "FD00:0:0::0001", "http://[fd00::1]:9090", false},
      {"an IPv6 address in brackets", "[fd00::1]", "http://[fd00::1]:9090", true},
      {"an IPv6 address and its port", "[fd00::1]:9090", "http://[fd00::1]:9090", false},
      {"an IPv6 address and another port", "[fd00::1]:80", "http://[fd00::1]:9090", true},
      {"an IPv6 network", "fd00::/8", "http://[fd12:3456::1]", false},
      {"beyond an IPv6 network", "fd00::/8", "http://[fc00::1]", true},
      {"an IPv6 network of odd bits", "2001:db8::/33", "http://[2001:db8:7fff::1]", false},
      {"beyond an IPv6 network of odd bits", "2001:db8::/33", "http://[2001:db8:8000::1]", true},
      {"an IPv6 network of all and IPv4", "::/0", "http://10.0.0.1", true},
      {"a mapped address", "::ffff:10.0.0.1", "http://10.0.0.1", false},
      {"a mapped address in the url", "10.0.0.1", "http://[::ffff:10.0.0.1]", false},
      {"a mapped network", "::ffff:10.0.0.0/104", "http://10.1.2.3", false},
      {"a mapped network of more", "::ffff:10.0.0.0/90", "http://10.1.2.3", true},
      {"localhost", "", "http://localhost:9090", false},
      {"localhost over https", "", "https://localhost", false},
      {"localhost with a dot", "", "http://localhost.", true},
      {"below localhost", "", "http://prom.localhost", true},
      {"127.0.0.1", "", "http://127.0.0.1:9090", false},
      {"any of 127.0.0.0/8", "", "http://127.255.0.1:9090", false},
      {"::1", "", "http://[::1]:9090", false},
      {"a mapped 127.0.0.1", "", "http://[::ffff:127.0.0.1]:9090", false},
      {"beyond 127.0.0.0/8", "", "http://128.0.0.1", true},
      {"an unspecified address", "", "http://0.0.0.0", true},
      {"a short form of 127.0.0.1", "", "http://127.1", true},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const ProxyChoice choice = rules(row.no_proxy).choose(url_of(row.url));

      CHECK((choice.proxy != nullptr) == row.is_proxied);
      CHECK_FALSE(choice.reason.empty());
    }
  }
}

TEST_CASE("each scheme has its own variable") {
  const ProxyRules http({{"http_proxy", "one:1"}, {"HTTPS_PROXY", ""}, {"NO_PROXY", ""}});
  const ProxyRules https({{"HTTP_PROXY", ""}, {"https_proxy", "two:2"}, {"NO_PROXY", ""}});

  CHECK(http.choose(url_of("http://prom")).text() == "http://one:1 (http_proxy)");
  CHECK(http.choose(url_of("https://prom")).text().empty());
  CHECK(https.choose(url_of("http://prom")).text().empty());
  CHECK(https.choose(url_of("https://prom")).text() == "http://two:2 (https_proxy)");
  CHECK(ProxyRules().choose(url_of("http://prom")).text().empty());
}

TEST_CASE("a url that is not of HTTP has no proxy") {
  CHECK(rules("").choose(Url{"amqps", "rabbit", 5671, ""}).text().empty());
}

TEST_CASE("a choice says why, and shows no login") {
  const ProxyRules with_login = rules(".svc", "http://user:secret@proxy:3128");

  CHECK(with_login.choose(url_of("https://prom")).text() == "http://***@proxy:3128 (HTTPS_PROXY)");
  CHECK(with_login.choose(url_of("https://prom.ml.svc")).text() == "none (.svc in NO_PROXY)");
  CHECK(with_login.choose(url_of("https://127.0.0.1")).text() ==
        "none (never used for localhost and loopback addresses)");
  CHECK(with_login.choose({ProxySetting::Use::none, nullptr}, url_of("https://prom")).text() ==
        "none (proxy: none of the backend)");
  CHECK(with_login.choose(own("other"), url_of("https://prom")).text() ==
        "http://other:3128 (proxy of the backend)");
  CHECK(with_login.choose(ProxySetting(), url_of("https://prom")).text() ==
        "http://***@proxy:3128 (HTTPS_PROXY)");
  CHECK(with_login.text() == "HTTP_PROXY http://***@proxy:3128, HTTPS_PROXY http://***@proxy:3128");
}

TEST_CASE(
    "no proxy is asked for the credentials of a cloud, also when the configuration names it") {
  const std::string_view rows[] = {"http://169.254.169.254",
                                   "http://[fd00:ec2::254]/latest",
                                   "http://[fd00:ec2:0:0::254]",
                                   "http://metadata.google.internal",
                                   "http://Metadata.Google.Internal.",
                                   "http://169.254.170.23/v1/credentials",
                                   "http://[fd00:ec2::23]"};

  for (const std::string_view row : rows) {
    DYNAMIC_SECTION(row) {
      CHECK(rules("").choose(url_of(row)).text() == "none (never used for credentials of a cloud)");
      CHECK(ProxyRules().choose(own("proxy"), url_of(row)).proxy == nullptr);
    }
  }
}

TEST_CASE("the proxy of a backend serves servers that the environment excepts") {
  const ProxyRules none = rules("*");

  CHECK(none.choose(own("own"), url_of("http://prom")).proxy->host == "own");
  CHECK(none.choose(own("own"), url_of("http://127.0.0.1:9090")).proxy->host == "own");
  CHECK(none.choose(own("own"), url_of("https://localhost")).proxy->host == "own");
}

TEST_CASE("localhost is known in any letters") {
  CHECK(rules("").choose(url_of("http://LocalHost:9090")).proxy == nullptr);
}

TEST_CASE("HTTP_PROXY of a CGI request is ignored") {
  const ProxyRules cgi({{"http_proxy", "one:1"}, {"HTTPS_PROXY", "two:2"}, {"NO_PROXY", ""}, true});

  CHECK(cgi.choose(url_of("http://prom")).proxy == nullptr);
  CHECK(cgi.choose(url_of("https://prom")).proxy != nullptr);
  REQUIRE(cgi.problems().size() == 1);
  CHECK(cgi.problems()[0] ==
        "http_proxy is ignored because REQUEST_METHOD is set, as it is for a CGI program, whose "
        "callers can set HTTP_PROXY; remove REQUEST_METHOD from the environment");
}

TEST_CASE("a variable that cannot be used is reported without its value, and ignored") {
  const ProxyRules bad({{"HTTP_PROXY", "http://user:secret@proxy:port"},
                        {"HTTPS_PROXY", "two:2"},
                        {"NO_PROXY", ""}});

  CHECK(bad.choose(url_of("http://prom")).text().empty());
  CHECK(bad.choose(url_of("https://prom")).proxy != nullptr);
  REQUIRE(bad.problems().size() == 1);
  CHECK(bad.problems()[0] ==
        "HTTP_PROXY is ignored: the url needs a valid HOST or HOST:PORT after ://; write an IPv6 "
        "address in brackets");
}

TEST_CASE("an entry of NO_PROXY that matches nothing is reported") {
  const ProxyRules blanks =
      rules("foo.com bar.com, http://prom, 10.0.0.0/33, [fd00::1], *.svc, .b");

  REQUIRE(blanks.problems().size() == 4);
  CHECK(blanks.problems()[0] ==
        "\"foo.com bar.com\" in NO_PROXY matches no server; write names, addresses and networks "
        "with commas in between, such as .svc,10.0.0.0/8");
  CHECK(rules(".svc,10.0.0.0/8,*.b,[fd00::1]:443,prom:9090,fd00::/8,a_b,").problems().empty());
}

}  // namespace
}  // namespace weir::scalers::clients
