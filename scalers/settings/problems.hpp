// Everything that is wrong with a configuration, each with its position and what to write instead.
// Problems are collected, not thrown, so that an operator sees all of them at once. The files that
// the settings name are collected as well: what is wrong with a file may change without the
// configuration. Pure.
#pragma once

#include "scalers/settings/node.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers {

struct Problem {
  Mark mark;
  std::string what;
};

// A file that the settings of a backend name.
struct LocalFile {
  // A token is a secret that is sent as it is; an assertion is a token with times (a JWT).
  enum class Kind { secret, token, assertion, url, tls };

  Kind kind = Kind::secret;
  std::string path;          // of a tls block: the CA bundle; may be empty there
  std::string certificate;   // of a tls block
  std::string key;           // of a tls block
  std::size_t shape = 0;     // of a url, when it was read: see url_shape()
  std::string problem = {};  // of a url, when it was read; empty: none

  friend bool operator==(const LocalFile&, const LocalFile&) = default;
};

class Problems {
 public:
  void add(const Mark& mark, std::string what) { problems_.push_back({mark, std::move(what)}); }
  void add_all(const Problems& other) {
    problems_.insert(problems_.end(), other.problems_.begin(), other.problems_.end());
    in_files_.insert(in_files_.end(), other.in_files_.begin(), other.in_files_.end());
  }
  void add_file(LocalFile file) { files_.push_back(std::move(file)); }
  // A problem of a file that the settings name, such as a missing one: that of its backend alone.
  void add_in_file(const Mark& mark, std::string what) {
    in_files_.push_back({mark, std::move(what)});
  }

  // Whether the configuration can be used, whatever is wrong with the files that it names.
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  // With those in files.
  [[nodiscard]] std::size_t size() const { return problems_.size() + in_files_.size(); }
  [[nodiscard]] const std::vector<Problem>& all() const { return problems_; }
  [[nodiscard]] const std::vector<Problem>& in_files() const { return in_files_; }
  // For a reader of the settings who has none of the files.
  void drop_in_files() { in_files_.clear(); }
  // With those in files, in the order of files, lines and columns.
  [[nodiscard]] std::vector<Problem> sorted() const;
  // In the order of the settings.
  [[nodiscard]] const std::vector<LocalFile>& files() const { return files_; }
  // "file:line:column: what" of each, in the order of files, lines and columns, without those in
  // files.
  [[nodiscard]] std::vector<std::string> lines() const;
  // The same of those in files, and of both.
  [[nodiscard]] std::vector<std::string> lines_in_files() const;
  [[nodiscard]] std::vector<std::string> all_lines() const;

 private:
  std::vector<Problem> problems_;
  std::vector<Problem> in_files_;
  std::vector<LocalFile> files_;
};

// "duplicate key x (first at 12:3)" at the mark of `again`; without the position when `first` has
// none.
void add_duplicate(const Node::Field& first, const Node::Field& again, Problems& problems);

}  // namespace weir::scalers
