// frame_reader.cpp: the frames of a message, one after the other.
#include "wire/frame_reader.hpp"

#include "wire/codec.hpp"

namespace parley::wire {
namespace {

Result<void> decode(FrameReader& r, std::vector<Request>& out) {
  Request request;
  request.number = r.header().request;
  if (request.number == 0) {
    return Error{Errc::protocol_error, "request: expected a number that is not zero"};
  }
  if (!read_body(r, request.operation))
    request.operation = Unknown{std::to_string(r.header().type)};
  if (!r.ok()) return Error{Errc::protocol_error, r.problem()};
  out.push_back(std::move(request));
  return {};
}

Result<void> decode(FrameReader& r, std::vector<Reply>& out) {
  Reply reply;
  reply.request = r.header().request;
  if (!read_body(r, reply.answer)) {
    if (reply.request == 0) return {};  // a push of a later version
    reply.answer = Failed{
        Error{Errc::unsupported, "unknown type of answer: " + std::to_string(r.header().type)}};
  }
  if (!r.ok()) return Error{Errc::protocol_error, r.problem()};
  out.push_back(std::move(reply));
  return {};
}

template <class T>
Result<void> read_all(Bytes message, const Payload* owner, std::vector<T>& out) {
  const std::size_t before = out.size();
  Result<void> result;
  if (message.empty()) result = Error{Errc::protocol_error, "message: expected a frame"};
  while (result && !message.empty()) {
    FrameHeader header;
    if (message.size() >= FrameHeader::size) header = load<FrameHeader>(message.data());
    if (header.length < FrameHeader::size || header.length > message.size() ||
        header.length % 8 != 0) {
      result = Error{Errc::protocol_error,
                     "frame.length: expected 16 up to the end of the message, a multiple of 8"};
      break;
    }
    FrameReader reader(header, message.substr(0, header.length), owner);
    result = decode(reader, out);
    if (result) result = check_count<T>(out.size() - before);
    message.remove_prefix(header.length);
  }
  if (!result) out.erase(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
  return result;
}

}  // namespace

Result<void> read_frames(Bytes message, std::vector<Request>& out) {
  return read_all(message, nullptr, out);
}
Result<void> read_frames(const Payload& message, std::vector<Reply>& out) {
  return read_all(message.bytes(), &message, out);
}

}  // namespace parley::wire
