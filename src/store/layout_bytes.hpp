// store/layout_bytes.hpp: writes and reads the fixed-width big-endian fields that stored values are
// made of.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/endian.hpp"
#include "parley/ids.hpp"
#include "parley/payload.hpp"

namespace parley::layout {

inline constexpr std::uint8_t format = 1;  // first byte of every value

inline std::string number_key(char prefix, std::uint64_t number) {
  std::string key(1, prefix);
  base::append_be(key, number);
  return key;
}

class Writer {
 public:
  explicit Writer(std::size_t room) { out_.reserve(room); }
  explicit Writer(std::string& appended) : out_(appended) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u16(std::uint16_t value) { base::append_be(out_, value); }
  void u32(std::uint32_t value) { base::append_be(out_, value); }
  void u64(std::uint64_t value) { base::append_be(out_, value); }
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
  void bytes(Bytes value) { out_.append(value); }
  void text(Bytes value) {  // at most 65,535 bytes
    u16(static_cast<std::uint16_t>(value.size()));
    bytes(value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string own_;
  std::string& out_ = own_;
};

/// For values that always have `size` bytes, or fewer.
template <std::size_t size>
class FixedWriter {
 public:
  void u8(std::uint8_t value) noexcept { bytes_[used_++] = static_cast<char>(value); }
  void u16(std::uint16_t value) noexcept { put(value); }
  void u32(std::uint32_t value) noexcept { put(value); }
  void u64(std::uint64_t value) noexcept { put(value); }
  void i64(std::int64_t value) noexcept { put(static_cast<std::uint64_t>(value)); }
  void bytes(Bytes value) noexcept { used_ += value.copy(bytes_.data() + used_, value.size()); }
  [[nodiscard]] Bytes view() const noexcept { return {bytes_.data(), used_}; }

 private:
  template <class T>
  void put(T value) noexcept {
    base::put_bytes(bytes_.data() + used_, value, std::make_index_sequence<sizeof value>());
    used_ += sizeof value;
  }
  std::array<char, size> bytes_;
  std::size_t used_ = 0;
};

/// Reads past the end give zeroes and are remembered: ask complete() once, at the end.
class Reader {
 public:
  explicit Reader(Bytes in) noexcept : in_(in) {}
  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() noexcept { return number(8); }
  std::int64_t i64() noexcept { return static_cast<std::int64_t>(number(8)); }
  template <class Tag>
  void id(Id128<Tag>& id) noexcept {
    const Bytes taken = bytes(id.bytes.size());
    for (std::size_t i = 0; i < taken.size(); ++i)
      id.bytes[i] = static_cast<std::uint8_t>(taken[i]);
  }
  Bytes bytes(std::size_t size) noexcept {
    if (size > in_.size()) {
      short_ = true;
      in_ = {};
      return {};
    }
    const Bytes taken = in_.substr(0, size);
    in_.remove_prefix(size);
    return taken;
  }
  std::string text() { return std::string(bytes(u16())); }
  [[nodiscard]] std::size_t left() const noexcept { return in_.size(); }
  /// Everything was there and nothing is left over.
  [[nodiscard]] bool complete() const noexcept { return !short_ && in_.empty(); }

 private:
  std::uint64_t number(std::size_t size) noexcept {
    const Bytes taken = bytes(size);
    return taken.empty() ? 0 : base::get_be(taken.data(), size);
  }
  Bytes in_;
  bool short_ = false;
};

}  // namespace parley::layout
