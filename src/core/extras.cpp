// extras.cpp: mentions, attachments and headers of a send, and the message that it forwards.
#include "core/extras.hpp"
#include "core/read_as_member.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/crc32c.hpp"
#include "base/endian.hpp"
#include "base/utf8.hpp"
#include "core/conversation_state.hpp"
#include "core/event_reader.hpp"

namespace parley::core {
namespace {

constexpr std::size_t item_overhead = 64;  // of an attachment or header in a record
constexpr std::uint64_t most_size = (std::uint64_t{1} << 53) - 1;

std::size_t texts_size(const wire::Send& send) noexcept {
  const wire::Extras& extras = send.extras;
  std::size_t size = 0;
  if (send.poll)
    for (const std::string& option : send.poll->options) size += option.size();
  for (const Attachment& each : extras.attachments)
    size += each.handle.size() + each.content_type.size() + each.name.size();
  for (const MessageHeader& each : extras.headers) size += each.name.size() + each.value.size();
  return size;
}

Error check_attachment(const Attachment& each) {
  if (each.handle.empty() || each.handle.size() > limits::attachment_handle)
    return {Errc::invalid_argument, "attachments.handle: expected 1 to 512 bytes"};
  if (each.content_type.size() > limits::content_type)
    return {Errc::too_large, "attachments.content_type: expected at most 128 bytes"};
  if (each.name.size() > limits::attachment_name)
    return {Errc::too_large, "attachments.name: expected at most 256 bytes"};
  if (each.size > most_size)
    return {Errc::invalid_argument, "attachments.size: expected at most 2^53 - 1"};
  if (!base::valid_utf8(each.handle) || !base::valid_utf8(each.content_type) ||
      !base::valid_utf8(each.name))
    return {Errc::invalid_argument, "attachments: expected valid UTF-8"};
  return {};
}

Error check_header(const MessageHeader& each) {
  if (each.name.empty() || each.name.size() > limits::header_name)
    return {Errc::invalid_argument, "headers.name: expected 1 to 64 bytes"};
  if (each.value.size() > limits::header_value)
    return {Errc::too_large, "headers.value: expected at most 1024 bytes"};
  if (!base::valid_utf8(each.name) || !base::valid_utf8(each.value))
    return {Errc::invalid_argument, "headers: expected valid UTF-8"};
  return {};
}

Error check_forward(const wire::Send& send) {
  if (!send.forward->conversation || send.forward->seq == 0)
    return {Errc::invalid_argument, "forward: expected a conversation and a seq"};
  if (!send.body.empty() || !send.content_type.empty() || !send.extras.attachments.empty() ||
      send.poll)
    return {Errc::invalid_argument,
            "forward: expected no body, content_type, attachments and poll beside it"};
  return {};
}

class Checksum {
 public:
  explicit Checksum(std::uint32_t crc) : crc_(crc) {}
  void number(std::uint64_t value) {
    char raw[8];
    base::put_be64(raw, value);
    crc_ = base::crc32c(crc_, Bytes(raw, sizeof raw));
  }
  void text(std::string_view value) {
    number(value.size());
    crc_ = base::crc32c(crc_, value);
  }
  [[nodiscard]] std::uint32_t value() const noexcept { return crc_; }

 private:
  std::uint32_t crc_;
};

/// Where the source is told to be only where every reader here may know it.
Origin origin_of(const ConversationId& here, const ForwardOf& source, const Forwardable& found,
                 const wire::RecordFields& fields) {
  Origin origin;
  if (fields.origin) {
    origin = *fields.origin;
  } else {
    origin = {source.conversation, source.seq, fields.sender, wall_time(fields.time_ms)};
  }
  const bool hidden = origin.conversation == source.conversation && !found.open;
  if (hidden && origin.conversation != here) {
    origin.conversation = {};
    origin.seq = 0;
  }
  return origin;
}

}  // namespace

std::size_t extras_size(const wire::Send& send) noexcept {
  const wire::Extras& extras = send.extras;
  const std::size_t poll = send.poll ? item_overhead + 16 * send.poll->options.size() : 0;
  return texts_size(send) + 8 * extras.mentions.size() + poll +
         item_overhead * (extras.attachments.size() + extras.headers.size());
}

Error check_texts(const wire::Send& send) {
  const wire::Extras& extras = send.extras;
  if (extras.attachments.size() > limits::attachments)
    return {Errc::limit_reached, "attachments: expected at most 16"};
  if (extras.headers.size() > limits::headers)
    return {Errc::limit_reached, "headers: expected at most 16"};
  for (const Attachment& each : extras.attachments)
    if (Error error = check_attachment(each)) return error;
  for (const MessageHeader& each : extras.headers)
    if (Error error = check_header(each)) return error;
  if (texts_size(send) > limits::extras)
    return {Errc::too_large, "attachments, headers and poll: expected at most 8192 bytes"};
  return {};
}

Error check_extras(wire::Send& send) {
  wire::Extras& extras = send.extras;
  if (extras.mentions.size() > limits::mentions)
    return {Errc::limit_reached, "mentions: expected at most 50 users"};
  if (std::find(extras.mentions.begin(), extras.mentions.end(), UserId{}) != extras.mentions.end())
    return {Errc::invalid_argument, "mentions: a user id is zero"};
  if (extras.mention_scope > MentionScope::all)
    return {Errc::invalid_argument, "mention_scope: expected none, here or all"};
  if (Error error = check_texts(send)) return error;
  if (send.forward)
    if (Error error = check_forward(send)) return error;
  std::sort(extras.mentions.begin(), extras.mentions.end());
  extras.mentions.erase(std::unique(extras.mentions.begin(), extras.mentions.end()),
                        extras.mentions.end());
  return {};
}

std::uint32_t extras_crc(std::uint32_t crc, const wire::Send& send) {
  const wire::Extras& extras = send.extras;
  if (extras == wire::Extras{} && !send.forward && send.thread_root == 0 && !send.poll &&
      send.stream == 0)
    return crc;
  Checksum sum(crc);
  sum.number(send.thread_root);
  sum.number(extras.mentions.size());
  for (const UserId user : extras.mentions) sum.number(user.value);
  sum.number(static_cast<std::uint64_t>(extras.mention_scope));
  sum.number(extras.attachments.size());
  for (const Attachment& each : extras.attachments) {
    sum.text(each.handle);
    sum.text(each.content_type);
    sum.text(each.name);
    sum.number(each.size);
  }
  sum.number(extras.headers.size());
  for (const MessageHeader& each : extras.headers) {
    sum.text(each.name);
    sum.text(each.value);
  }
  if (send.forward) {
    sum.text(send.forward->conversation.view());
    sum.number(send.forward->seq);
  }
  if (send.poll) {
    sum.number(send.poll->options.size());
    for (const std::string& option : send.poll->options) sum.text(option);
    sum.number((send.poll->multiple ? 1U : 0U) + (send.poll->anonymous ? 2U : 0U));
    sum.number(static_cast<std::uint64_t>(send.poll->closes_after.count()));
  }
  if (send.stream != 0) sum.number(send.stream);
  return sum.value();
}

bool Conversation::State::may_mention(MentionScope scope, Role role) const noexcept {
  if (scope == MentionScope::none || may(Action::mention_all, role)) return true;
  return info.kind == ConversationKind::group && staged->head.members <= limits::small_group;
}

bool Conversation::State::source_ready(Op& op, SendOp& send, Decision& decision) {
  decision = Decision::decided;
  if (!send.send.forward || send.origin) return true;
  if (!send.source) {
    send.source = std::make_shared<ForwardRead>();
    host.read_message(*send.send.forward, op.caller,
                      input<Result<Forwardable>>([this, source = send.source](auto found) {
                        source->found = std::move(found);
                        pump();
                      }));
  }
  if (!send.source->found) {
    decision = Decision::later;
    return false;
  }
  if (!*send.source->found) {
    op.error = send.source->found->error();
    return false;
  }
  const Forwardable& found = **send.source->found;
  wire::RecordFields fields = wire::read_record(found.record.bytes());
  if (fields.poll) {
    op.error = {Errc::invalid_argument, "forward: a poll stays where it was asked"};
    return false;
  }
  send.send.content_type = fields.content_type;
  if (!fields.body.empty()) send.send.body = Payload::copy_of(fields.body);
  send.send.extras.attachments = std::move(fields.extras.attachments);
  send.origin = origin_of(id, *send.send.forward, found, fields);
  return true;
}

void Conversation::read_message(Caller reader, Seq seq, Then<Forwardable> then) {
  State& state = *state_;
  state.read_as_member(
      reader, std::move(then),
      [&state, seq](Seq from, const Reader& reader, Then<Forwardable> answer) {
        const bool deleted = reader.deletions && reader.deletions->has(seq);
        if (seq < from || seq > state.head.head || deleted) return answer(denied());
        ReadRange range{.partition = *state.name,
                        .conversation = state.id,
                        .ns = state.host.ns(),
                        .from = seq,
                        .to = seq,
                        .max_events = 1};
        read_events(state.effects, std::move(range),
                    state.input<Result<EventPage>>([&state, answer](Result<EventPage> page) {
                      if (!page) return answer(std::move(page).error());
                      if (page->events.empty()) return answer(denied());
                      const auto fields = wire::read_record(page->events[0].record.bytes());
                      if (fields.kind != EventKind::message || fields.deleted ||
                          fields.audience != audience::everyone)
                        return answer(denied());
                      // An open channel of a space is open to those who are in that.
                      const bool open =
                          state.info.settings.join == JoinRule::open && !state.info.space;
                      answer(Forwardable{page->events[0].record, open});
                    }));
      });
}

}  // namespace parley::core
