// stored.hpp: stores of Parley's that the first run fills and later ones find filled.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "parley/parley.hpp"

namespace parley::bench {

/// Host-driven, on its LMDB store in that directory.
Engine open_stored(const std::string& directory);

/// Empties what is left of a fill that was interrupted; creates the folder above. True when nothing
/// is there yet: the caller fills it and then says so.
bool must_fill(const std::string& directory);
void say_filled(const std::string& directory);
/// Both, when it must be: `fill` runs in a process of its own, whose memory is nobody's figure.
void fill_once(const std::string& directory, const std::function<void(Engine& engine)>& fill);

/// Calls `start` for 0, 1, ... count - 1 and keeps up to `open` of them unanswered; polls the
/// engine meanwhile. `start` calls what it is given once its operation has been answered.
using Answered = std::function<void(bool good)>;
void in_flight(Engine& engine, std::uint64_t count, int open,
               const std::function<void(std::uint64_t at, Answered answered)>& start);

/// Channels of the host's that are found again by their keys, created if need be.
std::vector<ConversationId> stored_rooms(Engine& engine, std::uint64_t count);
/// Messages of `size` bytes into all rooms in turn until each has `each` events.
void fill_rooms(Engine& engine, const std::vector<ConversationId>& rooms, std::uint64_t each,
                std::size_t size);

}  // namespace parley::bench
