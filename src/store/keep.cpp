// store/keep.cpp: see the header.
#include "store/keep.hpp"

#include "store/answer.hpp"

namespace parley::store {

Batch keep(Batch batch) {
  if (batch.owner) return batch;
  std::size_t bytes = aligned8(batch.partition.id.size()) + aligned8(batch.note.size());
  if (batch.expect) bytes += aligned8(batch.expect->size());
  if (batch.guard) bytes += aligned8(batch.guard->size());
  for (const Row& row : batch.puts) bytes += aligned8(row.key.size()) + aligned8(row.value.size());
  for (Bytes key : batch.erases) bytes += aligned8(key.size());
  AnswerBlock block(bytes);
  batch.partition.id = block.put(batch.partition.id);
  batch.note = block.put(batch.note);
  if (batch.expect) batch.expect = block.put(*batch.expect);
  if (batch.guard) batch.guard = block.put(*batch.guard);
  for (Row& row : batch.puts) row = {block.put(row.key), block.put(row.value)};
  for (Bytes& key : batch.erases) key = block.put(key);
  batch.owner = std::move(block).owner();
  return batch;
}

Get keep(Get get) {
  if (get.owner) return get;
  std::size_t bytes = 0;
  for (const Get::Cell& cell : get.cells)
    bytes += aligned8(cell.partition.id.size()) + aligned8(cell.key.size());
  AnswerBlock block(bytes);
  for (Get::Cell& cell : get.cells) {
    cell.partition.id = block.put(cell.partition.id);
    cell.key = block.put(cell.key);
  }
  get.owner = std::move(block).owner();
  return get;
}

Scan keep(Scan scan) {
  if (scan.owner) return scan;
  AnswerBlock block(aligned8(scan.partition.id.size()) + aligned8(scan.from.size()) +
                    aligned8(scan.to.size()));
  scan.partition.id = block.put(scan.partition.id);
  scan.from = block.put(scan.from);
  scan.to = block.put(scan.to);
  scan.owner = std::move(block).owner();
  return scan;
}

}  // namespace parley::store
