// store/answer.hpp: builds the one immutable, 8-aligned block that stands behind a store's answer.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "parley/payload.hpp"

namespace parley::store {

inline constexpr std::size_t aligned8(std::size_t bytes) noexcept {
  return (bytes + 7) & ~std::size_t{7};
}

/// One allocation of a size known before; put() copies a value behind the last one, 8-aligned.
class AnswerBlock {
 public:
  /// `bytes`: the sum of aligned8() of everything that will be put.
  explicit AnswerBlock(std::size_t bytes)
      : words_(std::make_shared_for_overwrite<std::uint64_t[]>(bytes / 8 + 1)) {}

  Bytes put(Bytes value) noexcept {
    char* to = reinterpret_cast<char*>(words_.get()) + used_;
    if (!value.empty()) std::memcpy(to, value.data(), value.size());
    used_ += aligned8(value.size());
    return {to, value.size()};
  }
  [[nodiscard]] Owner owner() && noexcept { return std::move(words_); }

 private:
  std::shared_ptr<std::uint64_t[]> words_;
  std::size_t used_ = 0;
};

}  // namespace parley::store
