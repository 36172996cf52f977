// Writes the files of a record. Errors are exceptions, because a record without its file is
// useless.
#include "server/commands/record/files.hpp"

#include "server/commands/record/csv.hpp"
#include "server/commands/record/page.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace weir::server::record {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw std::runtime_error(
      fmt::format("{} cannot be written ({}): set another file with --csv or --html",
                  path,
                  std::generic_category().message(errno)));
}

}  // namespace

RecordFiles::RecordFiles(std::string csv, std::string html)
    : csv_path_(std::move(csv)), html_path_(std::move(html)), csv_(open(csv_path_)) {
  add_lines(csv_head());
  // Tried at the start, because otherwise a record would end without its page.
  const std::string temporary = html_path_ + ".new";
  open(temporary).reset();
  std::remove(temporary.c_str());
}

void RecordFiles::add_lines(const std::string& lines) { write(*csv_, lines, csv_path_); }

void RecordFiles::write_page(const Timeline& timeline) {
  // Renamed, so that a browser never loads a half-written page.
  const std::string temporary = html_path_ + ".new";
  write(*open(temporary), page_of(timeline), temporary);
  if (std::rename(temporary.c_str(), html_path_.c_str()) != 0) fail(html_path_);
}

RecordFiles::File RecordFiles::open(const std::string& path) {
  File out(std::fopen(path.c_str(), "we"));
  if (!out) fail(path);
  return out;
}

void RecordFiles::write(std::FILE& file, const std::string& text, const std::string& path) {
  const bool is_whole = std::fwrite(text.data(), 1, text.size(), &file) == text.size();
  if (!is_whole || std::fflush(&file) != 0) fail(path);
}

}  // namespace weir::server::record
