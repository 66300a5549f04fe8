# Makes the imported target parley_third_party::lmdb, or says why not in parley_lmdb_problem.
# Installed as well: the package config uses it.
set(parley_lmdb_problem "")
if(NOT TARGET parley_third_party::lmdb)
  find_path(PARLEY_LMDB_INCLUDE_DIR lmdb.h)
  find_library(PARLEY_LMDB_LIBRARY lmdb)
  mark_as_advanced(PARLEY_LMDB_INCLUDE_DIR PARLEY_LMDB_LIBRARY)
  if(PARLEY_LMDB_INCLUDE_DIR AND PARLEY_LMDB_LIBRARY)
    add_library(parley_third_party::lmdb UNKNOWN IMPORTED GLOBAL)
    set_target_properties(parley_third_party::lmdb PROPERTIES
      IMPORTED_LOCATION "${PARLEY_LMDB_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${PARLEY_LMDB_INCLUDE_DIR}")
  else()
    set(parley_lmdb_problem "parley::lmdb needs LMDB (Debian: liblmdb-dev)")
  endif()
endif()
