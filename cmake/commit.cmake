# Sets xichan_commit to the commit of the sources, with "+changes" if tracked files differ from it; "" if unknown.
set(XICHAN_COMMIT "" CACHE STRING "Commit of the sources; by default that of the git checkout")
set(xichan_commit "${XICHAN_COMMIT}")
find_package(Git QUIET)
if(NOT xichan_commit AND GIT_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  # In a container the checkout belongs to another user, which git refuses unless the folder is called safe.
  set(git ${GIT_EXECUTABLE} -c safe.directory=* -C ${PROJECT_SOURCE_DIR})
  execute_process(COMMAND ${git} rev-parse --short=12 HEAD OUTPUT_VARIABLE xichan_commit
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${git} status --porcelain -uno OUTPUT_VARIABLE changes ERROR_QUIET)
  if(xichan_commit AND changes)
    string(APPEND xichan_commit "+changes")
  endif()
endif()
