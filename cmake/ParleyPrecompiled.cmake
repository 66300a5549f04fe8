# Precompiled headers for our own builds (PARLEY_PRECOMPILE). They hold what stands outside this tree;
# the preset "ci" builds without them, so that a file that lacks an include is noticed there.
include_guard(GLOBAL)

set(PARLEY_PRECOMPILED_STD <algorithm> <array> <atomic> <chrono> <cstdint> <deque> <functional> <map>
    <memory> <mutex> <optional> <set> <span> <string> <string_view> <system_error> <unordered_map>
    <utility> <variant> <vector>)

# parley_precompile(<target> <library|tests>): the target's files begin with what that kind has
# precompiled, once for all. Programs and libraries are position independent in different ways, which
# is why a program holds the tests' headers and objects hold the library's.
function(parley_precompile target kind)
  if(NOT PARLEY_PRECOMPILE)
    return()
  endif()
  set(holder parley_precompiled_${kind})
  if(NOT TARGET ${holder})
    set(source "${PROJECT_BINARY_DIR}/precompiled_${kind}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "int main() { return 0; }\n" @ONLY)
    if(kind STREQUAL "tests")
      add_executable(${holder} EXCLUDE_FROM_ALL "${source}")
      target_include_directories(${holder} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
      target_link_libraries(${holder} PRIVATE Catch2::Catch2 rapidcheck)
      target_compile_options(${holder} PRIVATE ${PARLEY_TEST_FLAGS})
      target_precompile_headers(${holder} PRIVATE <catch.hpp> <rapidcheck.h> ${PARLEY_PRECOMPILED_STD})
    else()
      add_library(${holder} OBJECT EXCLUDE_FROM_ALL "${source}")
      target_precompile_headers(${holder} PRIVATE ${PARLEY_PRECOMPILED_STD})
    endif()
    parley_own_target(${holder})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${holder})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)  # ccache asks for it
  endif()
endfunction()
