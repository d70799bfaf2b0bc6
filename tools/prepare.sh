# Functions that tools/bench_all, tools/compare, ci/gate and ci/test share by sourcing this file. They
# find what the suite needs, install what is missing with apt, and configure and build the Release
# tree. All messages go to stderr, so that stdout belongs to the program that runs afterwards.
# A need counts as met if the build will see it (commands, headers, modules), whatever the package
# database says. That is as quick, works without apt, and accepts software built by hand.
# shellcheck shell=bash

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
preset=release
if [[ -e $repository/CMakeLists.txt ]]; then
  installed=no
  may_install=yes
  build_folder=$repository/build/$preset
else  # Installed: the package manager provides what is missing, and there is nothing to build.
  installed=yes
  may_install=no
  build_folder=$repository
fi
program=${0##*/}
export DEBIAN_FRONTEND=noninteractive

# One line for each need: the Debian package, the sign that it is there, and the part that needs it.
# "boost" is any Boost from 1.81 on, and "boost-…" its library of that name; which packages
# contain them depends on the system.
needs='
g++                 command:c++                               build
cmake               command:cmake                             build
ninja-build         command:ninja                             build
libbenchmark-dev    header:benchmark/benchmark.h              build
boost               header:boost/process/v2/process.hpp       build
boost-context       library:boost_context                     build
boost-json          library:boost_json                        build
libcli11-dev        header:CLI/CLI.hpp                        build
libisal-dev         header:isa-l/igzip_lib.h                  build
zlib1g-dev          header:zlib.h                             build
libssl-dev          header:openssl/ssl.h                      build
libgtest-dev        header:gtest/gtest.h                      test
libgmock-dev        header:gmock/gmock.h                      test
python3-rpyc        module:rpyc                               servers
python3-flask       module:flask                              servers
python3-waitress    module:waitress                           servers
python3-requests    module:requests                           clients
curl                command:curl                              test
openssl             command:openssl                           test
git                 command:git                               test
xz-utils            command:xz                                boost
debootstrap         command:debootstrap                       chroot
valgrind            command:valgrind                          test
valgrind            command:valgrind                          instructions
python3-numpy       module:numpy                              gate
git                 command:git                               gate
util-linux          command:setpriv                           gate
python3-matplotlib  module:matplotlib                         report
libbenchmark-tools  tool:compare_py                           compare
'
oldest_boost=1.81
oldest_cmake=3.25

say() { printf '%s: %s\n' "$program" "$1" >&2; }
stop() {
  say "$1"
  exit 2
}

# Prints the lines of `needs` that belong to the parts given.
needs_of() {
  local package sign part
  while read -r package sign part; do
    if [[ -n $package && " $* " == *" $part "* ]]; then echo "$package $sign"; fi
  done <<< "$needs"
}

# Prints the packages of the given parts that seem to be missing.
missing_packages() {
  local package sign
  while read -r package sign; do
    case $sign in
      command:*) command -v "${sign#*:}" > /dev/null ;;
      header:*) has_header "${sign#*:}" ;;
      library:*) has_library "${sign#*:}" ;;
      module:*) has_module "${sign#*:}" ;;
      tool:*) "${sign#*:}" > /dev/null ;;
    esac || echo "$package"
  done < <(needs_of "$@")
}

# Returns whether the compiler finds a header; one of Boost only if it is new enough.
has_header() {
  local oldest=0
  if [[ $1 == boost/* ]]; then
    oldest=$((${oldest_boost%.*} * 100000 + ${oldest_boost#*.} * 100))
  fi
  command -v c++ > /dev/null &&
    compiler -E -x c++ ${BOOST_ROOT:+-I "$BOOST_ROOT/include"} - > /dev/null 2>&1 << END
#if __has_include(<boost/version.hpp>)
#include <boost/version.hpp>
#endif
#if !__has_include(<$1>) || BOOST_VERSION < $oldest
#error
#endif
END
}

# Returns whether the linker finds a library.
has_library() {
  local name
  for name in "lib$1.a" "lib$1.so"; do
    if [[ -e ${BOOST_ROOT:-/nowhere}/lib/$name ]] ||
      { command -v c++ > /dev/null && [[ $(compiler "-print-file-name=$name") == */* ]]; }; then
      return
    fi
  done
  return 1
}

# Prints the path of Google Benchmark's compare.py. Debian's package and Google Benchmark's own
# installation have it in different places, below the prefix that the build used or a usual one.
compare_py() {
  local folder prefix
  prefix=$(sed -n 's/^benchmark_DIR:PATH=\(.*\)\/lib[^\/]*\/.*/\1/p' "$build_folder/CMakeCache.txt" 2> /dev/null || true)
  for folder in ${prefix:+"$prefix/share/googlebenchmark/tools"} /usr/share/benchmark \
    /usr/local/share/googlebenchmark/tools /usr/share/googlebenchmark/tools; do
    if [[ -e $folder/compare.py ]]; then
      echo "$folder/compare.py"
      return
    fi
  done
  return 1
}

# Uses the system's interpreter, because Debian's Python packages belong to it.
has_module() {
  [[ -x /usr/bin/python3 ]] &&
    /usr/bin/python3 -c "import importlib.util as u; raise SystemExit(not u.find_spec('$1'))"
}

at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | sed -n 1p) == "$2" ]]; }

# Runs the compiler that the build uses: $CXX, as in CMake, or the system's.
compiler() {
  local command
  read -ra command <<< "${CXX:-c++}"
  "${command[@]}" "$@"
}

# Stops if a variable in the environment would hide what is installed, and names it.
check_environment() {
  local command
  read -ra command <<< "${CXX:-c++}"
  if [[ -n ${CXX-} && " $* " == *' build '* ]] && ! command -v -- "${command[0]}" > /dev/null; then
    stop "CXX=$CXX: no such compiler; unset CXX, or set it to one"
  fi
  if [[ -n ${PYTHONHOME-} && -x /usr/bin/python3 ]] && ! /usr/bin/python3 -c '' 2> /dev/null; then
    stop "PYTHONHOME=$PYTHONHOME: /usr/bin/python3 does not start with it; unset PYTHONHOME"
  fi
}

require_cmake_version() {
  local version
  version=$(cmake --version | sed -n '1s/[^0-9]*//p')
  at_least "$version" "$oldest_cmake" ||
    stop "cmake $version is too old, $oldest_cmake is needed; put a newer one first in PATH"
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    command -v sudo > /dev/null || stop "there is no sudo; run this command as root: $*"
    sudo env "DEBIAN_FRONTEND=$DEBIAN_FRONTEND" "$@"
  fi
}

apt_update() {
  say 'refreshing the package lists (apt-get update)'
  as_root apt-get update -qq < /dev/null >&2 || say 'apt-get update failed; using the old lists'
}

# Forces English because the output of apt is parsed.
apt_version() { LC_ALL=C apt-cache policy "$1" 2> /dev/null | sed -n 's/^  Candidate: \([^(]\)/\1/p'; }

# Prints the oldest package with a Boost that is new enough, or nothing.
boost_package() {
  local version offered
  version=$(apt_version libboost-dev)
  if [[ -n $version ]] && at_least "$version" "$oldest_boost"; then
    echo libboost-dev
    return
  fi
  # Reads the whole output before the first line is taken; otherwise a closed pipe kills the writer.
  mapfile -t offered < <(apt-cache pkgnames libboost1. | grep -xE 'libboost1\.[0-9]+-dev' | sort -V)
  for package in ${offered[@]+"${offered[@]}"}; do
    version=${package#libboost}
    if at_least "${version%-dev}" "$oldest_boost"; then
      echo "$package"
      return
    fi
  done
}

# Prints the given packages with those of Boost replaced; without them while apt's lists lack Boost.
resolve_boost() {
  local package
  for package in "$@"; do
    case $package in
      boost) boost_package ;;
      boost-*) boost_package | sed "s/^libboost/lib$package/" ;;
      *) echo "$package" ;;
    esac
  done
}

known_to_apt() {
  local package
  (($# > 0)) || return 1
  for package in "$@"; do
    [[ -n $(apt_version "$package") ]] || return 1
  done
}

# Stops if installing one of the packages would remove something, or is impossible.
refuse_conflicts() {
  local package plan removed
  for package in "$@"; do
    if ! plan=$(LC_ALL=C apt-get install -s --no-install-recommends "$package" < /dev/null 2>&1); then
      tail -n 5 <<< "$plan" >&2
      stop "apt cannot install $package here, for the reason above"
    fi
    removed=$(sed -n 's/^Remv \([^ ]*\).*/\1/p' <<< "$plan" | paste -sd ' ')
    if [[ -n $removed ]]; then
      say "$package conflicts with what is installed: $removed"
      stop "nothing was changed; remove that first (apt-get remove $removed) or use another machine"
    fi
  done
}

apt_install() {
  local wanted
  mapfile -t wanted < <(resolve_boost "$@")
  if ((${#wanted[@]} < $#)) || ! known_to_apt "${wanted[@]}"; then
    apt_update
    mapfile -t wanted < <(resolve_boost "$@")
    ((${#wanted[@]} == $#)) || stop "apt has no Boost from $oldest_boost on; set BOOST_ROOT to one"
  fi
  refuse_conflicts "${wanted[@]}"
  say "installing ${wanted[*]}"
  local install=(apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends --no-remove
    "${wanted[@]}")
  if ! as_root "${install[@]}" < /dev/null >&2; then
    apt_update  # the lists may name files that the archive has since replaced
    as_root "${install[@]}" < /dev/null >&2 || stop "apt-get could not install ${wanted[*]}"
  fi
}

# ensure_packages yes|no part…: checks everything that the parts need, and installs it if allowed.
ensure_packages() {
  local may_install=$1 missing
  shift
  check_environment "$@"
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} > 0)); then
    if [[ -n ${CXX-} && " $* " == *' build '* && -z $(CXX='' missing_packages "$@") ]]; then
      stop "CXX=$CXX does not find what c++ finds (${missing[*]}); unset CXX, or set it to g++"
    fi
    if [[ $may_install == no ]]; then
      [[ " ${missing[*]}" != *' boost'* ]] || missing+=("(Boost from $oldest_boost on)")
      stop "missing: ${missing[*]}"
    elif ! command -v apt-get > /dev/null; then
      explain_without_apt "${missing[@]}"
    fi
    apt_install "${missing[@]}"
  fi
  if [[ " $* " == *' build '* ]]; then require_cmake_version; fi
}

# offer_packages part…: installs optional packages of the parts, if apt knows them and no password
# is needed. Never stops the program, which reports what it has to omit.
offer_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)) || ! command -v apt-get > /dev/null; then return; fi
  if known_to_apt "${missing[@]}" && { ((EUID == 0)) || sudo -n true 2> /dev/null; } &&
    (apt_install "${missing[@]}"); then return; fi
  say "continuing without ${missing[*]}"
}

explain_without_apt() {
  local package sign part
  say 'these are missing, and there is no apt to install them with:'
  while read -r package sign part; do
    if [[ -n $package && " $* " == *" $package "* ]]; then
      printf '  %-20s looked for %s\n' "$package" "${sign/:/ }" >&2
    fi
  done <<< "$needs"
  command -v c++ > /dev/null || say 'there is no compiler, so no library can be found'
  say "Boost must be $oldest_boost or newer, cmake $oldest_cmake or newer; the names are Debian's"
  stop 'install them, then run again, or: cmake --preset release && cmake --build --preset release'
}

# Runs a command without its output, and shows the output only if the command fails.
quietly() {
  local log=$build_folder.log status=0
  "$@" > "$log" 2>&1 < /dev/null || status=$?
  if ((status != 0)); then
    cat -- "$log" >&2
    say "this failed: $*"
  fi
  return "$status"
}

# ensure_clang SUFFIX: installs Clang with its fuzzer and sanitizers: the release's own version, or
# that of a suffix such as -16.
ensure_clang() {
  "clang++$1" -fsanitize=fuzzer -x c++ -o /dev/null - 2> /dev/null <<< \
    'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' && return
  command -v apt-get > /dev/null || stop "there is no clang++$1 with libFuzzer, and no apt to install it"
  apt_install "clang$1" "libclang-rt$1-dev"
}

# configured ON|OFF: returns whether the tree belongs to this clone and has the tests. A copied tree
# belongs to the original. A tree with tests also serves programs that need none.
configured() {
  local cache=$build_folder/CMakeCache.txt
  [[ -f $build_folder/build.ninja ]] &&
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$repository" "$cache" &&
    { [[ $1 == OFF ]] || grep -qx 'RPYCBENCH_TESTS:BOOL=ON' "$cache"; }
}

# built [target…]: returns whether these programs exist, in any state.
built() {
  local target
  for target in "${@:-bench_all}"; do
    [[ -e $build_folder/$target ]] || return 1
  done
}

# build ON|OFF [target…]: brings the preset's tree in build_folder up to date, with or without
# tests. A new tree is also configured with configure_flags.
configure_flags=()
build() {
  local tests=$1 lock
  shift
  if ! { mkdir -p -- "$build_folder" && [[ -w $build_folder ]]; } 2> /dev/null; then
    built "$@" || stop "$build_folder cannot be written to (read-only?), and nothing is built there"
    say "$build_folder cannot be written to (read-only?): running what is built"
    return
  fi
  # Only one build at a time may run in a tree.
  exec {lock}< "$build_folder"
  flock --nonblock "$lock" || {
    say "waiting for another build in $build_folder"
    flock "$lock"
  }
  if ! configured "$tests"; then
    say "configuring and building $build_folder, which takes some minutes the first time"
    (cd -- "$repository" && quietly cmake --preset "$preset" -B "$build_folder" --fresh \
      "-DRPYCBENCH_TESTS=$tests" ${CI:+-DRPYCBENCH_WERROR=ON} \
      ${configure_flags[@]+"${configure_flags[@]}"}) || exit 1
  fi
  quietly cmake --build "$build_folder" ${1:+--target "$@"} || exit 1
  grep -h 'revision is unknown' -- "$build_folder.log" >&2 || true  # or all rows would lack it silently
  exec {lock}<&-  # the program that runs next does not build
}
