// sealing.cpp: moves old open events into chunks of the archive (STORE §9): the chunk first, then
// the rows leave.
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/event_reader.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t stale_at_once = 64;            // chunks of a round that was cut off
constexpr std::size_t recent_kept = 1024;              // ordinals in memory
constexpr std::size_t seal_events = 1536;              // of one round, more than one commit brings
constexpr std::size_t seal_bytes = 960 * limits::kib;  // of one round; at least one chunk
constexpr std::size_t tail_kept = 8192;                // open events in memory; the store has all
constexpr std::size_t tail_bytes_kept = 4 * limits::mib;

}  // namespace

struct Conversation::State::SealJob {
  std::string partition;
  std::vector<std::vector<layout::StoredEvent>> chunks;
  std::uint64_t generation = 0;
  layout::CountCell cell;
  std::string new_guard;
  std::vector<std::string> stale;  // keys of chunks that are not to stay
  [[nodiscard]] Seq first() const { return chunks.front().front().seq; }
  [[nodiscard]] Seq last() const { return chunks.back().back().seq; }
};

void Conversation::State::keep_tail(const std::vector<StagedEvent>& events) {
  for (const StagedEvent& event : events) {
    tail.push_back(event.stored);
    tail_bytes += event.stored.record.size();
    recent.push_back(event.ordinal);
  }
  cut_tail(std::max(head.sealed, archived));
  while (tail.size() > tail_kept || (tail_bytes > tail_bytes_kept && tail.size() > 1))
    cut_tail(tail.front().seq);
  while (!archived_ends.empty() && archived_ends.front() <= head.sealed) archived_ends.pop_front();
  while (recent.size() > recent_kept) recent.pop_front();
}

void Conversation::State::cut_tail(Seq through) {
  while (!tail.empty() && tail.front().seq <= through) {
    tail_bytes -= tail.front().record.size();
    tail.pop_front();
  }
}

std::optional<std::uint64_t> Conversation::State::recent_ordinal(Seq seq) const noexcept {
  if (seq > head.head || head.head - seq >= recent.size()) return std::nullopt;
  return recent[recent.size() - 1 - (head.head - seq)];
}

/// Rounds follow one another as long as too much is open, whatever the conversation's own commits
/// do; `head.sealed` follows with those.
void Conversation::State::maybe_seal() {
  const Seq done = std::max(head.sealed, archived);
  if (sealing || merging || phase != Phase::ready || head.head <= done) return;
  const bool whole = !tail.empty() && tail.front().seq == done + 1;
  if (whole) {
    if (tail.size() <= limits::open_events && tail_bytes <= 2 * limits::chunk_bytes) return;
    const std::size_t most = std::min(tail.size(), seal_events + limits::chunk_events + 1);
    return seal({tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(most)});
  }
  // Events of an earlier life are open too; look once how many bytes they are.
  if (tail_checked && head.head - done <= limits::open_events) return;
  sealing = true;
  tail_checked = true;
  ReadRange range{.partition = *name,
                  .conversation = id,
                  .ns = host.ns(),
                  .from = done + 1,
                  .to = head.head,
                  .max_events = seal_events,
                  .max_bytes = seal_bytes};
  read_events(effects, std::move(range),
              input<Result<EventPage>>([this, from = generation](Result<EventPage> page) {
                if (from != generation) return;
                sealing = false;
                if (!page || page->events.empty()) return;  // again after the next commit
                std::vector<layout::StoredEvent>& events = page->events;
                if (!page->more) {  // joins what was committed meanwhile
                  cut_tail(events.back().seq);
                  for (const auto& event : events) tail_bytes += event.record.size();
                  tail.insert(tail.begin(), events.begin(), events.end());
                  return maybe_seal();
                }
                seal(std::move(events));
              }));
}

/// Every chunk that is full, of one archive partition; the open rest waits for more.
void Conversation::State::seal(std::vector<layout::StoredEvent> events) {
  auto job = std::make_shared<SealJob>();
  job->generation = generation;
  job->partition = layout::archive_id(host.ns(), id, events.front().seq);
  std::size_t at = 0, bytes = 0;
  while (at < events.size()) {
    const std::size_t count = layout::full_chunk(events.data() + at, events.size() - at);
    const bool other =
        events[at].seq >> layout::archive_shift != events.front().seq >> layout::archive_shift;
    if (count == 0 || other) break;
    std::size_t more = layout::chunk_base() + 9;
    for (std::size_t i = at; i < at + count; ++i)
      more += layout::chunk_size(events[i].record.size());
    if (at > 0 && (at + count > seal_events || bytes + more > seal_bytes)) break;
    bytes += more;
    const auto first = events.begin() + static_cast<std::ptrdiff_t>(at);
    job->chunks.emplace_back(first, first + static_cast<std::ptrdiff_t>(count));
    at += count;
  }
  if (job->chunks.empty()) return;
  sealing = true;
  sealing_through = job->last();
  if (archive_guard && archive_name == job->partition) return seal_commit(std::move(job));
  look_at_archive(job->first(), [this, job](bool good, std::vector<std::string> stale) {
    if (job->generation != generation) return;
    if (!good) {
      sealing = false;
      return;
    }
    job->stale = std::move(stale);
    seal_commit(job);
  });
}

/// The guard of the partition where `first` belongs, with the chunks that begin there or later: a
/// round that a crash cut off left them, and the next one may cut the events in other places. Then
/// our own head: when nobody has sealed these events before that moment, nobody can have changed
/// their chunks under the archive guard just read. False: not now.
void Conversation::State::look_at_archive(
    Seq first, std::function<void(bool good, std::vector<std::string> stale)> then) {
  archive_guard.reset();
  archive_name = layout::archive_id(host.ns(), id, first);
  auto request =
      owned_scan(layout::archive, archive_name, layout::chunk_key(first), std::string("d"));
  request.max_rows = stale_at_once;
  request.max_bytes = stale_at_once * limits::chunk_bytes;
  scan(std::move(request),
       [this, first, from = generation, then = std::move(then)](Result<Rows> rows) {
         if (!rows || from != generation) return then(false, {});
         std::optional<std::string> found;
         if (rows->guard) found = std::string(*rows->guard);
         std::vector<std::string> stale;
         for (const Row& row : rows->rows) stale.emplace_back(row.key);
         get(owned_get({{layout::conversation, *name, {}}}),
             [this, first, from, then, found, stale = std::move(stale),
              more = rows->more](Result<Cells> ours) {
               const auto now =
                   ours && ours->values[0] ? layout::decode_head(*ours->values[0]) : std::nullopt;
               // Another owner is at work: our next commit will be refused.
               if (from != generation || !now || now->epoch != head.epoch || now->sealed >= first)
                 return then(false, {});
               archive_guard = found;
               archive_swept = !more;
               then(true, stale);
             });
       });
}

void Conversation::State::seal_commit(std::shared_ptr<SealJob> job) {
  job->cell = {};
  if (*archive_guard) {
    const auto cell = layout::decode_count(**archive_guard);
    if (!cell) {
      effects.log(Effects::Severity::error, "the guard of an archive partition cannot be read");
      sealing = false;
      return;
    }
    job->cell = *cell;
  }
  job->cell.revision += 1;
  job->cell.count = std::max(job->cell.count, job->last());
  job->cell.nonce = effects.random();
  job->new_guard = layout::encode(job->cell);
  std::size_t bytes = 0;
  for (const auto& chunk : job->chunks) {
    bytes += layout::chunk_base() + 9;
    for (const layout::StoredEvent& event : chunk) bytes += layout::chunk_size(event.record.size());
  }
  BatchWriter writer(layout::archive, job->partition, bytes);
  if (*archive_guard) writer.expect(**archive_guard);
  writer.guard(job->new_guard);
  for (const auto& chunk : job->chunks) {
    const std::string key = layout::chunk_key(chunk.front().seq);
    std::erase(job->stale, key);
    writer.put(key, layout::encode_chunk(id, chunk));
  }
  for (const std::string& key : job->stale) writer.erase(key);
  commit(std::move(writer).finish(), [this, job](Settled outcome) {
    if (job->generation != generation) return;
    sealing = false;
    sealing_through = 0;
    if (outcome.outcome == Settled::Outcome::done) {
      if (archive_swept) archive_guard = job->new_guard;  // else the next round looks again
      archived = job->last();
      for (const auto& chunk : job->chunks) archived_ends.push_back(chunk.back().seq);
      cut_tail(archived);
      maybe_seal();
      maybe_merge();
    } else {
      archive_guard.reset();  // read again with the next round
    }
    start_flush_timer();
  });
}

}  // namespace parley::core
