// core/names.hpp: the host's subjects and the engine's user ids, both ways.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/bounded_cache.hpp"
#include "core/conversation.hpp"
#include "core/effects.hpp"
#include "core/shard.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// A subject gets its user id at first sight: first the user's partition, then the name's, so that
/// a name always leads to a complete user; a crash between leaves an unused partition behind.
/// Resolution runs on the shard of the subject; what leads where never changes, so both are cached;
/// when a user is forgotten, every shard drops them.
class Names {
 public:
  explicit Names(ShardState& shard) : shard_(shard) {}

  /// Errc::invalid_argument for a bad subject, denied when absent and not to be created.
  void resolve(std::string subject, bool create, Then<UserId> then);
  void resolve(std::vector<std::string> subjects, bool create, Then<std::vector<UserId>> then);
  /// The subjects of ids; unknown ids are left out.
  void lookup(std::vector<UserId> ids, Then<std::vector<UserName>> then);
  /// The name of a user whose partition is gone leads nowhere any more; whoever comes with it again
  /// is another user. An empty subject: it was unknown already.
  void forget(const std::string& subject, UserId id, Then<void> then);

 private:
  struct Pending {
    bool create = false;
    std::vector<Then<UserId>> waiting;
  };
  void resolve_here(std::string subject, bool create, Then<UserId> then);
  void read_name(const std::string& subject, int attempt);
  void create_user(const std::string& subject, int attempt);
  void create_name(const std::string& subject, UserId id, int attempt);
  void retry(const std::string& subject, int attempt, Error error);
  void forget_here(const std::string& subject, UserId id, Then<void> then);
  void drop_everywhere(const std::string& subject, UserId id, Then<void> then);
  void finish(const std::string& subject, Result<UserId> result);
  [[nodiscard]] std::string partition_of(std::string_view subject) const;

  ShardState& shard_;
  BoundedCache<std::string, UserId> ids_{65'536};
  BoundedCache<UserId, std::string> subjects_{65'536};
  std::unordered_map<std::string, Pending> pending_;
};

/// What is wrong with a subject; no error when nothing is.
Error check_subject(std::string_view subject);

}  // namespace parley::core
