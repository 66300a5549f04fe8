# Finds what the enabled parts need and says clearly which part needs it and how to leave it out.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

find_path(PARLEY_ASIO_INCLUDE_DIR asio.hpp)
find_path(PARLEY_FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h)
find_program(PARLEY_FLATC_PROGRAM flatc)
mark_as_advanced(PARLEY_ASIO_INCLUDE_DIR PARLEY_FLATBUFFERS_INCLUDE_DIR PARLEY_FLATC_PROGRAM)
if((PARLEY_TESTS OR PARLEY_EXAMPLES) AND NOT PARLEY_ASIO_INCLUDE_DIR)
  message(FATAL_ERROR "The tests and examples of parley/asio.hpp need standalone Asio (Debian: libasio-dev); "
                      "set PARLEY_ASIO_INCLUDE_DIR to the folder that holds asio.hpp.")
endif()
if(NOT PARLEY_FLATBUFFERS_INCLUDE_DIR OR NOT PARLEY_FLATC_PROGRAM)
  message(FATAL_ERROR "Parley needs FlatBuffers and its compiler "
                      "(Debian: libflatbuffers-dev and flatbuffers-compiler).")
endif()

if(PARLEY_LMDB)
  include(ParleyLmdb)
  if(parley_lmdb_problem)
    message(FATAL_ERROR "${parley_lmdb_problem}; to build Parley without it set PARLEY_LMDB=OFF.")
  endif()
endif()
if(PARLEY_NET)
  include(ParleyLlhttp)
endif()
