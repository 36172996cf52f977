// The two files of a record: the CSV, complete after every line, and the page, replaced atomically.
#pragma once

#include "server/commands/record/timeline.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace weir::server::record {

class RecordFiles {
 public:
  // Starts the CSV. Throws std::runtime_error with the name of a file that cannot be written; that
  // of the page is tried and removed again.
  RecordFiles(std::string csv, std::string html);

  // Writes complete lines; they are in the file when this returns.
  void add_lines(const std::string& lines);
  // Replaces the page with one of the whole record.
  void write_page(const Timeline& timeline);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  [[nodiscard]] static File open(const std::string& path);
  static void write(std::FILE& file, const std::string& text, const std::string& path);

  std::string csv_path_;
  std::string html_path_;
  File csv_;
};

}  // namespace weir::server::record
