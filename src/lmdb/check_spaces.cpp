#include "lmdb/check_spaces.hpp"

#include <algorithm>

#include "parley/limits.hpp"

namespace parley::lmdb {
namespace {

/// Of the same namespace.
std::string partition_of(Bytes other, const ConversationId& id) {
  std::string partition(other.substr(0, namespace_size));
  return partition.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
}

}  // namespace

void SpaceCheck::info(const Partition& conversation, const layout::InfoRow& row) {
  const std::string id(conversation.id);
  if (ending_.contains(id)) return;
  if (row.kind == ConversationKind::space) {
    spaces_.emplace(id, row.child_number);
  } else if (row.space) {
    channels_.emplace(id, Channel{partition_of(id, row.space), row.child_number});
    if (row.kind != ConversationKind::channel)
      fail(conversation.space, id, "what is no channel belongs to a space");
  } else {
    alone_.insert(id);
  }
}

void SpaceCheck::child(const Partition& conversation, Bytes child, const layout::ChildRow& row,
                       bool vouched) {
  const std::string id(conversation.id);
  if (ending_.contains(id)) return;
  const auto space = spaces_.find(id);
  if (space == spaces_.end())
    return fail(conversation.space, id, "a channel of a space in what is none");
  if (children_of_ != id) numbers_.clear();
  children_of_ = id;
  if (!vouched) fail(conversation.space, id, "channels of a space that are not in its head");
  if (row.number == 0 || row.number > space->second)
    fail(conversation.space, id, "a channel with a number that its space never gave");
  if (!numbers_.insert(row.number).second)
    fail(conversation.space, id, "two channels of a space with one number");
  if (numbers_.size() == limits::children + 1)
    fail(conversation.space, id, "more channels than a space may have");
  ConversationId named;
  child.copy(reinterpret_cast<char*>(named.bytes.data()), named.bytes.size(), 1);
  const Channel known{id, row.number, row.unborn.has_value()};
  if (!rows_.emplace(partition_of(id, named), known).second)
    fail(conversation.space, id, "a channel of two spaces");
}

const std::uint32_t* SpaceCheck::last_number(const Partition& bucket) const {
  const auto space = spaces_.find(bucket.id.substr(0, conversation_size));
  return space == spaces_.end() ? nullptr : &space->second;
}

void SpaceCheck::in_bucket(const Partition& bucket) {
  if (bucket.id == members_of_) return;
  entries_.clear();
  members_of_ = std::string(bucket.id);
}

void SpaceCheck::beginnings(const Partition& bucket, UserId user, const layout::Beginnings& row) {
  in_bucket(bucket);
  const std::uint32_t* last = last_number(bucket);
  if (last == nullptr) return;
  entries_[user] = row.entry;
  std::uint32_t before = 0;
  for (const layout::Beginnings::One& one : row.children) {
    if (one.child <= before || one.child > *last || one.ordinal == 0)
      return fail(bucket.space, members_of_,
                  "where a member of a space began tells of channels that it never had");
    before = one.child;
  }
}

/// Both rows are written in one commit.
void SpaceCheck::member(const Partition& bucket, UserId user, const layout::MemberRow& row) {
  in_bucket(bucket);
  if (last_number(bucket) == nullptr || row.role == Role::none) return;
  const auto began = entries_.find(user);
  if (began == entries_.end() || began->second != row.admission)
    fail(bucket.space, members_of_, "nothing says where a member of a space began");
}

void SpaceCheck::listed(const Partition& user, const ConversationId& id,
                        const layout::ListRow& row) {
  if (row.inherited && alone_.contains(partition_of(user.id, id)))
    fail(user.space, std::string(user.id), "a list has somebody in by a space where there is none");
}

void SpaceCheck::finish() {
  for (const auto& [id, channel] : channels_) {
    const auto row = rows_.find(id);
    if (ending_.contains(channel.space)) continue;
    if (!spaces_.contains(channel.space))
      fail(layout::conversation, id, "its space is not there");
    else if (row == rows_.end() || row->second.space != channel.space ||
             row->second.number != channel.number)
      fail(layout::conversation, id, "its space does not have it as it says");
  }
  for (const auto& [id, row] : rows_)
    if (!row.unborn && !channels_.contains(id) && !ending_.contains(id))
      fail(layout::conversation, row.space, "a channel of a space is not there");
}

}  // namespace parley::lmdb
