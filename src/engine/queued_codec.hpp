// engine/queued_codec.hpp: a codec whose answers are counted for as long as somebody holds them.
#pragma once
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "wire/codec.hpp"

namespace parley::engine {

/// Decorates a codec: the bytes of every encoded reply are in `queued` until the last reference to
/// them is gone, however many links share them.
class QueuedCodec final : public wire::Codec {
 public:
  QueuedCodec(std::unique_ptr<wire::Codec> codec, std::shared_ptr<std::atomic<std::size_t>> queued)
      : codec_(std::move(codec)), queued_(std::move(queued)) {}

  [[nodiscard]] Encoding encoding() const noexcept override { return codec_->encoding(); }
  Payload encode(const wire::Reply& reply) override {
    Payload bytes = codec_->encode(reply);
    auto counted = std::make_shared<Counted>(queued_, bytes);
    return {std::move(counted), bytes.bytes()};
  }
  Payload encode(const wire::Request& request) override { return codec_->encode(request); }
  Result<void> decode(Bytes message, std::vector<wire::Request>& out) override {
    return codec_->decode(message, out);
  }
  Result<void> decode(Bytes message, std::vector<wire::Reply>& out) override {
    return codec_->decode(message, out);
  }

 private:
  struct Counted {
    Counted(std::shared_ptr<std::atomic<std::size_t>> to, Payload held)
        : queued(std::move(to)), bytes(std::move(held)) {
      queued->fetch_add(bytes.size(), std::memory_order_relaxed);
    }
    ~Counted() { queued->fetch_sub(bytes.size(), std::memory_order_relaxed); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::shared_ptr<std::atomic<std::size_t>> queued;
    Payload bytes;
  };
  std::unique_ptr<wire::Codec> codec_;
  std::shared_ptr<std::atomic<std::size_t>> queued_;
};

}  // namespace parley::engine
