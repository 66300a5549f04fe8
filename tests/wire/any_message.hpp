// tests/wire/any_message.hpp: a RapidCheck choice of every request, answer and record, within what
// both encodings carry.
#pragma once
#include <rapidcheck.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "wire/frame_types.hpp"
#include "wire/messages.hpp"
#include "wire/record.hpp"
#include "wire/settings.hpp"

namespace parley::test {

inline std::uint64_t any_seq() {
  return *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 53);
}
inline std::uint64_t any_u64() { return *rc::gen::arbitrary<std::uint64_t>(); }
inline std::uint32_t any_u32() { return *rc::gen::arbitrary<std::uint32_t>(); }
inline bool any_bool() { return *rc::gen::arbitrary<bool>(); }
inline std::string any_bytes() { return *rc::gen::arbitrary<std::string>(); }
inline std::string any_text() {
  // Code points of every length, quotes and control characters among them.
  static const std::vector<std::string> pieces{"a",
                                               "Z",
                                               "0",
                                               " ",
                                               "\"",
                                               "\\",
                                               "/",
                                               "\n",
                                               "\t",
                                               std::string(1, '\0'),
                                               "\x1f",
                                               "\x7f",
                                               "\xc3\xa9",
                                               "\xe2\x82\xac",
                                               "\xf0\x9f\x98\x80"};
  const auto picks = *rc::gen::container<std::vector<std::size_t>>(
      rc::gen::inRange<std::size_t>(0, pieces.size()));
  std::string text;
  for (const std::size_t pick : picks) text += pieces[pick];
  return text;
}
template <class Id>
Id any_id64() {
  return Id{any_u64()};
}
template <class Id>
Id any_id128() {
  Id id;
  for (auto& byte : id.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  return id;
}
inline ConversationId any_conversation() { return any_id128<ConversationId>(); }
inline Epoch any_epoch() {
  Epoch epoch = any_id128<Epoch>();
  epoch.bytes[0] |= 1;
  return epoch;
}
inline Cursor any_cursor() { return {any_epoch(), any_seq(), any_u32()}; }
inline WallTime any_time() {
  return WallTime(std::chrono::milliseconds(*rc::gen::inRange<std::int64_t>(0, 1LL << 42)));
}
inline Role any_role() { return static_cast<Role>(*rc::gen::arbitrary<std::uint8_t>()); }
inline ConversationKind any_kind() {
  return static_cast<ConversationKind>(*rc::gen::inRange(1, 5));
}
inline JoinRule any_join() { return static_cast<JoinRule>(*rc::gen::inRange(1, 4)); }
inline Level any_level() { return static_cast<Level>(*rc::gen::inRange(0, 3)); }
template <class F>
auto any_list(F item) {
  std::vector<decltype(item())> items;
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) items.push_back(item());
  return items;
}

inline SettingsUpdate any_update();
inline wire::Extras any_extras() {
  return {any_list([] { return any_id64<UserId>(); }),
          static_cast<MentionScope>(*rc::gen::inRange(0, 3)), any_list([] {
            return Attachment{any_text(), any_text(), any_text(), any_seq()};
          }),
          any_list([] {
            return MessageHeader{any_text(), any_text()};
          })};
}

inline Payload any_record(Seq seq) {
  wire::RecordFields f;
  const std::string content_type = any_bool() ? any_text() : "";
  const std::string body = any_bytes();
  const std::string title = any_text(), option = any_text();
  const std::string import_id = any_bool() ? any_text() : "";
  f.seq = seq;
  f.ordinal = any_seq();
  f.time_ms = any_time().time_since_epoch().count();
  f.id = any_u64();
  f.sender = any_id64<UserId>();
  f.kind = static_cast<EventKind>(*rc::gen::inRange(1, 60));
  f.echo = any_u64();
  f.body = body;
  if (any_bool()) {
    f.thread_ordinal = any_seq();
    f.audience = *rc::gen::arbitrary<std::uint8_t>();
    f.content_type = content_type;
    f.reply_to = any_seq();
    f.expires_ms = any_time().time_since_epoch().count();
    f.written_ms = any_time().time_since_epoch().count();
    f.import_id = import_id;
    f.stream = any_seq();
    f.thread_root = any_seq();
    f.extras = any_extras();
    f.thread = {any_seq(), any_seq(), any_seq()};
    if (any_bool())
      f.poll = {{option, "b"}, any_bool(), any_bool(), any_time().time_since_epoch().count()};
    if (any_bool()) f.origin = {any_conversation(), any_seq(), any_id64<UserId>(), any_time()};
  } else {
    f.target = any_id64<UserId>();
    f.role = any_role();
    f.title = title;
    f.conversation = any_conversation();
    f.conversation_kind = any_kind();
  }
  const std::string key = any_text();
  if (any_bool()) {
    f.about = any_seq();
    f.about_ordinal = any_seq();
    f.changed = any_seq();
    f.edited_ms = any_time().time_since_epoch().count();
    f.deleted = any_bool();
    f.pinned = any_bool();
    f.edits = any_list(any_seq);
    f.tallies = any_list([&key] {
      return wire::Tally{
          any_seq(), any_seq(), any_list([&key] {
            return Reaction{key, any_seq(), any_list([] { return any_id64<UserId>(); })};
          }),
          any_bool() ? std::optional(PollResults{any_list(any_seq), any_seq(), any_bool()})
                     : std::nullopt};
    });
  }
  const SettingsUpdate update = any_update();
  if (any_bool()) f.settings = wire::change_of(update);
  const std::string reason = any_text();
  f.reason = reason;
  f.until_ms = any_time().time_since_epoch().count();
  return wire::build_record(f);
}
inline std::vector<Payload> any_records(Seq first, int least) {
  std::vector<Payload> records;
  for (int n = *rc::gen::inRange(least, 5); n > 0; --n) {
    records.push_back(any_record(first + records.size()));
  }
  return records;
}
inline ListEntry any_entry() {
  ListEntry e;
  e.conversation = any_conversation();
  e.kind = any_kind();
  e.title = any_text();
  e.peer = any_id64<UserId>();
  e.role = any_role();
  e.visible_from = any_seq();
  e.head = any_cursor();
  e.head_ordinal = any_seq();
  e.received = any_seq();
  e.read = any_seq();
  e.unread = any_seq();
  e.mentions = any_seq();
  e.last_activity = any_time();
  e.pinned = any_bool();
  e.archived = any_bool();
  e.marked_unread = any_bool();
  e.muted_until = any_time();
  e.draft = any_text();
  e.drafted = any_time();
  e.avatar = any_text();
  e.archived_for_all = any_bool();
  e.folder = any_text();
  e.hidden_until = any_seq();
  if (any_bool()) e.space = any_conversation();
  e.children = any_list(any_conversation);
  if (any_bool()) e.last_record = any_record(e.head.seq);
  return e;
}
inline PresenceState any_state() { return static_cast<PresenceState>(*rc::gen::inRange(0, 5)); }
inline Device any_device() {
  return {any_id64<DeviceId>(), any_text(), any_time(), any_time(), any_bool()};
}
inline UserSettings any_settings() { return {any_bool(), any_bool(), any_text(), any_time()}; }
inline OwnRequest any_own_request() {
  return {any_conversation(), static_cast<JoinRequestState>(*rc::gen::inRange(1, 5)), any_time()};
}
inline wire::ListChanged any_list_changed() {
  wire::ListChanged list{any_bool(), any_list(any_entry), any_list(any_conversation), any_bytes(),
                         any_bool()};
  if (any_bool()) list.settings = any_settings();
  if (any_bool()) list.devices = any_list(any_device);
  if (any_bool()) list.requests = any_list(any_own_request);
  if (any_bool()) list.blocked = any_list([] { return any_id64<UserId>(); });
  return list;
}
inline Presence any_presence() {
  Presence presence{any_id64<UserId>(), false, any_time(), any_state(), any_text()};
  presence.online =
      presence.state != PresenceState::offline && presence.state != PresenceState::invisible;
  if (!presence.status.empty()) presence.status_until = any_time();
  return presence;
}
inline Receipt any_receipt() { return {any_id64<UserId>(), any_seq(), any_seq()}; }
inline UserId any_user() { return any_id64<UserId>(); }

inline RestrictionKind any_restriction_kind() {
  return static_cast<RestrictionKind>(*rc::gen::inRange(1, 3));
}
inline SettingsUpdate any_update() {
  SettingsUpdate update;
  if (any_bool()) update.title = any_text();
  if (any_bool()) update.description = any_text();
  if (any_bool()) update.avatar = any_text();
  if (any_bool()) update.metadata = any_bytes();
  if (any_bool()) update.who_sends = any_role();
  if (any_bool()) update.who_adds = any_role();
  if (any_bool()) update.who_pins = any_role();
  if (any_bool()) update.who_changes = any_role();
  if (any_bool()) update.join = static_cast<JoinRule>(*rc::gen::inRange(0, 4));
  if (any_bool()) update.archived = any_bool();
  if (any_bool()) update.slow_mode = std::chrono::seconds(any_u32());
  if (any_bool()) update.expires_after = std::chrono::seconds(any_u32());
  return update;
}
inline ConversationInfo any_info() {
  ConversationInfo info;
  info.conversation = any_conversation();
  info.kind = any_kind();
  wire::apply_settings(any_update(), info.settings);
  info.creator = any_user();
  info.created = any_time();
  info.members = any_seq();
  info.pins = any_seq();
  info.role = any_role();
  info.muted = any_bool();
  info.muted_until = any_time();
  if (any_bool()) info.space = any_conversation();
  info.children = any_list(any_conversation);
  return info;
}
inline Retention any_retention() { return {any_time().time_since_epoch(), any_seq(), any_bool()}; }

inline Applicant any_join_request() { return {any_user(), any_time(), any_text()}; }
inline Invite any_invite() {
  return {any_text(), any_role(), any_user(), any_time(), any_time(), any_u32(), any_u32()};
}
inline std::vector<std::uint8_t> any_options() {
  return any_list([] { return *rc::gen::arbitrary<std::uint8_t>(); });
}

inline wire::Operation any_operation(std::size_t index) {
  const ConversationId c = any_conversation();
  switch (index) {
    case 0:
      return wire::Hello{*rc::gen::arbitrary<std::uint16_t>(),
                         *rc::gen::arbitrary<std::uint16_t>(),
                         any_text(),
                         any_bytes(),
                         any_text(),
                         any_bytes(),
                         any_state(),
                         any_u32()};
    case 1: {
      wire::Send send{c, any_u64(), any_u64(), any_u64(), "", any_text(), {}, any_seq()};
      if (const std::string body = any_bytes(); !body.empty()) send.body = Payload::copy_of(body);
      send.thread_root = any_seq();
      send.extras = any_extras();
      if (any_bool()) send.forward = {any_conversation(), any_seq()};
      send.expires_after_ms = any_seq();
      if (any_bool())
        send.poll = PollDraft{any_list(any_text), any_bool(), any_bool(),
                              std::chrono::milliseconds(any_seq())};
      send.stream = any_seq();
      return send;
    }
    case 2:
      return wire::Create{any_kind(),
                          any_text(),
                          any_bool() ? any_id128<wire::Nonce>() : wire::Nonce{},
                          any_list(any_text),
                          any_bool() ? any_conversation() : ConversationId{},
                          any_bool() ? std::optional(any_join()) : std::nullopt};
    case 3:
      return wire::Direct{any_text()};
    case 4:
      return wire::Join{c};
    case 5:
      return wire::Leave{c};
    case 6:
      return wire::Add{c, any_list(any_text)};
    case 7:
      return wire::Remove{c, any_user()};
    case 8:
      return wire::SetRole{c, any_user(), any_role()};
    case 9:
      return wire::SetTitle{c, any_text()};
    case 10:
      return wire::Subscribe{any_list([] {
        wire::Subscribe::Item item{any_conversation(), any_level(), std::nullopt};
        if (any_bool()) item.cursor = any_cursor();
        return item;
      })};
    case 11:
      return wire::History{c, any_seq(), any_bool(), any_u32()};
    case 12:
      return wire::MarkRead{c, any_seq(), any_seq()};
    case 13:
      return wire::SendSignal{c, any_text(), any_bytes(), any_u32()};
    case 14:
      return wire::Watch{c, any_list(any_user)};
    case 15:
      return wire::Members{c, any_user(), any_u32(), any_text()};
    case 16:
      return wire::Lookup{any_list(any_user)};
    case 17:
      return wire::Sync{any_bytes(), any_list(any_conversation)};
    case 18:
      return wire::Ping{};
    case 19:
      return wire::Bye{};
    case 20: {
      wire::Edit edit{c, any_seq(), any_text(), {}};
      if (const std::string body = any_bytes(); !body.empty()) edit.body = Payload::copy_of(body);
      return edit;
    }
    case 21:
      return wire::Delete{c, any_seq()};
    case 22:
      return wire::React{c, any_seq(), any_text(), any_bool()};
    case 23:
      return wire::Pin{c, any_seq(), any_bool()};
    case 24:
      return wire::Pins{c};
    case 25:
      return wire::Reactors{c, any_seq(), any_text(), any_user(), any_u32()};
    case 26: {
      wire::SetList set{c, {}};
      if (any_bool()) set.settings.pinned = any_bool();
      if (any_bool()) set.settings.archived = any_bool();
      if (any_bool()) set.settings.marked_unread = any_bool();
      if (any_bool()) set.settings.muted_until = any_time();
      if (any_bool()) set.settings.draft = any_text();
      if (any_bool()) set.settings.folder = any_text();
      if (any_bool()) set.settings.hidden = any_bool();
      return set;
    }
    case 27:
      return wire::Transfer{c, any_user()};
    case 28:
      return wire::Schedule{any_seq(), any_time(), std::get<wire::Send>(any_operation(1))};
    case 29:
      return wire::Unschedule{any_seq()};
    case 30:
      return wire::ListScheduled{};
    case 31:
      return wire::SetSettings{c, any_update()};
    case 32:
      return wire::GetInfo{c};
    case 33:
      return wire::Restrict{
          c, any_restriction_kind(), any_user(), any_bool(), {any_time(), any_text()}};
    case 34:
      return wire::Restrictions{c, any_restriction_kind(), any_user(), any_u32()};
    case 35:
      return wire::Thread{c, any_seq(), any_seq(), any_bool(), any_u32()};
    case 36:
      return wire::Threads{c, any_seq(), any_u32()};
    case 37:
      return wire::FollowThread{c, any_seq(), any_bool()};
    case 38:
      return wire::ReadThread{c, any_seq(), any_seq()};
    case 39:
      return wire::PageList{any_time(), any_bool() ? c : ConversationId{}, any_u32()};
    case 40:
      return wire::Devices{};
    case 41:
      return wire::RenameDevice{any_id64<DeviceId>(), any_text()};
    case 42:
      return wire::RevokeDevice{any_id64<DeviceId>()};
    case 43: {
      wire::SetUser set;
      if (any_bool()) set.change.hide_reads = any_bool();
      if (any_bool()) set.change.hide_last_seen = any_bool();
      if (any_bool()) set.change.status = any_text();
      if (any_bool()) set.change.status_until = any_time();
      return set;
    }
    case 44:
      return wire::SetPresence{any_state()};
    case 45:
      return wire::Seen{c, any_seq()};
    case 46:
      return wire::CreateInvite{c, {any_role(), any_time(), any_u32()}};
    case 47:
      return wire::ListInvites{c};
    case 48:
      return wire::RevokeInvite{any_text()};
    case 49:
      return wire::JoinInvite{any_text()};
    case 50:
      return wire::RequestJoin{c, any_text()};
    case 51:
      return wire::JoinRequests{c, any_user(), any_u32()};
    case 52:
      return wire::AnswerRequest{c, any_user(), any_bool()};
    case 53:
      return wire::BlockUser{any_user(), any_bool()};
    case 54:
      return wire::ListBlocked{};
    case 55:
      return wire::SetRetention{c, any_retention()};
    case 56:
      return wire::GetRetention{c};
    case 57:
      return wire::End{c};
    case 58:
      return wire::Vote{c, any_seq(), any_options()};
    case 59:
      return wire::ClosePoll{c, any_seq()};
    case 60:
      return wire::GetBallot{c, any_seq()};
    case 61:
      return wire::Voters{c, any_seq(), *rc::gen::arbitrary<std::uint8_t>(), any_user(), any_u32()};
    case 62:
      return wire::StartStream{c, any_text(), any_seq(), any_seq()};
    case 63:
      return wire::AppendStream{c, any_u64(), any_seq(), any_text()};
    case 64:
      return wire::CancelStream{c, any_u64()};
    case 65:
      return wire::GetStream{c, any_u64()};
    case 66:
      return wire::DeleteForMe{c, any_list(any_seq)};
    case 67:
      return wire::WatchConversation{c, any_bool()};
    default:
      throw std::logic_error("an operation without a case here");
  }
}
inline constexpr std::size_t operations = std::size(wire::request_types);

inline Error any_error() {
  static const std::vector<Errc> codes{Errc::invalid_argument, Errc::busy,
                                       Errc::number_taken,     Errc::internal,
                                       Errc::store_failed,     Errc::slow_consumer};
  Error error(codes[*rc::gen::inRange<std::size_t>(0, codes.size())], any_text());
  if (any_bool()) error.code = std::error_code(1000 + *rc::gen::inRange(0, 9), error_category());
  error.retry_after = std::chrono::milliseconds(any_u32());
  error.next = any_u64();
  return error;
}

inline wire::ThreadState any_thread() {
  return {any_conversation(), any_record(any_seq()), any_bool(), any_seq(), any_seq()};
}

inline wire::Answer any_answer(std::size_t index) {
  const ConversationId c = any_conversation();
  const Seq first = 1 + any_seq() / 2;
  switch (index) {
    case 0:
      return wire::Welcome{*rc::gen::arbitrary<std::uint16_t>(),
                           any_u64(),
                           any_user(),
                           any_id64<DeviceId>(),
                           any_text(),
                           any_u32(),
                           any_u32(),
                           any_bytes(),
                           any_list_changed()};
    case 1:
      return wire::Done{};
    case 2:
      return wire::Failed{any_error()};
    case 3:
      return wire::Acked{{c, any_seq(), any_time(), any_u64(), any_bool()}};
    case 4:
      return wire::Opened{any_entry()};
    case 5:
      return wire::Subscribed{any_list([] {
        ResumeAnswer answer{any_conversation(), static_cast<Resume>(*rc::gen::inRange(1, 9)),
                            any_level(),        any_bool() ? any_cursor() : Cursor{},
                            any_seq(),          any_seq(),
                            any_u32(),          any_seq()};
        return answer;
      })};
    case 6:
      return wire::Events{c, any_epoch(), first, any_records(first, 1), any_u32()};
    case 7:
      return wire::HeadMoved{c, any_cursor(), any_seq()};
    case 8:
      return wire::HistoryPage{c,         any_epoch(), first,    any_records(first, 0),
                               any_u32(), any_bool(),  any_seq()};
    case 9:
      return wire::ReceiptsMoved{c, any_list(any_receipt)};
    case 10:
      return wire::Signalled{c, any_user(), any_text(), any_bytes(), any_u32()};
    case 11:
      return wire::PresenceChanged{any_list(any_presence)};
    case 12:
      return any_list_changed();
    case 13:
      return wire::MembersPage{c, any_list([] {
                                 return Member{any_user(), any_role(), any_time(), any_seq()};
                               }),
                               any_list(any_receipt), any_seq(), any_bool()};
    case 14:
      return wire::Names{any_list([] { return UserName{any_user(), any_text()}; })};
    case 15:
      return wire::Goodbye{any_text(), any_u32(), any_bool()};
    case 16:
      return wire::Messages{c, any_list([] { return any_record(any_seq()); })};
    case 17:
      return wire::ReactorsPage{c, any_seq(), any_list(any_user), any_bool()};
    case 18:
      return wire::Scheduled{any_bool(), any_list([] {
                               return wire::Scheduled::Item{any_seq(), any_time(),
                                                            std::get<wire::Send>(any_operation(1)),
                                                            any_u32(), any_text()};
                             }),
                             any_list(any_seq)};
    case 19:
      return wire::Info{any_info()};
    case 20:
      return wire::RestrictionsPage{
          c, any_restriction_kind(), any_list([] {
            return Restriction{any_user(), any_user(), any_time(), any_time(), any_text()};
          }),
          any_bool()};
    case 21:
      return wire::ThreadPage{any_thread(), any_list([] { return any_record(any_seq()); }),
                              any_bool()};
    case 22:
      return wire::ThreadsPage{c, any_list(any_thread), any_bool(), any_seq()};
    case 23:
      return any_thread();
    case 24:
      return wire::ListPage{any_list(any_entry), any_bool()};
    case 25:
      return wire::DeviceList{any_list(any_device)};
    case 26:
      return wire::SeenBy{c, any_seq(), any_seq()};
    case 27:
      return any_settings();
    case 28:
      return wire::Invites{c, any_list(any_invite)};
    case 29:
      return wire::JoinRequestsPage{c, any_list(any_join_request), any_bool()};
    case 30:
      return wire::BlockedUsers{any_list(any_user)};
    case 31:
      return wire::Kept{c, any_retention()};
    case 32:
      return Ballot{c, any_seq(), any_options()};
    case 33:
      return wire::VotersPage{c, any_seq(), *rc::gen::arbitrary<std::uint8_t>(), any_list(any_user),
                              any_bool()};
    case 34:
      return wire::StreamStarted{c, any_u64()};
    case 35:
      return wire::Streamed{c,         any_u64(), any_user(), any_text(), any_seq(),
                            any_seq(), any_seq(), any_text(), any_bool()};
    case 36:
      return DeletedForMe{c, any_list(any_seq)};
    case 37: {
      Online online{c, static_cast<PresenceStep>(*rc::gen::inRange(0, 4)), any_seq(), {}};
      if (any_bool()) online.users = any_list(any_presence);
      return online;
    }
    default:
      throw std::logic_error("an answer without a case here");
  }
}
inline constexpr std::size_t answers = std::size(wire::answer_types);

}  // namespace parley::test
