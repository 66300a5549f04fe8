# Install and export rules. Each public library has an export file of its own, so that a package
# finds the third-party libraries of the components it asks for and of no others.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(parley_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/parley")

install(DIRECTORY "${PARLEY_INCLUDE_ROOT}/parley" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        COMPONENT parley FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE"
        DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/parley" COMPONENT parley)

get_property(parley_components GLOBAL PROPERTY PARLEY_COMPONENTS)
foreach(component IN LISTS parley_components)
  get_target_property(target parley::${component} ALIASED_TARGET)
  install(TARGETS ${target} EXPORT parley_${component}
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT parley)
  install(EXPORT parley_${component} NAMESPACE parley:: FILE parley_${component}.cmake
          DESTINATION "${parley_package_dir}" COMPONENT parley)
endforeach()

if(TARGET parley_check)  # verifies a store's directory
  install(TARGETS parley_check RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT parley)
  add_dependencies(parley_public parley_check)
endif()

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/parley-config.cmake.in"
  "${PROJECT_BINARY_DIR}/parley-config.cmake"
  INSTALL_DESTINATION "${parley_package_dir}")
# Before 1.0 a minor version may change the source interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/parley-config-version.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/parley-config.cmake"
  "${PROJECT_BINARY_DIR}/parley-config-version.cmake"
  DESTINATION "${parley_package_dir}" COMPONENT parley)
if(PARLEY_LMDB)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/ParleyLmdb.cmake"
          DESTINATION "${parley_package_dir}" COMPONENT parley)
endif()
if(TARGET parley_third_party::uring)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/ParleyIoUring.cmake"
          DESTINATION "${parley_package_dir}" COMPONENT parley)
endif()
