// wire/numbers.hpp: vectors of 64-bit numbers out of bytes that strangers sent. FlatBuffers
// verifies that such a vector's length is aligned, not that its elements are.
#pragma once
#include <flatbuffers/flatbuffers.h>
#include <cstdint>
#include <cstring>

namespace parley::wire {

using Numbers = flatbuffers::Vector<std::uint64_t>;

inline std::uint64_t number_at(const Numbers& from, flatbuffers::uoffset_t i) noexcept {
  std::uint64_t number;
  std::memcpy(&number, from.Data() + std::size_t{i} * sizeof number, sizeof number);
  return flatbuffers::EndianScalar(number);
}

/// Appends them to a vector of T, each made of its number.
template <class Out>
void read_numbers(const Numbers* from, Out& out) {
  if (from == nullptr) return;
  out.reserve(out.size() + from->size());
  for (flatbuffers::uoffset_t i = 0; i < from->size(); ++i)
    out.push_back(typename Out::value_type{number_at(*from, i)});
}

}  // namespace parley::wire
