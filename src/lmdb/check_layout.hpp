// lmdb/check_layout.hpp: what the engine's tables must look like, checked row by row in key order.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "lmdb/check_spaces.hpp"
#include "parley/store.hpp"
#include "store/layout.hpp"

namespace parley::lmdb {

/// Fed with every guard, then every row, in key order; reports what does not hold. Unknown spaces
/// and kinds of rows are left alone: a host or a newer version may have written them.
/// Ownership: keeps about 100 bytes a conversation. Thread: one.
class LayoutCheck {
 public:
  using Report = std::function<void(const Partition& partition, const std::string& what)>;
  explicit LayoutCheck(Report report) : report_(report), spaces_(std::move(report)) {}

  void guard(const Partition& partition, Bytes guard);
  void row(const Partition& partition, Bytes key, Bytes value);
  void finish();
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

 private:
  /// Where a stream stands; its open events must follow what is sealed, up to the head.
  struct Stream {
    layout::HeadCell head;
    Seq next_open = 0;    // the event row that must come
    Mark last_mark = 0;   // of the newest event row
    Seq next_sealed = 0;  // the event that the next chunk must hold, or an earlier one
  };

  void conversation_row(const Partition& partition, Bytes key, Bytes value);
  void user_row(const Partition& partition, Bytes key, Bytes value);
  void event(const Partition& partition, const ConversationId& id, Seq seq, Bytes value);
  void receipt(const Partition& partition, Bytes key, Bytes value);
  void end_receipts();
  void member(const Partition& partition, Bytes key, Bytes value);
  void end_members();
  void child(const Partition& partition, Bytes key, Bytes value);
  void listed(const Partition& partition, Bytes key, Bytes value);
  void overlay(const Partition& partition, Seq seq, Bytes value);
  void chunk(const Partition& partition, Bytes value);
  void fail(const Partition& partition, const std::string& what) const { report_(partition, what); }

  Report report_;
  std::map<std::string, Stream, std::less<>> conversations_, users_;  // by partition id
  std::string members_of_;                                            // the same
  std::map<std::string, std::int64_t> names_;        // in its rows, less those of its index
  std::string receipts_of_;                          // the partition that is read now
  std::map<std::string, std::int64_t> read_counts_;  // its counts, less what its positions say
  SpaceCheck spaces_;
  std::uint64_t events_ = 0;
};

}  // namespace parley::lmdb
