// How a TLS server is verified, and with which certificate a client authenticates itself: settings
// that every backend kind shares. Files are read again for new connections, so that rotated ones
// take effect without a restart.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/value_readers.hpp"

namespace weir::scalers {

struct TlsFiles {
  FilePath ca;           // PEM bundle; empty: the system's roots
  FilePath certificate;  // PEM; empty: no client certificate
  FilePath key;          // PEM; goes with certificate

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// Reads {ca, certificate, key}; a certificate without its key, or the reverse, is a problem.
void read_value(const Node& node, TlsFiles& out, Problems& problems);

}  // namespace weir::scalers
