// weir_load: reads over TLS from any adapter, timed; a line of JSON at the end.
#include "bench/load/driver/load.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// The latency that `share` of all reads stay below, in microseconds.
double quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::ceil(share * last))];
}

std::vector<std::string> requests_of(const std::string& file,
                                     const std::string& host,
                                     const std::vector<std::string>& headers,
                                     bool is_closing) {
  std::string lines;
  for (const std::string& header : headers) lines += header + "\r\n";
  std::ifstream in(file);
  std::vector<std::string> out;
  for (std::string path; std::getline(in, path);)
    out.push_back(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}{}\r\n",
                              path,
                              host,
                              lines,
                              is_closing ? "Connection: close\r\n" : ""));
  if (out.empty()) throw std::runtime_error(fmt::format("{}: write one path a line", file));
  return out;
}

std::string text_of(const weir::bench::Report& report) {
  nlohmann::ordered_json out;
  out["answers"] = report.answers;
  out["seconds"] = report.seconds;
  out["statuses"] = nlohmann::ordered_json::object();
  for (const auto& [status, count] : report.statuses)
    out["statuses"][std::to_string(status)] = count;
  for (const auto& [name, share] :
       {std::pair("p50_us", 0.5), {"p99_us", 0.99}, {"p999_us", 0.999}, {"max_us", 1.0}})
    out[name] = quantile(report.latencies, share);
  return out.dump();
}

}  // namespace

int main(int argc, char** argv) {
  weir::bench::Load load;
  std::string paths;
  std::string host = "localhost";
  std::vector<std::string> headers;
  CLI::App app("Reads over TLS from any adapter, timed; a line of JSON at the end.");
  app.add_option("--address", load.target.address, "IPv4 address of the server");
  app.add_option("--port", load.target.port, "Its port")->required();
  app.add_option("--host", host, "For the header Host");
  app.add_option("--ca", load.target.ca, "Whom its certificate has to be from")->required();
  app.add_option("--cert", load.target.cert, "Client certificate");
  app.add_option("--key", load.target.key, "Its key");
  app.add_option("--paths", paths, "File with a path a line, asked in turn")->required();
  app.add_option("--header", headers, "\"Name: value\", for every request");
  app.add_option("--connections", load.connections, "Kept connections")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--seconds", load.seconds, "How long")->check(CLI::PositiveNumber);
  app.add_option("--rate", load.rate, "Reads a second; 0: as many as there are answers");
  app.add_flag("--reconnect", load.is_reconnecting, "A new connection for each read");
  CLI11_PARSE(app, argc, argv);
  try {
    load.requests = requests_of(paths, host, headers, load.is_reconnecting);
    fmt::print("{}\n", text_of(weir::bench::run(load)));
  } catch (const std::exception& failure) {
    fmt::print(stderr, "weir_load: {}\n", failure.what());
    return 1;
  }
  return 0;
}
