// core/event_reader.cpp: see the header. Order of reads: guard with open rows, overlays, chunks; so
// what a later step finds is never older than what an earlier one vouched for.
#include "core/event_reader.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/recent_pages.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

using layout::StoredEvent;

constexpr int read_attempts_most = 8;
constexpr std::uint32_t row_overhead = 41;  // of an open event: its key and envelope
constexpr std::size_t mean_record = 256;    // bytes, while nothing was read
constexpr Seq no_end = ~Seq{0} - 1;

class ReadJob : public std::enable_shared_from_this<ReadJob> {
 public:
  ReadJob(Effects& effects, ReadRange range, std::function<void(Result<EventPage>)> then,
          RecentPages* recent)
      : effects_(effects), range_(std::move(range)), then_(std::move(then)), recent_(recent) {
    range_.from = std::max<Seq>(range_.from, 1);
    range_.max_events = std::max<std::uint32_t>(range_.max_events, 1);
  }

  void start() {
    if (recent_ == nullptr) return read();
    auto kept = recent_->find(range_.conversation, effects_.now().steady);
    if (kept && may_have(*kept)) return look_at(std::move(kept));
    read();
  }

 private:
  void read() {
    open_.clear();
    overlays_.clear();
    sealed_.clear();
    cursor_.clear();
    overlay_bytes_ = 0;
    page_.events.clear();
    page_.more = false;
    bytes_read_ = 0;
    if (attempt_ == 0) return scan_open();
    // Again: fix the head first, so that rows above it cannot use up the scan's limits.
    auto self = shared_from_this();
    Get get{.cells = {{partition(), {}}}, .owner = self};
    effects_.get(std::move(get), [self](Result<Cells> cells) {
      if (!cells) return self->then_(std::move(cells).error());
      const auto& guard = cells->values.front();
      if (!guard) return self->then_(absent());
      const auto head = layout::decode_head(*guard);
      if (!head) return self->then_(bad_head());
      self->page_.head = *head;
      self->scan_open();
    });
  }

  /// Whether it is worth asking.
  [[nodiscard]] bool may_have(const RecentPage& kept) const noexcept {
    const Seq end = range_.to == 0 ? kept.head.head : std::min(range_.to, kept.head.head);
    const Seq from = std::max(range_.from, kept.head.floor);
    const Seq first = kept.events.front().seq;
    return from >= first ||
           (range_.backward && end >= first && end - first + 1 >= range_.max_events);
  }

  void look_at(std::shared_ptr<const RecentPage> kept) {
    auto self = shared_from_this();
    Get get{.cells = {{partition(), {}}}, .owner = self};
    effects_.get(std::move(get), [self, kept = std::move(kept)](Result<Cells> cells) {
      if (!cells) return self->then_(std::move(cells).error());
      const auto& guard = cells->values.front();
      if (!guard) return self->then_(absent());
      if (*guard == kept->guard) return self->take_kept(*kept);
      self->recent_->drop(self->range_.conversation);
      self->read();
    });
  }

  /// What is kept was last used long ago: the begin of a record, where its fields are, comes to the
  /// processor while the page is put together.
  static void soon(const Payload& record) noexcept {
    for (const std::size_t at : {0, 64, 120}) __builtin_prefetch(record.data() + at);
  }

  void take_kept(const RecentPage& kept) {
    page_.head = kept.head;
    if (!set_window()) return finish();
    const auto first =
        kept.events.begin() + static_cast<std::ptrdiff_t>(low_ - kept.events.front().seq);
    const auto last = first + static_cast<std::ptrdiff_t>(high_ - low_ + 1);
    for (auto event = first; event != last; ++event) soon(event->record);
    page_.events.assign(first, last);
    end();
  }

  static Error absent() { return {Errc::denied, "no such stream"}; }
  static Error bad_head() {
    return {Errc::store_corrupt, "the head cell cannot be read; run parley-check"};
  }
  [[nodiscard]] Partition partition() const {
    return {static_cast<std::uint8_t>(range_.space), range_.partition};
  }

  void scan_open() {
    auto self = shared_from_this();
    Seq end = range_.to == 0 ? no_end : range_.to;
    if (attempt_ > 0) end = std::min(end, page_.head.head);
    from_key_ = layout::event_key(range_.from);
    to_key_ = layout::event_key(std::max(end, range_.from) + 1);
    Scan scan{.partition = partition(),
              .from = from_key_,
              .to = to_key_,
              .reverse = range_.backward,
              .max_rows = range_.max_events,
              .max_bytes = range_.max_bytes + row_overhead * range_.max_events,
              .owner = self};
    effects_.scan(std::move(scan), [self](Result<Rows> rows) {
      if (!rows) return self->then_(std::move(rows).error());
      self->take_open(*rows);
    });
  }

  /// What the answer may cover; false: nothing.
  [[nodiscard]] bool set_window() noexcept {
    low_ = std::max(range_.from, page_.head.floor);
    high_ = range_.to == 0 ? page_.head.head : std::min(range_.to, page_.head.head);
    if (low_ > high_) return false;
    if (high_ - low_ + 1 > range_.max_events) {
      page_.more = true;
      (range_.backward ? low_ : high_) =
          range_.backward ? high_ - range_.max_events + 1 : low_ + range_.max_events - 1;
    }
    return true;
  }

  void take_open(const Rows& rows) {
    if (!rows.guard) return then_(absent());
    const auto head = layout::decode_head(*rows.guard);
    if (!head) return then_(bad_head());
    if (attempt_ == 0) page_.head = *head;
    guard_moved_ = guard_ != *rows.guard;
    guard_ = std::string(*rows.guard);
    has_overlays_ = ((head->flags | page_.head.flags) & layout::head_has_overlays) != 0;

    if (!set_window()) return finish();
    open_.reserve(rows.rows.size());
    for (const Row& row : rows.rows) {
      const auto seq = layout::parse_event_key(row.key);
      if (!seq || *seq < low_ || *seq > high_) continue;
      bytes_read_ += row.value.size();
      auto event = layout::decode_event(range_.conversation, *seq, row.value, rows.owner);
      if (!event) return then_(std::move(event).error());
      open_.push_back(std::move(*event));
    }
    if (range_.backward) std::reverse(open_.begin(), open_.end());
    open_cut_ = rows.more;
    has_overlays_ ? scan_overlays() : read_chunks();
  }

  /// From the end that a limit keeps, until they alone fill the page.
  void scan_overlays() {
    auto self = shared_from_this();
    const bool first = overlays_.empty();
    const Seq reached = first ? 0 : overlays_.back().seq;
    from_key_ = layout::overlay_key(first || range_.backward ? low_ : reached + 1);
    to_key_ = layout::overlay_key(first || !range_.backward ? high_ + 1 : reached);
    Scan scan{.partition = partition(),
              .from = from_key_,
              .to = to_key_,
              .reverse = range_.backward,
              .max_bytes = range_.max_bytes,
              .owner = self};
    effects_.scan(std::move(scan), [self](Result<Rows> rows) {
      if (!rows) return self->then_(std::move(rows).error());
      if (!rows->guard) return self->then_(absent());
      if (const auto head = layout::decode_head(*rows->guard)) self->sealed_since(head->sealed);
      for (const Row& row : rows->rows) {
        const auto seq = layout::parse_number_key('o', row.key);
        if (!seq) continue;
        auto event = layout::decode_event(self->range_.conversation, *seq, row.value, rows->owner);
        if (!event) return self->then_(std::move(event).error());
        self->overlay_bytes_ += event->record.size();
        self->bytes_read_ += row.value.size();
        self->overlays_.push_back(std::move(*event));
      }
      if (!rows->more || rows->rows.empty()) return self->read_chunks();
      if (self->overlay_bytes_ < self->range_.max_bytes) return self->scan_overlays();
      self->end_at(self->overlays_.back().seq);
      self->read_chunks();
    });
  }

  /// The page goes no further than there.
  void end_at(Seq seq) {
    page_.more = true;
    (range_.backward ? low_ : high_) = seq;
    std::erase_if(open_,
                  [&](const StoredEvent& event) { return event.seq < low_ || event.seq > high_; });
  }

  /// What was open and is sealed now comes from the archive: its overlay may have been merged there
  /// and erased before the overlays were read.
  void sealed_since(Seq sealed) {
    page_.head.sealed = std::max(page_.head.sealed, sealed);
    std::erase_if(open_, [sealed](const StoredEvent& event) { return event.seq <= sealed; });
  }

  /// What the open rows do not cover must be in the archive; rows that were sealed and erased since
  /// the guard was read are found there too.
  void read_chunks() {
    if (open_.empty()) {
      // A cut scan that brought nothing usable: rows above the head, seen early.
      if (open_cut_ && high_ > page_.head.sealed) return again();
      want_from_ = low_;
      want_to_ = high_;
    } else if (range_.backward) {
      want_to_ = open_.front().seq - 1;
      want_from_ = open_cut_ && want_to_ > page_.head.sealed ? want_to_ + 1 : low_;
    } else {
      want_from_ = low_;
      want_to_ = open_.front().seq - 1;
    }
    bytes_ = 0;
    if (range_.backward)
      for (const StoredEvent& event : open_) bytes_ += event.record.size();
    scan_chunks();
  }

  void scan_chunks() {
    const bool enough = bytes_ >= range_.max_bytes && (!sealed_.empty() || !open_.empty());
    if (want_from_ > want_to_ || enough) return merge();
    auto self = shared_from_this();
    const Seq at = range_.backward ? want_to_ : want_from_;
    const Seq bucket = at >> layout::archive_shift << layout::archive_shift;
    const Seq bucket_last = bucket + (Seq{1} << layout::archive_shift) - 1;
    const Seq first = std::max(bucket, want_from_);
    // A chunk that holds `first` begins at most chunk_events - 1 before it.
    const Seq reach = limits::chunk_events - 1;
    from_key_ = layout::chunk_key(first > bucket + reach ? first - reach : bucket);
    to_key_ = layout::chunk_key(std::min(bucket_last, want_to_) + 1);
    if (!cursor_.empty()) (range_.backward ? to_key_ : from_key_) = cursor_;
    archive_ = layout::archive_id(range_.ns, range_.conversation, at);
    Scan scan{.partition = {layout::archive, archive_},
              .from = from_key_,
              .to = to_key_,
              .reverse = range_.backward,
              .max_bytes = chunk_bytes_asked(),
              .owner = self};
    effects_.scan(std::move(scan), [self, bucket, bucket_last](Result<Rows> rows) {
      if (!rows) return self->then_(std::move(rows).error());
      self->take_chunks(*rows, bucket, bucket_last);
    });
  }

  /// What the wanted events may come to, by the size of those that were read, and a chunk that
  /// begins before them: the keys of the scan reach further than that. Too little means another
  /// scan.
  [[nodiscard]] std::uint32_t chunk_bytes_asked() const noexcept {
    std::size_t mean = mean_record;
    if (!open_.empty()) {
      mean = 0;
      for (const StoredEvent& event : open_) mean += event.record.size();
      mean /= open_.size();
    }
    const std::size_t room = range_.max_bytes > bytes_ ? range_.max_bytes - bytes_ : 1;
    const Seq wanted = want_to_ - want_from_ + 1;
    const std::size_t likely = wanted * layout::chunk_size(mean) + limits::chunk_bytes;
    return static_cast<std::uint32_t>(std::min(room, likely));
  }

  void take_chunks(const Rows& rows, Seq bucket, Seq bucket_last) {
    for (const Row& row : rows.rows) bytes_read_ += row.value.size();
    for (std::size_t i = 0; i < rows.rows.size() && want_from_ <= want_to_; ++i) {
      if (!range_.backward && i + 1 < rows.rows.size()) {
        const auto next = layout::parse_number_key('c', rows.rows[i + 1].key);
        if (next && *next <= want_from_) continue;  // all of it lies before
      }
      auto chunk = layout::decode_chunk(range_.conversation, rows.rows[i].value, rows.owner);
      if (!chunk) return then_(std::move(chunk).error());
      if (range_.backward) std::reverse(chunk->begin(), chunk->end());
      for (StoredEvent& event : *chunk) {
        const Seq expected = range_.backward ? want_to_ : want_from_;
        if (want_from_ > want_to_ || event.seq != expected) continue;
        bytes_ += event.record.size();
        range_.backward ? --want_to_ : ++want_from_;
        sealed_.push_back(std::move(event));
      }
    }
    const bool passed =
        want_from_ > want_to_ || (range_.backward ? want_to_ < bucket : want_from_ > bucket_last);
    cursor_.clear();
    if (!passed && rows.more && !rows.rows.empty()) {
      cursor_ = rows.rows.back().key;
      if (!range_.backward) cursor_.push_back('\0');
    } else if (!passed) {
      return again();  // the bucket is exhausted: a hole
    }
    scan_chunks();
  }

  void again() {
    if (++attempt_ < read_attempts_most) return read();
    if (guard_moved_)
      return then_(Error{Errc::unavailable, "the stream moves faster than it can be read"});
    then_(Error{Errc::store_corrupt, "events " + std::to_string(want_from_) + " to " +
                                         std::to_string(want_to_) +
                                         " are missing; run parley-check"});
  }

  void merge() {
    std::vector<StoredEvent>& events = page_.events;
    events = std::move(sealed_);
    if (range_.backward) std::reverse(events.begin(), events.end());
    const bool joined = want_from_ > want_to_;  // the archive's part reaches the open rows
    if (joined || range_.backward) {
      events.insert(events.end(), std::make_move_iterator(open_.begin()),
                    std::make_move_iterator(open_.end()));
    }
    for (std::size_t i = 1; i < events.size(); ++i)
      if (events[i].seq != events[i - 1].seq + 1) return again();
    if (!events.empty() && !range_.backward && events.front().seq != low_) return again();
    if (!events.empty() && range_.backward && events.back().seq != high_) return again();
    for (StoredEvent& overlay : overlays_) apply(overlay);
    keep();
    end();
  }

  /// Until the guard moves the newest events can be shown again.
  void keep() {
    const std::vector<StoredEvent>& events = page_.events;
    if (recent_ == nullptr || attempt_ > 0 || events.empty()) return;
    const auto head = layout::decode_head(guard_);
    if (!head || events.back().seq != head->head) return;
    recent_->keep(range_.conversation, {guard_, *head, events, bytes_read_}, effects_.now().steady);
  }

  void end() {
    const std::vector<StoredEvent>& events = page_.events;
    cut_to_bytes();
    const Seq reached = events.empty()    ? 0
                        : range_.backward ? events.front().seq
                                          : events.back().seq;
    if (reached != (range_.backward ? low_ : high_)) page_.more = true;
    finish();
  }

  void apply(StoredEvent& overlay) {
    std::vector<StoredEvent>& events = page_.events;
    if (events.empty() || overlay.seq < events.front().seq || overlay.seq > events.back().seq)
      return;
    // The mark stays that of the first record: it chains what was, not what is shown.
    events[overlay.seq - events.front().seq].record = std::move(overlay.record);
  }

  void cut_to_bytes() {
    std::vector<StoredEvent>& events = page_.events;
    std::size_t keep = 0;
    std::size_t bytes = 0;
    while (keep < events.size()) {
      const StoredEvent& event = events[range_.backward ? events.size() - 1 - keep : keep];
      bytes += event.record.size();
      if (keep > 0 && bytes > range_.max_bytes) break;
      ++keep;
    }
    if (keep == events.size()) return;
    const auto cut = static_cast<std::ptrdiff_t>(events.size() - keep);
    if (range_.backward) {
      events.erase(events.begin(), events.begin() + cut);
    } else {
      events.erase(events.end() - cut, events.end());
    }
  }

  void finish() { then_(std::move(page_)); }

  Effects& effects_;
  ReadRange range_;
  std::function<void(Result<EventPage>)> then_;
  EventPage page_;
  std::string guard_, from_key_, to_key_, archive_,
      cursor_;  // views of them are in the store's hands
  std::vector<StoredEvent> open_, overlays_, sealed_;
  Seq low_ = 1, high_ = 0;           // the window that the answer may cover
  Seq want_from_ = 1, want_to_ = 0;  // of it, what the archive still has to bring
  std::size_t bytes_ = 0, overlay_bytes_ = 0;
  std::size_t bytes_read_ = 0;  // that records of the page keep in memory
  RecentPages* recent_;
  int attempt_ = 0;
  bool open_cut_ = false, has_overlays_ = false, guard_moved_ = false;
};

}  // namespace

void read_events(Effects& effects, ReadRange range, std::function<void(Result<EventPage>)> then,
                 RecentPages* recent) {
  std::make_shared<ReadJob>(effects, std::move(range), std::move(then), recent)->start();
}

}  // namespace parley::core
