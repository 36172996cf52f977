// A folder of its own for one test, gone with all its files when it ends.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weir::test {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("folder.hpp: no folder");
    root_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  [[nodiscard]] std::string path(std::string_view name) const { return (root_ / name).string(); }
  // Writes a file, with the folders above it, and returns its path.
  std::string write(std::string_view name, std::string_view content) const {
    const auto file = root_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    return file.string();
  }
  // Makes `name` a link to `target`, in one step if it is one already.
  void link(std::string_view target, std::string_view name) const {
    const auto fresh = root_ / "fresh-link";
    std::filesystem::create_symlink(target, fresh);
    std::filesystem::rename(fresh, root_ / name);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace weir::test
