// parley/error.hpp: every way a call can fail, as a value. Codes below 1000 are the library's;
// hosts use 1000 and up. Thread: any; these are values.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace parley::inline v0 {

/// What went wrong. The number is the one that travels on the wire; numbers are never reused.
enum class Errc : int {
  ok = 0,

  // The request (retrying the same request gives the same answer).
  invalid_argument = 1,  // a field is missing, malformed or out of bounds; the message names it
  too_large = 2,         // longer than limits.hpp or the options allow; nothing was changed
  denied = 3,            // absent or forbidden; never says which of the two
  unauthenticated = 4,   // the authenticator refused the token
  key_reused = 5,        // same idempotency key, other body
  number_taken = 6,      // outbox number used in a life the device forgot; go on with Error::next
  too_old = 7,           // outbox number settled long ago, not applied; go on with Error::next
  last_owner = 8,        // the last owner of a group cannot leave it or step down
  unsupported = 9,       // a known shape that this build does not carry
  already_exists = 10,   // registered, listening or open already
  limit_reached = 11,    // a count in limits.hpp or the options is used up
  archived = 12,         // the conversation is: nobody posts, only admins change it
  muted = 13,            // there, until Error::retry_after is over; zero: without end
  banned = 14,           // who is to be added is; lift it first
  device_revoked = 18,   // this device was revoked, for ever; another name is another device

  // Try again later (retryable; Error::retry_after may say when).
  busy = 20,          // an ingress limit is reached; nothing was accepted
  unavailable = 21,   // the store or a peer cannot answer now
  timed_out = 22,     // no answer in time; the outcome is not known
  disconnected = 23,  // the link went away before the answer
  slow_mode = 24,     // the own last message there is too recent; Error::retry_after

  // The handle or the thread.
  engine_closed = 30,   // the engine is closing or gone
  session_closed = 31,  // detached, revoked or closed
  would_deadlock = 32,  // get() where the answer could never arrive
  forked = 33,          // this process is a fork of the one that opened the engine

  // The store.
  store_failed = 40,   // an I/O error; the store refuses everything until it is reopened
  disk_full = 41,      // no room; deletions still fit (retryable)
  store_locked = 42,   // another process, or this one, has the directory open
  store_format = 43,   // written by a newer version, named in the message
  store_corrupt = 44,  // a checksum or a chain does not hold; run parley-check

  // The wire.
  protocol_error = 60,       // bytes that are no valid frame, or a frame out of order
  version_unsupported = 61,  // no common protocol version
  slow_consumer = 62,        // no progress within the stall limit
  unreachable = 63,          // nobody listens there, or it is a name: those are not looked up
  address_in_use = 64,       // somebody listens there already

  internal = 99,  // a broken invariant; the smallest owner was closed, see the log
};

/// The category whose values are Errc.
const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// An error as every call returns it. Value type; `code` may be of a host's own category.
struct [[nodiscard]] Error {
  std::error_code code{};  // zero: no error
  std::string message{};   // one sentence: which field, what was expected, what to do
  std::chrono::milliseconds retry_after{0};  // zero: no hint
  std::uint64_t next = 0;  // number_taken, too_old: the outbox number to go on with

  Error() = default;
  Error(Errc errc, std::string text)  // NOLINT(google-explicit-constructor)
      : code(make_error_code(errc)), message(std::move(text)) {}
  Error(std::error_code ec, std::string text) : code(ec), message(std::move(text)) {}

  /// True when this is an error.
  explicit operator bool() const noexcept { return static_cast<bool>(code); }
  /// The library's code; Errc::internal for a code of another category.
  [[nodiscard]] Errc errc() const noexcept {
    if (!code) return Errc::ok;
    return code.category() == error_category() ? static_cast<Errc>(code.value()) : Errc::internal;
  }
  /// True when the same request may succeed later without being changed.
  [[nodiscard]] bool retryable() const noexcept;
};

/// The snake_case name of a code, as written in the wire's JSON ("invalid_argument").
std::string_view to_string(Errc code) noexcept;

}  // namespace parley::inline v0

template <>
struct std::is_error_code_enum<parley::Errc> : std::true_type {};
