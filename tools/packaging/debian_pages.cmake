# Run by CPack when all is in place and before it is packed: gives a Debian package what each has to
# have: the license as `copyright`, a changelog in Debian's form, compressed manual pages.
cmake_minimum_required(VERSION 3.25)
if(NOT CPACK_GENERATOR STREQUAL DEB)
  return()
endif()
file(GLOB_RECURSE license ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/LICENSE)
cmake_path(GET license PARENT_PATH folder)
file(RENAME ${license} ${folder}/copyright)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${folder}/changelog
"${CPACK_PACKAGE_NAME} (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Release ${CPACK_PACKAGE_VERSION}.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(GLOB_RECURSE manual ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*.1)
execute_process(COMMAND gzip -9 -n ${folder}/changelog ${manual} COMMAND_ERROR_IS_FATAL ANY)
