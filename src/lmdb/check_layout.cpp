// lmdb/check_layout.cpp: see the header.
#include "lmdb/check_layout.hpp"

#include <algorithm>

#include "base/endian.hpp"
#include "store/layout_messages.hpp"
#include "store/layout_spaces.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t user_size = namespace_size + 8;

ConversationId conversation_of(Bytes partition_id) noexcept {
  ConversationId id;
  std::copy_n(partition_id.data() + namespace_size, 16, reinterpret_cast<char*>(id.bytes.data()));
  return id;
}

}  // namespace

void LayoutCheck::guard(const Partition& partition, Bytes guard) {
  const bool conversation =
      partition.space == layout::conversation && partition.id.size() == conversation_size;
  const bool user = partition.space == layout::user && partition.id.size() == user_size;
  if (conversation || user) {
    const auto head = layout::decode_head(guard);
    if (!head) return fail(partition, "its head cell cannot be decoded");
    if (head->sealed > head->head || head->floor > head->head + 1)
      fail(partition, "its head cell contradicts itself");
    if (conversation && (head->flags & layout::head_ended) != 0)
      return spaces_.ending(partition);  // in parts by now
    Stream stream;
    stream.head = *head;
    stream.next_open = std::max(head->sealed + 1, head->floor);
    stream.next_sealed = head->floor;
    (conversation ? conversations_ : users_).emplace(std::string(partition.id), stream);
  } else if (partition.space == layout::archive || partition.space == layout::receipt ||
             partition.space == layout::member || partition.space == layout::reaction ||
             partition.space == layout::timer || partition.space == layout::thread ||
             partition.space == layout::personal) {
    if (!layout::decode_count(guard)) fail(partition, "its guard cannot be decoded");
  } else if (partition.space == layout::name) {
    if (!layout::decode_name(guard)) fail(partition, "its guard cannot be decoded");
  }
}

void LayoutCheck::row(const Partition& partition, Bytes key, Bytes value) {
  const auto number = [&](char prefix) { return layout::parse_number_key(prefix, key); };
  const auto require = [&](bool ok, const char* what) {
    if (!ok) fail(partition, std::string(what) + " cannot be decoded");
  };
  switch (partition.space) {
    case layout::conversation:
      return conversation_row(partition, key, value);
    case layout::user:
      return user_row(partition, key, value);
    case layout::archive:
      if (number('c')) chunk(partition, value);
      return;
    case layout::receipt:
      receipt(partition, key, value);
      return;
    case layout::reaction:
      if (key[0] == 'n') require(layout::decode_reaction(value).has_value(), "a reaction row");
      if (key[0] == 'u') require(layout::parse_reactor(key).has_value(), "a reactor");
      if (key == layout::poll_key()) require(layout::decode_poll(value).has_value(), "a poll");
      if (number('b')) require(layout::decode_ballot(value).has_value(), "a ballot");
      if (key[0] == 'v') require(layout::parse_vote(key).has_value(), "a vote");
      return;
    case layout::timer:
      if (key[0] == 't') require(layout::parse_timer_key(key).has_value(), "a wake-up");
      return;
    case layout::thread:
      if (number('e')) require(layout::decode_thread_ordinal(value).has_value(), "a reply's place");
      return;
    case layout::personal:
      if (number('t')) require(layout::decode_follow(value).has_value(), "a followed thread");
      if (number('h'))
        require(layout::decode_own_deletion(value).has_value(), "a message deleted for its reader");
      return;
    case layout::member:
      member(partition, key, value);
      return;
    default:
      return;
  }
}

void LayoutCheck::conversation_row(const Partition& partition, Bytes key, Bytes value) {
  const auto number = [&](char prefix) { return layout::parse_number_key(prefix, key); };
  const auto require = [&](bool ok, const char* what) {
    if (!ok) fail(partition, std::string(what) + " cannot be decoded");
  };
  if (partition.id.size() != conversation_size) return;
  if (const auto seq = layout::parse_event_key(key))
    event(partition, conversation_of(partition.id), *seq, value);
  else if (number('m'))
    require(layout::decode_member(value).has_value(), "a member row");
  else if (const auto changed = number('o'))
    overlay(partition, *changed, value);
  else if (number('i'))
    require(layout::decode_pin(value).has_value(), "a pin");
  else if (layout::parse_thread_change(key))
    require(layout::decode_thread_change(value).has_value(), "a change of a thread");
  else if (number('q'))
    require(layout::decode_mention(value).has_value(), "a row of mentions");
  else if (number('b'))
    require(layout::decode_restriction(value).has_value(), "a mute or ban");
  else if (layout::parse_invite_key(key))
    require(layout::decode_invite(value).has_value(), "a link");
  else if (number('j'))
    require(layout::decode_join_request(value).has_value(), "a request to join");
  else if (number('y'))
    require(layout::decode_admission(value).has_value(), "somebody let in");
  else if (number('l'))
    require(layout::decode_last_sent(value).has_value(), "a time of slow mode");
  else if (layout::parse_child_key(key))
    child(partition, key, value);
  else if (key.size() == 17 && key[0] == 's')
    require(layout::decode_sender(value).has_value(), "a sender row");
  else if (key[0] == 'd')
    require(layout::parse_due_key(key).has_value(), "a due row");
  else if (key == layout::retention_key())
    require(layout::decode_retention(value).has_value(), "the retention row");
  else if (key == layout::info_key()) {
    const auto info = layout::decode_info(value);
    info ? spaces_.info(partition, *info) : fail(partition, "the info row cannot be decoded");
  }
}

void LayoutCheck::user_row(const Partition& partition, Bytes key, Bytes value) {
  const auto number = [&](char prefix) { return layout::parse_number_key(prefix, key); };
  const auto require = [&](bool ok, const char* what) {
    if (!ok) fail(partition, std::string(what) + " cannot be decoded");
  };
  if (partition.id.size() != user_size) return;
  if (number('q')) require(layout::decode_scheduled(value).has_value(), "a scheduled message");
  if (const auto seq = layout::parse_event_key(key))
    event(partition,
          layout::stream_of(UserId{base::get_be64(partition.id.data() + namespace_size)}), *seq,
          value);
  else if (number('d'))
    require(layout::decode_device(value).has_value(), "a device row");
  else if (number('b'))
    require(layout::decode_block(value).has_value(), "a block");
  else if (key.size() == 17 && key[0] == 'c')
    listed(partition, key, value);
  else if (key.size() == 17 && key[0] == 'j')
    require(layout::decode_own_request(value).has_value(), "a request of the user's own");
  else if (key == layout::setting_key("settings"))
    require(layout::decode_settings(value).has_value(), "the settings");
}

void LayoutCheck::child(const Partition& partition, Bytes key, Bytes value) {
  const auto row = layout::decode_child(value);
  if (!row) return fail(partition, "a channel of a space cannot be decoded");
  const auto at = conversations_.find(partition.id);
  const bool vouched =
      at != conversations_.end() && (at->second.head.flags & layout::head_has_children) != 0;
  spaces_.child(partition, key, *row, vouched);
}

void LayoutCheck::listed(const Partition& partition, Bytes key, Bytes value) {
  const auto row = layout::decode_list(value);
  if (!row) return fail(partition, "a list row cannot be decoded");
  ConversationId id;
  key.copy(reinterpret_cast<char*>(id.bytes.data()), id.bytes.size(), 1);
  spaces_.listed(partition, id, *row);
}

/// Of a channel or space: whose row says by what name they are found, and the rows that they are
/// found by.
void LayoutCheck::member(const Partition& partition, Bytes key, Bytes value) {
  if (partition.id != members_of_) end_members();
  members_of_ = std::string(partition.id);
  if (const auto user = layout::parse_number_key('m', key)) {
    const auto row = layout::decode_member(value);
    if (!row) return fail(partition, "a member row cannot be decoded");
    spaces_.member(partition, UserId{*user}, *row);
    const std::string name = layout::decode_member_name(value);
    if (!name.empty()) ++names_[layout::member_name_key(name, UserId{*user})];
  } else if (const auto began = layout::parse_number_key('b', key)) {
    const auto row = layout::decode_beginnings(value);
    if (!row) return fail(partition, "where a member of a space began cannot be decoded");
    spaces_.beginnings(partition, UserId{*began}, *row);
  } else if (key[0] == 'n') {
    --names_[std::string(key)];
  }
}

void LayoutCheck::end_members() {
  for (const auto& [key, left] : names_) {
    if (left == 0) continue;
    fail({layout::member, members_of_}, "its index of names differs from its members");
    break;
  }
  names_.clear();
}

/// The counts of a partition's positions come before the positions.
void LayoutCheck::receipt(const Partition& partition, Bytes key, Bytes value) {
  if (partition.id != receipts_of_) end_receipts();
  receipts_of_ = std::string(partition.id);
  if (key[0] == 'h') {
    const auto count = layout::decode_read_count(value);
    if (!count) return fail(partition, "a count of positions cannot be decoded");
    read_counts_[std::string(key)] += static_cast<std::int64_t>(*count);
  } else if (layout::parse_number_key('r', key)) {
    const auto row = layout::decode_receipt(value);
    if (!row) return fail(partition, "a receipt row cannot be decoded");
    if (!row->counted) return;
    for (const std::string& block : layout::read_count_keys(row->shown)) --read_counts_[block];
  }
}

void LayoutCheck::end_receipts() {
  for (const auto& [block, left] : read_counts_) {
    if (left == 0) continue;
    fail({layout::receipt, receipts_of_}, "its counts of positions differ from its receipts");
    break;
  }
  read_counts_.clear();
}

void LayoutCheck::overlay(const Partition& partition, Seq seq, Bytes value) {
  const ConversationId id = conversation_of(partition.id);
  const auto decoded = layout::decode_event(id, seq, value, nullptr);
  if (!decoded) return fail(partition, decoded.error().message);
  const auto at = conversations_.find(partition.id);
  if (at == conversations_.end()) return;  // its guard was reported
  const layout::HeadCell& head = at->second.head;
  const bool vouched = (head.flags & layout::head_has_overlays) != 0 && seq <= head.head;
  if (!vouched)
    fail(partition, "the overlay of event " + std::to_string(seq) + " is not in its head");
}

void LayoutCheck::event(const Partition& partition, const ConversationId& id, Seq seq,
                        Bytes value) {
  ++events_;
  const auto decoded = layout::decode_event(id, seq, value, nullptr);
  if (!decoded) return fail(partition, decoded.error().message);
  auto& streams = partition.space == layout::user ? users_ : conversations_;
  const auto at = streams.find(partition.id);
  if (at == streams.end()) return;  // its guard was reported
  Stream& stream = at->second;
  if (seq < stream.next_open || seq > stream.head.head)
    return fail(partition, "event " + std::to_string(seq) + " lies outside what its head says");
  if (seq != stream.next_open)
    fail(partition, "event " + std::to_string(stream.next_open) + " is missing");
  stream.next_open = seq + 1;
  stream.last_mark = decoded->mark;
}

void LayoutCheck::chunk(const Partition& partition, Bytes value) {
  if (partition.id.size() != conversation_size + 4)
    return fail(partition, "an archive partition with an id of a wrong length");
  const auto decoded = layout::decode_chunk(conversation_of(partition.id), value, nullptr);
  if (!decoded) return fail(partition, decoded.error().message);
  if (decoded->empty()) return fail(partition, "an empty chunk");
  events_ += decoded->size();
  for (std::size_t i = 1; i < decoded->size(); ++i)
    if ((*decoded)[i].seq != (*decoded)[i - 1].seq + 1)
      return fail(partition,
                  "a chunk with a hole after event " + std::to_string((*decoded)[i - 1].seq));
  const auto at = conversations_.find(partition.id.substr(0, conversation_size));
  if (at == conversations_.end()) return;  // of a conversation that was deleted or reported
  Stream& stream = at->second;
  const Seq first = decoded->front().seq;
  if (first > stream.next_sealed && stream.next_sealed <= stream.head.sealed)
    fail(partition, "sealed events " + std::to_string(stream.next_sealed) + " to " +
                        std::to_string(first - 1) + " are missing");
  stream.next_sealed = std::max(stream.next_sealed, decoded->back().seq + 1);
}

void LayoutCheck::finish() {
  end_receipts();
  end_members();
  const auto ends = [&](std::uint8_t space, const auto& streams) {
    for (const auto& [id, stream] : streams) {
      const Partition partition{space, id};
      if (stream.next_open <= stream.head.head)
        fail(partition, "events " + std::to_string(stream.next_open) + " to " +
                            std::to_string(stream.head.head) + " are missing");
      else if (stream.last_mark != 0 && stream.last_mark != stream.head.mark)
        fail(partition, "the mark of its newest event differs from its head's");
      if (space == layout::conversation && stream.next_sealed <= stream.head.sealed)
        fail(partition, "sealed events " + std::to_string(stream.next_sealed) + " to " +
                            std::to_string(stream.head.sealed) + " are missing");
    }
  };
  ends(layout::conversation, conversations_);
  ends(layout::user, users_);
  spaces_.finish();
}

}  // namespace parley::lmdb
