// frame_personal.cpp: bodies about what users keep to themselves, to binary frames.
#include "wire/frame_build.hpp"

namespace parley::wire {

Offset<fb::DeleteForMe> build(Builder& b, const DeleteForMe& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateDeleteForMe(b, &conversation, b.CreateVector(v.seqs));
}
Offset<fb::DeletedForMe> build(Builder& b, const DeletedForMe& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateDeletedForMe(b, &conversation, b.CreateVector(v.messages));
}

}  // namespace parley::wire
