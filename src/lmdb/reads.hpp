// lmdb/reads.hpp: the read calls of the contract over the tails and one read transaction, copied
// out before it ends.
#pragma once
#include <cstdint>

#include "lmdb/own_rows.hpp"
#include "lmdb/reader_pool.hpp"
#include "lmdb/tails.hpp"
#include "parley/store.hpp"

namespace parley::lmdb {

// The requests are within the limits (store/request_check.hpp). A checksum that does not hold is
// store_corrupt. Thread: any.
Result<Cells> read_cells(const Tails& tails, ReaderPool::Lease& reader, const Get& get);
Result<Rows> read_rows(const Tails& tails, ReaderPool::Lease& reader, const Scan& scan);
Result<Listed> read_list(const Tails& tails, ReaderPool::Lease& reader, std::uint8_t space,
                         Bytes after, std::uint32_t max);
Result<Changes> read_changes(const Tails& tails, ReaderPool::Lease& reader,
                             const Incarnation& incarnation, Bytes after, std::uint32_t max);

}  // namespace parley::lmdb
