// tests/lmdb/io_faults.cpp: these definitions stand in front of the C library's, for LMDB too.
#include "io_faults.hpp"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string_view>

namespace io_faults {
namespace {

std::atomic<long> countdown{0}, counted{0};
std::atomic<int> fail_with{0};
std::atomic<bool> fail_once{false};

std::atomic<bool> recording{false};
std::mutex mutex;  // guards what follows
std::vector<Record> records;
std::string directory;  // with a slash

bool fails() {
  if (fail_with.load() == 0) return false;
  counted.fetch_add(1);
  const long left = countdown.fetch_sub(1);
  if (left > 1 || (fail_once.load() && left < 1)) return false;
  errno = fail_with.load();
  return true;
}

/// The name in the recorded directory; "" when it is not recorded.
std::string in_directory(std::string_view path) {
  if (!recording.load()) return {};
  std::lock_guard lock(mutex);
  return path.starts_with(directory) ? std::string(path.substr(directory.size())) : "";
}

std::string recorded(int fd) {
  if (!recording.load()) return {};
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  return in_directory({path, size > 0 ? std::size_t(size) : 0});
}

void add(Record record) {
  std::lock_guard lock(mutex);
  records.push_back(std::move(record));
}

void record_write(int fd, const std::string& file, std::uint64_t offset, std::string bytes) {
  add({.kind = Record::Kind::write, .file = file, .offset = offset, .bytes = std::move(bytes)});
  if ((::fcntl(fd, F_GETFL) & O_DSYNC) != 0) add({.kind = Record::Kind::barrier, .file = file});
}

void record_barrier(int fd) {
  if (const std::string file = recorded(fd); !file.empty())
    add({.kind = Record::Kind::barrier, .file = file});
}

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void fail_from(long k, int error, bool once) {
  counted = 0;
  countdown = k;
  fail_once = once;
  fail_with = error;
}
long calls() { return counted; }
void stop_failing() { fail_with = 0; }

void start_recording(const std::string& of) {
  std::lock_guard lock(mutex);
  records.clear();
  directory = of + "/";
  recording = true;
}
void mark(std::uint64_t value) {
  if (recording) add({.kind = Record::Kind::mark, .mark = value});
}
std::vector<Record> stop_recording() {
  recording = false;
  std::lock_guard lock(mutex);
  return std::move(records);
}

}  // namespace io_faults

using io_faults::Record;

extern "C" {

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  static const auto next = io_faults::real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (io_faults::fails()) return -1;
  const ssize_t put = next(fd, data, size, offset);
  if (const std::string file = put > 0 ? io_faults::recorded(fd) : ""; !file.empty())
    io_faults::record_write(fd, file, std::uint64_t(offset),
                            {static_cast<const char*>(data), std::size_t(put)});
  return put;
}

ssize_t writev(int fd, const struct iovec* pieces, int count) {
  static const auto next = io_faults::real<ssize_t (*)(int, const struct iovec*, int)>("writev");
  if (fd > 2 && io_faults::fails()) return -1;
  const std::string file = fd > 2 ? io_faults::recorded(fd) : "";
  const off_t offset = file.empty() ? 0 : ::lseek(fd, 0, SEEK_CUR);
  const ssize_t put = next(fd, pieces, count);
  if (put > 0 && !file.empty()) {
    std::string bytes;
    for (int i = 0; i < count; ++i)
      bytes.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    bytes.resize(std::size_t(put));
    io_faults::record_write(fd, file, std::uint64_t(offset), std::move(bytes));
  }
  return put;
}

int fdatasync(int fd) {
  static const auto next = io_faults::real<int (*)(int)>("fdatasync");
  if (io_faults::fails()) return -1;
  const int code = next(fd);
  if (code == 0) io_faults::record_barrier(fd);
  return code;
}

int fsync(int fd) {
  static const auto next = io_faults::real<int (*)(int)>("fsync");
  if (io_faults::fails()) return -1;
  const int code = next(fd);
  if (code == 0) io_faults::record_barrier(fd);
  return code;
}

int ftruncate(int fd, off_t size) noexcept {
  static const auto next = io_faults::real<int (*)(int, off_t)>("ftruncate");
  return io_faults::fails() ? -1 : next(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  static const auto next = io_faults::real<int (*)(int, int, off_t, off_t)>("fallocate");
  return io_faults::fails() ? -1 : next(fd, mode, offset, size);
}

int rename(const char* from, const char* to) noexcept {
  static const auto next = io_faults::real<int (*)(const char*, const char*)>("rename");
  const int code = next(from, to);
  const std::string was = io_faults::in_directory(from), is = io_faults::in_directory(to);
  if (code == 0 && !was.empty() && !is.empty())
    io_faults::add({.kind = Record::Kind::rename, .file = was, .bytes = is});
  return code;
}

}  // extern "C"
