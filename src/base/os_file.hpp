// base/os_file.hpp: what the embedded store asks of the file system; the only place that does.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/os_socket.hpp"  // Descriptor, system_message
#include "parley/result.hpp"

namespace parley::base {

/// Which file this is, as long as it is not copied.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

enum class PathKind : std::uint8_t { absent, directory, file, other };
PathKind path_kind(const std::string& path) noexcept;
/// Names in a directory, without "." and "..".
Result<std::vector<std::string>> directory_entries(const std::string& path);
/// The part before the last slash, "." when there is none.
std::string parent_directory(const std::string& path);

/// A fresh directory `prefix` + six random characters, mode 0700.
Result<std::string> make_unique_directory(const std::string& prefix);
/// Mode 0700; no error when it is there already.
Result<void> make_directory(const std::string& path);
/// Renames a file over whatever stands there.
Result<void> rename_file(const std::string& from, const std::string& to);
/// Removes a directory that holds files only.
Result<void> remove_directory(const std::string& path);
/// Makes a file's or directory's contents durable.
Result<void> sync_path(const std::string& path);

/// Opens (creating, mode 0600) and locks a file against every other holder, in this process too.
/// Errc::store_locked when somebody has it. Close-on-exec; released when the descriptor closes.
Result<Descriptor> lock_file(const std::string& path);

Result<FileIdentity> file_identity(int descriptor);
Result<std::uint64_t> file_size(const std::string& path);
/// Reads exactly `size` bytes; false when the file is shorter.
Result<bool> read_at(const std::string& path, std::uint64_t offset, char* out, std::size_t size);
/// An existing file, to be read and written at offsets. Close-on-exec.
Result<Descriptor> open_file(const std::string& path);
/// A new file of `size` zeros, mode 0600, durable with its name. Its blocks are written, not just
/// reserved, so that writing them again changes nothing but their contents. Empty or cut short
/// after an error.
Result<Descriptor> create_zeroed(const std::string& path, std::uint64_t size);
/// 0, or an errno; then any part of the bytes may have been written.
int write_at(int descriptor, std::uint64_t offset, Bytes bytes) noexcept;
/// Makes a file's contents durable: 0, or an errno.
int sync_data(int descriptor) noexcept;

/// True for file systems whose locks and mappings cannot be trusted (NFS, SMB, Ceph ...).
Result<bool> on_network(const std::string& path);

/// Reserves blocks for bytes [from, to) without changing the file's length. 0, or an errno: ENOSPC
/// when there is no room, EOPNOTSUPP when the file system cannot.
int reserve_blocks(int descriptor, std::uint64_t from, std::uint64_t to) noexcept;
void set_close_on_exec(int descriptor) noexcept;

/// Runs `work` in a child process with its standard streams on /dev/null but for `output`, which
/// receives what it writes to its argument. For reading files that may crash the reader.
struct ChildOutcome {
  int exit_code = 0;  // of a child that ended by itself
  int signal = 0;     // or the signal that ended it
  std::string output;
};
Result<ChildOutcome> run_in_child(const std::function<int(int output)>& work);

}  // namespace parley::base
