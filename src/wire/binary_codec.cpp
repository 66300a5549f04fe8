// binary_codec.cpp: the FlatBuffers encoding; copies each message once into aligned memory.
#include <cstring>
#include <memory>
#include <vector>

#include "wire/codec.hpp"
#include "wire/frame.hpp"

namespace parley::wire {
namespace {

class BinaryCodec final : public Codec {
 public:
  [[nodiscard]] Encoding encoding() const noexcept override { return Encoding::binary; }
  Payload encode(const Reply& reply) override { return writer_.write(reply); }
  Payload encode(const Request& request) override { return writer_.write(request); }

  // Requests keep nothing of the message, so the aligned copy is scratch.
  Result<void> decode(Bytes message, std::vector<Request>& out) override {
    const std::size_t words = (message.size() + 7) / 8;
    if (scratch_.size() < words) scratch_.resize(words);
    auto* data = reinterpret_cast<char*>(scratch_.data());
    if (!message.empty()) std::memcpy(data, message.data(), message.size());
    return read_frames(Bytes(data, message.size()), out);
  }
  // Records are read in place: they share the copy.
  Result<void> decode(Bytes message, std::vector<Reply>& out) override {
    return read_frames(Payload::copy_of(message), out);
  }

 private:
  FrameWriter writer_;
  std::vector<std::uint64_t> scratch_;
};

}  // namespace

std::unique_ptr<Codec> binary_codec() { return std::make_unique<BinaryCodec>(); }

}  // namespace parley::wire
