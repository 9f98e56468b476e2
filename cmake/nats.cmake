# What needs libnats, which the core does not: the engine of the module for xichan.nats.
set(XICHAN_NATS "AUTO" CACHE STRING "Build channels over NATS: ON, OFF, or AUTO (if libnats is found)")
set_property(CACHE XICHAN_NATS PROPERTY STRINGS AUTO ON OFF)
if(XICHAN_NATS)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(libnats QUIET IMPORTED_TARGET libnats>=3.4)
  endif()
  if(NOT libnats_FOUND AND NOT XICHAN_NATS STREQUAL "AUTO")
    message(FATAL_ERROR "XICHAN_NATS needs libnats 3.4 or newer and pkg-config\n"
                        "  Debian and Ubuntu: apt-get install libnats-dev pkg-config")
  endif()
endif()
if(NOT libnats_FOUND)
  return()
endif()

add_library(xichan_nats_engine OBJECT
  src/nats/connection.cpp
  src/nats/consumer.cpp
  src/nats/end_watch.cpp
  src/nats/exchange.cpp
  src/nats/heartbeat.cpp
  src/nats/mailbox.cpp
  src/nats/message.cpp
  src/nats/options.cpp
  src/nats/room.cpp
  src/nats/socket_events.cpp)
target_include_directories(xichan_nats_engine PUBLIC src)
target_link_libraries(xichan_nats_engine PUBLIC xichan PkgConfig::libnats PRIVATE xichan_options)
