// base/os_file.cpp: Linux; each function says what another system would need.
#include "base/os_file.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace parley::base {
namespace {

Error failure(const std::string& what, int code) {
  const Errc errc = code == ENOSPC || code == EDQUOT ? Errc::disk_full : Errc::store_failed;
  return {errc, what + ": " + system_message(code)};
}

}  // namespace

PathKind path_kind(const std::string& path) noexcept {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return PathKind::absent;
  if (S_ISDIR(found.st_mode)) return PathKind::directory;
  return S_ISREG(found.st_mode) ? PathKind::file : PathKind::other;
}

Result<std::vector<std::string>> directory_entries(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return failure("cannot read " + path, errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  ::closedir(directory);
  return names;
}

std::string parent_directory(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> make_unique_directory(const std::string& prefix) {
  std::string path = prefix + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return failure("cannot create " + path, errno);
  return path;
}

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return failure("cannot create " + path, errno);
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return failure("cannot rename " + from + " to " + to, errno);
}

Result<void> remove_directory(const std::string& path) {
  auto names = directory_entries(path);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names)
    if (::unlink((path + "/" + name).c_str()) != 0)
      return failure("cannot remove " + path + "/" + name, errno);
  if (::rmdir(path.c_str()) != 0) return failure("cannot remove " + path, errno);
  return {};
}

Result<void> sync_path(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failure("cannot open " + path, errno);
  if (::fsync(file.get()) != 0) return failure("cannot sync " + path, errno);  // macOS: F_FULLFSYNC
  return {};
}

Result<Descriptor> lock_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failure("cannot open " + path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK)
    return Error{Errc::store_locked, path +
                                         " is locked: another process, or this one, has the "
                                         "store open"};
  return failure("cannot lock " + path, errno);
}

Result<FileIdentity> file_identity(int descriptor) {
  struct stat found {};
  if (::fstat(descriptor, &found) != 0) return failure("fstat failed", errno);
  return FileIdentity{found.st_dev, found.st_ino};
}

Result<std::uint64_t> file_size(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return failure("cannot stat " + path, errno);
  return static_cast<std::uint64_t>(found.st_size);
}

Result<bool> read_at(const std::string& path, std::uint64_t offset, char* out, std::size_t size) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failure("cannot open " + path, errno);
  while (size > 0) {
    const ssize_t got = ::pread(file.get(), out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("cannot read " + path, errno);
    if (got == 0) return false;
    out += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

Result<Descriptor> open_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return failure("cannot open " + path, errno);
  return file;
}

Result<Descriptor> create_zeroed(const std::string& path, std::uint64_t size) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failure("cannot create " + path, errno);
  const std::string zeros(std::size_t{1} << 18, '\0');
  int code = 0;
  for (std::uint64_t at = 0; code == 0 && at < size; at += zeros.size())
    code = write_at(file.get(), at,
                    Bytes(zeros).substr(0, std::min<std::uint64_t>(zeros.size(), size - at)));
  if (code == 0) code = sync_data(file.get());
  Result<void> named;
  if (code == 0) named = sync_path(parent_directory(path));
  if (code == 0 && named) return file;
  if (::ftruncate(file.get(), 0) != 0) {}  // it was to give its blocks back: no more can be done
  return code != 0 ? failure("cannot write " + path, code) : std::move(named).error();
}

int write_at(int descriptor, std::uint64_t offset, Bytes bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return put < 0 ? errno : EIO;
    offset += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

int sync_data(int descriptor) noexcept {
  return ::fdatasync(descriptor) == 0 ? 0 : errno;  // macOS: F_FULLFSYNC
}

Result<bool> on_network(const std::string& path) {
  struct statfs found {};  // macOS: f_flags & MNT_LOCAL
  if (::statfs(path.c_str(), &found) != 0) return failure("cannot stat " + path, errno);
  constexpr std::array<std::uint32_t, 12> network = {
      0x6969,      // NFS
      0x517b,      // SMB
      0xff534d42,  // CIFS
      0xfe534d42,  // SMB2
      0x5346414f,  // AFS
      0x6b414653,  // kAFS
      0x73757245,  // Coda
      0x00c36400,  // Ceph
      0x01021997,  // 9P
      0x0bd00bd3,  // Lustre
      0x7461636f,  // OCFS2
      0x01161970,  // GFS2
  };
  for (const std::uint32_t magic : network)
    if (static_cast<std::uint32_t>(found.f_type) == magic) return true;
  return false;
}

int reserve_blocks(int descriptor, std::uint64_t from, std::uint64_t to) noexcept {
  while (::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                     static_cast<off_t>(to - from)) != 0)
    if (errno != EINTR) return errno;  // macOS: F_PREALLOCATE
  return 0;
}

void set_close_on_exec(int descriptor) noexcept {
  const int flags = ::fcntl(descriptor, F_GETFD);
  if (flags >= 0 && (flags & FD_CLOEXEC) == 0) ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
}

Result<ChildOutcome> run_in_child(const std::function<int(int output)>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure("cannot make a pipe", errno);
  Descriptor read_end(ends[0]), write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return failure("cannot fork", errno);
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int standard = 0; standard < 3 && null >= 0; ++standard) ::dup2(null, standard);
    ::_exit(work(write_end.get()));
  }
  write_end.reset();
  ChildOutcome outcome;
  char buffer[4096];
  while (true) {
    const ssize_t got = ::read(read_end.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (outcome.output.size() < 1024 * 1024) outcome.output.append(buffer, size_t(got));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return failure("cannot wait for the child", errno);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

}  // namespace parley::base
