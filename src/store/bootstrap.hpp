// store/bootstrap.hpp: the first thing ever written to a store: its format and its secret key;
// checked at every opening.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "parley/result.hpp"
#include "parley/store.hpp"

namespace parley::store {

/// Number of the layout this code writes, and the oldest code that may read what it writes.
inline constexpr std::uint16_t layout_version = 1;
inline constexpr std::uint16_t layout_min_reader = 1;

/// The guard of the system partition "format".
struct FormatCell {
  std::uint16_t layout = layout_version;
  std::uint16_t min_reader = layout_min_reader;
  std::array<std::uint8_t, 16>
      key{};            // secret of this store: pairs, names and devices are hashed with it
  std::string version;  // of the library that wrote the cell, up to 32 bytes
};
std::string encode(const FormatCell& cell);
std::optional<FormatCell> decode_format(Bytes value);

/// Finds the format of a store, or writes the first one with `fresh_key` in one conditional commit;
/// when two do so at once one of them wins and both answer the same. Errors: store_format (a newer
/// layout; names the version that wrote it), store_corrupt, and the store's own.
/// Completion: once, on any thread, perhaps before the call returns.
void bootstrap(Store& store, std::array<std::uint8_t, 16> fresh_key, std::string_view version,
               std::function<void(Result<FormatCell>)> done);

}  // namespace parley::store
