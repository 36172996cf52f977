// The two files of a record: the CSV, whole after every line, and the page, replaced in one step.
#pragma once

#include "server/commands/record/timeline.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace weir::server::record {

class RecordFiles {
 public:
  // Begins the CSV. Throws std::runtime_error that names the file which cannot be written.
  RecordFiles(std::string csv, std::string html);

  // Whole lines, which are in the file when this returns.
  void add_lines(const std::string& lines);
  // The page of the whole record, in place of the one before.
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
