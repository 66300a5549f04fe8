// merging.cpp: writes changed messages over their originals in the archive, so that overlays stay
// few and what was deleted leaves the disk (STORE §2). The chunk first, then the overlay row.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "core/conversation_state.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t merged_at_once = 64;
// A chunk may outgrow limits::chunk_bytes by what was edited into it; above this the overlay stays.
constexpr std::size_t chunk_most = 4 * limits::chunk_bytes;

}  // namespace

struct Conversation::State::MergeJob {
  std::uint64_t generation = 0;
  std::string from;                           // where the next page of overlays begins
  std::vector<layout::StoredEvent> overlays;  // of the page, ascending
  std::size_t at = 0;                         // the first one not merged
  std::size_t left = 0;                       // overlays that stay
  bool more = false;
  std::vector<std::string> stale;  // keys of chunks that nothing vouches for
  // The chunk under way.
  std::string partition, guard, value, key;
  layout::CountCell cell;
  std::vector<Seq> seqs;
};

void Conversation::State::maybe_merge() {
  if (!merge_due || merging || sealing || phase != Phase::ready) return;
  if ((head.flags & layout::head_has_overlays) == 0) return;
  merge_due = false;
  merging = true;
  touched.clear();
  auto job = std::make_shared<MergeJob>();
  job->generation = generation;
  job->from = layout::overlay_key(0);
  const Seq open = std::max(head.sealed, archived) + 1;
  const bool swept =
      archive_swept && archive_guard && archive_name == layout::archive_id(host.ns(), id, open);
  if (swept) return merge_next(std::move(job));
  look_at_archive(open, [this, job](bool good, std::vector<std::string> stale) {
    if (job->generation != generation) return;
    if (!good) return merge_over(*job, true);
    if (stale.empty()) return merge_next(job);
    job->stale = std::move(stale);
    merge_sweep(job);
  });
}

/// Chunks that nothing vouches for may hold what was deleted since.
void Conversation::State::merge_sweep(std::shared_ptr<MergeJob> job) {
  const auto cell = *archive_guard ? layout::decode_count(**archive_guard) : std::nullopt;
  if (!cell) return merge_over(*job, true);
  layout::CountCell next = *cell;
  next.revision += 1;
  next.nonce = effects.random();
  const std::string guard = layout::encode(next);
  BatchWriter writer(layout::archive, archive_name, 64 * job->stale.size());
  writer.expect(**archive_guard);
  writer.guard(guard);
  for (const std::string& key : job->stale) writer.erase(key);
  archive_guard.reset();
  commit(std::move(writer).finish(), [this, job, guard](Settled outcome) {
    if (job->generation != generation) return;
    if (outcome.outcome != Settled::Outcome::done) return merge_over(*job, true);
    if (archive_swept) archive_guard = guard;
    merge_next(job);
  });
}

/// The next page of overlays.
void Conversation::State::merge_next(std::shared_ptr<MergeJob> job) {
  auto request = owned_scan(layout::conversation, *name, job->from, "p");
  request.max_rows = merged_at_once;
  scan(std::move(request), [this, job](Result<Rows> rows) {
    if (job->generation != generation) return;
    if (!rows) return merge_over(*job, true);
    job->overlays.clear();
    job->at = 0;
    for (const Row& row : rows->rows) {
      const auto seq = layout::parse_number_key('o', row.key);
      auto event =
          seq ? layout::decode_event(id, *seq, row.value, rows->owner)
              : Result<layout::StoredEvent>(Error{Errc::store_corrupt, "a key of an overlay"});
      if (!event) {
        effects.log(Effects::Severity::error,
                    "an overlay cannot be read: " + event.error().message);
        ++job->left;
      } else if (*seq > head.sealed || (*seq < head.floor && *seq >= keeping.erased)) {
        ++job->left;                   // open, or being erased
      } else if (*seq < head.floor) {  // was to be erased when the process died
        if (std::find(merged.begin(), merged.end(), *seq) == merged.end()) merged.push_back(*seq);
      } else if (std::find(merged.begin(), merged.end(), *seq) == merged.end()) {
        job->overlays.push_back(std::move(*event));
      }
    }
    job->more = rows->more && !rows->rows.empty();
    if (job->more) job->from = std::string(rows->rows.back().key) + '\0';
    merge_read(job);
  });
}

/// The chunk of the next overlay, and its partition's guard, in one scan.
void Conversation::State::merge_read(std::shared_ptr<MergeJob> job) {
  if (job->at == job->overlays.size())
    return job->more ? merge_next(std::move(job)) : merge_over(*job, false);
  const Seq seq = job->overlays[job->at].seq;
  const Seq bucket = seq >> layout::archive_shift << layout::archive_shift;
  job->partition = layout::archive_id(host.ns(), id, seq);
  auto request = owned_scan(layout::archive, job->partition, layout::chunk_key(bucket),
                            layout::chunk_key(seq) + '\0');
  request.reverse = true;
  request.max_rows = 1;
  scan(std::move(request), [this, job, seq](Result<Rows> rows) {
    if (job->generation != generation) return;
    if (!rows) return merge_over(*job, true);
    auto chunk = rows->rows.empty() || !rows->guard
                     ? Result<std::vector<layout::StoredEvent>>(
                           Error{Errc::store_corrupt, "the archive has no such chunk"})
                     : layout::decode_chunk(id, rows->rows[0].value, rows->owner);
    const auto cell = rows->guard ? layout::decode_count(*rows->guard) : std::nullopt;
    if (!chunk || !cell || chunk->empty() || seq > chunk->back().seq) {
      effects.log(Effects::Severity::error, "event " + std::to_string(seq) + " of " +
                                                to_string(id) +
                                                " is not in the archive; run parley-check");
      ++job->left;
      ++job->at;
      return merge_read(job);
    }
    job->cell = *cell;
    job->guard = std::string(*rows->guard);
    job->key = std::string(rows->rows[0].key);
    job->seqs.clear();
    bool redacts = false;
    while (job->at < job->overlays.size() && job->overlays[job->at].seq <= chunk->back().seq) {
      const layout::StoredEvent& shown = job->overlays[job->at++];
      redacts = redacts || wire::read_record(shown.record.bytes()).deleted;
      (*chunk)[shown.seq - chunk->front().seq].record = shown.record;
      job->seqs.push_back(shown.seq);
    }
    job->value = layout::encode_chunk(id, *chunk);
    const std::size_t most = redacts ? effects.store_facts().max_value : chunk_most;
    if (job->value.size() > most) {
      job->left += job->seqs.size();
      return merge_read(job);
    }
    merge_commit(job);
  });
}

void Conversation::State::merge_commit(std::shared_ptr<MergeJob> job) {
  job->cell.revision += 1;
  job->cell.nonce = effects.random();
  const std::string new_guard = layout::encode(job->cell);
  BatchWriter writer(layout::archive, job->partition, job->value.size() + 64);
  writer.expect(job->guard);
  writer.guard(new_guard);
  writer.put(job->key, job->value);
  if (archive_name == job->partition) archive_guard.reset();  // sealing reads it again
  commit(std::move(writer).finish(), [this, job](Settled outcome) {
    if (job->generation != generation) return;
    if (outcome.outcome != Settled::Outcome::done) return merge_over(*job, true);
    for (const Seq seq : job->seqs) {
      const bool changed = std::find(touched.begin(), touched.end(), seq) != touched.end();
      if (changed)
        ++job->left;
      else
        merged.push_back(seq);
    }
    merge_read(job);
  });
}

void Conversation::State::merge_over(const MergeJob& job, bool again) {
  merging = false;
  if (again) {
    merge_due = true;
  } else {
    no_overlays = job.left == 0 && touched.empty();
  }
  maybe_seal();
  start_flush_timer();
}

}  // namespace parley::core
