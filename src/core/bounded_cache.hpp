// core/bounded_cache.hpp: a map that forgets what was not asked for lately; two generations, O(1),
// no clock.
#pragma once
#include <cstddef>
#include <unordered_map>
#include <utility>

namespace parley::core {

/// Holds between `limit / 2` and `limit` of the entries used last. Thread: one.
template <class Key, class Value, class Hash = std::hash<Key>>
class BoundedCache {
 public:
  explicit BoundedCache(std::size_t limit) : half_(limit / 2) {}

  [[nodiscard]] const Value* find(const Key& key) {
    if (auto it = young_.find(key); it != young_.end()) return &it->second;
    auto it = old_.find(key);
    if (it == old_.end()) return nullptr;
    Value value = std::move(it->second);
    old_.erase(it);
    return &insert(key, std::move(value));
  }
  const Value& insert(const Key& key, Value value) {
    if (young_.size() >= half_) {
      old_ = std::move(young_);
      young_.clear();
    }
    old_.erase(key);
    return young_.insert_or_assign(key, std::move(value)).first->second;
  }
  void erase(const Key& key) {
    young_.erase(key);
    old_.erase(key);
  }

 private:
  std::size_t half_;
  std::unordered_map<Key, Value, Hash> young_, old_;
};

}  // namespace parley::core
