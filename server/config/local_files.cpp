// Works on the nodes, because a path means the same for every kind of backend.
#include "server/config/local_files.hpp"

#include <filesystem>
#include <string_view>
#include <system_error>

namespace weir::server {
namespace {

using scalers::Node;

// What the keys of a map are. The names of headers and parameters are the user's own choice: one
// may be "file" or "tls".
enum class Keys { settings, tls, names };

Keys keys_below(Keys keys, std::string_view key) {
  if (keys == Keys::names) return Keys::settings;
  if (key == "tls") return Keys::tls;
  return key == "headers" || key == "parameters" ? Keys::names : Keys::settings;
}

// Only below tls, because `key` is also the key of a Redis list.
bool is_path_of_tls(Keys keys, std::string_view key) {
  return keys == Keys::tls && (key == "ca" || key == "certificate" || key == "key");
}

bool is_file_map(const Node& value) {
  return value.fields.size() == 1 && value.fields.front().key == "file";
}

// Recursive, because the parser bounds the depth.
template <class Change>
void change_below(Node& block, Keys keys, const Change& change) {
  for (Node::Field& field : block.fields) {
    const Keys below = keys_below(keys, field.key);
    Node* path = nullptr;
    if (is_path_of_tls(keys, field.key)) path = &field.value;
    if (below != Keys::names && is_file_map(field.value)) path = &field.value.fields.front().value;
    if (path != nullptr && path->kind == Node::Kind::scalar) change(*path);
    change_below(field.value, below, change);
  }
}

template <class Change>
void change_paths(std::vector<Node>& documents, const Change& change) {
  for (Node& document : documents) {
    for (Node::Field& section : document.fields) {
      if (section.key != "backends") continue;
      // The name of a backend may be "tls" or "headers", so it is not taken for the key.
      for (Node::Field& backend : section.value.fields) {
        for (Node::Field& kind : backend.value.fields)
          change_below(kind.value, Keys::settings, change);
      }
    }
  }
}

void resolve(Node& path) {
  // An empty path is an error of its own.
  if (path.text.empty() || path.text.front() == '/') return;
  const auto joined = std::filesystem::path(path.mark.file).parent_path() / path.text;
  std::error_code failed;
  auto absolute = std::filesystem::absolute(joined, failed);
  // Without a working folder the path is still right from wherever the file was found.
  path.text = (failed ? joined : absolute).lexically_normal().string();
}

}  // namespace

void resolve_local_files(std::vector<Node>& documents) { change_paths(documents, resolve); }

}  // namespace weir::server
