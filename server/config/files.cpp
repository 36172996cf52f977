// Finds and reads the configuration files. Does not parse them, so that a reload can compare
// fingerprints first.
#include "server/config/files.hpp"

#include "server/config/foreign.hpp"
#include "server/config/local_files.hpp"
#include "server/crypto/sha256.hpp"
#include "server/yaml/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace weir::server {
namespace {

using scalers::Node;
using scalers::Problems;

// Bounds the memory when a path names a log or a device by mistake: reading stops at the limit.
constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;
// Reads until two reads agree, because a mounted folder may be replaced between two files.
constexpr int kMaxReads = 5;

std::optional<std::string> read_file(const std::string& path, Problems& problems) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 64 * 1024> part;
  while (file && text.size() <= kMaxFileBytes) {
    file.read(part.data(), part.size());
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  // A stream has no reason of its own, but errno is still that of the failed system call.
  const bool is_large = text.size() > kMaxFileBytes;
  if (is_large || !file.eof()) {
    const std::string why =
        is_large ? "it is over 16 MiB" : std::error_code(errno, std::generic_category()).message();
    problems.add({path, 0, 0}, fmt::format("the file cannot be read: {}", why));
    return std::nullopt;
  }
  return text;
}

// Hidden names are skipped, because a mounted ConfigMap has `..data` and its versions.
bool is_config_name(const std::filesystem::path& path) {
  const auto extension = path.extension();
  return (extension == ".yaml" || extension == ".yml") &&
         !path.filename().string().starts_with('.');
}

std::vector<std::string> files_of(const std::string& path, Problems& problems) {
  std::error_code failed;
  if (!std::filesystem::is_directory(path, failed)) return {path};
  std::vector<std::string> out;
  // By increment(), because ++ throws when the folder is replaced meanwhile.
  for (std::filesystem::directory_iterator entry(path, failed), end; entry != end && !failed;
       entry.increment(failed)) {
    std::error_code ignored;
    // is_regular_file() follows links, which the files of a mounted ConfigMap are.
    if (is_config_name(entry->path()) && entry->is_regular_file(ignored))
      out.push_back(entry->path().string());
  }
  if (failed) {
    problems.add({path, 0, 0}, fmt::format("the folder cannot be read: {}", failed.message()));
    return {};
  }
  // Folders list their files in any order, on which the fingerprint must not depend.
  std::ranges::sort(out);
  // An error, so that a folder that is not mounted yet never replaces a configuration by an empty
  // one.
  if (out.empty()) problems.add({path, 0, 0}, "the folder has no *.yaml file");
  return out;
}

ConfigFiles read_files(const std::vector<std::string>& paths) {
  ConfigFiles out;
  for (const std::string& path : paths) {
    for (const std::string& file : files_of(path, out.problems)) {
      auto text = read_file(file, out.problems);
      if (text) out.files.push_back({file, std::move(*text)});
    }
  }
  return out;
}

}  // namespace

ConfigFiles read_config(const std::vector<std::string>& paths) {
  ConfigFiles out = read_files(paths);
  // The last read wins if the files keep changing; the next change event reads them again.
  for (int tries = 1; tries < kMaxReads; ++tries) {
    ConfigFiles again = read_files(paths);
    if (again.files == out.files) break;
    out = std::move(again);
  }
  return out;
}

std::string fingerprint_of(const ConfigFiles& config) {
  std::string out;
  for (const ConfigFile& file : config.files) {
    out += file.path;
    // A path has no NUL and a digest always 32 bytes, so no two sets of files give one text.
    out += '\0';
    out += cluster::sha256(file.text);
  }
  for (const std::string& line : config.problems.lines()) out += line + '\0';
  return out;
}

ParsedConfig parse_files(const ConfigFiles& config) {
  ParsedConfig out;
  for (const ConfigFile& file : config.files) {
    out.hashes.insert_or_assign(file.path, std::hash<std::string>{}(file.text));
    Node readable;
    Node document = parse_yaml(file.text, file.path, out.problems, &readable);
    // Null when the text had a problem, which is reported already.
    const bool is_parsed = document.kind != Node::Kind::null;
    if (is_parsed && !is_foreign(document, out.problems)) {
      out.documents.push_back(std::move(document));
      continue;
    }
    // A file of another program names nothing of ours.
    if (is_parsed) readable = Node();
    readable.mark = {file.path, 1, 1};
    out.broken.push_back(std::move(readable));
  }
  for (const scalers::Problem& problem : config.problems.all()) {
    Node unreadable;
    unreadable.mark = problem.mark;
    out.broken.push_back(std::move(unreadable));
  }
  resolve_local_files(out.documents);
  out.problems.add_all(config.problems);
  return out;
}

std::vector<Node> parse_config(const ConfigFiles& config, Problems& problems) {
  ParsedConfig parsed = parse_files(config);
  problems.add_all(parsed.problems);
  return std::move(parsed.documents);
}

}  // namespace weir::server
