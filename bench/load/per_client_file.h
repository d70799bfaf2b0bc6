// The file of --per_client_file, which gets a line of JSON for each client of a row and each of its
// iterations. Clients that failed have a line as well, so the file shows how far each of them came.
//
//   PerClientFile file(options.per_client_file, "Concurrent/rpyc_threaded/clients:10");
//   file.NextRun();
//   file.Append(results);     // once for each iteration
#pragma once

#include <string>
#include <vector>

#include "bench/load/client_load.h"

namespace rpycbench {

class PerClientFile {
 public:
  // Opens nothing yet. An empty path makes all methods do nothing.
  PerClientFile(std::string path, std::string row) : path_(std::move(path)), row_(std::move(row)) {}

  bool wanted() const { return !path_.empty(); }
  // Begins a run of the row's loop. The framework makes several to find the number of iterations.
  void NextRun() {
    ++run_;
    iteration_ = 0;
  }
  // Appends a line for each client. Sorts their times. Throws std::runtime_error if the file cannot
  // be written.
  void Append(std::vector<ClientResult>& results);

 private:
  std::string path_;
  std::string row_;
  int run_ = 0;
  int iteration_ = 0;
};

}  // namespace rpycbench
