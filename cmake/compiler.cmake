# Enables C++. Without a usable compiler the message says what to install: `pip install` shows it if no wheel fits.
set(xichan_compiler_remedy "xichan is built from source and needs a C++20 compiler: g++ 12 or newer, or clang++ 14 or newer.
  Debian and Ubuntu: apt-get install g++
  Fedora: dnf install gcc-c++
  Alpine: apk add g++ linux-headers
Set the environment variable CXX if the compiler is not on PATH.
A wheel needs no compiler: pip install --only-binary :all: xichan")

include(CheckLanguage)
check_language(CXX)
if(NOT CMAKE_CXX_COMPILER)
  message(FATAL_ERROR "no C++ compiler found\n${xichan_compiler_remedy}")
endif()
enable_language(CXX)
if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
   OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14))
  message(FATAL_ERROR "the compiler is too old: ${CMAKE_CXX_COMPILER} is ${CMAKE_CXX_COMPILER_ID} "
                      "${CMAKE_CXX_COMPILER_VERSION}\n${xichan_compiler_remedy}")
endif()
