// receipt_counts.cpp: how many have read a message. In a channel each receipt partition counts its
// positions by blocks of 1, 64, 64^2 ... seqs ('h' rows), so that neither a position that moves nor
// a question costs more with more members.
#include <algorithm>
#include <utility>

#include "core/receipt_job.hpp"

namespace parley::core {
namespace {

constexpr int shift = layout::read_count_shift;
constexpr int levels = 9;         // 64^9 seqs are more than there can be
constexpr int scan_attempts = 8;  // a partition that moves is asked again
constexpr Seq last_of_64 = (1U << shift) - 1;

void add_position(std::map<std::string, std::int64_t>& moves, Seq position, std::int64_t by) {
  for (const std::string& key : layout::read_count_keys(position)) moves[key] += by;
}

}  // namespace

void Conversation::State::read_counts(std::shared_ptr<ReceiptJob> job) {
  ReceiptBucket& bucket = receipts[job->bucket];
  job->moves.clear();
  job->counts.clear();
  for (auto& [user, row] : job->changed) {
    const layout::ReceiptRow& before = bucket.rows[user];
    if (before.counted && before.shown == row.shown) continue;
    if (before.counted) add_position(job->moves, before.shown, -1);
    add_position(job->moves, row.shown, 1);
    row.counted = true;
  }
  std::erase_if(job->moves, [](const auto& move) { return move.second == 0; });
  std::vector<OwnedCell> cells;
  std::vector<std::string> keys;
  for (const auto& [key, by] : job->moves) {
    if (bucket.counts.contains(key)) continue;
    keys.push_back(key);
    cells.push_back({layout::receipt, job->partition, key});
  }
  if (cells.empty()) return write_receipts(std::move(job));
  get(owned_get(std::move(cells)), [this, job, keys](Result<Cells> found) {
    if (!found) return receipts_failed(*job, found.error());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto count =
          found->values[i] ? layout::decode_read_count(*found->values[i]) : std::uint64_t{0};
      if (!count) return receipts_failed(*job, receipts_unreadable());
      receipts[job->bucket].counts[keys[i]] = *count;
    }
    write_receipts(job);
  });
}

void Conversation::State::add_counts(ReceiptJob& job, BatchWriter& writer) {
  for (const auto& [key, by] : job.moves) {
    const auto now = static_cast<std::int64_t>(receipts[job.bucket].counts[key]) + by;
    const std::uint64_t count = job.counts[key] =
        static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0));
    if (count == 0) {
      writer.erase(key);
    } else {
      writer.put(key, layout::encode_read_count(count));
    }
  }
}

// ---- Asking ----

struct Conversation::State::SeenJob {
  Seq seq = 0;
  std::uint64_t count = 0;
  std::uint16_t bucket = 0;
  int level = 0;
  int attempts = 0;
  std::uint64_t in_bucket = 0;
  std::optional<std::string> guard;  // of the bucket, at its first level
  Then<std::uint64_t> then;
};

void Conversation::State::seen(UserId user, Seq seq, Then<std::uint64_t> then) {
  if (seq == 0 || seq > head.head) return then(std::uint64_t{0});
  with_receipt(user, [this, user, seq, then = std::move(then)](Result<layout::ReceiptRow> own) {
    if (!own) return then(std::move(own).error());
    if (channel()) return seen_in_channel(user, seq, own->counted && own->shown >= seq, then);
    const auto& rows = receipts[0].rows;
    const auto read = std::count_if(rows.begin(), rows.end(), [&](const auto& entry) {
      return entry.first != user && entry.second.shown >= seq;
    });
    then(static_cast<std::uint64_t>(read));
  });
}

/// `own`: whether the asking user's position is among those counted. It may come to be so while
/// they are counted; then once more, and positions do not go back.
void Conversation::State::seen_in_channel(UserId user, Seq seq, bool own,
                                          Then<std::uint64_t> then) {
  auto job = std::make_shared<SeenJob>();
  job->seq = seq;
  job->then = [this, user, seq, own, then = std::move(then)](Result<std::uint64_t> count) {
    if (!count) return then(std::move(count));
    with_receipt(user,
                 [this, user, seq, own, then, count = *count](Result<layout::ReceiptRow> after) {
                   if (!after) return then(std::move(after).error());
                   const bool now = after->counted && after->shown >= seq;
                   if (now != own) return seen_in_channel(user, seq, now, then);
                   then(own && count > 0 ? count - 1 : count);
                 });
  };
  count_bucket(std::move(job));
}

/// The positions from `seq` on are the rest of its block of 64, the rest of that block's 64, and so
/// on up to the head.
void Conversation::State::count_bucket(std::shared_ptr<SeenJob> job) {
  for (;; job->level = 0, ++job->bucket, job->count += std::exchange(job->in_bucket, 0)) {
    if (job->bucket == layout::channel_receipt_buckets) return job->then(job->count);
    for (; job->level < levels; ++job->level) {
      const Seq block = job->seq >> (shift * job->level);
      const Seq from = job->level == 0 ? block : block + 1;
      const Seq to = std::min(block | last_of_64, head.head >> (shift * job->level));
      if (from > to) continue;
      const auto level = static_cast<std::uint8_t>(job->level);
      auto request =
          owned_scan(layout::receipt, layout::receipt_id(host.ns(), id, job->bucket),
                     layout::read_count_key(level, from), layout::read_count_key(level, to + 1));
      return scan(std::move(request), [this, job](Result<Rows> rows) {
        if (!rows) return job->then(std::move(rows).error());
        std::optional<std::string> guard_now;
        if (rows->guard) guard_now = std::string(*rows->guard);
        if (std::exchange(job->guard, guard_now) != guard_now && job->level != 0) {
          // A position may have moved from one level to the other: the bucket again.
          if (++job->attempts == scan_attempts)
            return job->then(Error(Errc::unavailable, "the receipts move; try again"));
          job->in_bucket = 0;
          job->level = 0;
          return count_bucket(job);
        }
        for (const Row& row : rows->rows)
          job->in_bucket += layout::decode_read_count(row.value).value_or(0);
        ++job->level;
        count_bucket(job);
      });
    }
  }
}

}  // namespace parley::core
