// runtime/asio_src.cpp: the compiled half of Asio, built once under Parley's private names.
#ifdef ASIO_SEPARATE_COMPILATION
#include <asio/impl/src.hpp>
#endif
