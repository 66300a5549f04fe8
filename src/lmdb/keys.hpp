// lmdb/keys.hpp: how partitions, rows and the store's own rows become keys and values of LMDB.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "base/crc32c.hpp"
#include "base/endian.hpp"
#include "lmdb/env.hpp"
#include "parley/store.hpp"

namespace parley::lmdb {

// First byte of every key.
inline constexpr std::uint8_t guard_kind = 0x00;  // [space][id length][id]
inline constexpr std::uint8_t row_kind = 0x01;    // [space][id length][id][key]
inline constexpr std::uint8_t own_kind = 0xff;    // [OwnRow] ...

/// The store's own rows; feed entries come last, so that they are appended at the right edge.
enum class OwnRow : std::uint8_t {
  format = 'a',       // written4 min_reader4 version
  incarnation = 'b',  // 16 bytes
  identity = 'c',     // device8 inode8 clean1
  feed = 'd',         // number of the last entry ever given 8, bytes of the entries kept 8, number
                      // of the last forgotten 8
  folded = 'e',       // LSN of the last group of the log that is in LMDB 8
  log_files = 'f',    // files the log has at least 8
  entry = 'z',        // key: number8; value: space1 id-length1 id note
};

/// A key on the stack. The longest is 3 + 32 + 129 bytes (the bound just above the longest key).
class Key {
 public:
  static Key guard(const Partition& partition) noexcept { return {guard_kind, partition}; }
  static Key row(const Partition& partition, Bytes key) noexcept {
    Key out(row_kind, partition);
    out.append(key);
    return out;
  }
  static Key own(OwnRow row) noexcept {
    Key out;
    const char bytes[2] = {static_cast<char>(own_kind), static_cast<char>(row)};
    out.append({bytes, 2});
    return out;
  }
  static Key entry(std::uint64_t number) noexcept {
    Key out = own(OwnRow::entry);
    char bytes[8];
    base::put_be64(bytes, number);
    out.append({bytes, 8});
    return out;
  }
  void append(Bytes bytes) noexcept {
    if (!bytes.empty()) std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  /// Above every row key that has this one as its prefix.
  [[nodiscard]] Key above() const noexcept {
    Key out = *this;
    std::memset(out.bytes_.data() + size_, 0xff, 129);
    out.size_ += 129;
    return out;
  }
  [[nodiscard]] Bytes bytes() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] MDB_val val() const noexcept { return to_val(bytes()); }

 private:
  Key() = default;
  Key(std::uint8_t kind, const Partition& partition) noexcept {
    const char head[3] = {static_cast<char>(kind), static_cast<char>(partition.space),
                          static_cast<char>(partition.id.size())};
    append({head, 3});
    append(partition.id);
  }
  std::array<char, 296> bytes_;
  std::size_t size_ = 0;
};

/// The partition in a guard's or row's key, and where it ends. None: not such a key.
struct ParsedKey {
  Partition partition;
  Bytes rest;  // a row's own key
};
inline std::optional<ParsedKey> parse_key(Bytes key) noexcept {
  if (key.size() < 4) return std::nullopt;
  const std::size_t length = static_cast<std::uint8_t>(key[2]);
  if (length == 0 || length > 32 || key.size() < 3 + length) return std::nullopt;
  return ParsedKey{{static_cast<std::uint8_t>(key[1]), key.substr(3, length)},
                   key.substr(3 + length)};
}

// A stored value: crc32c(key, value) 4, value. A misplaced page shows as well as a flipped bit.
inline constexpr std::size_t checksum_size = 4;
inline std::uint32_t checksum(Bytes key, Bytes value) noexcept {
  return base::crc32c(base::crc32c(0, key), value);
}
/// None when the checksum does not hold.
inline std::optional<Bytes> open_value(Bytes key, const MDB_val& stored) noexcept {
  const Bytes all = to_bytes(stored);
  if (all.size() < checksum_size) return std::nullopt;
  const Bytes value = all.substr(checksum_size);
  if (base::get_be32(all.data()) != checksum(key, value)) return std::nullopt;
  return value;
}
/// Writes into space that LMDB reserves, without a copy in between. 0 or LMDB's code.
inline int put_value(MDB_txn* txn, Bytes key, Bytes value, unsigned flags = 0) noexcept {
  MDB_val at = to_val(key), space{checksum_size + value.size(), nullptr};
  const int code = mdb_put(txn, main_dbi, &at, &space, flags | MDB_RESERVE);
  if (code != 0) return code;
  auto* out = static_cast<char*>(space.mv_data);
  base::put_be32(out, checksum(key, value));
  if (!value.empty()) std::memcpy(out + checksum_size, value.data(), value.size());
  return 0;
}
inline int erase_value(MDB_txn* txn, Bytes key) noexcept {
  MDB_val at = to_val(key);
  const int code = mdb_del(txn, main_dbi, &at, nullptr);
  return code == MDB_NOTFOUND ? 0 : code;
}
/// Reads a value: 0, MDB_NOTFOUND, MDB_CORRUPTED when the checksum does not hold, or another code.
inline int get_value(MDB_txn* txn, Bytes key, Bytes& value) noexcept {
  MDB_val at = to_val(key), found{};
  const int code = mdb_get(txn, main_dbi, &at, &found);
  if (code != 0) return code;
  const auto opened = open_value(key, found);
  if (!opened) return MDB_CORRUPTED;
  value = *opened;
  return 0;
}

}  // namespace parley::lmdb
