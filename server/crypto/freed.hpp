// The deleter of a C handle: std::unique_ptr<X509, Freed<X509_free>>.
#pragma once

namespace weir::server {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

}  // namespace weir::server
