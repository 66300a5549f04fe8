# Finds llhttp's three C files (Debian: node-llhttp). They are compiled into parley::net, so that
# an installed Parley needs no llhttp. parley_llhttp carries the include folder for src/net.
find_path(PARLEY_LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp
          PATH_SUFFIXES llhttp)
find_path(PARLEY_LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp PATH_SUFFIXES llhttp src)
mark_as_advanced(PARLEY_LLHTTP_INCLUDE_DIR PARLEY_LLHTTP_SOURCE_DIR)
if(NOT PARLEY_LLHTTP_INCLUDE_DIR OR NOT PARLEY_LLHTTP_SOURCE_DIR)
  message(FATAL_ERROR "parley::net needs llhttp's sources (Debian: node-llhttp); set "
                      "PARLEY_LLHTTP_INCLUDE_DIR and PARLEY_LLHTTP_SOURCE_DIR, or PARLEY_NET=OFF.")
endif()
add_library(parley_llhttp STATIC EXCLUDE_FROM_ALL
  "${PARLEY_LLHTTP_SOURCE_DIR}/api.c"
  "${PARLEY_LLHTTP_SOURCE_DIR}/http.c"
  "${PARLEY_LLHTTP_SOURCE_DIR}/llhttp.c")
target_include_directories(parley_llhttp SYSTEM PUBLIC "${PARLEY_LLHTTP_INCLUDE_DIR}")
target_compile_options(parley_llhttp PRIVATE -w)
set_target_properties(parley_llhttp PROPERTIES
  POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
