# The language, the warnings and the hardening of everything that is compiled here.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(POSTHORN_WERROR "Warnings are errors (CI)" OFF)
set(POSTHORN_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")
option(POSTHORN_FUZZ "Only what tests/fuzz needs, with libFuzzer's coverage (clang)" OFF)
option(POSTHORN_FAULTS "Places where POSTHORN_FAULT makes the worker die, for tests/faults" OFF)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
  -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Wundef -Wvla -Wdeclaration-after-statement
  -fno-strict-aliasing -fno-common)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  # Where it is stricter than gcc: also in macros of uthash, which expand in our files.
  add_compile_options(-Wno-missing-field-initializers -Wno-implicit-fallthrough -Wno-cast-qual -Wno-format-nonliteral)
endif()
if(POSTHORN_FAULTS)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    message(FATAL_ERROR "POSTHORN_FAULTS is for tests: not in a release")
  endif()
  add_compile_definitions(POSTHORN_FAULTS)
endif()
if(POSTHORN_WERROR)
  add_compile_options(-Werror)
endif()
if(POSTHORN_SANITIZE)
  add_compile_options(-fsanitize=${POSTHORN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${POSTHORN_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Source: OpenSSF, "Compiler Options Hardening Guide for C and C++".
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -g)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(POSTHORN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# posthorn_library(<folder> SOURCES a.c b.c DEPENDS base dep::x): one static library a folder,
# ph_<folder>. The folder's headers are included with the folder's name in front.
function(posthorn_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(ph_${name} STATIC ${ARG_SOURCES})
  target_include_directories(ph_${name} PUBLIC ${PROJECT_SOURCE_DIR}/worker)
  target_include_directories(ph_${name} SYSTEM PRIVATE ${UTHASH_INCLUDE_DIR})
  target_link_libraries(ph_${name} PUBLIC ${ARG_DEPENDS})
endfunction()
