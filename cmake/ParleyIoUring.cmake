# Makes the imported target parley_third_party::uring, or says why not in parley_uring_problem.
# Installed as well: the package config uses it.
set(parley_uring_problem "")
if(NOT TARGET parley_third_party::uring)
  find_path(PARLEY_URING_INCLUDE_DIR liburing.h)
  find_library(PARLEY_URING_LIBRARY uring)
  mark_as_advanced(PARLEY_URING_INCLUDE_DIR PARLEY_URING_LIBRARY)
  if(PARLEY_URING_INCLUDE_DIR AND PARLEY_URING_LIBRARY)
    add_library(parley_third_party::uring UNKNOWN IMPORTED GLOBAL)
    set_target_properties(parley_third_party::uring PROPERTIES
      IMPORTED_LOCATION "${PARLEY_URING_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${PARLEY_URING_INCLUDE_DIR}")
  else()
    set(parley_uring_problem "sends through io_uring need liburing (Debian: liburing-dev)")
  endif()
endif()
