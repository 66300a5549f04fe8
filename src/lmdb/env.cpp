// lmdb/env.cpp: see the header.
#include "lmdb/env.hpp"

#include <errno.h>

#include "base/os_file.hpp"

namespace parley::lmdb {

Error to_error(const std::string& what, int code) {
  Errc errc = Errc::store_failed;
  switch (code) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
      errc = Errc::disk_full;
      break;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
      errc = Errc::store_corrupt;
      break;
    case MDB_VERSION_MISMATCH:
      errc = Errc::store_format;
      break;
    case MDB_READERS_FULL:
    case EAGAIN:
      errc = Errc::busy;
      break;
    default:
      break;
  }
  std::string text = what + ": " + mdb_strerror(code);
  if (errc == Errc::store_corrupt) text += "; run parley-check on the directory";
  return {errc, std::move(text)};
}

Result<std::unique_ptr<Env>> Env::open(const std::string& directory, std::size_t map_size,
                                       Access access) {
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw); code != 0)
    return to_error("cannot create an LMDB environment", code);
  std::unique_ptr<Env> env(new Env(raw));
  // A check walks everything; a server reads pages here and there, and what a disk reads ahead of
  // each would drive out what is used.
  const unsigned access_flags = access == Access::check ? MDB_RDONLY | MDB_NOLOCK : MDB_NORDAHEAD;
  const unsigned flags = MDB_NOTLS | access_flags;
  int code = mdb_env_set_maxreaders(raw, max_readers);
  if (code == 0) code = mdb_env_set_mapsize(raw, map_size);
  if (code == 0) code = mdb_env_open(raw, directory.c_str(), flags, 0600);
  if (code != 0) return to_error("cannot open the store in " + directory, code);
  base::set_close_on_exec(env->descriptor());
  if (access == Access::check) return env;

  int dead = 0;
  code = mdb_reader_check(raw, &dead);  // slots of readers that died with their process
  // The number of the unnamed database is fixed, but it must be opened once.
  MDB_txn* txn = nullptr;
  if (code == 0) code = mdb_txn_begin(raw, nullptr, 0, &txn);
  if (code != 0) return to_error("cannot open the store in " + directory, code);
  MDB_dbi dbi = 0;
  code = mdb_dbi_open(txn, nullptr, 0, &dbi);
  mdb_txn_abort(txn);
  if (code != 0 || dbi != main_dbi)
    return to_error("cannot open the database in " + directory, code != 0 ? code : MDB_INVALID);
  return env;
}

int Env::descriptor() const noexcept {
  mdb_filehandle_t descriptor = -1;
  mdb_env_get_fd(env_, &descriptor);
  return descriptor;
}

std::size_t Env::map_size() const noexcept {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

std::size_t Env::used() const noexcept {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  return (info.me_last_pgno + 1) * stat.ms_psize;
}

int Env::resize(std::size_t map_size) noexcept { return mdb_env_set_mapsize(env_, map_size); }

}  // namespace parley::lmdb
