// truth_spaces.cpp: who is in the channels of spaces, as the rows of both say: written anew here,
// without the function of the engine.
#include <algorithm>

#include "simulation/report.hpp"
#include "simulation/truth.hpp"
#include "store/layout_spaces.hpp"

namespace parley::simulation {
namespace {

using RowMap = store::MemoryStore::RowMap;

}  // namespace

bool Truth::scattered(const ConversationId& id) {
  const auto kind = kind_of(id);
  return kind == ConversationKind::channel || kind == ConversationKind::space;
}

ConversationId Truth::space_of(const ConversationId& id) {
  const auto row = info(id);
  return row ? row->space : ConversationId{};
}

std::vector<ConversationId> Truth::children_of(const ConversationId& space) {
  std::vector<ConversationId> found;
  store_.look({layout::conversation, layout::conversation_id(0, space)},
              [&](Bytes, const RowMap& rows) {
                for (auto at = rows.lower_bound("c"); at != rows.end() && at->first[0] == 'c'; ++at)
                  if (const auto id = layout::parse_child_key(at->first)) found.push_back(*id);
              });
  return found;
}

std::optional<layout::MemberRow> Truth::bucket_row(const ConversationId& id, UserId user) {
  const auto bucket = layout::bucket_of(user, layout::channel_member_buckets);
  const auto value =
      row(layout::member, layout::member_id(0, id, bucket), layout::member_key(user));
  if (!value) return std::nullopt;
  auto decoded = layout::decode_member(*value);
  if (!decoded) throw Broken("C7 a member row of " + short_name(id) + " cannot be decoded");
  return decoded;
}

/// The channel's own row, after what its stream decided and the row does not say yet.
std::optional<layout::MemberRow> Truth::own_row(const ConversationId& id, UserId user) {
  auto own = bucket_row(id, user);
  store_.look(
      {layout::conversation, layout::conversation_id(0, id)}, [&](Bytes, const RowMap& rows) {
        for (auto at = rows.lower_bound("p"); at != rows.end() && at->first[0] == 'p'; ++at) {
          const auto seq = layout::parse_number_key('p', at->first);
          const auto change = layout::decode_pending(at->second);
          if (!seq || !change || change->user != user) continue;
          const bool same = own && own->admission == change->entry;
          if (own && own->left_at >= *seq) continue;
          if (same && own->role == Role::none && change->role != Role::none) continue;
          layout::MemberRow row = same ? *own : layout::MemberRow{};
          row.admission = change->entry;
          row.role = change->role;
          if (change->role == Role::none) row.left_at = *seq;
          own = row;
        }
      });
  return own;
}

/// What the row does not say yet of who went by themselves and was removed at once; 0: nothing.
Seq Truth::removed_at(const ConversationId& id, UserId user) {
  Seq last = 0;
  store_.look(
      {layout::conversation, layout::conversation_id(0, id)}, [&](Bytes, const RowMap& rows) {
        for (auto at = rows.lower_bound("p"); at != rows.end() && at->first[0] == 'p'; ++at) {
          const auto seq = layout::parse_number_key('p', at->first);
          const auto change = layout::decode_pending(at->second);
          if (seq && change && change->user == user && change->role == Role::none) last = *seq;
        }
      });
  return last;
}

std::optional<layout::MemberRow> Truth::member_by_space(const ConversationId& id, UserId user) {
  const auto channel = info(id);
  auto in = bucket_row(channel->space, user);
  if (in && stream(channel->space) != nullptr) in = ended(channel->space, user, *in);
  if (!in || in->role == Role::none || streams_[channel->space].ended) return std::nullopt;
  in->role = role_now(channel->space, user, in->role);
  const bool open = channel->settings.join == JoinRule::open;
  const auto own = own_row(id, user);
  const bool holds = own && own->admission == in->admission;
  if (holds && own->role == Role::none) return own;  // left, or was removed from the channel
  const bool came = holds && own->since_ms != 0;     // by itself, or was added
  if (!came && !open) return std::nullopt;
  if (!holds && stream(id)->banned.contains(user)) return std::nullopt;
  layout::MemberRow row = holds ? *own : layout::MemberRow{.admission = in->admission};
  row.role = std::max(holds ? own->role : Role::none, in->role);
  if (came) return row;
  row.since_ms = in->since_ms;
  row.visible_ordinal = std::max(begun(channel->space, user, channel->child_number, in->admission),
                                 channel->opened_ordinal);
  return row;
}

/// The last change of a role may be in the space's partition alone.
Role Truth::role_now(const ConversationId& space, UserId user, Role role) {
  store_.look(
      {layout::conversation, layout::conversation_id(0, space)}, [&](Bytes, const RowMap& rows) {
        for (auto at = rows.lower_bound("p"); at != rows.end() && at->first[0] == 'p'; ++at) {
          const auto change = layout::decode_pending(at->second);
          if (change && change->user == user && change->role != Role::none) role = change->role;
        }
      });
  return role;
}

std::uint64_t Truth::begun(const ConversationId& space, UserId user, std::uint32_t child,
                           std::uint64_t entry) {
  const auto bucket = layout::bucket_of(user, layout::channel_member_buckets);
  const auto value =
      row(layout::member, layout::member_id(0, space, bucket), layout::beginnings_key(user));
  const auto rows = value ? layout::decode_beginnings(*value) : std::nullopt;
  if (!rows || rows->entry != entry)
    throw Broken("C12 user " + to_string(user) + " is in the space " + short_name(space) +
                 " without the beginnings of that entry");
  return rows->of(child);
}

std::map<UserId, layout::MemberRow> Truth::members_by_space(const ConversationId& id) {
  std::map<UserId, layout::MemberRow> found;
  for (const auto& [user, in] : members(space_of(id)))
    if (const auto row = member_by_space(id, user)) found.emplace(user, *row);
  return found;
}

}  // namespace parley::simulation
