# Writes build_info.cc: what was built, and from which state of the sources. It runs at each build
# and touches the file only if something changed. Outside of a git work tree, or without git, the
# revision is "unknown" and the build continues.
#
#   cmake -DSOURCE_DIR=… -DTEMPLATE=build_info.cc.in -DOUTPUT=build_info.cc … -P git_revision.cmake

set(GIT_REVISION "unknown")
find_program(GIT git)
if(GIT)
  # A checkout may belong to another user, as in a container. Reading its revision is safe.
  set(GIT ${GIT} -c safe.directory=*)
  execute_process(COMMAND ${GIT} rev-parse --short=12 HEAD
    WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE revision RESULT_VARIABLE failed
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_VARIABLE said)
  if(NOT failed EQUAL 0 AND EXISTS ${SOURCE_DIR}/.git)
    message(NOTICE "The revision is unknown, and rows of this build will not say it: ${said}")
  endif()
  # A copy of the sources inside another repository has no revision of its own.
  execute_process(COMMAND ${GIT} rev-parse --show-prefix
    WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE prefix
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed EQUAL 0 AND prefix STREQUAL "")
    set(GIT_REVISION ${revision})
    execute_process(COMMAND ${GIT} status --porcelain --untracked-files=no
      WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE changes ERROR_QUIET)
    if(NOT changes STREQUAL "")
      string(APPEND GIT_REVISION "+dirty")
    endif()
  endif()
endif()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
