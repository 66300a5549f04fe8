// user_counts.cpp: what is unread in the conversations of a list, beyond what their guards say:
// each step only where there is something to be looked at.
#include <algorithm>
#include <utility>

#include "core/shard_state.hpp"
#include "core/user_home.hpp"
#include "core/user_listing.hpp"

namespace parley::core {
namespace {

constexpr std::size_t mentions_per_get = 256;

}  // namespace

/// Only of conversations in which the user deleted something for itself alone.
void UserHome::read_own_deletions(std::shared_ptr<Listing> work) {
  if (work->deleting.empty()) return count_mentions(std::move(work));
  Listing::Deleting& next = work->deleting.back();
  const Seq shown = next.head - std::min<Seq>(next.head, Listing::preview_events);
  const Seq after = next.found.empty() ? std::min(next.read, shown) : next.found.back().seq;
  Scan scan;
  scan.partition = {layout::personal,
                    work->keep(layout::personal_id(shard_.config.ns, next.conversation, id_))};
  scan.from = work->keep(layout::own_deletion_key(after + 1));
  scan.to = work->keep(layout::own_deletion_key(next.head + 1));
  scan.max_rows = 4096;
  scan.owner = work;
  shard_.world.scan(std::move(scan), [this, work](Result<Rows> rows) {
    if (!rows) {
      --operations_;
      return std::exchange(work->then, {})(std::move(rows).error());
    }
    Listing::Deleting& read = work->deleting.back();
    for (const Row& row : rows->rows) {
      const auto seq = layout::parse_number_key('h', row.key);
      const auto item = layout::decode_own_deletion(row.value);
      if (seq && item) read.found.push_back({*seq, *item});
    }
    if (!rows->more || rows->rows.empty()) {
      const auto own = std::make_shared<const OwnDeletions>(std::move(read.found), 0);
      if (ListEntry* entry = work->entry(read.conversation))
        entry->unread -= std::min(entry->unread, own->counted(read.base, entry->head_ordinal));
      work->own_deletions[read.conversation] = own;
      work->deleting.pop_back();
    }
    read_own_deletions(work);
  });
}

/// Only where somebody was mentioned ever and something is unread.
void UserHome::count_mentions(std::shared_ptr<Listing> work) {
  if (work->mentions.empty()) return count_deleted(std::move(work));
  const std::size_t count = std::min(work->mentions.size(), mentions_per_get);
  const std::vector<Listing::Mentions> asked(
      work->mentions.end() - static_cast<std::ptrdiff_t>(count), work->mentions.end());
  work->mentions.resize(work->mentions.size() - count);
  Get get;
  for (const Listing::Mentions& each : asked) {
    const Bytes partition =
        work->keep(layout::conversation_id(shard_.config.ns, each.conversation));
    for (const UserId whose : {id_, UserId{}})
      get.cells.push_back(
          {{layout::conversation, partition}, work->keep(layout::mention_key(whose))});
  }
  get.owner = work;
  shard_.world.get(std::move(get), [this, work, asked](Result<Cells> cells) {
    if (!cells) {
      --operations_;
      return std::exchange(work->then, {})(std::move(cells).error());
    }
    const auto row = [&](std::size_t i) {
      const auto& value = cells->values[i];
      return (value ? layout::decode_mention(*value) : std::nullopt).value_or(layout::MentionRow{});
    };
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (ListEntry* entry = work->entry(asked[i].conversation))
        entry->mentions = unread_mentions(row(2 * i), row(2 * i + 1), asked[i].base, asked[i].head,
                                          work->deletions_of(asked[i].conversation).get());
    }
    count_mentions(work);
  });
}

/// Only where something unread was deleted: those rows are counted.
void UserHome::count_deleted(std::shared_ptr<Listing> work) {
  if (work->deleted.empty()) return add_last_records(std::move(work));
  const Listing::Deleted& next = work->deleted.back();
  Scan scan;
  scan.partition = {layout::conversation,
                    work->keep(layout::conversation_id(shard_.config.ns, next.conversation))};
  scan.from = work->keep(layout::deleted_key(next.from + 1));
  scan.to = work->keep(layout::deleted_key(next.head + 1));
  scan.max_rows = 4096;
  scan.owner = work;
  shard_.world.scan(std::move(scan), [this, work](Result<Rows> rows) {
    if (!rows) {
      --operations_;
      return std::exchange(work->then, {})(std::move(rows).error());
    }
    Listing::Deleted& counted = work->deleted.back();
    const OwnDeletionsPtr own = work->deletions_of(counted.conversation);
    const auto head = rows->guard ? layout::decode_head(*rows->guard) : std::nullopt;
    if (head && head->floor_ordinal > counted.from) {  // trimmed meanwhile: gone with its rows
      counted.from = std::min(head->floor_ordinal, counted.head);
      counted.gone = counted.from - counted.base;
      if (own) counted.gone -= own->counted(counted.base, counted.from);  // taken off already
    }
    for (const Row& row : rows->rows) {
      const auto ordinal = layout::parse_number_key('x', row.key);
      if (!ordinal || *ordinal <= counted.from) continue;
      counted.from = *ordinal;
      if (!own || !own->has_ordinal(*ordinal)) ++counted.gone;
    }
    if (!rows->more || rows->rows.empty()) {
      if (ListEntry* entry = work->entry(counted.conversation))
        entry->unread -= std::min(entry->unread, counted.gone);
      work->deleted.pop_back();
    }
    count_deleted(work);
  });
}

}  // namespace parley::core
