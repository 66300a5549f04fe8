// siphash.hpp: SipHash-2-4, a keyed hash: ids nobody can guess, tables nobody can flood.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace parley::base {

using SipKey = std::array<std::uint8_t, 16>;

/// Aumasson and Bernstein, "SipHash: a fast short-input PRF". Thread: any.
std::uint64_t siphash64(const SipKey& key, std::string_view bytes) noexcept;
/// The 128-bit variant; the bytes in the order of the reference implementation.
std::array<std::uint8_t, 16> siphash128(const SipKey& key, std::string_view bytes) noexcept;

}  // namespace parley::base
