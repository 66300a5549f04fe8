// core/conversation_commit.hpp: one guarded commit of one partition, carried on until its outcome
// is known (STORE §1.2).
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/effects.hpp"
#include "parley/store.hpp"

namespace parley::core {

struct Settled {
  enum class Outcome : std::uint8_t {
    done,
    refused,  // another guard stands there: reload. With `unsure` it may have landed all the same
              // and been overtaken, so look for its effect
    failed,   // not applied, and never will be: `error`
  } outcome = Outcome::done;
  bool unsure = false;
  Error error;
};

/// So long after its outcome was known, or after a crash, no copy of a commit lands any more. What
/// is written under a guard cannot land later in any case; what created a partition could, once
/// that has been erased.
inline constexpr std::chrono::milliseconds landed_within{30'000};

/// Submits `batch`, resolves `unknown` by the guard (the same batch again, 10 ms to 1 s apart, for
/// as long as `alive` is), and answers once. The batch's views belong to its owner.
void submit_guarded(Effects& effects, std::weak_ptr<const void> alive, Batch batch,
                    base::UniqueFunction<void(Settled)> then);

/// Requests that own the names and keys they show.
Scan owned_scan(std::uint8_t space, std::string partition, std::string from, std::string to);
Scan owned_scan_of(std::uint8_t space, std::string partition, std::string key);  // that row alone
struct OwnedCell {
  std::uint8_t space = 0;
  std::string partition, key;  // empty key: the guard
};
Get owned_get(std::vector<OwnedCell> cells);

/// Builds a batch whose keys, values and names lie in one block.
class BatchWriter {
 public:
  BatchWriter(std::uint8_t space, Bytes partition, std::size_t room);

  std::string& arena() noexcept { return arena_; }
  /// One row: append the key to arena(), call value(), append the value, call end().
  void value() { value_at_ = arena_.size(); }
  void end();
  void put(Bytes key, Bytes value);
  void erase(Bytes key);
  void expect(Bytes guard) {
    expect_ = add(guard);
    has_expect_ = true;
  }
  void guard(Bytes guard) { guard_ = add(guard); }
  void note(Bytes note) { note_ = add(note); }
  Batch finish() &&;

 private:
  struct Piece {
    std::size_t at = 0, size = 0;
  };
  Piece add(Bytes bytes);

  std::uint8_t space_;
  std::string arena_;
  std::size_t begin_ = 0, value_at_ = 0;
  Piece partition_, expect_, guard_, note_;
  bool has_expect_ = false;
  std::vector<std::pair<Piece, Piece>> puts_;
  std::vector<Piece> erases_;
};

}  // namespace parley::core
