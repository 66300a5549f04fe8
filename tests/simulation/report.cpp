// report.cpp: the names of the "sometimes" events.
#include "simulation/report.hpp"

namespace parley::simulation {

std::string_view name_of(Sometimes what) noexcept {
  static constexpr std::string_view names[] = {
      "commit_refused", "commit_failed", "commit_unknown", "unknown_landed", "unknown_vanished",
      "read_failed", "store_broken", "engine_crashed", "crash_in_commit", "engine_restarted",
      "link_reset", "half_open_link", "stalled_reader", "client_crashed", "client_restored",
      "send_retried", "ack_repeated", "send_busy", "send_denied", "number_taken", "too_old",
      "key_reused", "resumed_caught_up", "resumed_range", "resumed_snapshot", "resumed_forked",
      "resumed_ahead", "resumed_not_member", "resumed_denied", "head_moved", "lagging",
      "removed_while_sending", "removed_while_subscribed", "rejoined", "left_group",
      "joined_channel", "direct_race", "create_repeated", "receipt_moved", "receipt_capped",
      "presence_online", "presence_offline", "history_backward", "history_forward", "page_denied",
      "list_incremental", "list_removed", "signal_passed", "hostile_refused", "session_replaced",
      "clock_stepped", "sealed", "goodbye", "too_large", "binary_link", "json_link"};
  static_assert(std::size(names) == static_cast<std::size_t>(Sometimes::count_));
  return names[static_cast<std::size_t>(what)];
}

}  // namespace parley::simulation
