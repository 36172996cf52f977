#include "server/config/local_files.hpp"

#include "server/yaml/parse.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace weir::server {
namespace {

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
