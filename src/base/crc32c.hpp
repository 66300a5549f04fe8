// crc32c.hpp: the Castagnoli checksum, for marks, record envelopes and log frames.
#pragma once
#include <cstdint>
#include <string_view>

namespace parley::base {

/// CRC32C of `bytes` continued from `seed` (0 to start): crc32c(crc32c(0, a), b) == crc32c(0, ab).
/// Uses the processor's instruction when it has one. Thread: any.
std::uint32_t crc32c(std::uint32_t seed, std::string_view bytes) noexcept;

/// The same from tables alone; what crc32c() falls back to.
std::uint32_t crc32c_portable(std::uint32_t seed, std::string_view bytes) noexcept;

}  // namespace parley::base
