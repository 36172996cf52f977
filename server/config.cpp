#include "server/config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

namespace weir::server {
namespace {

using scalers::Mark;
using scalers::Node;
using scalers::Problems;

constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxNodes =
    300'000;  // also counts each use of an anchor, so aliases cannot explode
constexpr int kMaxDepth = 64;
// Until two readings agree: a mounted folder that is swapped in between gives files of both states.
constexpr int kMaxReads = 5;

// Turns yaml-cpp's nodes into ours; one object a document.
class Converter {
 public:
  Converter(const std::string& file, Problems& problems) : file_(file), problems_(problems) {}

  Node convert(const YAML::Node& from, int depth) {
    Node out;
    out.mark = mark_of(from);
    if (is_refused_ || depth > kMaxDepth || ++nodes_ > kMaxNodes) {
      if (!is_refused_) problems_.add(out.mark, "the configuration is nested or repeated too much");
      is_refused_ = true;
      return out;
    }
    check_tag(from, out.mark);
    switch (from.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: break;
      case YAML::NodeType::Scalar:
        out.kind = Node::Kind::scalar;
        out.text = from.Scalar();
        out.is_quoted =
            from.Tag() == "!";  // yaml-cpp's tag of a quoted scalar; a plain one has "?"
        break;
      case YAML::NodeType::Sequence: convert_list(from, depth, out); break;
      case YAML::NodeType::Map: convert_map(from, depth, out); break;
    }
    return out;
  }

  // True when a bound was met: what was converted until then is no configuration.
  [[nodiscard]] bool is_refused() const { return is_refused_; }

 private:
  void convert_list(const YAML::Node& from, int depth, Node& out) {
    out.kind = Node::Kind::list;
    for (const auto& item : from) out.items.push_back(convert(item, depth + 1));
  }

  void convert_map(const YAML::Node& from, int depth, Node& out) {
    out.kind = Node::Kind::map;
    for (const auto& field : from) {
      const Mark mark = mark_of(field.first);
      if (!field.first.IsScalar()) {
        problems_.add(mark, "a key is text, not a list or a map");
        continue;
      }
      out.fields.push_back({field.first.Scalar(), mark, convert(field.second, depth + 1)});
    }
  }

  // yaml-cpp gives a plain value the tag "?" and a quoted one "!"; what else stands there was
  // written.
  void check_tag(const YAML::Node& from, const Mark& mark) {
    const std::string& tag = from.Tag();
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.add(
        mark,
        "tags such as !!str are not read; write the value without one, in quotes if it is text");
  }

  [[nodiscard]] Mark mark_of(const YAML::Node& node) const {
    const YAML::Mark mark = node.Mark();
    return mark.is_null() ? Mark{file_, 1, 1} : Mark{file_, mark.line + 1, mark.column + 1};
  }

  const std::string& file_;
  Problems& problems_;
  std::size_t nodes_ = 0;
  bool is_refused_ = false;
};

std::optional<std::string> read_file(const std::string& path, Problems& problems) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 64 * 1024> part;
  while (file && text.size() <= kMaxFileBytes) {
    file.read(part.data(), part.size());
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  const bool is_large = text.size() > kMaxFileBytes;
  if (is_large || !file.eof()) {
    const std::string why =
        is_large ? "it is over 16 MiB" : std::error_code(errno, std::generic_category()).message();
    problems.add({path, 0, 0}, fmt::format("the file cannot be read: {}", why));
    return std::nullopt;
  }
  return text;
}

bool is_config_name(const std::filesystem::path& path) {
  const auto extension = path.extension();
  return (extension == ".yaml" || extension == ".yml") &&
         !path.filename().string().starts_with('.');
}

std::vector<std::string> files_of(const std::string& path, Problems& problems) {
  std::error_code failed;
  if (!std::filesystem::is_directory(path, failed)) return {path};
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
    if (is_config_name(entry.path()) && entry.is_regular_file(failed))
      out.push_back(entry.path().string());
  }
  std::ranges::sort(out);
  if (out.empty()) problems.add({path, 0, 0}, "the folder holds no *.yaml file");
  return out;
}

struct Files {
  std::vector<std::pair<std::string, std::string>> texts;  // by path
  Problems problems;
};

Files read_files(const std::vector<std::string>& paths) {
  Files out;
  for (const std::string& path : paths) {
    for (const std::string& file : files_of(path, out.problems)) {
      auto text = read_file(file, out.problems);
      if (text) out.texts.emplace_back(file, std::move(*text));
    }
  }
  return out;
}

// Keeps nothing: for counting documents.
class Silent final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&,
                const std::string&,
                YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&,
                       const std::string&,
                       YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&,
                  const std::string&,
                  YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Two at most: YAML::LoadAll never ends at a token that starts no node, such as a leading comma.
bool has_two_documents(const std::string& text) {
  std::istringstream input(text);
  YAML::Parser parser(input);
  Silent handler;
  return parser.HandleNextDocument(handler) && parser.HandleNextDocument(handler);
}

}  // namespace

Node parse_yaml(std::string_view text, const std::string& file, Problems& problems) {
  Node empty;
  empty.mark = {file, 1, 1};
  try {
    // The closing mark makes yaml-cpp refuse a quote that is still open at the end.
    const std::string closed = std::string(text) + (text.ends_with('\n') ? "...\n" : "\n...\n");
    const YAML::Node document = YAML::Load(closed);
    if (has_two_documents(closed)) {
      problems.add(empty.mark,
                   "a file holds one document; put the part behind --- into a file of its own");
    }
    if (document.IsNull()) {
      problems.add(empty.mark, "the file is empty; write backends: and metrics:");
      return empty;
    }
    Converter converter(file, problems);
    Node out = converter.convert(document, 0);
    return converter.is_refused() ? empty : out;
  } catch (const YAML::Exception& failure) {
    const Mark mark = failure.mark.is_null()
                          ? empty.mark
                          : Mark{file, failure.mark.line + 1, failure.mark.column + 1};
    problems.add(mark, fmt::format("not valid YAML: {}", failure.msg));
    return empty;
  }
}

std::vector<Node> load_config(const std::vector<std::string>& paths, Problems& problems) {
  Files files = read_files(paths);
  for (int tries = 1; tries < kMaxReads; ++tries) {
    Files again = read_files(paths);
    if (again.texts == files.texts) break;
    files = std::move(again);
  }
  std::vector<Node> out;
  for (const auto& [file, text] : files.texts) {
    Node document = parse_yaml(text, file, problems);
    if (document.kind != Node::Kind::null) out.push_back(std::move(document));
  }
  problems.add_all(files.problems);
  return out;
}

}  // namespace weir::server
