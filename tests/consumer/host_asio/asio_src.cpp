// The host's own compiled half of Asio.
#include <asio/impl/src.hpp>
