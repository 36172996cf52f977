// The compiled part of Boost.URL, in one place: the shared library would be one more in the image.
#include <boost/url/src.hpp>
