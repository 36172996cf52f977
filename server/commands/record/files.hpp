// The files of a record: the CSV, complete after every line; the page and the wide CSV, replaced
// atomically.
#pragma once

#include "server/commands/record/timeline.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace weir::server::record {

class RecordFiles {
 public:
  // Starts the CSV. Throws std::runtime_error with the name of a file that cannot be written; those
  // that are replaced are tried and removed again.
  // An empty `wide` is not written.
  RecordFiles(std::string csv, std::string html, std::string wide);

  // Writes complete lines; they are in the file when this returns.
  void add_lines(const std::string& lines);
  // Replaces the page and the wide CSV with those of the whole record.
  void write_page(const Timeline& timeline, Duration interval);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  [[nodiscard]] static File open(const std::string& path);
  static void try_replacing(const std::string& path);
  static void replace(const std::string& path, const std::string& text);
  static void write(std::FILE& file, const std::string& text, const std::string& path);

  std::string csv_path_;
  std::string html_path_;
  std::string wide_path_;
  File csv_;
};

}  // namespace weir::server::record
