// How a TLS server is verified and what is shown to it: settings that every client shares. Files
// are read at each new connection, so rotated ones count without a restart.
#pragma once

#include "scalers/settings/settings.hpp"

namespace weir::scalers {

struct TlsFiles {
  FilePath ca;           // PEM bundle; empty: the system's own roots
  FilePath certificate;  // PEM; empty: none is shown
  FilePath key;          // PEM; goes with certificate

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// Reads {ca, certificate, key}; a certificate without its key, or the reverse, is a problem.
void read_value(const Node& node, TlsFiles& out, Problems& problems);

}  // namespace weir::scalers
