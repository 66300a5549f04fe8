// wire/frame.hpp: the header of a binary frame, and the two functions behind the binary codec.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "parley/payload.hpp"
#include "parley/result.hpp"
#include "wire/frame_generated.h"
#include "wire/messages.hpp"
#include "wire/record.hpp"

namespace parley::wire {

static_assert(std::endian::native == std::endian::little, "frames are copied as little-endian");

struct FrameHeader {
  static constexpr std::size_t size = 16;
  static constexpr std::uint8_t more = 1;  // flag of history_page

  std::uint32_t length = 0;  // header, body and padding; a multiple of 8
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint16_t reserved = 0;
  std::uint32_t request = 0;
  std::uint32_t reserved2 = 0;
};
static_assert(sizeof(FrameHeader) == FrameHeader::size);

/// What stands before the records of events and history_page.
struct RecordsHeader {
  ConversationId conversation;
  Epoch epoch;
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t mark = 0;
};
static_assert(sizeof(RecordsHeader) == 48 && std::is_trivially_copyable_v<RecordsHeader>);

/// Appends one frame a call to a message; the builder is scratch that is used again.
class FrameWriter {
 public:
  Payload write(const Request& request);
  Payload write(const Reply& reply);

 private:
  template <class T>
  Payload table(fb::FrameType type, std::uint32_t request, const T& value);
  Payload events(const Reply& reply, const Events& events);
  Payload page(const Reply& reply, const HistoryPage& page);

  flatbuffers::FlatBufferBuilder builder_;
};

/// Decodes the frames of a message that stands in 8-aligned memory and appends them.
Result<void> read_frames(Bytes message, std::vector<Request>& out);
/// The same for answers; records become slices of `owner`, which holds the message.
Result<void> read_frames(const Payload& message, std::vector<Reply>& out);

}  // namespace parley::wire
