// frame_fuzz.cpp: any bytes into both decoders, both directions: no crash, and what is accepted is
// stable.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/codec.hpp"

namespace {

using namespace parley;

void require(bool holds) {
  if (!holds) std::abort();
}

// Whatever was accepted can be written, read and written again without a difference.
template <class Message>
void check(wire::Codec& codec, std::string_view bytes) {
  std::vector<Message> messages;
  const auto result = codec.decode(bytes, messages);
  if (!result) {
    require(messages.empty());
    require(result.error().errc() == Errc::protocol_error);
    require(!result.error().message.empty());
    return;
  }
  // Linear memory: each message took at least the smallest frame, `{"type":"x"}` or a header.
  require(messages.size() <= bytes.size() / 12 + 1);
  for (const Message& message : messages) {
    const Payload once = codec.encode(message);
    if (once.empty()) continue;  // Unknown is never written
    std::vector<Message> again;
    require(codec.decode(once.bytes(), again).ok());
    require(again.size() == 1);
    require(codec.encode(again[0]).bytes() == once.bytes());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte chooses the decoder; the message after it is misaligned, as in a WebSocket.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto codec = wire::make_codec((data[0] & 1) != 0 ? Encoding::json : Encoding::binary);
  if ((data[0] & 2) != 0) {
    check<wire::Reply>(*codec, bytes);
  } else {
    check<wire::Request>(*codec, bytes);
  }
  return 0;
}
