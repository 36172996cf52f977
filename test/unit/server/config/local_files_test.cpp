#include "server/config/local_files.hpp"

#include "server/yaml/parse.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

// The node in one line, without the places.
std::string shown(const scalers::Node& node) {
  std::string out = node.text;
  for (const auto& item : node.items) out += "[" + shown(item) + "]";
  for (const auto& field : node.fields) out += "{" + field.key + ": " + shown(field.value) + "}";
  return out;
}

TEST_CASE("paths of files of backends are resolved, and nothing else is") {
  scalers::Problems problems;
  std::vector documents{parse_yaml(
      "{backends: {tls: {redis: {url: a, password: {file: b}, key: k, tls: {ca: c, key: {x: y}},"
      " headers: {X: {file: d}}}}}, metrics: [{name: m, redis: {tls: {ca: e}}}]}",
      "/there/weir.yaml",
      problems)};

  resolve_local_files(documents);

  const auto* redis = documents[0].find("backends")->find("tls")->find("redis");
  const auto* metric = documents[0].find("metrics")->items[0].find("redis");
  CHECK(redis->find("url")->text == "a");
  CHECK(redis->find("password")->find("file")->text == "/there/b");
  CHECK(redis->find("key")->text == "k");
  CHECK(redis->find("tls")->find("ca")->text == "/there/c");
  CHECK(redis->find("tls")->find("key")->find("x")->text == "y");
  CHECK(redis->find("headers")->find("X")->find("file")->text == "/there/d");
  CHECK(metric->find("tls")->find("ca")->text == "e");
}

TEST_CASE("a path is the whole value of a setting or of a header") {
  struct Row {
    std::string_view name;
    std::string written;
    std::string resolved;
  };
  const Row rows[] = {
      {"of a setting", "token: {file: a}", "token: {file: /there/a}"},
      {"of a setting of a block",
       "auth: {oauth2: {clientSecret: {file: a}}}",
       "auth: {oauth2: {clientSecret: {file: /there/a}}}"},
      {"of a header", "headers: {X-Key: {file: a}}", "headers: {X-Key: {file: /there/a}}"},
      {"of a header named file", "headers: {file: {file: a}}", "headers: {file: {file: /there/a}}"},
      {"of a header named headers",
       "headers: {headers: {file: a}}",
       "headers: {headers: {file: /there/a}}"},
      {"the text of a header named file", "headers: {file: a}", "headers: {file: a}"},
      {"the text of a header named file, with others",
       "headers: {file: a, X-Key: b}",
       "headers: {file: a, X-Key: b}"},
      {"the text of a parameter named file", "parameters: {file: a}", "parameters: {file: a}"},
      {"the texts of a parameter named file",
       "parameters: {file: [a, b]}",
       "parameters: {file: [a, b]}"},
      {"of a block within",
       "auth: {oauth2: {parameters: {file: a}}}",
       "auth: {oauth2: {parameters: {file: a}}}"},
      {"beside another key", "token: {file: a, x: b}", "token: {file: a, x: b}"},
      {"of the kind", "file: a", "file: a"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      scalers::Problems problems;
      const auto parsed = [&problems](const std::string& settings) {
        return parse_yaml("{backends: {b: {prometheus: {" + settings + "}}}}",
                          "/there/weir.yaml",
                          problems);
      };
      std::vector documents{parsed(row.written)};

      resolve_local_files(documents);

      // Not the documents, because the places of what follows the path differ.
      const auto settings_of = [](const scalers::Node& document) {
        return shown(*document.find("backends")->find("b")->find("prometheus"));
      };
      CHECK(settings_of(documents[0]) == settings_of(parsed(row.resolved)));
    }
  }
}

TEST_CASE("a relative path starts in the folder of its file") {
  struct Row {
    std::string_view name;
    std::string file;
    std::string path;
    std::string resolved;
  };
  const std::string here = std::filesystem::current_path().string();
  const Row rows[] = {
      {"beside the file", "/etc/weir/a.yaml", "password", "/etc/weir/password"},
      {"above the file", "/etc/weir/a.yaml", "../keys/./password", "/etc/keys/password"},
      {"absolute", "/etc/weir/a.yaml", "/var/password", "/var/password"},
      {"a relative file", "conf/a.yaml", "password", here + "/conf/password"},
      {"a file in the working folder", "a.yaml", "password", here + "/password"},
      {"empty, which is an error of its own", "/etc/weir/a.yaml", "''", ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      scalers::Problems problems;
      std::vector documents{
          parse_yaml("{backends: {b: {redis: {password: {file: " + row.path + "}}}}}",
                     row.file,
                     problems)};

      resolve_local_files(documents);

      const auto* redis = documents[0].find("backends")->find("b")->find("redis");
      CHECK(redis->find("password")->find("file")->text == row.resolved);
    }
  }
}

}  // namespace
}  // namespace weir::server
