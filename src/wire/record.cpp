// record.cpp: checks and reads records; with record_build.cpp the only code that knows how an event
// is stored.
#include "wire/record.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "wire/numbers.hpp"
#include "wire/record_generated.h"
#include "wire/settings_table.hpp"

namespace parley::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "records are copied as little-endian");

std::string_view view(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : std::string_view(text->c_str(), text->size());
}

std::string_view body_of(const fb::Record& record) {
  const auto* body = record.body();
  if (body == nullptr) return {};
  return {reinterpret_cast<const char*>(body->data()), body->size()};
}

PollResults results_of(const fb::PollResults& from) {
  PollResults results{.votes = {}, .voters = from.voters(), .closed = from.closed()};
  read_numbers(from.votes(), results.votes);
  return results;
}

Tally tally_of(const fb::Tally& from) {
  Tally tally{.seq = from.seq(), .revision = from.revision(), .reactions = {}};
  if (const auto* poll = from.poll()) tally.poll = results_of(*poll);
  if (from.reactions() == nullptr) return tally;
  tally.reactions.reserve(from.reactions()->size());
  for (const fb::Reaction* reaction : *from.reactions()) {
    Reaction& out = tally.reactions.emplace_back();
    out.key = view(reaction->key());
    out.count = reaction->count();
    read_numbers(reaction->users(), out.users);
  }
  return tally;
}

std::optional<PollTerms> poll_of(const fb::Poll* from) {
  if (from == nullptr) return std::nullopt;
  PollTerms poll{.options = {},
                 .multiple = from->multiple(),
                 .anonymous = from->anonymous(),
                 .closes_ms = from->closes_ms()};
  if (const auto* options = from->options()) {
    poll.options.reserve(options->size());
    for (const auto* option : *options) poll.options.push_back(view(option));
  }
  return poll;
}

Extras extras_of(const fb::Record& record) {
  Extras extras;
  read_numbers(record.mentions(), extras.mentions);
  extras.mention_scope = static_cast<MentionScope>(record.mention_scope());
  if (const auto* attachments = record.attachments()) {
    for (const fb::Attachment* from : *attachments)
      extras.attachments.push_back({std::string(view(from->handle())),
                                    std::string(view(from->content_type())),
                                    std::string(view(from->name())), from->size()});
  }
  if (const auto* headers = record.headers()) {
    for (const fb::Header* from : *headers)
      extras.headers.push_back({std::string(view(from->name())), std::string(view(from->value()))});
  }
  return extras;
}

std::optional<Origin> origin_of(const fb::Origin* from) {
  if (from == nullptr) return std::nullopt;
  Origin origin{.seq = from->seq(),
                .sender = UserId{from->sender()},
                .time = WallTime(std::chrono::milliseconds(from->time_ms()))};
  if (const auto* id = from->conversation())
    std::memcpy(origin.conversation.bytes.data(), id, origin.conversation.bytes.size());
  return origin;
}

/// What extras_of() copies: parts of a hostile record may be shared many times.
std::size_t copied(const fb::Record& record) {
  std::size_t size = 0;
  if (const auto* attachments = record.attachments()) {
    for (const fb::Attachment* from : *attachments)
      size += view(from->handle()).size() + view(from->content_type()).size() +
              view(from->name()).size();
  }
  if (const auto* headers = record.headers()) {
    for (const fb::Header* from : *headers)
      size += view(from->name()).size() + view(from->value()).size();
  }
  return size;
}

bool valid_extras(const Extras& extras) {
  for (const Attachment& each : extras.attachments) {
    if (!base::valid_utf8(each.handle) || !base::valid_utf8(each.content_type) ||
        !base::valid_utf8(each.name))
      return false;
  }
  return std::all_of(extras.headers.begin(), extras.headers.end(), [](const auto& header) {
    return base::valid_utf8(header.name) && base::valid_utf8(header.value);
  });
}

RecordFields fields_of(const fb::Record& record) {
  RecordFields fields;
  fields.seq = record.seq();
  fields.ordinal = record.ordinal();
  fields.thread_ordinal = record.thread_ordinal();
  fields.time_ms = record.time_ms();
  fields.id = record.snowflake();
  fields.sender = UserId{record.sender()};
  fields.kind = static_cast<EventKind>(record.kind());
  fields.audience = record.audience();
  fields.role = static_cast<Role>(record.role());
  fields.conversation_kind = static_cast<ConversationKind>(record.conversation_kind());
  fields.echo = record.echo();
  fields.reply_to = record.reply_to();
  fields.thread_root = record.thread_root();
  fields.target = UserId{record.target()};
  if (const auto* id = record.conversation()) {
    std::memcpy(fields.conversation.bytes.data(), id, fields.conversation.bytes.size());
  }
  fields.content_type = view(record.content_type());
  fields.body = body_of(record);
  fields.title = view(record.title());
  fields.groups = record.groups();
  fields.shadowed = record.shadowed();
  fields.about = record.about();
  fields.about_ordinal = record.about_ordinal();
  fields.expires_ms = record.expires_ms();
  fields.written_ms = record.written_ms();
  fields.import_id = view(record.import_id());
  fields.stream = record.stream();
  fields.changed = record.changed();
  fields.edited_ms = record.edited_ms();
  fields.deleted = record.deleted();
  fields.pinned = record.pinned();
  if (const auto* settings = record.settings()) fields.settings = settings_of(*settings);
  fields.until_ms = record.until_ms();
  fields.reason = view(record.reason());
  fields.extras = extras_of(record);
  fields.origin = origin_of(record.origin());
  fields.poll = poll_of(record.poll());
  fields.thread = {record.thread_head(), record.replies(), record.last_reply()};
  read_numbers(record.edits(), fields.edits);
  if (const auto* tallies = record.tallies()) {
    fields.tallies.reserve(tallies->size());
    for (const fb::Tally* tally : *tallies) fields.tallies.push_back(tally_of(*tally));
  }
  return fields;
}

}  // namespace

RecordFields read_record(Bytes record) {
  return fields_of(*flatbuffers::GetSizePrefixedRoot<fb::Record>(record.data()));
}

Glance glance(Bytes record) {
  const auto& from = *flatbuffers::GetSizePrefixedRoot<fb::Record>(record.data());
  const auto* edits = from.edits();
  const bool edited = edits != nullptr && edits->size() != 0;
  return {from.audience(), edited ? number_at(*edits, edits->size() - 1) : 0};
}

std::optional<RecordFields> verify_record(Bytes record) {
  if (record.size() < 16 || record.size() % 8 != 0 ||
      record.size() >= FLATBUFFERS_MAX_BUFFER_SIZE ||
      reinterpret_cast<std::uintptr_t>(record.data()) % 8 != 0) {
    return std::nullopt;
  }
  const auto tables = static_cast<flatbuffers::uoffset_t>(record.size() / 8);
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(record.data()),
                                 record.size(), 16, tables);
  if (!verifier.VerifySizePrefixedBuffer<fb::Record>(nullptr)) return std::nullopt;
  if (copied(*flatbuffers::GetSizePrefixedRoot<fb::Record>(record.data())) > record.size())
    return std::nullopt;
  RecordFields fields = read_record(record);
  if (!base::valid_utf8(fields.content_type) || !base::valid_utf8(fields.title) ||
      !base::valid_utf8(fields.reason) || !valid_extras(fields.extras)) {
    return std::nullopt;
  }
  if (fields.settings) {
    for (const auto& text :
         {fields.settings->title, fields.settings->description, fields.settings->avatar}) {
      if (text && !base::valid_utf8(*text)) return std::nullopt;
    }
  }
  if (fields.poll && !std::all_of(fields.poll->options.begin(), fields.poll->options.end(),
                                  [](std::string_view text) { return base::valid_utf8(text); }))
    return std::nullopt;
  for (const Tally& tally : fields.tallies) {
    for (const Reaction& reaction : tally.reactions) {
      if (!base::valid_utf8(reaction.key)) return std::nullopt;
    }
  }
  return fields;
}

namespace {
JoinRequestState request_state(EventKind kind) {
  switch (kind) {
    case EventKind::join_approved:
      return JoinRequestState::approved;
    case EventKind::join_denied:
      return JoinRequestState::denied;
    case EventKind::join_withdrawn:
      return JoinRequestState::withdrawn;
    default:
      return JoinRequestState::waiting;
  }
}

/// Of a message: `tally` is its own, if it has one.
Poll poll_with_results(const fb::Poll& from, const fb::Tally* tally) {
  PollTerms terms = *poll_of(&from);
  Poll poll{.options = std::move(terms.options),
            .multiple = terms.multiple,
            .anonymous = terms.anonymous,
            .closes = WallTime(std::chrono::milliseconds(terms.closes_ms))};
  if (tally != nullptr && tally->poll() != nullptr) poll.results = results_of(*tally->poll());
  poll.results.votes.resize(poll.options.size());
  return poll;
}

/// False: neither the field nor any after it is there. A table begins with the distance back to its
/// list of fields, and that with its own size.
bool reaches(const fb::Record& record, flatbuffers::voffset_t field) {
  const auto* table = reinterpret_cast<const std::uint8_t*>(&record);
  const auto* fields = table - flatbuffers::ReadScalar<flatbuffers::soffset_t>(table);
  return flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields) > field;
}

/// Straight from the record, in place: pages of history are made of these.
void read_message(const fb::Record& record, Message& message) {
  message.content_type = view(record.content_type());
  if (message.content_type.empty()) message.content_type = "text/plain";
  message.body = body_of(record);
  message.reply_to = record.reply_to();
  message.thread_root = record.thread_root();
  message.thread_ordinal = record.thread_ordinal();
  if (!reaches(record, fb::Record::VT_CHANGED)) return;  // as most are
  message.expires = WallTime(std::chrono::milliseconds(record.expires_ms()));
  message.written = WallTime(std::chrono::milliseconds(record.written_ms()));
  message.import_id = view(record.import_id());
  message.stream = record.stream();
  message.changed = record.changed();
  message.edited = WallTime(std::chrono::milliseconds(record.edited_ms()));
  message.deleted = record.deleted();
  message.pinned = record.pinned();
  Extras extras = extras_of(record);
  message.mentions = std::move(extras.mentions);
  message.mention_scope = extras.mention_scope;
  message.attachments = std::move(extras.attachments);
  message.headers = std::move(extras.headers);
  message.forwarded = origin_of(record.origin());
  message.replies = record.replies();
  message.last_reply = record.last_reply();
  const auto* tallies = record.tallies();
  const fb::Tally* tally = tallies == nullptr || tallies->size() == 0 ? nullptr : tallies->Get(0);
  if (record.poll() != nullptr) message.poll = poll_with_results(*record.poll(), tally);
  if (tally != nullptr) message.reactions = tally_of(*tally).reactions;
}
std::vector<std::uint8_t> groups_in(std::uint16_t bits) {
  std::vector<std::uint8_t> groups;
  for (std::uint8_t group = audience::first_group; group <= audience::last_group; ++group)
    if ((bits >> group & 1) != 0) groups.push_back(group);
  return groups;
}
RestrictionChange restriction_of(const RecordFields& fields) {
  const bool mute = fields.kind == EventKind::muted || fields.kind == EventKind::unmuted;
  return {.user = fields.target,
          .kind = mute ? RestrictionKind::mute : RestrictionKind::ban,
          .on = fields.kind == EventKind::muted || fields.kind == EventKind::banned,
          .until = WallTime(std::chrono::milliseconds(fields.until_ms)),
          .reason = fields.reason};
}
ReactionsChange reactions_of(RecordFields& fields) {
  ReactionsChange change;
  change.messages.reserve(fields.tallies.size());
  for (Tally& tally : fields.tallies)
    change.messages.push_back({tally.seq, std::move(tally.reactions), std::move(tally.poll)});
  return change;
}
/// Of everything but messages.
void read_content(RecordFields fields, Event& event) {
  switch (fields.kind) {
    case EventKind::edited:
      event.content = parley::Edit{fields.about,
                                   fields.content_type.empty() ? "text/plain" : fields.content_type,
                                   fields.body};
      break;
    case EventKind::deleted:
      event.content = Deletion{fields.about, fields.about_ordinal, fields.thread_root};
      break;
    case EventKind::reactions:
      event.content = reactions_of(fields);
      break;
    case EventKind::pinned:
    case EventKind::unpinned:
      event.content = PinChange{fields.about, fields.kind == EventKind::pinned};
      break;
    case EventKind::joined:
    case EventKind::left:
    case EventKind::added:
    case EventKind::removed:
    case EventKind::role_changed:
      event.content = MembershipChange{fields.target, fields.role};
      break;
    case EventKind::visibility_changed:
      event.content = VisibilityChange{fields.target, groups_in(fields.groups), fields.shadowed};
      break;
    case EventKind::created:
    case EventKind::settings_changed:
      event.content = fields.settings ? *fields.settings : SettingsChange{.title = fields.title};
      break;
    case EventKind::banned:
    case EventKind::unbanned:
    case EventKind::muted:
    case EventKind::unmuted:
      event.content = restriction_of(fields);
      break;
    case EventKind::join_requested:
    case EventKind::join_approved:
    case EventKind::join_denied:
    case EventKind::join_withdrawn:
      event.content = JoinRequestChange{fields.target, request_state(fields.kind)};
      break;
    case EventKind::child_opened:
    case EventKind::child_closed:
      event.content =
          ChildChange{fields.conversation, fields.kind == EventKind::child_opened, fields.title};
      break;
    case EventKind::message:
    case EventKind::own_request:
    case EventKind::blocks_changed:
    case EventKind::hidden:
    case EventKind::ended:
    case EventKind::list_entered:
    case EventKind::list_left:
    case EventKind::list_set:
    case EventKind::scheduled:
    case EventKind::devices_changed:
    case EventKind::settings_set:
      break;
  }
}
}  // namespace

Event to_event(const ConversationId& conversation, const Epoch& epoch, Payload record, Mark mark) {
  Event event;
  to_event(conversation, epoch, std::move(record), mark, event);
  return event;
}

void to_event(const ConversationId& conversation, const Epoch& epoch, Payload record, Mark mark,
              Event& event) {
  const auto& from = *flatbuffers::GetSizePrefixedRoot<fb::Record>(record.data());
  event.conversation = conversation;
  event.epoch = epoch;
  event.seq = from.seq();
  event.mark = mark;
  event.ordinal = from.ordinal();
  event.id = from.snowflake();
  event.time = WallTime(std::chrono::milliseconds(from.time_ms()));
  event.sender = UserId{from.sender()};
  event.kind = static_cast<EventKind>(from.kind());
  event.audience = from.audience();
  if (event.kind == EventKind::message) {
    read_message(from, event.content.emplace<Message>());
  } else {
    read_content(fields_of(from), event);
  }
  event.record = std::move(record);
}

}  // namespace parley::wire
