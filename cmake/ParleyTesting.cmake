# Finds Catch2 (2 or 3) and RapidCheck and declares how a folder's tests are made.
include_guard(GLOBAL)

find_package(Catch2 QUIET)
if(NOT Catch2_FOUND)
  message(FATAL_ERROR "Parley's tests need Catch2 (Debian: catch2); or set PARLEY_TESTS=OFF.")
endif()
find_package(rapidcheck QUIET)
if(NOT TARGET rapidcheck)
  message(FATAL_ERROR "Parley's tests need RapidCheck (Debian: librapidcheck-dev); "
                      "or set PARLEY_TESTS=OFF.")
endif()
find_package(Python3 QUIET COMPONENTS Interpreter)
if(NOT Python3_FOUND)
  message(FATAL_ERROR "Parley's tests need Python 3 (Debian: python3); or set PARLEY_TESTS=OFF.")
endif()

# Flags of the tests' own files alone, after those of the build type.
set(PARLEY_TEST_FLAGS "" CACHE STRING "Flags of the tests' own files")
mark_as_advanced(PARLEY_TEST_FLAGS)

# What runs on several threads: what a ThreadSanitizer build of them is worth the time for.
add_custom_target(parley_threads)

# parley_test(<folder> [SOURCES <files…>] [LINKS <targets…>] [TIMEOUT <seconds>] [SLOW] [LABELS …]
#             [DEFINITIONS …])
#
# Makes parley_test_<folder>, linked to the layer of that name when there is one, and registers it
# with ctest under the label "quick". Cases tagged [slow] run apart, only when SLOW is given, as
# <name>.slow under the label "slow". Without SOURCES nothing is made. The label "threads" makes it a
# part of the target parley_threads.
function(parley_test folder)
  cmake_parse_arguments(arg "SLOW" "TIMEOUT" "SOURCES;LINKS;LABELS;DEFINITIONS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "parley_test(${folder}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_SOURCES)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 240)  # a hang is meant, not a slow machine
  endif()
  set(target parley_test_${folder})
  add_executable(${target} ${arg_SOURCES} $<TARGET_OBJECTS:parley_test_main>)
  parley_own_target(${target})
  parley_unity(${target} TESTS ALL)
  target_include_directories(${target} PRIVATE
    "${PARLEY_INCLUDE_ROOT}" "${PARLEY_SOURCE_ROOT}" "${PROJECT_SOURCE_DIR}/tests")
  target_compile_options(${target} PRIVATE ${PARLEY_TEST_FLAGS})
  target_compile_definitions(${target} PRIVATE ${arg_DEFINITIONS}
    PARLEY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(TARGET parley_${folder})
    target_link_libraries(${target} PRIVATE parley_${folder})
  endif()
  target_link_libraries(${target} PRIVATE ${arg_LINKS} Catch2::Catch2 rapidcheck)
  parley_add_test(${target} COMMAND ${target} "~[slow]" TIMEOUT ${arg_TIMEOUT}
                  LABELS quick ${arg_LABELS})
  if("threads" IN_LIST arg_LABELS)
    add_dependencies(parley_threads ${target})
  endif()
  if(arg_SLOW)
    parley_add_test(${target}.slow COMMAND ${target} "[slow]" TIMEOUT 900 COST 300
                    LABELS slow ${arg_LABELS})
  endif()
endfunction()

# parley_add_test(<name> COMMAND <…> [TIMEOUT <seconds>] [COST <n>] [LABELS <…>] [ENVIRONMENT <…>])
#
# A ctest case that is not a Catch2 program: a script, the simulation, the kill loop. What costs most
# is started first, so that no long case runs alone at the end; without COST it is 0.
function(parley_add_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;COST" "COMMAND;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT arg_COMMAND OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "parley_add_test(${name}): COMMAND missing or unknown arguments")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 240)
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS quick)
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  if(arg_COST)
    set_tests_properties(${name} PROPERTIES COST ${arg_COST})
  endif()
  if(arg_ENVIRONMENT)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${arg_ENVIRONMENT}")
  endif()
endfunction()

add_custom_target(parley_fuzz_targets)

# parley_fuzz(<name> SOURCES <file with LLVMFuzzerTestOneInput> [LINKS …] [CORPUS <folder>])
#
# Makes parley_fuzz_<name>. With PARLEY_FUZZ it is a libFuzzer program; otherwise tests/fuzz/driver.cpp
# mutates the corpus with a fixed seed for PARLEY_FUZZ_SECONDS (default 2), so that every build runs it.
function(parley_fuzz name)
  cmake_parse_arguments(arg "" "CORPUS" "SOURCES;LINKS" ${ARGN})
  set(target parley_fuzz_${name})
  if(PARLEY_FUZZ)
    add_executable(${target} ${arg_SOURCES})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer,address,undefined)
  else()
    add_executable(${target} ${arg_SOURCES} "${PROJECT_SOURCE_DIR}/tests/fuzz/driver.cpp")
  endif()
  parley_own_target(${target})
  add_dependencies(parley_fuzz_targets ${target})
  target_include_directories(${target} PRIVATE
    "${PARLEY_INCLUDE_ROOT}" "${PARLEY_SOURCE_ROOT}" "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE ${arg_LINKS})
  set(corpus "")
  if(arg_CORPUS)
    set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS}")
  endif()
  if(PARLEY_FUZZ)
    set(scratch "${CMAKE_CURRENT_BINARY_DIR}/corpus_${name}")
    file(MAKE_DIRECTORY "${scratch}")
    parley_add_test(fuzz.${name}
      COMMAND bash -c "exec \"$0\" -max_total_time=\"\${PARLEY_FUZZ_SECONDS:-2}\" -timeout=10 \"$@\""
              $<TARGET_FILE:${target}> "${scratch}" ${corpus}
      TIMEOUT 900 LABELS fuzz)
  else()
    parley_add_test(fuzz.${name} COMMAND ${target} ${corpus} TIMEOUT 900 LABELS quick fuzz)
  endif()
endfunction()
