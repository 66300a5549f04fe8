// case_fold.hpp: texts that differ only in upper and lower case, made the same.
#pragma once
#include <string>
#include <string_view>

namespace parley::base {

/// Unicode's simple case folding (14.0): every character becomes at most one other, whatever the
/// language. `text` is valid UTF-8; so is the result, of other length perhaps. Thread: any.
std::string fold_case(std::string_view text);

}  // namespace parley::base
