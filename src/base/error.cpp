// error.cpp: names, one-line meanings and the category of the library's error codes.
#include "parley/error.hpp"

namespace parley::inline v0 {
namespace {

struct Entry {
  std::string_view name = "unknown";
  const char* meaning = "unknown error";
  bool retryable = false;
};

Entry request_entry(Errc code) noexcept {
  switch (code) {
    case Errc::ok:
      return {"ok", "no error"};
    case Errc::invalid_argument:
      return {"invalid_argument", "a field is missing, malformed or out of bounds"};
    case Errc::too_large:
      return {"too_large", "longer than the limits allow"};
    case Errc::denied:
      return {"denied", "absent or forbidden"};
    case Errc::unauthenticated:
      return {"unauthenticated", "the token was refused"};
    case Errc::key_reused:
      return {"key_reused", "same idempotency key, other body"};
    case Errc::number_taken:
      return {"number_taken", "outbox number used in a forgotten life"};
    case Errc::too_old:
      return {"too_old", "outbox number settled long ago, not applied"};
    case Errc::last_owner:
      return {"last_owner", "the last owner cannot leave or step down"};
    case Errc::unsupported:
      return {"unsupported", "not carried by this build"};
    case Errc::already_exists:
      return {"already_exists", "registered, listening or open already"};
    case Errc::limit_reached:
      return {"limit_reached", "a count in the limits is used up"};
    case Errc::archived:
      return {"archived", "nobody posts there, and only admins change it"};
    case Errc::muted:
      return {"muted", "not allowed to post there for a time"};
    case Errc::banned:
      return {"banned", "who is to be added is banned"};
    case Errc::device_revoked:
      return {"device_revoked", "the device was revoked"};
    default:
      return {};
  }
}

Entry entry(Errc code) noexcept {
  switch (code) {
    case Errc::busy:
      return {"busy", "an ingress limit is reached, try later", true};
    case Errc::unavailable:
      return {"unavailable", "cannot answer now, try later", true};
    case Errc::timed_out:
      return {"timed_out", "no answer in time, the outcome is not known", true};
    case Errc::disconnected:
      return {"disconnected", "the link went away first", true};
    case Errc::engine_closed:
      return {"engine_closed", "the engine is closing or gone"};
    case Errc::session_closed:
      return {"session_closed", "detached, revoked or closed"};
    case Errc::would_deadlock:
      return {"would_deadlock", "the answer could never arrive here"};
    case Errc::slow_mode:
      return {"slow_mode", "the own last message there is too recent", true};
    case Errc::forked:
      return {"forked", "this process is a fork of the one that opened the engine"};
    case Errc::store_failed:
      return {"store_failed", "an I/O error, reopen the store"};
    case Errc::disk_full:
      return {"disk_full", "no room, deletions still fit", true};
    case Errc::store_locked:
      return {"store_locked", "somebody has the store open"};
    case Errc::store_format:
      return {"store_format", "written by a newer version"};
    case Errc::store_corrupt:
      return {"store_corrupt", "a checksum does not hold, run parley-check"};
    case Errc::protocol_error:
      return {"protocol_error", "no valid frame, or out of order"};
    case Errc::version_unsupported:
      return {"version_unsupported", "no common protocol version"};
    case Errc::slow_consumer:
      return {"slow_consumer", "no progress within the stall limit"};
    case Errc::unreachable:
      return {"unreachable", "nobody listens there"};
    case Errc::address_in_use:
      return {"address_in_use", "somebody listens there already"};
    case Errc::internal:
      return {"internal", "a broken invariant, see the log"};
    default:
      return request_entry(code);
  }
}

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "parley"; }
  [[nodiscard]] std::string message(int value) const override {
    return entry(static_cast<Errc>(value)).meaning;
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;  // immutable, so not global state in the sense of the house rules
  return category;
}

bool Error::retryable() const noexcept {
  return code.category() == error_category() && entry(static_cast<Errc>(code.value())).retryable;
}

std::string_view to_string(Errc code) noexcept { return entry(code).name; }

}  // namespace parley::inline v0
