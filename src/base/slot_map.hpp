// slot_map.hpp: objects in one contiguous array under small stable handles that go stale safely.
#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace parley::base {

/// A handle into a SlotMap: 32-bit index and 32-bit generation; index alone is enough to reach the
/// slot, the generation tells whether it is still the same object. Generation 0 is never valid.
struct Slot {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  explicit operator bool() const noexcept { return generation != 0; }
  friend auto operator<=>(const Slot&, const Slot&) = default;
};

/// insert, erase and find in O(1). References are invalidated by insert (the array may grow), not
/// by erase. Iteration in order of index, so it is the same in every run. Ownership: the map owns
/// its objects. Thread: one.
template <class T>
class SlotMap {
 public:
  template <class... Args>
  Slot emplace(Args&&... args) {
    std::uint32_t index = free_;
    if (index == none) {
      cells_.emplace_back();
      index = static_cast<std::uint32_t>(cells_.size() - 1);
      cells_[index].value.emplace(std::forward<Args>(args)...);
    } else {
      cells_[index].value.emplace(std::forward<Args>(args)...);  // may throw: slot stays free
      free_ = cells_[index].next_free;
    }
    ++size_;
    return {index, cells_[index].generation};
  }

  /// False when the handle is stale. The object is destroyed after the map forgot it.
  bool erase(Slot slot) {
    if (find(slot) == nullptr) return false;
    Cell& cell = cells_[slot.index];
    [[maybe_unused]] const std::optional<T> dead = std::move(cell.value);
    cell.value.reset();
    if (++cell.generation == 0) cell.generation = 1;
    cell.next_free = free_;
    free_ = slot.index;
    --size_;
    return true;
  }

  [[nodiscard]] T* find(Slot slot) noexcept {
    if (slot.index >= cells_.size()) return nullptr;
    Cell& cell = cells_[slot.index];
    return cell.generation == slot.generation && cell.value ? &*cell.value : nullptr;
  }
  [[nodiscard]] const T* find(Slot slot) const noexcept {
    return const_cast<SlotMap*>(this)->find(slot);
  }
  /// The object at an index, null when that slot is free.
  [[nodiscard]] T* at(std::uint32_t index) noexcept {
    return index < cells_.size() && cells_[index].value ? &*cells_[index].value : nullptr;
  }
  /// The current handle of an index in use.
  [[nodiscard]] Slot slot_at(std::uint32_t index) const noexcept {
    return index < cells_.size() && cells_[index].value ? Slot{index, cells_[index].generation}
                                                        : Slot{};
  }

  /// Calls f(slot, object) for each; f may erase, and may insert (new ones may be visited).
  template <class F>
  void for_each(F&& f) {
    for (std::uint32_t i = 0; i < cells_.size(); ++i) {
      if (cells_[i].value) f(Slot{i, cells_[i].generation}, *cells_[i].value);
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// One past the highest index ever used.
  [[nodiscard]] std::uint32_t bound() const noexcept {
    return static_cast<std::uint32_t>(cells_.size());
  }
  void clear() {
    for (std::uint32_t i = 0; i < cells_.size(); ++i) erase(slot_at(i));
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  struct Cell {
    std::optional<T> value;
    std::uint32_t generation = 1;
    std::uint32_t next_free = none;
  };
  std::vector<Cell> cells_;
  std::uint32_t free_ = none;
  std::size_t size_ = 0;
};

}  // namespace parley::base
