// The function bodies of Beast, compiled once here instead of in every source that uses them.
#include <boost/beast/src.hpp>
