// report.hpp: what a run leaves behind: the trace and its hash, the named "sometimes" events, a
// failure.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/crc32c.hpp"
#include "simulation/scheduler.hpp"

namespace parley::simulation {

/// A promise was broken. The message begins with the check's name ("C1 ...").
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Situations that a campaign must reach now and then, else it proves nothing about them.
enum class Sometimes : std::uint8_t {
  commit_refused,
  commit_failed,
  commit_unknown,
  unknown_landed,     // when the verdict came, it was in the store
  unknown_elsewhere,  // it was not, yet or ever
  read_failed,
  store_broken,
  engine_crashed,
  crash_in_commit,
  engine_restarted,
  link_reset,
  half_open_link,
  stalled_reader,
  client_crashed,
  client_restored,
  send_retried,
  ack_repeated,
  send_denied,
  number_taken,
  too_old,
  key_reused,
  resumed_caught_up,
  resumed_range,
  resumed_snapshot,
  resumed_trimmed,
  resumed_forked,
  resumed_ahead,
  resumed_not_member,
  resumed_denied,
  head_moved,
  lagging,
  removed_while_sending,
  removed_while_subscribed,
  rejoined,
  left_group,
  joined_channel,
  direct_race,
  create_repeated,
  receipt_moved,
  receipt_capped,
  presence_online,
  presence_offline,
  online_full,
  online_window,
  online_count,
  history_backward,
  history_forward,
  page_denied,
  list_incremental,
  list_removed,
  child_created,
  child_told,
  out_of_space,
  inherited_listed,
  signal_passed,
  text_grew,
  hostile_refused,
  clock_stepped,
  sealed,
  goodbye,
  too_large,
  edited,
  thread_read,
  replied,
  mentioned,
  deleted,
  deleted_for_me,
  own_deletion_hidden,
  pinned,
  reacted,
  voted,
  poll_closed,
  list_set,
  transferred,
  scheduled,
  scheduled_sent,
  hidden_shown,
  for_some,
  restricted,
  settings_set,
  kept_out,
  list_paged,
  reads_hidden,
  seen_counted,
  presence_set,
  device_revoked,
  invited,
  joined_by_invite,
  asked_to_join,
  answered_asker,
  blocked,
  blocked_sends,
  expired,
  retention_set,
  trimmed,
  conversation_ended,
  imported,
  import_repeated,
  exported,
  user_exported,
  held,
  kept_by_host,
  trimmed_by_age,
  user_erased,
  erasure_held,
  binary_link,
  json_link,
  for_group,
  hidden_from_group,
  grouped,
  shadow_banned,
  shadow_lifted,
  forwarded,
  origin_told,
  origin_hidden,
  host_said,
  host_repeated,
  robot_said,
  refused_by_host,
  corrected,
  count_
};
std::string_view name_of(Sometimes what) noexcept;

class Report {
 public:
  explicit Report(bool verbose) : verbose_(verbose) {}

  void reached(Sometimes what) noexcept { ++counts_[static_cast<std::size_t>(what)]; }
  [[nodiscard]] std::uint64_t count(Sometimes what) const noexcept {
    return counts_[static_cast<std::size_t>(what)];
  }

  /// Goes into the hash of the run; printed when verbose. `text` is built only if needed by using
  /// trace() with a cheap string.
  void trace(Time now, std::string_view text) {
    const auto at = static_cast<std::uint64_t>(now.count());
    hash_ = base::crc32c(hash_, {reinterpret_cast<const char*>(&at), sizeof at});
    hash_ = base::crc32c(hash_, text);
    ++lines_;
    if (verbose_) {
      std::printf("%12.6f  %.*s\n", static_cast<double>(now.count()) / 1e9,
                  static_cast<int>(text.size()), text.data());
    }
  }
  [[nodiscard]] bool verbose() const noexcept { return verbose_; }
  [[nodiscard]] std::uint64_t hash() const noexcept {
    return std::uint64_t{hash_} << 32 | (lines_ & 0xffffffff);
  }
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }

 private:
  bool verbose_;
  std::uint32_t hash_ = 0;
  std::uint64_t lines_ = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Sometimes::count_)> counts_{};
};

}  // namespace parley::simulation
