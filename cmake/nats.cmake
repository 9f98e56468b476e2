# What needs libnats, which the core does not: the library xichan::nats, and the engine that it shares with the module
# for xichan.nats.
set(XICHAN_NATS "AUTO" CACHE STRING "Build channels over NATS, for C++ and Python: ON, OFF, or AUTO (if libnats is found)")
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
  src/nats/socket_events.cpp
  src/nats/threads.cpp)
target_include_directories(xichan_nats_engine PUBLIC src)
target_link_libraries(xichan_nats_engine PUBLIC xichan PkgConfig::libnats PRIVATE xichan_options)

# A wheel contains the module only.
if(SKBUILD)
  return()
endif()
add_library(xichan_nats_endpoints OBJECT
  src/nats/batches.cpp
  src/nats/calls.cpp
  src/nats/channel_error.cpp
  src/nats/channels.cpp
  src/nats/dead_letters.cpp
  src/nats/endpoint.cpp
  src/nats/failure.cpp
  src/nats/hub.cpp
  src/nats/json.cpp
  src/nats/leases.cpp
  src/nats/names.cpp
  src/nats/open.cpp
  src/nats/receiver.cpp
  src/nats/sender.cpp
  src/nats/settings.cpp
  src/nats/stats.cpp
  src/nats/urls.cpp)
target_link_libraries(xichan_nats_endpoints PUBLIC xichan_nats_engine PRIVATE xichan_options)

add_library(xichan_nats SHARED src/nats/api.cpp
  $<TARGET_OBJECTS:xichan_nats_engine> $<TARGET_OBJECTS:xichan_nats_endpoints>)
add_library(xichan::nats ALIAS xichan_nats)
target_include_directories(xichan_nats PRIVATE src)
target_link_libraries(xichan_nats PUBLIC xichan
  PRIVATE $<BUILD_INTERFACE:PkgConfig::libnats> $<BUILD_INTERFACE:xichan_options>)
# libnats may be in a folder of the user, such as the cache of ./dev.
set(xichan_nats_exports ${PROJECT_SOURCE_DIR}/cmake/libxichan-nats.map)
set_target_properties(xichan_nats PROPERTIES OUTPUT_NAME xichan-nats EXPORT_NAME nats
  VERSION ${PROJECT_VERSION} SOVERSION ${xichan_abi}
  INSTALL_RPATH "$ORIGIN" INSTALL_RPATH_USE_LINK_PATH ON LINK_DEPENDS ${xichan_nats_exports})
target_link_options(xichan_nats PRIVATE LINKER:--version-script=${xichan_nats_exports})
# dlclose() must not unmap it, nor libnats: their threads run on.
target_link_options(xichan_nats PRIVATE LINKER:-z,nodelete)
