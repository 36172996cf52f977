// The function bodies of Asio's TLS part, compiled once here instead of in every source that uses
// them.
#include <boost/asio/ssl/impl/src.hpp>
