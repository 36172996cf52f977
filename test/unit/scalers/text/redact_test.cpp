#include "scalers/text/redact.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using namespace std::string_literals;

struct Row {
  std::string_view name;
  std::string raw;
  std::string shown;
};

void check(const Row& row, const std::vector<std::string>& hidden = {}) {
  DYNAMIC_SECTION(row.name) { CHECK(remote_text(row.raw, hidden) == row.shown); }
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST_CASE("addresses are hidden") {
  const Row rows[] = {
      {"a url", "Get http://prom:9090/api failed", "Get [hidden] failed"},
      {"a url with a user", "see https://me:s3cret@prom/x", "see [hidden]"},
      {"a url in quotes", "Get \"http://prom:9090/api\"", "Get \"[hidden]\""},
      {"a url with a query", "amqp://broker?x=1", "[hidden]"},
      {"another scheme", "redis+tls://cache", "[hidden]"},
      {"an IPv4 address", "from 10.1.2.3 lost", "from [hidden] lost"},
      {"an IPv4 address and port", "dial tcp 10.1.2.3:9090: refused", "dial tcp [hidden]: refused"},
      {"an IPv6 address and port",
       "dial tcp [fd00::1]:9090: refused",
       "dial tcp [hidden]: refused"},
      {"a name without a dot and its port", "broker:5672 is down", "[hidden] is down"},
      {"a port alone",
       "Failed to connect to it port 34461: no",
       "Failed to connect to it [hidden]: no"},
      {"a name and its port", "store db.ml.svc:5432 is down", "store [hidden] is down"},
      {"Go's resolver",
       "lookup prom.ml on 10.0.0.10:53: no such host",
       "[hidden] on [hidden]: no such host"},
      {"two of them", "10.1.2.3 and 10.1.2.4", "[hidden] and [hidden]"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("host names are hidden") {
  const Row rows[] = {
      {"a certificate's names in Go's words",
       "x509: certificate is valid for worker-0.internal.corp.example, not "
       "db.internal.corp.example",
       "x509: certificate is valid for [hidden], not [hidden]"},
      {"several of them",
       "valid for a, *.b, c.d, not e: bad certificate",
       "valid for [hidden], not [hidden]: bad certificate"},
      {"a certificate without names",
       "x509: certificate is not valid for any names, but wanted to match db",
       "x509: certificate is not valid for any names, but wanted to match [hidden]"},
      {"a certificate's names in curl's words",
       "certificate subject name 'worker-0' does not match target host name 'db'",
       "certificate subject name [hidden] does not match target host name [hidden]"},
      {"three labels", "node worker-0.corp.com is gone", "node [hidden] is gone"},
      {"in brackets", "(worker-0.eu.corp.com) left", "([hidden]) left"},
      {"two of them", "a.corp.com b.corp.com,c.corp.com.", "[hidden] [hidden],[hidden]."},
      {"a wildcard", "for *.corp.com only", "for [hidden] only"},
      {"a service", "\"db.ml.svc\" is gone", "\"[hidden]\" is gone"},
      {"a cluster's name", "'db.ml.svc.cluster.local'", "'[hidden]'"},
      {"a private name of two labels", "DB.Internal is gone", "[hidden] is gone"},
      {"a name at the end", "no route to db.local", "no route [hidden]"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a text that only looks like an address is unchanged") {
  const Row rows[] = {
      {"a parse position", "1:5: parse error: unexpected )", "1:5: parse error: unexpected )"},
      {"a range", "rate(x[5m:1m])", "rate(x[5m:1m])"},
      {"a time", "at 12:30:15", "at 12:30:15"},
      {"a version", "version 2.42.0", "version 2.42.0"},
      {"a metric's name", "job:x:rate5m", "job:x:rate5m"},
      {"a queue's name", "no queue 'ml.requests'", "no queue 'ml.requests'"},
      {"a queue's name of three words", "no queue 'eu.ml.requests'", "no queue 'eu.ml.requests'"},
      {"a file's name", "open weir.yaml: denied", "open weir.yaml: denied"},
      {"a word like a domain", "no x.localized or svc", "no x.localized or svc"},
      {"a longer version", "version 2.42.0-rc.1", "version 2.42.0-rc.1"},
      {"a sentence's end", "It ended.Then it began.", "It ended.Then it began."},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a hidden text is hidden in its other forms too") {
  const std::vector<std::string> hidden{"sum(\n  x\n)", "up{a=\"b\"}"};
  const Row rows[] = {
      {"with a port after it", "dial sum(\n  x\n):9090: refused", "dial [hidden]: refused"},
      {"with no port after it", "sum(\n  x\n):123456 sum(\n  x\n):", "[hidden]:123456 [hidden]:"},
      {"of several lines", "bad query: sum(\n  x\n) !", "bad query: [hidden] !"},
      {"echoed in quotes", R"(bad query "up{a=\"b\"}")", "bad query \"[hidden]\""},
      {"with its line ends escaped", R"q(bad query "sum(\n  x\n)")q", "bad query \"[hidden]\""},
  };

  for (const Row& row : rows) check(row, hidden);
}

TEST_CASE("a secret is hidden however a server encodes it") {
  const std::vector<std::string> hidden{R"(p@ss/w+rd="x y"&%)", "tok/en+AA=="};
  const Row rows[] = {
      {"as it is", R"(bad p@ss/w+rd="x y"&%!)", "bad [hidden]!"},
      {"percent-encoded", "bad p%40ss%2Fw%2Brd%3D%22x%20y%22%26%25!", "bad [hidden]!"},
      {"percent-encoded in lower case",
       "bad p%40ss%2fw%2brd%3d%22x%20y%22%26%25!",
       "bad [hidden]!"},
      {"percent-encoded in part", "bad p@ss/w%2Brd=%22x%20y%22&%25!", "bad [hidden]!"},
      {"as a form", "bad pw=p%40ss%2Fw%2Brd%3D%22x+y%22%26%25&a=b", "bad pw=[hidden]&a=b"},
      {"as JSON", R"(bad "p@ss/w+rd=\"x y\"&%"!)", "bad \"[hidden]\"!"},
      {"as JSON with escaped slashes", R"(bad "p@ss\/w+rd=\"x y\"&%"!)", "bad \"[hidden]\"!"},
      {"as JSON of Go", R"(bad "p@ss/w+rd=\"x y\"\u0026%"!)", "bad \"[hidden]\"!"},
      {"as HTML", "bad p@ss/w+rd=&quot;x y&quot;&amp;%!", "bad [hidden]!"},
      {"as HTML with numbers", "bad p@ss/w&#43;rd=&#34;x y&#x22;&#38;%!", "bad [hidden]!"},
      {"with more blanks", "bad p@ss/w+rd=\"x \n\t  y\"&%!", "bad [hidden]!"},
      {"another token as it is", "bad tok/en+AA==.", "bad [hidden]."},
      {"another token, percent-encoded", "bad tok%2Fen%2BAA%3D%3D.", "bad [hidden]."},
      {"another token in lower case", "bad tok%2fen%2bAA%3d%3d.", "bad [hidden]."},
      {"another token as JSON", R"(bad "tok\/en+AA==".)", "bad \"[hidden]\"."},
      {"another token as HTML", "bad tok&#x2F;en&#43;AA==.", "bad [hidden]."},
      {"both", "tok/en%2BAA== p@ss/w+rd=\"x+y\"&amp;%25", "[hidden] [hidden]"},
      {"another case", "bad TOK/en+AA==.", "bad TOK/en+AA==."},
  };

  for (const Row& row : rows) {
    check(row, hidden);
    DYNAMIC_SECTION(row.name << ", with addresses") {
      CHECK(addressed_text(row.raw, hidden) == row.shown);
    }
  }
}

TEST_CASE("a secret is hidden when it is encoded more than once") {
  const std::vector<std::string> hidden{R"(p@ss/w+rd="x y"&%)", "tok/en+AA=="};
  const Row rows[] = {
      {"percent-encoded twice",
       "bad p%2540ss%252Fw%252Brd%253D%2522x%2520y%2522%2526%2525!",
       "bad [hidden]!"},
      {"percent-encoded three times", "bad tok%25252Fen%25252BAA%25253D%25253D.", "bad [hidden]."},
      {"JSON in JSON",
       R"({"e":"{\"k\":\"p@ss/w+rd=\\\"x y\\\"&%\"}"})",
       R"({"e":"{\"k\":\"[hidden]\"}"})"},
      {"JSON of Go in JSON", R"(bad "tok\\\/en\\u002bAA\\u003d\\u003d".)", "bad \"[hidden]\"."},
      {"JSON in JSON in JSON", R"(bad p@ss/w+rd=\\\\\\\"x y\\\\\\\"&%!)", "bad [hidden]!"},
      {"a url in JSON", R"(bad "tok%2Fen\u00252BAA%3D%3D".)", "bad \"[hidden]\"."},
      {"HTML twice", "bad p@ss/w+rd=&amp;quot;x y&amp;quot;&amp;amp;%!", "bad [hidden]!"},
      {"HTML in JSON", R"(bad p@ss/w+rd=\u0026quot;x y\u0026quot;\u0026amp;%!)", "bad [hidden]!"},
      {"JSON in HTML", "bad p@ss/w+rd=\\&quot;x y\\&quot;&amp;%!", "bad [hidden]!"},
  };

  for (const Row& row : rows) {
    check(row, hidden);
    DYNAMIC_SECTION(row.name << ", with addresses") {
      CHECK(addressed_text(row.raw, hidden) == row.shown);
    }
  }
}

TEST_CASE("a secret is hidden within base64") {
  const std::vector<std::string> hidden{"correct>horse?battery"};
  const Row rows[] = {
      {"alone", "bad Y29ycmVjdD5ob3JzZT9iYXR0ZXJ5!", "bad [hidden]!"},
      {"of a url's alphabet", "bad Y29ycmVjdD5ob3JzZT9iYXR0ZXJ5 x", "bad [hidden] x"},
      {"after one byte", "bad eGNvcnJlY3Q-aG9yc2U_YmF0dGVyeQ!", "bad [hidden]!"},
      {"after one byte, with padding", "bad eGNvcnJlY3Q+aG9yc2U/YmF0dGVyeQ==!", "bad [hidden]!"},
      {"after two bytes",
       "bad eHhjb3JyZWN0Pmhvcn"
       "NlP2JhdHRlcnk=, x",
       "bad [hidden], x"},
      {"as a login", "k=\"bWU6Y29ycmVjdD5ob3JzZT9iYXR0ZXJ5OngK\"", "k=\"[hidden]\""},
      {"percent-encoded", "s=eGNvcnJlY3Q%2BaG9yc2U%2FYmF0dGVyeQ%3D%3D&x", "s=[hidden]&x"},
      {"in JSON", R"({"t":"eGNvcnJlY3Q+aG9yc2U\/YmF0dGVyeQ=="})", R"({"t":"[hidden]"})"},
      {"of another text", "bad Y29ycmVjdCBiYXR0ZXJ5!", "bad Y29ycmVjdCBiYXR0ZXJ5!"},
  };

  for (const Row& row : rows) check(row, hidden);
  // Its digits are also found in other words.
  CHECK(remote_text("bad YWIx", std::vector<std::string>{"ab1"}) == "bad YWIx");
}

TEST_CASE("secrets that overlap are hidden together") {
  const std::vector<std::string> hidden{"abc123", "123xyz"};

  CHECK(remote_text("bad abc123xyz!", hidden) == "bad [hidden]!");
  CHECK(remote_text("bad abc123123xyz!", hidden) == "bad [hidden][hidden]!");
}

TEST_CASE("the beginning of a truncated secret that is encoded twice is hidden") {
  const std::string secret = "abcd/" + std::string(4000, 'q');
  const std::string encoded = "abcd%252F" + std::string(4000, 'q');

  CHECK(remote_text(encoded + encoded + encoded, std::vector{secret}) == "[hidden][hidden]");
}

TEST_CASE("the beginning of a truncated secret in base64 is hidden") {
  const std::string secret(6000, 'q');
  std::string encoded;
  for (int i = 0; i < 2000; ++i) encoded += "cXFx";

  CHECK(remote_text(encoded + "." + encoded, std::vector{secret}) == "[hidden].");
}

TEST_CASE("the beginning of a truncated and encoded secret is hidden") {
  const std::string secret = "abcd/" + std::string(4000, 'q');
  const std::string encoded = "abcd%2F" + std::string(4000, 'q');

  const std::string shown = remote_text(encoded + encoded + encoded, std::vector{secret});

  CHECK(shown == "[hidden][hidden]");
}

TEST_CASE("the beginning of a truncated hidden text is hidden") {
  const std::string secret(4000, 'q');

  const std::string shown = remote_text(secret + secret + secret, std::vector{secret});

  CHECK(shown == "[hidden][hidden]");
}

TEST_CASE("a short hidden text does not break other words or numbers") {
  const std::vector<std::string> hidden{"1", "up", "10"};
  const Row rows[] = {
      {"a position", "1:11: parse error near setup", "[hidden]:11: parse error near setup"},
      {"an address with its digits", "dial 10.0.0.10:53: lost", "dial [hidden]: lost"},
      {"the query itself", "no metric up here", "no metric [hidden] here"},
  };

  for (const Row& row : rows) check(row, hidden);
}

TEST_CASE("urls, users and hosts in a remote text are hidden") {
  const Row rows[] = {
      {"a whole url", "Get http://thanos:10901/x?match=secretquery", "Get [hidden]"},
      {"a user", "login failed for user=admin", "login failed for [hidden]"},
      {"a bare IPv6 address", "dial fe80:1:2:3::4 failed", "dial [hidden] failed"},
      {"a name without a port", "connect to thanos-store.mon.svc", "connect [hidden]"},
      {"a time is not an address", "at 12:34:56 it failed", "at 12:34:56 it failed"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("redacted texts are hidden") {
  const std::vector<std::string> hidden{"prom", "prometheus", "s3cret", "", "up{}"};
  const Row rows[] = {
      {"a secret", "bad token s3cret!", "bad token [hidden]!"},
      {"twice", "s3crets3cret", "[hidden][hidden]"},
      {"the longer one first", "prometheus and prom", "[hidden] and [hidden]"},
      {"the query", "parse error in up{}", "parse error in [hidden]"},
      {"nothing but it", "s3cret", "[hidden]"},
      {"none", "all is well", "all is well"},
      {"across the end of what is shown",
       repeated("x", 296) + "s3cret",
       repeated("x", 296) + "[..."},
  };

  for (const Row& row : rows) check(row, hidden);
}

TEST_CASE("a hidden text that is part of its replacement is replaced once") {
  CHECK(remote_text("hidden or not", std::vector<std::string>{"hidden"}) == "[hidden] or not");
}

TEST_CASE("a remote text becomes one printable line") {
  const Row rows[] = {
      {"line ends", "a\r\nb\nc", "a b c"},
      {"blanks at both ends", "\n\t a \n", " a"},
      {"a terminal's escape", "a\x1b[31mb", "a [31mb"},
      {"a terminal's escape in one character", "a\u009b31mb", "a 31mb"},
      {"NUL", "a\0b"s, "a b"},
      {"DEL", "a\x7f", "a"},
      {"UTF-8 of two, three and four bytes", "\u00e9\u20ac\U0001f600", "\u00e9\u20ac\U0001f600"},
      {"a lone continuation", "a\x80z", "a z"},
      {"a cut sequence", "a\xe2\x82", "a"},
      {"a sequence cut by text", "\xe2\x82z", "z"},
      {"an impossible byte", "a\xff\xfez", "a z"},
      {"an overlong slash", "a\xc0\xafz", "a z"},
      {"empty", "", ""},
      {"only control bytes", "\n\n\n", ""},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a remote text has at most 300 bytes, truncated between characters") {
  const Row rows[] = {
      {"300 bytes", repeated("x", 300), repeated("x", 300)},
      {"301 bytes", repeated("x", 301), repeated("x", 297) + "..."},
      {"a megabyte", repeated("x", 1 << 20), repeated("x", 297) + "..."},
      {"two bytes across the end",
       repeated("x", 296) + repeated("\u00e9", 10),
       repeated("x", 296) + "..."},
      {"three bytes across the end",
       repeated("x", 295) + repeated("\u20ac", 10),
       repeated("x", 295) + "..."},
      {"four bytes across the end",
       repeated("x", 294) + repeated("\U0001f600", 10),
       repeated("x", 294) + "..."},
      {"four bytes just in front of the end",
       repeated("x", 293) + repeated("\U0001f600", 10),
       repeated("x", 293) + "\U0001f600..."},
  };

  for (const Row& row : rows) check(row);
}

}  // namespace
}  // namespace weir::scalers
