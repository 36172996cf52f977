#include "scalers/clients/http.hpp"

namespace weir::scalers::clients {

void read_value(const Node& node, HttpTls& out, Problems& problems) {
  static constexpr std::array kTable{
      setting<&HttpTls::ca>(
          "ca",
          "",
          "PEM bundle that signs the server's certificate; off: the system's roots"),
      setting<&HttpTls::certificate>("certificate", "", "PEM client certificate"),
      setting<&HttpTls::key>("key", "", "PEM key of the client certificate"),
  };
  read_settings(node, kTable, "tls block", out, problems);
  if (out.certificate.path.empty() != out.key.path.empty()) {
    problems.add(node.mark, "certificate and key go together; write both or neither");
  }
}

}  // namespace weir::scalers::clients
