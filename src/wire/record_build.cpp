// record_build.cpp: builds records.
#include <array>
#include <cstring>
#include <vector>

#include "wire/record.hpp"
#include "wire/record_generated.h"
#include "wire/settings_table.hpp"

namespace parley::wire {
namespace {

// Small records are built on the stack; only what does not fit goes to the heap.
class StackAllocator final : public flatbuffers::Allocator {
 public:
  static constexpr std::size_t capacity = 1024;
  std::uint8_t* allocate(std::size_t size) override {
    if (!used_ && size <= capacity) {
      used_ = true;
      return block_.data();
    }
    return new std::uint8_t[size];
  }
  void deallocate(std::uint8_t* block, std::size_t) override {
    if (block == block_.data()) {
      used_ = false;
    } else {
      delete[] block;
    }
  }

 private:
  alignas(16) std::array<std::uint8_t, capacity> block_;
  bool used_ = false;
};

flatbuffers::Offset<flatbuffers::String> add_string(flatbuffers::FlatBufferBuilder& builder,
                                                    std::string_view text) {
  if (text.empty()) return 0;
  return builder.CreateString(text.data(), text.size());
}

using Tallies = flatbuffers::Vector<flatbuffers::Offset<fb::Tally>>;
flatbuffers::Offset<Tallies> add_tallies(flatbuffers::FlatBufferBuilder& builder,
                                         const std::vector<Tally>& tallies) {
  if (tallies.empty()) return 0;
  std::vector<flatbuffers::Offset<fb::Tally>> built;
  for (const Tally& tally : tallies) {
    std::vector<flatbuffers::Offset<fb::Reaction>> reactions;
    for (const Reaction& reaction : tally.reactions) {
      std::vector<std::uint64_t> users;
      for (const UserId user : reaction.users) users.push_back(user.value);
      const auto key = add_string(builder, reaction.key);
      const auto named = users.empty() ? flatbuffers::Offset<flatbuffers::Vector<std::uint64_t>>()
                                       : builder.CreateVector(users);
      reactions.push_back(fb::CreateReaction(builder, key, reaction.count, named));
    }
    const auto all = builder.CreateVector(reactions);
    flatbuffers::Offset<fb::PollResults> poll;
    if (tally.poll)
      poll = fb::CreatePollResults(builder, builder.CreateVector(tally.poll->votes),
                                   tally.poll->voters, tally.poll->closed);
    built.push_back(fb::CreateTally(builder, tally.seq, tally.revision, all, poll));
  }
  return builder.CreateVector(built);
}

using Attachments = flatbuffers::Vector<flatbuffers::Offset<fb::Attachment>>;
flatbuffers::Offset<Attachments> add_attachments(flatbuffers::FlatBufferBuilder& builder,
                                                 const std::vector<Attachment>& attachments) {
  if (attachments.empty()) return 0;
  std::vector<flatbuffers::Offset<fb::Attachment>> built;
  for (const Attachment& from : attachments) {
    const auto handle = add_string(builder, from.handle);
    const auto content_type = add_string(builder, from.content_type);
    const auto name = add_string(builder, from.name);
    built.push_back(fb::CreateAttachment(builder, handle, content_type, name, from.size));
  }
  return builder.CreateVector(built);
}

using Headers = flatbuffers::Vector<flatbuffers::Offset<fb::Header>>;
flatbuffers::Offset<Headers> add_headers(flatbuffers::FlatBufferBuilder& builder,
                                         const std::vector<MessageHeader>& headers) {
  if (headers.empty()) return 0;
  std::vector<flatbuffers::Offset<fb::Header>> built;
  for (const MessageHeader& from : headers) {
    const auto name = add_string(builder, from.name);
    built.push_back(fb::CreateHeader(builder, name, add_string(builder, from.value)));
  }
  return builder.CreateVector(built);
}

flatbuffers::Offset<fb::Poll> add_poll(flatbuffers::FlatBufferBuilder& builder,
                                       const std::optional<PollTerms>& poll) {
  if (!poll) return 0;
  std::vector<flatbuffers::Offset<flatbuffers::String>> options;
  for (const std::string_view option : poll->options)
    options.push_back(builder.CreateString(option.data(), option.size()));
  return fb::CreatePoll(builder, builder.CreateVector(options), poll->multiple, poll->anonymous,
                        poll->closes_ms);
}

flatbuffers::Offset<fb::Origin> add_origin(flatbuffers::FlatBufferBuilder& builder,
                                           const std::optional<Origin>& origin) {
  if (!origin) return 0;
  fb::Bytes16 conversation;
  std::memcpy(static_cast<void*>(&conversation), origin->conversation.bytes.data(),
              sizeof conversation);
  return fb::CreateOrigin(builder, origin->conversation ? &conversation : nullptr, origin->seq,
                          origin->sender.value, origin->time.time_since_epoch().count());
}

/// What the table points to, in the order in which it is made.
struct Parts {
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> body;
  flatbuffers::Offset<flatbuffers::String> content_type, title;
  flatbuffers::Offset<Tallies> tallies;
  flatbuffers::Offset<flatbuffers::String> reason, import_id;
  flatbuffers::Offset<fb::Settings> settings;
  flatbuffers::Offset<Attachments> attachments;
  flatbuffers::Offset<Headers> headers;
  flatbuffers::Offset<fb::Origin> origin;
  flatbuffers::Offset<fb::Poll> poll;
  flatbuffers::Offset<flatbuffers::Vector<std::uint64_t>> mentions, edits;
};

Parts add_parts(flatbuffers::FlatBufferBuilder& builder, const RecordFields& fields) {
  Parts parts;
  if (!fields.body.empty()) {
    parts.body = builder.CreateVector(reinterpret_cast<const std::uint8_t*>(fields.body.data()),
                                      fields.body.size());
  }
  parts.content_type = add_string(builder, fields.content_type);
  parts.title = add_string(builder, fields.title);
  parts.tallies = add_tallies(builder, fields.tallies);
  parts.reason = add_string(builder, fields.reason);
  parts.import_id = add_string(builder, fields.import_id);
  if (fields.settings) parts.settings = build_settings(builder, *fields.settings);
  parts.attachments = add_attachments(builder, fields.extras.attachments);
  parts.headers = add_headers(builder, fields.extras.headers);
  parts.origin = add_origin(builder, fields.origin);
  parts.poll = add_poll(builder, fields.poll);
  if (!fields.extras.mentions.empty()) {
    std::vector<std::uint64_t> users;
    for (const UserId user : fields.extras.mentions) users.push_back(user.value);
    parts.mentions = builder.CreateVector(users);
  }
  if (!fields.edits.empty()) parts.edits = builder.CreateVector(fields.edits);
  return parts;
}

flatbuffers::Offset<fb::Record> add_record(flatbuffers::FlatBufferBuilder& builder,
                                           const RecordFields& fields, const Parts& parts) {
  fb::Bytes16 conversation;
  static_assert(sizeof conversation == sizeof fields.conversation.bytes);
  std::memcpy(static_cast<void*>(&conversation), fields.conversation.bytes.data(),
              sizeof conversation);

  fb::RecordBuilder record(builder);
  record.add_time_ms(fields.time_ms);
  record.add_seq(fields.seq);
  record.add_ordinal(fields.ordinal);
  record.add_thread_ordinal(fields.thread_ordinal);
  record.add_snowflake(fields.id);
  record.add_sender(fields.sender.value);
  record.add_echo(fields.echo);
  record.add_reply_to(fields.reply_to);
  record.add_thread_root(fields.thread_root);
  record.add_target(fields.target.value);
  if (fields.conversation) record.add_conversation(&conversation);
  record.add_content_type(parts.content_type);
  record.add_body(parts.body);
  record.add_title(parts.title);
  record.add_about(fields.about);
  record.add_about_ordinal(fields.about_ordinal);
  record.add_expires_ms(fields.expires_ms);
  record.add_written_ms(fields.written_ms);
  record.add_import_id(parts.import_id);
  record.add_stream(fields.stream);
  record.add_changed(fields.changed);
  record.add_edited_ms(fields.edited_ms);
  record.add_tallies(parts.tallies);
  record.add_edits(parts.edits);
  record.add_groups(fields.groups);
  record.add_shadowed(fields.shadowed);
  record.add_settings(parts.settings);
  record.add_until_ms(fields.until_ms);
  record.add_reason(parts.reason);
  record.add_mentions(parts.mentions);
  record.add_attachments(parts.attachments);
  record.add_headers(parts.headers);
  record.add_origin(parts.origin);
  record.add_poll(parts.poll);
  record.add_replies(fields.thread.replies);
  record.add_thread_head(fields.thread.head);
  record.add_last_reply(fields.thread.last);
  record.add_mention_scope(static_cast<std::uint8_t>(fields.extras.mention_scope));
  record.add_deleted(fields.deleted);
  record.add_pinned(fields.pinned);
  record.add_kind(static_cast<std::uint8_t>(fields.kind));
  record.add_audience(fields.audience);
  record.add_role(static_cast<std::uint8_t>(fields.role));
  record.add_conversation_kind(static_cast<std::uint8_t>(fields.conversation_kind));
  return record.Finish();
}

/// Of a length that is a multiple of 8.
Payload padded(Bytes built) {
  const std::size_t padding = -built.size() & 7;
  if (padding == 0) return Payload::copy_of(built);
  // A record without any 64-bit field (never a real event): the prefix covers the padding.
  std::string longer(built);
  longer.append(padding, '\0');
  const auto covered = static_cast<std::uint32_t>(longer.size() - sizeof(std::uint32_t));
  std::memcpy(longer.data(), &covered, sizeof covered);
  return Payload::copy_of(longer);
}

}  // namespace

Payload build_record(const RecordFields& fields) {
  StackAllocator allocator;
  const std::size_t text = fields.content_type.size() + fields.body.size() + fields.title.size();
  const std::size_t room = (text + 512) & ~std::size_t{7};
  flatbuffers::FlatBufferBuilder builder(
      room < StackAllocator::capacity ? StackAllocator::capacity : room, &allocator);
  const Parts parts = add_parts(builder, fields);
  builder.FinishSizePrefixed(add_record(builder, fields, parts));
  return padded({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
}

}  // namespace parley::wire
