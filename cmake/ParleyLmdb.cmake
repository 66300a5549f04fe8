# Provides the imported target parley_third_party::lmdb. Installed too: the package config uses it.
if(NOT TARGET parley_third_party::lmdb)
  find_path(PARLEY_LMDB_INCLUDE_DIR lmdb.h)
  find_library(PARLEY_LMDB_LIBRARY lmdb)
  mark_as_advanced(PARLEY_LMDB_INCLUDE_DIR PARLEY_LMDB_LIBRARY)
  if(NOT PARLEY_LMDB_INCLUDE_DIR OR NOT PARLEY_LMDB_LIBRARY)
    message(FATAL_ERROR "parley::lmdb needs LMDB (Debian: liblmdb-dev); "
                        "to build Parley without it set PARLEY_LMDB=OFF.")
  endif()
  add_library(parley_third_party::lmdb UNKNOWN IMPORTED GLOBAL)
  set_target_properties(parley_third_party::lmdb PROPERTIES
    IMPORTED_LOCATION "${PARLEY_LMDB_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${PARLEY_LMDB_INCLUDE_DIR}")
endif()
