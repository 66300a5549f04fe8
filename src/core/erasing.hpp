// core/erasing.hpp: a whole partition leaves the store, some rows at a time.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/effects.hpp"

namespace parley::core {

/// What lies below the floor leaves the disk at once. When that failed, or the engine died first,
/// it is looked at again so long after the floor moved.
inline constexpr std::int64_t erased_within_ms = 10'000;

/// Erases every row of a partition whose guard is a head cell or a count cell, then ends
/// it. Nothing there is no error. Whoever else commits to it meanwhile is refused; an error leaves
/// the rest to another call.
void erase_partition(Effects& effects, std::weak_ptr<const void> alive, std::uint8_t space,
                     std::string partition, std::function<void(const Error&)> then);

}  // namespace parley::core
