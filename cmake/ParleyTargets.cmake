# Functions the folders use to declare what they build. Every flag is PRIVATE to our own targets.
include_guard(GLOBAL)

set(PARLEY_SOURCE_ROOT "${PROJECT_SOURCE_DIR}/src")
set(PARLEY_INCLUDE_ROOT "${PROJECT_SOURCE_DIR}/include")

# Language level, warnings and sanitizer-friendly defaults for one of our own targets.
function(parley_own_target target)
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall> $<$<COMPILE_LANGUAGE:CXX>:-Wextra>
    $<$<COMPILE_LANGUAGE:CXX>:-Wpedantic>)
  if(PARLEY_WERROR)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Designated initialisers that leave defaults in place are the house style.
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>)
    # With full optimisation gcc 12 gives these inside its own library, where nothing is wrong.
    target_compile_options(${target} PRIVATE
      $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release,RelWithDebInfo>>:-Wno-restrict>
      $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release,RelWithDebInfo>>:-Wno-maybe-uninitialized>)
  else()
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>
      $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-designated-field-initializers>
      $<$<COMPILE_LANGUAGE:CXX>:-Wno-unknown-warning-option>)
  endif()
  # So that a program linked with -Wl,--gc-sections takes of the archives what it uses.
  set(optimised $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
  target_compile_options(${target} PRIVATE
    $<${optimised}:-ffunction-sections> $<${optimised}:-fdata-sections>)
  if(PARLEY_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link,address,undefined)
  endif()
endfunction()

# parley_unity(<target> <values…>): compiles the target's files a dozen at a time when PARLEY_UNITY is one
# of the values. What stands in anonymous namespaces has names of its own within a folder, therefore; a
# file that cannot have that says so with the property SKIP_UNITY_BUILD_INCLUSION.
function(parley_unity target)
  if(PARLEY_UNITY IN_LIST ARGN)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
endfunction()

# parley_layer(<folder> SOURCES <files…> [DEPENDS <lower folders…>] [LINKS <third-party targets…>])
#
# Declares the two targets of a layer:
#   parley_<folder>_objects  the compiled files, taken into the public libraries by src/CMakeLists.txt
#   parley_<folder>          an internal archive with its dependencies, for tests and tools in this tree
function(parley_layer folder)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LINKS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "parley_layer(${folder}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_SOURCES)
    set(empty "${CMAKE_CURRENT_BINARY_DIR}/no_sources.cpp")
    file(CONFIGURE OUTPUT "${empty}" CONTENT "// ${folder} has no compiled files.\n" @ONLY)
    set(arg_SOURCES "${empty}")
  endif()

  add_library(parley_${folder}_objects OBJECT ${arg_SOURCES})
  parley_own_target(parley_${folder}_objects)
  parley_unity(parley_${folder}_objects ALL)
  target_include_directories(parley_${folder}_objects PRIVATE
    "${PARLEY_INCLUDE_ROOT}" "${PARLEY_SOURCE_ROOT}")
  target_link_libraries(parley_${folder}_objects PRIVATE ${arg_LINKS})
  set_property(TARGET parley_${folder}_objects PROPERTY PARLEY_LINKS "${arg_LINKS}")

  add_library(parley_${folder} STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:parley_${folder}_objects>)
  set_target_properties(parley_${folder} PROPERTIES
    OUTPUT_NAME parley_${folder}_layer LINKER_LANGUAGE CXX)
  target_include_directories(parley_${folder} INTERFACE
    "${PARLEY_INCLUDE_ROOT}" "${PARLEY_SOURCE_ROOT}")
  target_compile_features(parley_${folder} INTERFACE cxx_std_20)
  list(TRANSFORM arg_DEPENDS PREPEND parley_)
  target_link_libraries(parley_${folder} INTERFACE ${arg_DEPENDS})
  foreach(link IN LISTS arg_LINKS)
    target_link_libraries(parley_${folder} INTERFACE $<LINK_ONLY:${link}>)
  endforeach()
endfunction()

# parley_flatc(<folder> <schema.fbs> [FLAGS <flatc flags…>])
#
# Generates C++ from a schema of this folder into the build tree. The folder's own files include it
# as "<folder>/<schema>_generated.h"; nothing else sees it, except a target that asks with
# target_include_directories(… PRIVATE $<TARGET_PROPERTY:parley_<folder>_objects,PARLEY_GENERATED>).
function(parley_flatc folder schema)
  cmake_parse_arguments(arg "" "" "FLAGS" ${ARGN})
  get_filename_component(stem "${schema}" NAME_WE)
  set(root "${CMAKE_CURRENT_BINARY_DIR}/generated")
  set(output "${root}/${folder}/${stem}_generated.h")
  file(MAKE_DIRECTORY "${root}/${folder}")
  file(GLOB schemas CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.fbs")  # one may include another
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${PARLEY_FLATC_PROGRAM}" --cpp --cpp-std c++17 --scoped-enums ${arg_FLAGS}
            -o "${root}/${folder}" "${CMAKE_CURRENT_SOURCE_DIR}/${schema}"
    DEPENDS ${schemas}
    COMMENT "flatc ${folder}/${schema}"
    VERBATIM)
  target_sources(parley_${folder}_objects PRIVATE "${output}")
  target_include_directories(parley_${folder}_objects PRIVATE "${root}")
  target_include_directories(parley_${folder}_objects SYSTEM PRIVATE
    "${PARLEY_FLATBUFFERS_INCLUDE_DIR}")
  set_property(TARGET parley_${folder}_objects PROPERTY PARLEY_GENERATED "${root}")
endfunction()

# parley_component(<name> LAYERS <folders…> [LINKS <targets…>])
#
# A public compiled library made of layers, exported as parley::<name>.
function(parley_component name)
  cmake_parse_arguments(arg "" "" "LAYERS;OBJECTS;LINKS" ${ARGN})
  if(name STREQUAL "parley")
    set(target parley)
    set(output parley)
  else()
    set(target parley_${name}_component)
    set(output parley_${name})
  endif()
  add_library(${target} STATIC)
  add_library(parley::${name} ALIAS ${target})
  foreach(folder IN LISTS arg_LAYERS)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:parley_${folder}_objects>)
    get_target_property(links parley_${folder}_objects PARLEY_LINKS)
    foreach(link IN LISTS links)
      if(NOT link STREQUAL "parley_llhttp")
        target_link_libraries(${target} PRIVATE ${link})
      endif()
    endforeach()
  endforeach()
  foreach(object IN LISTS arg_OBJECTS)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
  endforeach()
  target_link_libraries(${target} PUBLIC parley_api ${arg_LINKS})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name} OUTPUT_NAME ${output} LINKER_LANGUAGE CXX)
  set_property(GLOBAL APPEND PROPERTY PARLEY_COMPONENTS ${name})
endfunction()

# parley_alias_component(<name> <component>)
#
# A public name for a part that is inside another component: an INTERFACE target over it, exported
# as parley::<name>.
function(parley_alias_component name component)
  add_library(parley_${name}_component INTERFACE)
  add_library(parley::${name} ALIAS parley_${name}_component)
  target_link_libraries(parley_${name}_component INTERFACE ${component})
  set_target_properties(parley_${name}_component PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY PARLEY_COMPONENTS ${name})
endfunction()
