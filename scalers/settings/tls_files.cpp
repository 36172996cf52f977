// The tls block, which is the same for every backend kind.
#include "scalers/settings/tls_files.hpp"

#include "scalers/settings/table.hpp"

#include <array>

namespace weir::scalers {

void read_value(const Node& node, TlsFiles& out, Problems& problems) {
  static constexpr std::array kTable{
      setting<&TlsFiles::ca>(
          "ca",
          "PEM bundle that signs the server's certificate; off: the system's roots"),
      setting<&TlsFiles::certificate>("certificate", "PEM client certificate"),
      setting<&TlsFiles::key>("key", "PEM key of the client certificate"),
  };
  read_settings(node, kTable, "tls block", out, problems);
  // With one of them alone OpenSSL would connect without a client certificate and report nothing.
  if (out.certificate.path.empty() != out.key.path.empty()) {
    problems.add(node.mark, "certificate and key go together; write both or neither");
  }
  problems.add_file({LocalFile::Kind::tls, out.ca.path, out.certificate.path, out.key.path});
}

}  // namespace weir::scalers
