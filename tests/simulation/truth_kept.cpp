// truth_kept.cpp: what is kept and what has to go: expiry, the floor, the end of a conversation.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/endian.hpp"
#include "simulation/report.hpp"
#include "simulation/truth.hpp"

namespace parley::simulation {
namespace {

using RowMap = store::MemoryStore::RowMap;

constexpr std::size_t conversation_at = 4, number_at = 20;  // in ids of partitions

[[noreturn]] void broken(const ConversationId& id, const std::string& what) {
  throw Broken("C17 conversation " + short_name(id) + ": " + what);
}

std::optional<layout::RetentionRow> retention_in(const RowMap& rows) {
  const auto row = rows.find(layout::retention_key());
  return row == rows.end() ? std::nullopt : layout::decode_retention(row->second);
}

}  // namespace

std::optional<ConversationId> Truth::conversation_in(Partition partition) {
  switch (partition.space) {
    case layout::conversation:
    case layout::archive:
    case layout::receipt:
    case layout::member:
    case layout::reaction:
    case layout::personal:
    case layout::thread:
      break;
    default:
      return std::nullopt;
  }
  ConversationId id;
  partition.id.substr(conversation_at, id.bytes.size())
      .copy(reinterpret_cast<char*>(id.bytes.data()), id.bytes.size());
  return id;
}

/// The floor only rises, to what the stream had there, past what is too old or too much, and not
/// under a hold. What is kept may change in the commit that trims.
void Truth::take_floor(const ConversationId& id, TrueStream& stream, const layout::HeadCell& head,
                       const RowMap& rows) {
  const auto keep = retention_in(rows).value_or(layout::RetentionRow{});
  const layout::RetentionRow earlier = std::exchange(stream.keeping, keep);
  if (head.floor < stream.floor()) broken(id, "the floor went back");
  if (head.floor == stream.floor()) return;
  if (head.floor > stream.head() + 1) broken(id, "the floor lies beyond the head");
  const Seq before = head.floor - 1;
  if (head.floor_mark != stream.mark_at(before) || head.floor_ordinal != stream.ordinal_at(before))
    broken(id, "the floor's mark or ordinal is wrong");
  if (earlier.hold && keep.hold) broken(id, "it was trimmed under a hold");
  if (!may_trim(stream, head, keep) && !may_trim(stream, head, earlier))
    broken(id, "seq " + std::to_string(before) + " was trimmed, " +
                   std::to_string(head.head - before) +
                   " are kept, and it was neither too old nor too much");
  stream.floors.push_back(head.floor);
}

bool Truth::may_trim(const TrueStream& stream, const layout::HeadCell& head,
                     const layout::RetentionRow& keep) {
  const Seq before = head.floor - 1;
  if (keep.keep_events != 0 && head.head - before >= keep.keep_events) return true;
  const bool too_old =
      keep.keep_for_ms != 0 && stream.at(before).time_ms + keep.keep_for_ms <= latest_ms_;
  aged_ = aged_ || too_old;
  return too_old;
}

bool TrueStream::was_floor(Seq seq) const {
  return std::find(floors.begin(), floors.end(), seq) != floors.end();
}

std::string Truth::expiring() {
  std::set<ConversationId> ids;
  for (const auto* due : {&expiring_, &closing_})
    for (const auto& [id, seq] : *due) ids.insert(id);
  for (const ConversationId& id : ids) stream(id);
  for (const auto* due : {&expiring_, &closing_}) {
    for (const auto& [id, seq] : *due) {
      const TrueStream& in = streams_.at(id);
      if (in.ended || seq < in.floor()) continue;
      return (due == &expiring_ ? "message " : "the poll ") + std::to_string(seq) + " of " +
             short_name(id) + (due == &expiring_ ? " does not expire" : " does not close");
    }
  }
  return {};
}

bool Truth::trimmed() const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [](const auto& known) { return known.second.floor() > 1; });
}

std::string Truth::unkept() {
  constexpr std::int64_t looked_at_ms = 130'000;  // once a minute, by a clock that is a minute late
  std::string found;
  store_.for_each([&](Partition partition, Bytes, const RowMap& rows) {
    if (partition.space != layout::conversation || !found.empty()) return;
    const auto keep = retention_in(rows);
    const ConversationId id = *conversation_in(partition);
    const TrueStream* stream = keep && !keep->hold ? this->stream(id) : nullptr;
    if (stream == nullptr || stream->ended || stream->floor() > stream->head()) return;
    const Seq kept = stream->head() + 1 - stream->floor();
    const Seq most = keep->keep_events + std::max<Seq>(64, keep->keep_events / 16);
    if (keep->keep_events != 0 && kept > most) found = short_name(id) + " keeps too much";
    const std::int64_t time = stream->at(stream->floor()).time_ms;
    if (keep->keep_for_ms != 0 && time + keep->keep_for_ms + looked_at_ms < latest_ms_)
      found = short_name(id) + " keeps what is too old";
  });
  return found;
}

std::string Truth::leftovers() {
  std::string found;
  store_.for_each([&](Partition partition, Bytes, const RowMap& rows) {
    if (partition.space == layout::user || partition.space == layout::personal) {
      const UserId user{base::get_be64(partition.id.data() + partition.id.size() - 8)};
      if (found.empty() && erased_.contains(user))
        found =
            "space " + std::to_string(partition.space) + " holds " + std::to_string(rows.size()) +
            " rows of user " + to_string(user) + ", which was erased" +
            (rows.empty() ? "" : ", first " + rows.begin()->first.substr(0, 1)) +
            (partition.space == layout::personal ? " in " + short_name(*conversation_in(partition))
                                                 : "");
    }
    const auto id = conversation_in(partition);
    const auto known = id ? streams_.find(*id) : streams_.end();
    if (!found.empty() || known == streams_.end()) return;
    const TrueStream& stream = known->second;
    const std::string what = "space " + std::to_string(partition.space) + " holds something of " +
                             short_name(*id) + ", which was ";
    if (stream.ended) {
      found = what + "deleted";
      return;
    }
    const auto below = [&](std::optional<Seq> seq) {
      if (seq && *seq < stream.floor()) found = what + "trimmed: " + std::to_string(*seq);
    };
    if (partition.space == layout::reaction || partition.space == layout::thread)
      below(base::get_be64(partition.id.data() + number_at));
    for (const auto& [key, value] : rows) {
      if (partition.space == layout::archive) below(layout::parse_number_key('c', key));
      if (partition.space != layout::conversation) continue;
      below(layout::parse_number_key('e', key));
      below(layout::parse_number_key('o', key));
    }
  });
  return found;
}

void Truth::check_names(const ConversationId& id) {
  for (std::uint16_t bucket = 0; bucket < layout::channel_member_buckets; ++bucket) {
    const std::string name = layout::member_id(0, id, bucket);
    store_.look({layout::member, name}, [&](Bytes guard, const RowMap& rows) {
      const auto cell = layout::decode_count(guard);
      std::size_t named = 0, names = 0;
      for (const auto& [key, value] : rows) {
        names += key[0] == 'n' ? 1 : 0;
        const auto user = layout::parse_number_key('m', key);
        const auto row = user ? layout::decode_member(value) : std::nullopt;
        if (!row || row->role == Role::none || row->since_ms == 0) continue;
        const std::string known = layout::decode_member_name(value);
        const bool found =
            !known.empty() && rows.contains(layout::member_name_key(known, UserId{*user}));
        if (!found && erased_.contains(UserId{*user})) continue;  // nobody any more: without a name
        if (!found) broken(id, "a member is not found by name");
        ++named;
      }
      if (!cell || !cell->indexed || named != names)
        broken(id, "names are kept of who is no member");
    });
  }
}

}  // namespace parley::simulation
