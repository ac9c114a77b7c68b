# The verbs of the house.  A folder's CMakeLists.txt is a list and a few of these.
#
#   house_library(name SOURCES a.c b.c USES base wire)      static library common_<name> or <name>
#   house_service(name SOURCES ... USES ... SQL dir ...)    program samverka-<name>
#   house_test(name SOURCES x_test.c ... USES ... [POSTGRES] [REDIS])
#   house_fuzzer(name SOURCES x_fuzz.c USES ...)            with a corpus in tests/fuzz/corpus/<name>
#   house_sql(target dir)                                   dir/*.sql -> <dir>/<folder>_sql.h

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(pair ZMQ:libzmq CZMQ:libczmq PROTOBUFC:libprotobuf-c PQ:libpq HIREDIS:hiredis
             MHD:libmicrohttpd CURL:libcurl SODIUM:libsodium JANSSON:jansson ZIP:libzip ZLIB:zlib
             CMOCKA:cmocka)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 prefix)
  list(GET pair 1 module)
  pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${module})
endforeach()
# Debian's interpreter, because Debian's Python packages belong to it.
set(HOUSE_PYTHON /usr/bin/python3)

option(HOUSE_FUZZ "build the fuzzers (clang)" OFF)
set(HOUSE_SANITIZE "" CACHE STRING "address,undefined or thread")

set(HOUSE_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wwrite-strings -Wcast-qual -Wvla
                   -Wstrict-prototypes -Wmissing-prototypes -Werror)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
                      -fcf-protection -fno-omit-frame-pointer
                      $<$<C_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero>)
  add_link_options(-Wl,-z,relro,-z,now -pie)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
endif()
if(HOUSE_SANITIZE)
  add_compile_options(-fsanitize=${HOUSE_SANITIZE} -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${HOUSE_SANITIZE})
  if(HOUSE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
if(HOUSE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# The compile rules for sources of our own (not for generated code).
function(house_ours target)
  target_compile_options(${target} PRIVATE ${HOUSE_WARNINGS}
                         -include ${PROJECT_SOURCE_DIR}/common/base/banned.h)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE
                             SAMVERKA_VERSION="${PROJECT_VERSION}")
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_include_directories(${target} PUBLIC ${PROJECT_BINARY_DIR}/gen)
endfunction()

# What scripts/run needs: every program, no test.
add_custom_target(programs)
add_custom_target(fuzzers)

function(house_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;SQL" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  house_ours(${name})
  target_link_libraries(${name} PUBLIC ${ARG_USES})
  foreach(dir ${ARG_SQL})
    house_sql(${name} ${dir})
  endforeach()
endfunction()

function(house_service name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;SQL" ${ARGN})
  # All but main.c is a library, so that tests link the rooms they need.
  house_library(${name}_rooms SOURCES ${ARG_SOURCES} USES ${ARG_USES} SQL ${ARG_SQL})
  add_executable(samverka-${name} main.c)
  house_ours(samverka-${name})
  target_link_libraries(samverka-${name} PRIVATE ${name}_rooms ${ARG_USES})
  set_target_properties(samverka-${name} PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  add_dependencies(programs samverka-${name})
endfunction()

function(house_test name)
  cmake_parse_arguments(ARG "POSTGRES;REDIS" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  house_ours(${name})
  target_link_libraries(${name} PRIVATE ${ARG_USES} PkgConfig::CMOCKA)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
  if(ARG_POSTGRES OR ARG_REDIS)
    # Real servers of its own, in a temporary folder.
    add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/scripts/with-servers $<TARGET_FILE:${name}>)
  else()
    add_test(NAME ${name} COMMAND ${name})
  endif()
  # ctest -L common/wire runs the tests of one folder.
  file(RELATIVE_PATH place ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS ${place} ENVIRONMENT
    "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp;LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp")
endfunction()

function(house_fuzzer name)
  if(NOT HOUSE_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  house_ours(${name})
  target_link_libraries(${name} PRIVATE ${ARG_USES})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  add_dependencies(fuzzers ${name})
endfunction()

# sql/enroll.sql becomes SQL_ENROLL in <dir>/<folder>_sql.h (dir relative to the current source
# folder; "." for the folder's own sql/).
function(house_sql target dir)
  get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR}/${dir} ABSOLUTE)
  file(RELATIVE_PATH place ${PROJECT_SOURCE_DIR} ${room})
  get_filename_component(folder ${room} NAME)
  set(header ${PROJECT_BINARY_DIR}/gen/${place}/${folder}_sql.h)
  file(GLOB statements CONFIGURE_DEPENDS ${room}/sql/*.sql)
  add_custom_command(
    OUTPUT ${header}
    COMMAND ${HOUSE_PYTHON} ${PROJECT_SOURCE_DIR}/cmake/gen_sql.py ${place} ${header} ${statements}
    DEPENDS ${PROJECT_SOURCE_DIR}/cmake/gen_sql.py ${statements})
  target_sources(${target} PRIVATE ${header})
endfunction()

# Generates C for every .proto of the contract and the table of our own options.
function(house_proto target)
  set(gen ${PROJECT_BINARY_DIR}/gen)
  set(root ${PROJECT_SOURCE_DIR}/proto)
  file(GLOB_RECURSE protos CONFIGURE_DEPENDS RELATIVE ${root} ${root}/*.proto)
  set(google google/protobuf/any.proto google/protobuf/timestamp.proto
             google/protobuf/descriptor.proto)
  set(sources "")
  set(headers "")
  set(inputs "")
  foreach(proto ${protos} ${google})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    list(APPEND sources ${gen}/${stem}.pb-c.c)
    list(APPEND headers ${gen}/${stem}.pb-c.h)
  endforeach()
  foreach(proto ${protos})
    list(APPEND inputs ${root}/${proto})
  endforeach()
  add_custom_command(
    OUTPUT ${sources} ${headers} ${gen}/contract.desc ${gen}/contract_options.c
    COMMAND ${HOUSE_PYTHON} ${PROJECT_SOURCE_DIR}/cmake/gen_proto.py ${root} ${gen}
    DEPENDS ${PROJECT_SOURCE_DIR}/cmake/gen_proto.py ${inputs}
    COMMENT "Generating the contract")
  add_library(${target} STATIC ${sources} ${gen}/contract_options.c)
  target_include_directories(${target} SYSTEM PUBLIC ${gen})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUFC)
  target_compile_options(${target} PRIVATE -w)
endfunction()
