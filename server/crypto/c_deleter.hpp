// The deleter of a C handle: std::unique_ptr<X509, CDeleter<X509_free>> calls X509_free().
#pragma once

namespace weir::server {

template <auto Free>
struct CDeleter {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

}  // namespace weir::server
