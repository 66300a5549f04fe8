// lmdb/check_spaces.hpp: whether spaces, their channels, their members and those members' lists say
// the same of each other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "parley/store.hpp"
#include "store/layout_spaces.hpp"

namespace parley::lmdb {

// Of the ids of partitions.
inline constexpr std::size_t namespace_size = 4;
inline constexpr std::size_t conversation_size = namespace_size + 16;

/// Fed in key order: so with a conversation's info before its other rows, and with all of them
/// before any member's. What was deleted, or is being deleted, is left alone.
/// Ownership: keeps about 100 bytes a channel of a space. Thread: one.
class SpaceCheck {
 public:
  using Report = std::function<void(const Partition& partition, const std::string& what)>;
  explicit SpaceCheck(Report report) : report_(std::move(report)) {}

  /// A conversation that is being deleted: its rows go one after the other.
  void ending(const Partition& conversation) { ending_.emplace(conversation.id); }
  void info(const Partition& conversation, const layout::InfoRow& row);
  /// `vouched`: the head says that there are such rows.
  void child(const Partition& conversation, Bytes child, const layout::ChildRow& row, bool vouched);
  void beginnings(const Partition& bucket, UserId user, const layout::Beginnings& row);
  void member(const Partition& bucket, UserId user, const layout::MemberRow& row);
  void listed(const Partition& user, const ConversationId& id, const layout::ListRow& row);
  void finish();

 private:
  struct Channel {
    std::string space;  // the partition id, as everywhere here
    std::uint32_t number = 0;
    bool unborn = false;
  };
  /// Of the bucket's conversation; null: that is no space.
  const std::uint32_t* last_number(const Partition& bucket) const;
  void in_bucket(const Partition& bucket);
  void fail(std::uint8_t space, const std::string& id, const std::string& what) const {
    report_({space, id}, what);
  }

  Report report_;
  std::set<std::string, std::less<>> ending_, alone_;            // alone: channels of no space
  std::map<std::string, std::uint32_t, std::less<>> spaces_;     // and the last number they gave
  std::map<std::string, Channel, std::less<>> channels_, rows_;  // as they say, as their spaces do
  std::string children_of_;                                      // the space that is read now
  std::set<std::uint32_t> numbers_;                              // of its channels
  std::string members_of_;                                       // the bucket that is read now
  std::map<UserId, std::uint64_t> entries_;                      // that its members began with
};

}  // namespace parley::lmdb
