// wire/frame_build.hpp: what the bodies of binary frames are built with.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "wire/frame_generated.h"
#include "wire/messages.hpp"

namespace parley::wire {

using Builder = flatbuffers::FlatBufferBuilder;
template <class T>
using Offset = flatbuffers::Offset<T>;
template <class T>
using Vector = flatbuffers::Vector<T>;

inline fb::Bytes16 bytes16(const std::array<std::uint8_t, 16>& bytes) {
  fb::Bytes16 out;
  std::memcpy(static_cast<void*>(&out), bytes.data(), bytes.size());
  return out;
}
inline fb::Cursor cursor_of(const Cursor& cursor) {
  return {bytes16(cursor.epoch.bytes), cursor.seq, cursor.mark, 0};
}
inline Offset<flatbuffers::String> text(Builder& b, std::string_view value) {
  if (value.empty()) return 0;
  return b.CreateString(value.data(), value.size());
}
inline Offset<Vector<std::uint8_t>> bytes(Builder& b, std::string_view value) {
  if (value.empty()) return 0;
  return b.CreateVector(reinterpret_cast<const std::uint8_t*>(value.data()), value.size());
}
template <class Tag>
Offset<Vector<std::uint64_t>> ids(Builder& b, const std::vector<Id64<Tag>>& values) {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(values.size());
  for (const auto& value : values) numbers.push_back(value.value);
  return b.CreateVector(numbers);
}
/// Nothing where there are none.
inline Offset<Vector<const fb::Bytes16*>> ids(Builder& b,
                                              const std::vector<ConversationId>& values) {
  if (values.empty()) return 0;
  std::vector<fb::Bytes16> out;
  out.reserve(values.size());
  for (const ConversationId& id : values) out.push_back(bytes16(id.bytes));
  return b.CreateVectorOfStructs(out);
}
inline std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }
template <class E>
std::uint8_t number(E value) {
  return static_cast<std::uint8_t>(value);
}

// ---- frame_joins.cpp ----
Offset<fb::CreateInvite> build(Builder& b, const CreateInvite& v);
Offset<fb::ListInvites> build(Builder& b, const ListInvites& v);
Offset<fb::RevokeInvite> build(Builder& b, const RevokeInvite& v);
Offset<fb::JoinInvite> build(Builder& b, const JoinInvite& v);
Offset<fb::RequestJoin> build(Builder& b, const RequestJoin& v);
Offset<fb::JoinRequests> build(Builder& b, const JoinRequests& v);
Offset<fb::AnswerRequest> build(Builder& b, const AnswerRequest& v);
Offset<fb::JoinRequestsPage> build(Builder& b, const JoinRequestsPage& v);
Offset<fb::OwnRequest> build(Builder& b, const OwnRequest& v);
Offset<fb::Block> build(Builder& b, const BlockUser& v);
Offset<fb::ListBlocked> build(Builder& b, const ListBlocked& v);
Offset<fb::BlockedUsers> build(Builder& b, const BlockedUsers& v);
Offset<fb::Invites> build(Builder& b, const Invites& v);
Offset<fb::RestrictUser> build(Builder& b, const Restrict& v);
Offset<fb::Restrictions> build(Builder& b, const Restrictions& v);
Offset<fb::Restriction> build(Builder& b, const Restriction& v);
Offset<fb::RestrictionsPage> build(Builder& b, const RestrictionsPage& v);

// ---- frame_growing.cpp ----
Offset<fb::StartStream> build(Builder& b, const StartStream& v);
Offset<fb::AppendStream> build(Builder& b, const AppendStream& v);
Offset<fb::CancelStream> build(Builder& b, const CancelStream& v);
Offset<fb::GetStream> build(Builder& b, const GetStream& v);
Offset<fb::StreamStarted> build(Builder& b, const StreamStarted& v);
Offset<fb::Streamed> build(Builder& b, const Streamed& v);

// ---- frame_presence.cpp ----
Offset<fb::Watch> build(Builder& b, const Watch& v);
Offset<fb::WatchConversation> build(Builder& b, const WatchConversation& v);
Offset<fb::SetPresence> build(Builder& b, const SetPresence& v);
Offset<fb::PresenceChanged> build(Builder& b, const PresenceChanged& v);
Offset<fb::Online> build(Builder& b, const Online& v);

// ---- frame_personal.cpp ----
Offset<fb::DeleteForMe> build(Builder& b, const DeleteForMe& v);
Offset<fb::DeletedForMe> build(Builder& b, const DeletedForMe& v);

}  // namespace parley::wire
