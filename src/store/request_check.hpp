// store/request_check.hpp: the limits of parley/store.hpp, checked alike by every built-in backend.
#pragma once
#include <cstddef>
#include <cstdint>

#include "parley/store.hpp"

namespace parley::store {

inline constexpr std::size_t max_id = 32;
inline constexpr std::size_t max_key = 128;
inline constexpr std::size_t max_guard = 256;
inline constexpr std::size_t max_note = 64;
inline constexpr std::size_t max_cells = 4096;
inline constexpr std::uint8_t reserved_space = 255;  // a backend's own rows

// An answer is cut here whatever the caller asks for; `more` and `next` tell it.
inline constexpr std::uint32_t max_scan_rows = 65'536;
inline constexpr std::uint32_t max_scan_bytes = 16 * 1024 * 1024;
inline constexpr std::uint32_t max_page = 4096;  // partitions of a list, entries of changes

/// Keys and values of the puts and keys of the erases: what facts().max_batch_bytes bounds.
[[nodiscard]] std::size_t batch_bytes(const Batch& batch) noexcept;

/// No error, or why the request can never be carried out. Nothing was changed.
[[nodiscard]] Error check(const Batch& batch, const StoreFacts& facts);
[[nodiscard]] Error check(const Get& get);
[[nodiscard]] Error check(const Scan& scan);

[[nodiscard]] inline std::uint32_t clamped(std::uint32_t wanted, std::uint32_t most) noexcept {
  return wanted == 0 ? 1 : (wanted < most ? wanted : most);
}

/// The answer of every call after close().
[[nodiscard]] Error closed_error();

}  // namespace parley::store
