// lmdb/directory.cpp: see the header.
#include "lmdb/directory.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/os.hpp"

namespace parley::lmdb {
namespace {

constexpr const char* lock_name = "LOCK";
constexpr const char* fresh_prefix = "new-";

bool ours(const std::string& name) {
  return name == lock_name || name == "lock.mdb" || name == "lost+found" ||
         name.starts_with(fresh_prefix) || name.starts_with(log_prefix);
}

Result<void> make_database(const std::string& path, const Incarnation& fresh) {
  auto made = base::make_unique_directory(path + "/" + fresh_prefix);
  if (!made) return std::move(made).error();
  {
    auto env = Env::open(*made, std::size_t{1} << 20, Env::Access::write);
    if (!env) return std::move(env).error();
    if (auto written = write_first_rows(**env, fresh); !written) return written;
  }
  const std::string file = *made + "/" + data_file;
  if (auto synced = base::sync_path(file); !synced) return synced;
  if (auto synced = base::sync_path(*made); !synced) return synced;
  auto renamed = base::rename_file(file, path + "/" + data_file);
  if (!renamed) return renamed;
  if (auto synced = base::sync_path(path); !synced) return synced;
  return base::remove_directory(*made);
}

template <class T>
T field(const char* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// One of the two meta pages, as LMDB 0.9 lays them out on 64-bit systems.
struct Meta {
  static constexpr std::size_t size = 16 + 136;  // page header, MDB_meta
  std::uint32_t magic, version, page_size;
  std::uint64_t free_root, main_root, last_page, txn;
  explicit Meta(const char* page) noexcept
      : magic(field<std::uint32_t>(page + 16)),
        version(field<std::uint32_t>(page + 20)),
        page_size(field<std::uint32_t>(page + 40)),
        free_root(field<std::uint64_t>(page + 40 + 40)),
        main_root(field<std::uint64_t>(page + 88 + 40)),
        last_page(field<std::uint64_t>(page + 136)),
        txn(field<std::uint64_t>(page + 144)) {}
  [[nodiscard]] bool known() const noexcept { return magic == 0xbeefc0de && version == 1; }
};

Error damaged(const std::string& file, const std::string& how) {
  return {Errc::store_corrupt, file + " " + how + "; run parley-check on the directory"};
}

}  // namespace

Result<void> check_header(const std::string& file) {
  const auto size = base::file_size(file);
  if (!size) return size.error();
  std::array<char, Meta::size> bytes{};
  const auto first_read = base::read_at(file, 0, bytes.data(), bytes.size());
  if (!first_read) return first_read.error();
  if (!*first_read) return damaged(file, "is shorter than its header");
  const Meta first(bytes.data());
  if (!first.known()) return damaged(file, "has no header of a store");
  const std::uint64_t page = first.page_size;
  if (page < 256 || page > 65536 || (page & (page - 1)) != 0)
    return damaged(file, "names an impossible page size");
  const auto second_read = base::read_at(file, page, bytes.data(), bytes.size());
  if (!second_read) return second_read.error();
  if (!*second_read) return damaged(file, "is shorter than its header");
  const Meta second(bytes.data());
  if (!second.known()) return damaged(file, "has a damaged second header page");
  const Meta& newest = second.txn > first.txn ? second : first;
  const auto inside = [&](std::uint64_t root) {
    return root == ~std::uint64_t{0} || (root >= 2 && root < *size / page);
  };
  if (newest.last_page > (std::uint64_t{1} << 48) || !inside(newest.free_root) ||
      !inside(newest.main_root))
    return damaged(file, "is cut short: its root pages are missing");
  return {};
}

Result<Directory> open_directory(const std::string& path, const Incarnation& fresh, bool create) {
  if (path.empty()) return Error{Errc::invalid_argument, "path: expected a directory, got none"};
  switch (base::path_kind(path)) {
    case base::PathKind::directory:
      break;
    case base::PathKind::absent:
      if (!create) return Error{Errc::invalid_argument, "path: there is no directory " + path};
      if (auto made = base::make_directory(path); !made) return std::move(made).error();
      if (auto synced = base::sync_path(base::parent_directory(path)); !synced)
        return std::move(synced).error();
      break;
    default:
      return Error{Errc::invalid_argument, "path: " + path + " is no directory"};
  }
  const auto network = base::on_network(path);
  if (!network) return network.error();
  if (*network)
    return Error{Errc::invalid_argument,
                 "path: " + path +
                     " is on a network file system, where locks and mapped files "
                     "cannot be trusted; use a local disk"};
  auto names = base::directory_entries(path);
  if (!names) return std::move(names).error();
  const auto has_data = [](const std::vector<std::string>& all) {
    return std::find(all.begin(), all.end(), data_file) != all.end();
  };
  if (!has_data(*names) && (!create || !std::all_of(names->begin(), names->end(), ours)))
    return Error{Errc::invalid_argument,
                 "path: " + path + " holds no store" + (create ? " and is not empty" : "")};

  auto lock = base::lock_file(path + "/" + lock_name);
  if (!lock) return std::move(lock).error();
  names = base::directory_entries(path);  // under the lock: what a dying creator left
  if (!names) return std::move(names).error();
  for (const std::string& name : *names)
    if (name.starts_with(fresh_prefix))
      if (auto gone = base::remove_directory(path + "/" + name); !gone)
        return std::move(gone).error();
  if (!has_data(*names)) {
    // LMDB's own lock file and the log are made beside a database: there was one.
    const auto beside = [](const std::string& name) {
      return name == "lock.mdb" || name.starts_with(log_prefix);
    };
    if (std::any_of(names->begin(), names->end(), beside))
      return Error{Errc::store_corrupt, "path: " + path + " has lost its " + data_file +
                                            "; restore it, or empty the directory to begin anew"};
    if (!create) return Error{Errc::invalid_argument, "path: " + path + " holds no store"};
    if (auto made = make_database(path, fresh); !made) return std::move(made).error();
  }
  if (auto checked = check_header(path + "/" + data_file); !checked)
    return std::move(checked).error();
  return Directory{path, std::move(*lock)};
}

}  // namespace parley::lmdb
