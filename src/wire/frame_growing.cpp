// frame_growing.cpp: bodies about messages that grow, to binary frames.
#include "wire/frame_build.hpp"

namespace parley::wire {

Offset<fb::StartStream> build(Builder& b, const StartStream& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateStartStream(b, &conversation, text(b, v.content_type), v.reply_to,
                               v.thread_root);
}
Offset<fb::AppendStream> build(Builder& b, const AppendStream& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateAppendStream(b, &conversation, v.stream, v.at, text(b, v.text));
}
Offset<fb::CancelStream> build(Builder& b, const CancelStream& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateCancelStream(b, &conversation, v.stream);
}
Offset<fb::GetStream> build(Builder& b, const GetStream& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateGetStream(b, &conversation, v.stream);
}
Offset<fb::StreamStarted> build(Builder& b, const StreamStarted& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateStreamStarted(b, &conversation, v.stream);
}
Offset<fb::Streamed> build(Builder& b, const Streamed& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto content_type = text(b, v.content_type);
  return fb::CreateStreamed(b, &conversation, v.stream, v.sender.value, content_type, v.reply_to,
                            v.thread_root, v.at, text(b, v.text), v.ended);
}

}  // namespace parley::wire
