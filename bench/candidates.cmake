# The header-only libraries whose queues are compared with the rings: those of the system, otherwise fetched. Only the
# benchmarks include them.
find_path(XICHAN_BOOST_INCLUDE_DIR boost/lockfree/spsc_queue.hpp)
if(NOT XICHAN_BOOST_INCLUDE_DIR)
  include(FetchContent)
  set(BOOST_INCLUDE_LIBRARIES lockfree)
  set(BOOST_ENABLE_CMAKE ON)
  FetchContent_Declare(boost
    URL https://github.com/boostorg/boost/releases/download/boost-1.86.0/boost-1.86.0-cmake.tar.xz)
  FetchContent_MakeAvailable(boost)
endif()

# The first folder is that of Debian 12, the second that of later releases; the project itself has no folder.
find_path(XICHAN_MOODYCAMEL_INCLUDE_DIR concurrentqueue.h
  PATH_SUFFIXES concurrentqueue concurrentqueue/moodycamel moodycamel)
if(NOT XICHAN_MOODYCAMEL_INCLUDE_DIR)
  include(FetchContent)
  FetchContent_Declare(concurrentqueue
    URL https://github.com/cameron314/concurrentqueue/archive/refs/tags/v1.0.4.tar.gz)
  FetchContent_MakeAvailable(concurrentqueue)
  set(XICHAN_MOODYCAMEL_INCLUDE_DIR ${concurrentqueue_SOURCE_DIR} CACHE PATH "" FORCE)
endif()

add_library(xichan_candidates INTERFACE)
if(XICHAN_BOOST_INCLUDE_DIR)
  target_include_directories(xichan_candidates SYSTEM INTERFACE ${XICHAN_BOOST_INCLUDE_DIR})
else()
  target_link_libraries(xichan_candidates INTERFACE Boost::lockfree)
endif()
target_include_directories(xichan_candidates SYSTEM INTERFACE ${XICHAN_MOODYCAMEL_INCLUDE_DIR})
