// Works on the nodes, because a path means the same for every kind of backend.
#include "server/config/local_files.hpp"

#include <filesystem>
#include <system_error>

namespace weir::server {
namespace {

using scalers::Node;

// Recursive, because the parser bounds the depth.
template <class Change>
void change_below(Node& block, bool is_tls, const Change& change) {
  for (Node::Field& field : block.fields) {
    // Only below tls, because `key` is also the key of a Redis list.
    const bool is_path =
        field.key == "file" ||
        (is_tls && (field.key == "ca" || field.key == "certificate" || field.key == "key"));
    if (is_path && field.value.kind == Node::Kind::scalar) change(field.value);
    change_below(field.value, field.key == "tls", change);
  }
}

template <class Change>
void change_paths(std::vector<Node>& documents, const Change& change) {
  for (Node& document : documents) {
    for (Node::Field& section : document.fields) {
      if (section.key != "backends") continue;
      // The name of a backend may be "tls", so it is not taken for the key.
      for (Node::Field& backend : section.value.fields) change_below(backend.value, false, change);
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
