# The C++ package: find_package(xichan) defines xichan::xichan, and xichan::nats if it was built; pkg-config finds xichan
# and xichan-nats.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/xichan)

set(libraries xichan)
if(TARGET xichan_nats)
  list(APPEND libraries xichan_nats)
endif()
install(TARGETS ${libraries} EXPORT xichan-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT core)
install(DIRECTORY include/xichan DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT core)
install(EXPORT xichan-targets NAMESPACE xichan:: DESTINATION ${package_dir} COMPONENT core)

configure_package_config_file(cmake/xichan-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/xichan-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/xichan-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xichan-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/xichan-config-version.cmake
  DESTINATION ${package_dir} COMPONENT core)

# A relative path keeps the installation relocatable.
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/xichan.pc.in ${CMAKE_CURRENT_BINARY_DIR}/xichan.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xichan.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT core)
if(TARGET xichan_nats)
  configure_file(cmake/xichan-nats.pc.in ${CMAKE_CURRENT_BINARY_DIR}/xichan-nats.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xichan-nats.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT core)
endif()
