# The three kinds of target: library, generated protobuf, test.

add_library(kura_flags INTERFACE)
target_compile_features(kura_flags INTERFACE cxx_std_20)
target_compile_options(kura_flags INTERFACE -Wall -Wextra -Wshadow -Wno-missing-field-initializers
                       -Wno-unused-parameter -march=x86-64-v2 $<$<CXX_COMPILER_ID:GNU>:-fcoroutines>)
target_include_directories(kura_flags INTERFACE ${CMAKE_SOURCE_DIR})

# kura_library(NAME [SOURCES f...] [LINK lib...] [PRIVATE lib...])
# Without SOURCES: every .cc of the current folder. LINK is what its headers may include; PRIVATE is
# a third-party library that only its .cc files use.
function(kura_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  endif()
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC kura_flags ${ARG_LINK} PRIVATE ${ARG_PRIVATE})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE kura_flags ${ARG_LINK} ${ARG_PRIVATE})
  endif()
endfunction()

# kura_proto(NAME PROTO f... [LINK lib...]): C++ from .proto files of the folder, included by name.
function(kura_proto name)
  cmake_parse_arguments(ARG "" "" "PROTO;LINK;IMPORT" ${ARGN})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/proto)
  file(MAKE_DIRECTORY ${out})
  set(imports "")
  foreach(dir ${CMAKE_CURRENT_SOURCE_DIR}/proto ${ARG_IMPORT})
    list(APPEND imports -I ${dir})
  endforeach()
  set(generated "")
  foreach(proto ${ARG_PROTO})
    get_filename_component(stem ${proto} NAME_WE)
    add_custom_command(
      OUTPUT ${out}/${stem}.pb.cc ${out}/${stem}.pb.h
      COMMAND protobuf::protoc ${imports} --cpp_out=${out} ${CMAKE_CURRENT_SOURCE_DIR}/${proto}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${proto} VERBATIM)
    list(APPEND generated ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
  endforeach()
  add_library(${name} STATIC ${generated})
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf ${ARG_LINK})
endfunction()

# kura_test(NAME SOURCES f... LINK lib...): one GoogleTest binary, one ctest entry.
function(kura_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(CMAKE_CXX_FLAGS_DEBUG MATCHES "-fsanitize")
    math(EXPR ARG_TIMEOUT "4 * ${ARG_TIMEOUT}")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE kura_flags ${ARG_LINK} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()
