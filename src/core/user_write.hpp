// core/user_write.hpp: one commit of a user's partition on its way.
#pragma once
#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/user_home.hpp"

namespace parley::core {

/// The memory that one commit's views point into, and what it does.
struct UserHome::Write {
  std::string expect, guard;
  layout::HeadCell head;
  std::vector<Change> changes;
  std::deque<std::string> strings;
  Batch batch;  // as submitted, without the owner: an unknown outcome submits it again
  Bytes keep(std::string text) { return strings.emplace_back(std::move(text)); }
  void put(std::string key, std::string value) {  // of two changes of a row the later counts
    drop(key);
    batch.puts.push_back({keep(std::move(key)), keep(std::move(value))});
  }
  void erase(std::string key) {
    drop(key);
    batch.erases.push_back(keep(std::move(key)));
  }

 private:
  void drop(const std::string& key) {
    std::erase_if(batch.puts, [&](const Row& row) { return row.key == key; });
    std::erase(batch.erases, Bytes(key));
  }
};

}  // namespace parley::core
