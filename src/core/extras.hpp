// core/extras.hpp: what a message carries beside its content: checked and measured.
#pragma once
#include <cstddef>
#include <cstdint>

#include "parley/limits.hpp"
#include "parley/result.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// What the extras of one message take in a record at most.
inline constexpr std::size_t extras_most = limits::extras + 8 * limits::mentions +
                                           64 * (limits::attachments + limits::headers + 1) +
                                           16 * limits::poll_options;
std::size_t extras_size(const wire::Send& send) noexcept;

/// Its attachments and headers.
Error check_texts(const wire::Send& send);
/// Mentions come out ascending, each once. A forward comes without a content of its own.
Error check_extras(wire::Send& send);

/// Goes on with the checksum of a send; nothing changes it when there is nothing.
std::uint32_t extras_crc(std::uint32_t crc, const wire::Send& send);

}  // namespace parley::core
