// The TLS flags of `weir serve`, with the syntax that Kubernetes gives --tls-sni-cert-key.
#include "server/commands/flags.hpp"
#include "server/commands/serve/flags.hpp"
#include "server/tls/names.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace weir::server {
namespace {

constexpr const char* kSniFlag = "--tls-sni-cert-key";

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  // Empty parts stay in the result, so that a missing file or name is noticed.
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// "CERTIFICATE,KEY" or "CERTIFICATE,KEY:NAME,NAME".
NamedPair parse_sni_pair(const std::string& text) {
  const auto parts = split(text, ':');
  const auto files = split(parts.front(), ',');
  NamedPair out;
  if (parts.size() == 2) out.names = split(parts.back(), ',');
  const bool has_empty_name = std::ranges::find(out.names, "") != out.names.end();
  // A second colon is an error: a server name cannot contain one.
  const bool is_whole = files.size() == 2 && !files[0].empty() && !files[1].empty();
  if (!is_whole || parts.size() > 2 || has_empty_name)
    throw CLI::ValidationError(kSniFlag, "write CERTIFICATE,KEY or CERTIFICATE,KEY:NAME,NAME");
  out.pair = {files[0], files[1]};
  return out;
}

}  // namespace

void add_tls_flags(CLI::App& serve, ServeOptions& out) {
  serve.option_defaults()->group("Certificates");
  auto* certificate = serve
                          .add_option("--tls-cert-file",
                                      out.tls_cert_file,
                                      "PEM file: serving certificate and its chain")
                          ->type_name("FILE");
  auto* key = serve
                  .add_option("--tls-private-key-file",
                              out.tls_private_key_file,
                              "PEM file: private key of --tls-cert-file")
                  ->type_name("FILE");
  // Half a pair would be ignored, and a self-signed certificate served.
  certificate->needs(key);
  key->needs(certificate);
  serve
      .add_option_function<std::vector<std::string>>(
          kSniFlag,
          [&out](const std::vector<std::string>& texts) {
            out.tls_sni_pairs.clear();
            for (const std::string& text : texts) out.tls_sni_pairs.push_back(parse_sni_pair(text));
          },
          "An additional pair for these server names (SNI); may be repeated")
      ->type_name("CERTIFICATE,KEY[:NAME,...]")
      ->allow_extra_args(false);
  // Shared by the callbacks of both flags, which CLI11 keeps: the settings need both values.
  const auto names = std::make_shared<std::pair<std::string, std::vector<std::string>>>();
  const auto apply = [names, &out] {
    // Called for each of the two flags: the last call has the values of both.
    const auto parsed = parse_tls_names(names->first, names->second);
    if (const auto* problem = std::get_if<TlsNameProblem>(&parsed))
      throw CLI::ValidationError(problem->what);
    out.tls = std::get<TlsSettings>(parsed);
  };
  serve
      .add_option_function<std::string>(
          "--tls-min-version",
          [names, apply](const std::string& text) {
            names->first = text;
            apply();
          },
          "Oldest version of TLS: VersionTLS12 or VersionTLS13")
      ->default_str("VersionTLS12")
      ->type_name("VERSION");
  serve
      .add_option_function<std::vector<std::string>>(
          "--tls-cipher-suites",
          [names, apply](const std::vector<std::string>& suites) {
            names->second = suites;
            apply();
          },
          "Cipher suites of TLS 1.2 by their Go names. Default: all with forward secrecy and AEAD")
      ->delimiter(',')
      ->type_name("LIST")
      ->allow_extra_args(false);
  serve
      .add_option("--cert-dir",
                  out.cert_dir,
                  "Folder for a self-signed pair, created when --tls-cert-file is not set")
      ->type_name("FOLDER")
      ->capture_default_str();
}

}  // namespace weir::server
