// user_spaces.cpp: the channels of a user's spaces in its list: the space's rows and the user's row
// there, joined when the list is read. No row is kept for a user and a channel, unless the user has
// one there or set something about it.
#include <algorithm>
#include <utility>

#include "core/conversation_commit.hpp"
#include "core/shard_state.hpp"
#include "core/user_home.hpp"
#include "core/user_listing.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

constexpr std::size_t cells_per_child = 3;  // info, own member row, restriction
constexpr std::uint32_t space_rows_at_once = 4'096;
constexpr std::size_t children_per_get = 1'000;
constexpr int membership_scans_most = 4;  // until the rows of one membership are read

OwnedCell member_cell(layout::Namespace ns, const ConversationId& id, UserId user,
                      std::string key) {
  const auto bucket = layout::bucket_of(user, layout::channel_member_buckets);
  return {layout::member, layout::member_id(ns, id, bucket), std::move(key)};
}

}  // namespace

void UserHome::spaces(Then<std::size_t> then) {
  ++operations_;
  load([this, then = std::move(then)](const Error& error) {
    --operations_;
    if (error) return then(error);
    const auto in = [](const auto& item) {
      return item.second.entered && item.second.kind == ConversationKind::space;
    };
    then(static_cast<std::size_t>(std::count_if(list_.begin(), list_.end(), in)));
  });
}

/// Every row there, page by page; then the head at the first page: no row is older.
void UserHome::scan_space(const ConversationId& space, std::string from, std::string until,
                          EachRow each, Then<std::optional<layout::HeadCell>> then,
                          std::optional<layout::HeadCell> head) {
  auto request = owned_scan(layout::conversation, layout::conversation_id(shard_.config.ns, space),
                            from, until);
  request.max_rows = space_rows_at_once;
  shard_.world.scan(
      std::move(request), [this, space, until = std::move(until), each = std::move(each),
                           then = std::move(then), head](Result<Rows> rows) mutable {
        if (!rows) return then(std::move(rows).error());
        for (const Row& row : rows->rows) each(row);
        if (!head && rows->guard) head = layout::decode_head(*rows->guard);
        if (rows->more && !rows->rows.empty()) {
          std::string next = std::string(rows->rows.back().key) + '\0';
          return scan_space(space, std::move(next), until, std::move(each), std::move(then), head);
        }
        then(head);
      });
}

void UserHome::scan_children(const ConversationId& space, Then<Children> then) {
  auto found = std::make_shared<Children>();
  const auto each = [found](const Row& row) {
    if (const auto id = layout::parse_child_key(row.key)) found->ids.push_back(*id);
  };
  scan_space(space, "c", "d", each,
             [found, then = std::move(then)](const Result<std::optional<layout::HeadCell>>& head) {
               if (!head) return then(head.error());
               if (*head) found->as_of = (*head)->head;
               then(std::move(*found));
             });
}

void UserHome::failed(Listing& work, const Error& error) {
  if (!work.then) return;
  --operations_;
  std::exchange(work.then, {})(error);
}

/// Before anything is read of the conversations: those that are in the list by a space.
void UserHome::expand(std::shared_ptr<Listing> work) {
  std::vector<ConversationId> spaces;
  for (const Listing::Item& item : work->items)
    if (item.row.kind == ConversationKind::space) spaces.push_back(item.conversation);
  expand_next(std::move(work), std::move(spaces));
}

void UserHome::expanded(std::shared_ptr<Listing> work) {
  work->limit == 0 ? read_entries(std::move(work)) : read_activity(std::move(work));
}

void UserHome::expand_next(std::shared_ptr<Listing> work, std::vector<ConversationId> spaces) {
  if (spaces.empty()) return expanded(std::move(work));
  const ConversationId space = spaces.back();
  spaces.pop_back();
  read_children(work, space, [this, work, space, spaces = std::move(spaces)] {
    const auto by = std::find_if(work->items.begin(), work->items.end(),
                                 [&](const auto& item) { return item.conversation == space; });
    // Who came in; not who asks for the space alone.
    const bool all_named = by != work->items.end() && by->named && !work->asks_for(space);
    for (const ConversationId& id : work->spaces[space].owned) {
      const auto& row = work->children[id];
      const auto own = list_.find(id);
      if (!row || row->role == Role::none) continue;
      if (own != list_.end() && own->second.entered && !own->second.inherited) continue;
      const auto known = std::find_if(work->items.begin(), work->items.end(),
                                      [&](const auto& item) { return item.conversation == id; });
      const bool named = known != work->items.end() && known->named;
      if (known != work->items.end()) work->items.erase(known);
      Listing::Item item{.conversation = id, .named = named || all_named};
      if (own != list_.end()) item.row = own->second;
      item.row.entered = item.row.inherited = true;
      item.row.kind = ConversationKind::channel;
      item.row.joined_ms = row->since_ms;
      work->items.push_back(std::move(item));
    }
    expand_next(work, spaces);
  });
}

/// All channels of the space, and what the user is in each.
void UserHome::read_children(std::shared_ptr<Listing> work, const ConversationId& space,
                             std::function<void()> then) {
  read_right(work, space, [this, work, space, then = std::move(then)] {
    // One may be born before its row here says so.
    scan_children(space, [this, work, space, then](const Result<Children>& found) {
      if (!found) return failed(*work, found.error());
      Listing::Space& known = work->spaces[space];
      known.whole = true;
      known.as_of = std::min(known.as_of, found->as_of);
      known.owned = {found->ids.begin(), found->ids.end()};
      judge(work, space, found->ids, then);
    });
  });
}

/// The entry of a space was read after what the user is in its channels.
void UserHome::compare_space(Listing& work, const ListEntry& entry,
                             const std::optional<layout::MemberRow>& member) {
  Listing::Space& known = work.spaces[entry.conversation];
  const layout::MemberRow row = member.value_or(layout::MemberRow{});
  known.head = entry.head.seq;
  known.moved =
      std::pair(row.role, row.admission) != std::pair(known.row.role, known.row.admission);
  work.behind.push_back(entry.conversation);
}

/// What an entry says of the space's channels is no older than its head and its role: a device that
/// has those asks no more.
void UserHome::follow_heads(std::shared_ptr<Listing> work) {
  if (work->behind.empty()) return look_again(std::move(work));
  const ConversationId space = work->behind.back();
  Listing::Space& known = work->spaces[space];
  if (!std::exchange(known.moved, false) && known.as_of >= known.head) {
    known.sure = true;
    work->behind.pop_back();
    return follow_heads(std::move(work));
  }
  if (++known.scans == membership_scans_most)
    return failed(*work, {Errc::busy, "the space changes all the time; try again"});
  read_children(work, space, [this, work] { follow_heads(work); });
}

/// Spaces without an entry here let the user into their channels before those were read. Who was
/// taken out meanwhile is told nothing of what was opened since.
void UserHome::look_again(std::shared_ptr<Listing> work) {
  auto& entries = work->list.entries;
  const auto doubtful = std::find_if(entries.begin(), entries.end(), [&](const ListEntry& each) {
    return each.space && !work->spaces[each.space].sure;
  });
  if (doubtful != entries.end()) {
    const ConversationId space = doubtful->space;
    std::vector<ConversationId> ids;
    for (const ListEntry& each : entries)
      if (each.space == space) ids.push_back(each.conversation);
    return read_right(work, space, [this, work, space, ids = std::move(ids)] {
      judge(work, space, ids, [this, work, space] {
        work->spaces[space].sure = true;
        look_again(work);
      });
    });
  }
  std::erase_if(entries, [&](const ListEntry& each) {
    if (!each.space) return false;
    const auto& row = work->children[each.conversation];
    if (row && row->role != Role::none) return false;
    if (!work->list.whole && work->had.contains(each.conversation))
      work->list.removed.push_back(each.conversation);
    return true;
  });
  read_drafts(std::move(work));
}

/// A removal stands in the space first and in the member row later: whoever is in neither place,
/// read in this order, is a member.
void UserHome::read_right(std::shared_ptr<Listing> work, const ConversationId& space,
                          std::function<void()> then) {
  struct Decided {  // what the row does not say yet
    Seq seq = 0;    // 0: nothing
    Role role = Role::none;
  };
  auto decided = std::make_shared<Decided>();
  const auto each = [this, decided](const Row& row) {
    const auto pending = layout::decode_pending(row.value);
    if (pending && pending->user != id_) return;
    const Seq seq = layout::parse_number_key('p', row.key).value_or(~Seq{0});
    *decided = {seq, pending ? pending->role : Role::none};
  };
  const auto right_read = [this, work, space, decided, then](Result<Cells> cells) {
    if (!cells) return failed(*work, cells.error());
    Listing::Space& known = work->spaces[space];
    const auto& values = cells->values;
    layout::MemberRow row;
    if (values[0]) row = layout::decode_member(*values[0]).value_or(row);
    known.row = row;
    // Not what the row knows of: who was removed may have come back since.
    if (decided->seq > row.left_at) row.role = std::min(decided->role, row.role);
    const auto begun = values[1] ? layout::decode_beginnings(*values[1]) : std::nullopt;
    const bool fits = row.role == Role::none || (begun && begun->entry == row.admission);
    if (!fits && ++known.attempts < membership_scans_most) return read_right(work, space, then);
    known.begun = fits && begun ? *begun : layout::Beginnings{};
    known.right = {.role = row.role,
                   .entry = row.admission,
                   .since_ms = row.since_ms,
                   .shadowed = row.shadowed};
    then();
  };
  scan_space(space, "p", "q", each,
             [this, work, space, right_read, then](Result<std::optional<layout::HeadCell>> read) {
               if (!read) return failed(*work, read.error());
               const std::optional<layout::HeadCell> head = *read;
               work->spaces[space].as_of = head ? head->head : 0;
               if (!head || (head->flags & layout::head_ended) != 0) {
                 work->spaces[space].right = {};
                 work->spaces[space].row = {};
                 return then();
               }
               const layout::Namespace ns = shard_.config.ns;
               shard_.world.get(
                   owned_get({member_cell(ns, space, id_, layout::member_key(id_)),
                              member_cell(ns, space, id_, layout::beginnings_key(id_))}),
                   right_read);
             });
}

/// What the user is in these channels of the space.
void UserHome::judge(std::shared_ptr<Listing> work, const ConversationId& space,
                     std::vector<ConversationId> ids, std::function<void()> then) {
  if (ids.empty()) return then();
  const layout::Namespace ns = shard_.config.ns;
  const std::size_t count = std::min(ids.size(), children_per_get);
  std::vector<OwnedCell> cells;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string home = layout::conversation_id(ns, ids[i]);
    cells.push_back({layout::conversation, home, layout::info_key()});
    cells.push_back(member_cell(ns, ids[i], id_, layout::member_key(id_)));
    cells.push_back({layout::conversation, home, layout::restriction_key(id_)});
  }
  shard_.world.get(owned_get(std::move(cells)), [this, work, space, count, ids = std::move(ids),
                                                 then = std::move(then)](Result<Cells> found) {
    if (!found) return failed(*work, found.error());
    const Listing::Space& known = work->spaces[space];
    const std::int64_t now = shard_.settled_wall_ms();
    for (std::size_t i = 0; i < count; ++i) {
      const auto* values = &found->values[i * cells_per_child];
      const auto info = values[0] ? layout::decode_info(*values[0]) : std::nullopt;
      const auto own = values[1] ? layout::decode_member(*values[1]) : std::nullopt;
      const auto kept = values[2] ? layout::decode_restriction(*values[2]) : std::nullopt;
      auto& judged = work->children[ids[i]];
      judged.reset();
      if (!info || info->space != space) continue;  // gone meanwhile
      const bool banned =
          kept && kept->ban.on && (kept->ban.until_ms == 0 || kept->ban.until_ms > now);
      SpaceRight right = known.right;
      right.beginning = known.begun.of(info->child_number);
      judged = inherit(*info, right, own, banned);
    }
    judge(work, space, {ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end()}, then);
  });
}

/// Channels whose space nobody asked for: one space after the other, then their entries.
void UserHome::judge_again(std::shared_ptr<Listing> work) {
  work->items = std::exchange(work->again, {});
  std::vector<ConversationId> ids;
  for (const Listing::Item& item : work->items) ids.push_back(item.conversation);
  std::vector<OwnedCell> cells;
  for (const ConversationId& id : ids)
    cells.push_back(
        {layout::conversation, layout::conversation_id(shard_.config.ns, id), layout::info_key()});
  shard_.world.get(owned_get(std::move(cells)), [this, work, ids](Result<Cells> found) {
    if (!found) return failed(*work, found.error());
    auto by_space = std::make_shared<std::map<ConversationId, std::vector<ConversationId>>>();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto& value = found->values[i];
      const auto info = value ? layout::decode_info(*value) : std::nullopt;
      if (info && info->space) (*by_space)[info->space].push_back(ids[i]);
      if (!info)
        std::erase_if(work->items, [&](const auto& x) { return x.conversation == ids[i]; });
    }
    auto next = std::make_shared<std::function<void()>>();
    *next = [this, work, by_space, next = std::weak_ptr(next)] {
      const auto self = next.lock();
      if (by_space->empty()) return read_entries(work);
      const auto [space, theirs] = *by_space->begin();
      by_space->erase(by_space->begin());
      read_right(work, space, [this, work, space = space, theirs = theirs, self] {
        judge(work, space, theirs, [self] { (*self)(); });
      });
    };
    (*next)();
  });
}

/// In a channel of a space the row that counts there.
UserHome::Told UserHome::by_its_space(Listing& work, std::size_t i,
                                      const std::optional<layout::InfoRow>& info,
                                      std::optional<layout::MemberRow>& member) {
  const Listing::Item& item = work.items[i];
  if (!info) {  // gone meanwhile
    if (item.row.inherited && !item.guessed) drop_child(item.conversation);
    return Told::nothing;
  }
  if (!info->space) return item.guessed ? Told::nothing : Told::entry;
  const auto judged = work.children.find(item.conversation);
  if (judged == work.children.end()) {
    work.again.push_back(item);
    return Told::later;
  }
  member = judged->second.value_or(layout::MemberRow{});
  return Told::entry;
}

/// The head of the entry was read before this: who is a member of both still was one then.
void UserHome::still_inherited(std::shared_ptr<Listing> work, std::size_t i) {
  const ConversationId id = work->list.entries[i].conversation;
  const ConversationId space = work->list.entries[i].space;
  const std::uint64_t entry = work->spaces[space].right.entry;
  read_right(work, space, [this, work, i, id, space, entry] {
    const auto skip = [this, work] {
      if (--work->open == 0) finish(*work);
    };
    const SpaceRight& right = work->spaces[space].right;
    if (right.role == Role::none || right.entry != entry) return skip();
    judge(work, space, {id}, [this, work, i, id, skip] {
      const auto& row = work->children[id];
      if (!row || row->role == Role::none) return skip();
      work->audiences[id] = audiences_of(ConversationKind::channel, *row);
      add_last_record(work, i);
    });
  });
}

void UserHome::add_children(Listing& work) {
  for (ListEntry& entry : work.list.entries) {
    const auto space = work.spaces.find(entry.conversation);
    if (space == work.spaces.end() || !space->second.whole) continue;
    for (const ConversationId& id : space->second.owned) {
      const auto& row = work.children[id];
      if (row && row->role != Role::none) entry.children.push_back(id);
    }
  }
}

/// There is no row of a channel that the user is in by a space before something is set about it.
void UserHome::set_inherited(ListSet change, Then<void> then) {
  ++operations_;
  const ConversationId id = change.conversation;
  shard_.at_home(id, [here = shard_.index, user = id_, change = std::move(change),
                      then = std::move(then)](ShardState& there, Conversation& home) {
    home.access(user, [&there, here, user, change, then](const Result<Access>& access) {
      const bool in = access && access->role != Role::none && access->space;
      const Error error = access ? in ? Error() : denied() : access.error();
      there.at(here, [user, change, then, error](ShardState& back) mutable {
        UserHome& own = back.user_home(user);
        --own.operations_;
        if (error) return then(error);
        change.inherited = true;
        own.set_known(std::move(change), std::move(then));
      });
    });
  });
}

/// The channels of these spaces, too: the user may have written there and left nothing here.
void UserHome::add_places(std::shared_ptr<wire::Places> all, std::vector<ConversationId> spaces,
                          Then<wire::Places> then) {
  if (spaces.empty()) return then(std::move(*all));
  ++operations_;
  const ConversationId space = spaces.back();
  spaces.pop_back();
  scan_children(space, [this, all, spaces = std::move(spaces),
                        then = std::move(then)](const Result<Children>& found) {
    --operations_;
    if (!found) return then(found.error());
    for (const ConversationId& id : found->ids)
      if (!list_.contains(id)) all->conversations.push_back(id);
    add_places(all, spaces, then);
  });
}

void UserHome::drop_child(const ConversationId& id) {
  ListChange change;
  change.conversation = id;
  change.row.kind = ConversationKind::channel;
  queue({std::move(change), [](const Result<void>&) {}});
}

/// The user left the space: what it keeps about the channels goes.
void UserHome::drop_children(const ConversationId& space) {
  ++operations_;
  scan_children(space, [this](const Result<Children>& found) {
    --operations_;
    if (!found) return;  // those rows are proof of nothing
    for (const ConversationId& id : found->ids) {
      const auto own = list_.find(id);
      if (own != list_.end() && own->second.entered) drop_child(id);
    }
  });
}

}  // namespace parley::core
