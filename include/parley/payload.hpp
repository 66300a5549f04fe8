// parley/payload.hpp: bytes, and the one shared immutable buffer that a fan-out hands to everybody.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace parley::inline v0 {

using Bytes = std::string_view;  // any bytes, ordered as unsigned, a prefix before its extensions
using Owner = std::shared_ptr<const void>;  // keeps alive the memory that the views beside it show

/// An immutable, reference-counted block of bytes, 8-aligned at its start. Copying shares it; a
/// slice shares it too. Ownership: the last copy frees it. Thread: any.
class Payload {
 public:
  Payload() = default;
  /// A slice: `bytes` must lie in memory that `owner` keeps alive.
  Payload(Owner owner, Bytes bytes) noexcept : owner_(std::move(owner)), bytes_(bytes) {}
  /// A fresh copy of `bytes`, in one allocation.
  static Payload copy_of(Bytes bytes) {
    auto block = std::make_shared_for_overwrite<std::uint64_t[]>((bytes.size() + 7) / 8 + 1);
    auto* data = reinterpret_cast<char*>(block.get());
    if (!bytes.empty()) bytes.copy(data, bytes.size());
    return {std::move(block), Bytes(data, bytes.size())};
  }

  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }
  [[nodiscard]] const char* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] const Owner& owner() const noexcept { return owner_; }

 private:
  Owner owner_;
  Bytes bytes_;
};

}  // namespace parley::inline v0
