// lmdb/own_rows.cpp: see the header.
#include "lmdb/own_rows.hpp"

#include "lmdb/keys.hpp"
#include "parley/version.hpp"

namespace parley::lmdb {
namespace {

Result<Bytes> read(MDB_txn* txn, OwnRow row, const char* name, std::size_t least) {
  Bytes value;
  const int code = get_value(txn, Key::own(row).bytes(), value);
  if (code == MDB_NOTFOUND || (code == 0 && value.size() < least))
    return Error{Errc::store_corrupt,
                 std::string("the store's own row \"") + name + "\" is missing or cut short"};
  if (code != 0) return to_error(std::string("cannot read the store's row ") + name, code);
  return value;
}

int write_format(MDB_txn* txn) {
  std::string value;
  base::append_be(value, format_written);
  base::append_be(value, format_written);
  value += PARLEY_VERSION_STRING;
  return put_value(txn, Key::own(OwnRow::format).bytes(), value);
}

int write_incarnation(MDB_txn* txn, const Incarnation& incarnation) noexcept {
  return put_value(txn, Key::own(OwnRow::incarnation).bytes(),
                   {reinterpret_cast<const char*>(incarnation.data()), incarnation.size()});
}

int write_identity(MDB_txn* txn, const Identity& identity) noexcept {
  char value[17];
  base::put_be64(value, identity.file.device);
  base::put_be64(value + 8, identity.file.inode);
  value[16] = identity.clean ? 1 : 0;
  return put_value(txn, Key::own(OwnRow::identity).bytes(), {value, sizeof value});
}

int write_number(MDB_txn* txn, OwnRow row, std::uint64_t number) noexcept {
  char value[8];
  base::put_be64(value, number);
  return put_value(txn, Key::own(row).bytes(), {value, sizeof value});
}

}  // namespace

int write_feed(MDB_txn* txn, const FeedState& feed) noexcept {
  char value[24];
  base::put_be64(value, feed.last);
  base::put_be64(value + 8, feed.bytes);
  base::put_be64(value + 16, feed.through);
  return put_value(txn, Key::own(OwnRow::feed).bytes(), {value, sizeof value});
}

int write_folded(MDB_txn* txn, std::uint64_t lsn) noexcept {
  return write_number(txn, OwnRow::folded, lsn);
}

int write_log_files(MDB_txn* txn, std::uint64_t count) noexcept {
  return write_number(txn, OwnRow::log_files, count);
}

Result<Format> read_format(MDB_txn* txn) {
  auto value = read(txn, OwnRow::format, "format", 8);
  if (!value) return std::move(value).error();
  return Format{base::get_be32(value->data()), base::get_be32(value->data() + 4),
                std::string(value->substr(8))};
}

Result<Incarnation> read_incarnation(MDB_txn* txn) {
  auto value = read(txn, OwnRow::incarnation, "incarnation", 16);
  if (!value) return std::move(value).error();
  Incarnation out{};
  std::memcpy(out.data(), value->data(), out.size());
  return out;
}

Result<Identity> read_identity(MDB_txn* txn) {
  auto value = read(txn, OwnRow::identity, "identity", 17);
  if (!value) return std::move(value).error();
  return Identity{{base::get_be64(value->data()), base::get_be64(value->data() + 8)},
                  (*value)[16] != 0};
}

Result<FeedState> read_feed(MDB_txn* txn) {
  auto value = read(txn, OwnRow::feed, "feed", 16);
  if (!value) return std::move(value).error();
  FeedState feed{base::get_be64(value->data()), base::get_be64(value->data() + 8)};
  if (value->size() >= 24) feed.through = base::get_be64(value->data() + 16);  // not in format 1
  return feed;
}

Result<std::uint64_t> read_folded(MDB_txn* txn) {
  auto value = read(txn, OwnRow::folded, "folded", 8);
  if (!value) return std::move(value).error();
  return base::get_be64(value->data());
}

Result<std::uint64_t> read_log_files(MDB_txn* txn) {
  Bytes value;
  if (get_value(txn, Key::own(OwnRow::log_files).bytes(), value) == MDB_NOTFOUND)
    return std::uint64_t{0};
  auto found = read(txn, OwnRow::log_files, "log files", 8);
  if (!found) return std::move(found).error();
  return base::get_be64(found->data());
}

Error check_format(const Format& format) {
  if (format.min_reader <= format_known) return {};
  return {Errc::store_format, "the store was written by Parley " + format.version + " in format " +
                                  std::to_string(format.written) +
                                  "; this version, " PARLEY_VERSION_STRING ", reads up to format " +
                                  std::to_string(format_known) + ": use the newer version"};
}

Result<void> write_first_rows(Env& env, const Incarnation& incarnation) {
  WriteTxn txn;
  int code = txn.begin(env);
  if (code == 0) code = write_format(txn.get());
  if (code == 0) code = write_incarnation(txn.get(), incarnation);
  if (code == 0) code = write_identity(txn.get(), {{}, true});
  if (code == 0) code = write_feed(txn.get(), {});
  if (code == 0) code = write_folded(txn.get(), 0);
  if (code == 0) code = txn.commit();
  if (code != 0) return to_error("cannot write a fresh store", code);
  return {};
}

Result<OwnRows> read_own_rows(MDB_txn* txn) {
  auto format = read_format(txn);
  if (!format) return std::move(format).error();
  if (Error error = check_format(*format)) return error;
  const auto incarnation = read_incarnation(txn);
  if (!incarnation) return incarnation.error();
  const auto identity = read_identity(txn);
  if (!identity) return identity.error();
  const auto feed = read_feed(txn);
  if (!feed) return feed.error();
  const auto folded = format->written == 1 ? Result<std::uint64_t>(0) : read_folded(txn);
  if (!folded) return folded.error();
  const auto files = read_log_files(txn);
  if (!files) return files.error();
  return OwnRows{std::move(*format), *incarnation, *identity, *feed, *folded, *files};
}

Result<OwnRows> read_own_rows(Env& env) {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env.get(), nullptr, MDB_RDONLY, &txn); code != 0)
    return to_error("cannot read the store", code);
  auto rows = read_own_rows(txn);
  mdb_txn_abort(txn);
  return rows;
}

Result<void> take_over(Env& env, const OwnRows& rows, const Incarnation& incarnation,
                       std::uint64_t log_files) {
  const auto file = base::file_identity(env.descriptor());
  if (!file) return file.error();
  WriteTxn txn;
  int code = txn.begin(env);
  if (code == 0 && rows.format.written < format_written) {  // the upgrade, whole or not at all
    code = write_format(txn.get());
    if (code == 0) code = write_folded(txn.get(), rows.folded);
  }
  if (code == 0 && incarnation != rows.incarnation)
    code = write_incarnation(txn.get(), incarnation);
  if (code == 0) code = write_log_files(txn.get(), log_files);
  if (code == 0) code = write_identity(txn.get(), {*file, false});
  if (code == 0) code = txn.commit();
  if (code != 0) return to_error("cannot take the store over", code);
  return {};
}

int write_clean(Env& env, const base::FileIdentity& file) noexcept {
  WriteTxn txn;
  int code = txn.begin(env);
  if (code == 0) code = write_identity(txn.get(), {file, true});
  return code == 0 ? txn.commit() : code;
}

Result<void> renew_incarnation(Env& env, const Incarnation& fresh) {
  WriteTxn txn;
  int code = txn.begin(env);
  if (code == 0) code = write_incarnation(txn.get(), fresh);
  if (code == 0) code = txn.commit();
  if (code != 0) return to_error("cannot write the incarnation", code);
  return {};
}

}  // namespace parley::lmdb
