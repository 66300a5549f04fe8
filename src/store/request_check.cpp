// store/request_check.cpp: see the header.
#include "store/request_check.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace parley::store {
namespace {

Error bound(const char* field, std::size_t most, std::size_t got) {
  return {Errc::too_large, std::string(field) + " is " + std::to_string(got) +
                               " bytes long; at most " + std::to_string(most) + " are stored"};
}

Error check(const Partition& partition) {
  if (partition.space == reserved_space)
    return {Errc::invalid_argument, "partition.space 255 is reserved for the store itself"};
  if (partition.id.empty())
    return {Errc::invalid_argument, "partition.id: expected 1 to 32 bytes, got none"};
  if (partition.id.size() > max_id) return bound("partition.id", max_id, partition.id.size());
  return {};
}

Error check_guard(const char* field, const std::optional<Bytes>& guard) {
  if (!guard) return {};
  if (guard->empty())
    return {Errc::invalid_argument, std::string(field) + ": expected 1 to 256 bytes, got none"};
  if (guard->size() > max_guard) return bound(field, max_guard, guard->size());
  return {};
}

Error check_key(Bytes key) {
  if (key.empty())
    return {Errc::invalid_argument, "a row's key: expected 1 to 128 bytes, got none"};
  if (key.size() > max_key) return bound("a row's key", max_key, key.size());
  return {};
}

bool has_duplicate(const Batch& batch) {
  if (batch.puts.size() + batch.erases.size() < 2) return false;
  std::vector<Bytes> keys;
  keys.reserve(batch.puts.size() + batch.erases.size());
  for (const Row& row : batch.puts) keys.push_back(row.key);
  keys.insert(keys.end(), batch.erases.begin(), batch.erases.end());
  if (!std::is_sorted(keys.begin(), keys.end())) std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

}  // namespace

std::size_t batch_bytes(const Batch& batch) noexcept {
  std::size_t sum = 0;
  for (const Row& row : batch.puts) sum += row.key.size() + row.value.size();
  for (Bytes key : batch.erases) sum += key.size();
  return sum;
}

Error check(const Batch& batch, const StoreFacts& facts) {
  if (Error error = check(batch.partition)) return error;
  if (Error error = check_guard("expect", batch.expect)) return error;
  if (Error error = check_guard("guard", batch.guard)) return error;
  if (!batch.guard && !batch.expect)
    return {Errc::invalid_argument, "expect, guard: expected one of them, got none"};
  if (batch.guard && batch.expect == batch.guard)
    return {Errc::invalid_argument, "guard equals expect; a guard never returns in a partition"};
  if (!batch.guard && !batch.puts.empty())
    return {Errc::invalid_argument, "a batch that ends its partition has puts"};
  if (batch.note.size() > max_note) return bound("note", max_note, batch.note.size());
  const std::size_t rows = batch.puts.size() + batch.erases.size();
  if (rows > facts.max_batch_rows)
    return {Errc::too_large, "the batch has " + std::to_string(rows) + " rows; at most " +
                                 std::to_string(facts.max_batch_rows) + " fit"};
  for (const Row& row : batch.puts) {
    if (Error error = check_key(row.key)) return error;
    if (row.value.size() > facts.max_value)
      return bound("a row's value", facts.max_value, row.value.size());
  }
  for (Bytes key : batch.erases)
    if (Error error = check_key(key)) return error;
  if (const std::size_t bytes = batch_bytes(batch); bytes > facts.max_batch_bytes)
    return bound("the batch", facts.max_batch_bytes, bytes);
  if (has_duplicate(batch))
    return {Errc::invalid_argument, "a key occurs twice in one batch's puts and erases"};
  return {};
}

Error check(const Get& get) {
  if (get.cells.size() > max_cells)
    return {Errc::too_large, "a get of " + std::to_string(get.cells.size()) +
                                 " cells; at most 4096 are read at once"};
  for (const Get::Cell& cell : get.cells) {
    if (Error error = check(cell.partition)) return error;
    if (cell.key.size() > max_key) return bound("a cell's key", max_key, cell.key.size());
  }
  return {};
}

Error check(const Scan& scan) {
  if (Error error = check(scan.partition)) return error;
  // One byte more than a key: the least key above the longest one.
  if (scan.from.size() > max_key + 1) return bound("from", max_key + 1, scan.from.size());
  if (scan.to.size() > max_key + 1) return bound("to", max_key + 1, scan.to.size());
  return {};
}

Error closed_error() { return {Errc::engine_closed, "the store is closed"}; }

}  // namespace parley::store
