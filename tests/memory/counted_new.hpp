// memory/counted_new.hpp: operator new of this program: counts on this thread, and fails once when
// told to.
#pragma once
#include <cstddef>

namespace parley::test {

/// While it lives, the `k`-th allocation of this thread (from 1) throws std::bad_alloc, once.
class FailingNew {
 public:
  explicit FailingNew(std::size_t k) noexcept;
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
  /// For this thread, and for longer: until it has thrown.
  static void begin(std::size_t k) noexcept;
  /// Whether it has thrown.
  [[nodiscard]] static bool failed() noexcept;
};

}  // namespace parley::test
