# Installs Parley (MODE=install), or configures, builds and runs one consumer project (MODE=project).
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    list(JOIN ARGV " " line)
    message(FATAL_ERROR "failed (${code}): ${line}")
  endif()
endfunction()

if(MODE STREQUAL "install")
  file(REMOVE_RECURSE "${PREFIX}")
  get_filename_component(parent "${PREFIX}" DIRECTORY)
  # Only the libraries: the rest of the tree may not have been built.
  run("${CMAKE_COMMAND}" --build "${PARLEY_BUILD}" --target parley_public)
  run("${CMAKE_COMMAND}" --install "${PARLEY_BUILD}" --prefix "${PREFIX}" --component parley)
elseif(MODE STREQUAL "project")
  file(REMOVE_RECURSE "${BUILD}")
  # With the flags of this tree, and not counting the folder, ccache has what is compiled again.
  set(ENV{CCACHE_NOHASHDIR} 1)
  run("${CMAKE_COMMAND}" -S "${PROJECT}" -B "${BUILD}" -G "${GENERATOR}"
      "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_C_COMPILER=${CC}"
      "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" "-DCMAKE_C_COMPILER_LAUNCHER=${LAUNCHER}"
      "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}" "-DCMAKE_C_FLAGS=${C_FLAGS}"
      "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" "-DCMAKE_CXX_FLAGS_${BUILD_CONFIG}=${CXX_FLAGS_CONFIG}"
      "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DPARLEY_SOURCE=${PARLEY_SOURCE}"
      "-DPARLEY_WERROR=${WERROR}")
  run("${CMAKE_COMMAND}" --build "${BUILD}")
  run("${BUILD}/consumer")
else()
  message(FATAL_ERROR "MODE must be install or project")
endif()
