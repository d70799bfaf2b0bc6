// A line for the terminal, made of pieces in different styles. Its width counts the columns of the
// text alone, without escape sequences.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/report/display/terminal.h"
#include "bench/report/display/text_layout.h"

namespace rpycbench {

class StyledLine {
 public:
  StyledLine& Add(std::string text, Style style = Style::kPlain) {
    width_ += DisplayWidth(text);
    pieces_.emplace_back(std::move(text), style);
    return *this;
  }

  std::size_t width() const { return width_; }

  // Returns the line without trailing spaces. `color` adds the escape sequences of the styles.
  std::string Text(bool color) const {
    std::string plain;
    for (const auto& piece : pieces_) plain += piece.first;
    std::size_t left = plain.find_last_not_of(' ') + 1;
    if (!color) return plain.substr(0, left);
    std::string painted;
    for (const auto& [text, style] : pieces_) {
      painted += Painted(std::string_view(text).substr(0, left), style);
      left -= std::min(left, text.size());
    }
    return painted;
  }

 private:
  std::vector<std::pair<std::string, Style>> pieces_;
  std::size_t width_ = 0;
};

}  // namespace rpycbench
