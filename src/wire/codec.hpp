// wire/codec.hpp: messages to bytes and back, in both encodings; pure, stateless but for a scratch
// builder.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include "parley/limits.hpp"
#include "parley/payload.hpp"
#include "parley/result.hpp"
#include "parley/transport.hpp"  // Encoding
#include "wire/messages.hpp"

namespace parley::wire {

/// One per thread. Binary: several frames may ride in one message, so decoding appends. Bad bytes
/// give Errc::protocol_error naming the field and what was expected; nothing was appended then. So
/// do more than limits::requests_in_message requests. Decoding is linear in the size, its memory
/// bounded by the size (I12).
class Codec {
 public:
  virtual ~Codec() = default;
  [[nodiscard]] virtual Encoding encoding() const noexcept = 0;
  virtual Payload encode(const Reply& reply) = 0;
  virtual Payload encode(const Request& request) = 0;
  virtual Result<void> decode(Bytes message, std::vector<Request>& out) = 0;
  virtual Result<void> decode(Bytes message, std::vector<Reply>& out) = 0;
};

/// How many T one message may bring, so far `count`. Replies are the engine's own: any number.
template <class T>
Result<void> check_count(std::size_t count) {
  if (!std::is_same_v<T, Request> || count <= limits::requests_in_message) return {};
  return Error{Errc::protocol_error, "message: expected at most 256 requests in one"};
}

std::unique_ptr<Codec> binary_codec();
std::unique_ptr<Codec> json_codec();
inline std::unique_ptr<Codec> make_codec(Encoding encoding) {
  return encoding == Encoding::binary ? binary_codec() : json_codec();
}

}  // namespace parley::wire
