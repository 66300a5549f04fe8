// send_batch_test.cpp: sends gathered through io_uring, and what happens when it fails.
#include "net/send_batch.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <set>

#include "net/manual_host.hpp"
#include "parley/limits.hpp"
#include "parley/net.hpp"

using namespace parley;
using namespace parley::testing_net;
using net::SendBatch;

namespace {

std::unique_ptr<SendBatch> batch_or_warn() {
  auto made = SendBatch::create();
  if (made.ok()) return std::move(*made);
  WARN("not run: " << made.error().message);
  return nullptr;
}

struct Pair {
  base::Descriptor here, there;
  Pair() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) == 0);
    here = base::Descriptor(both[0]);
    there = base::Descriptor(both[1]);
  }
  [[nodiscard]] std::string read() const {
    std::string all;
    std::array<char, 4096> some{};
    for (;;) {
      const auto got = base::receive(there.get(), some);
      if (got.status != base::IoStatus::ok) return all;
      all.append(some.data(), got.bytes);
    }
  }
};

void add(SendBatch& batch, int socket, std::string_view text) {
  std::copy(text.begin(), text.end(), batch.room());
  batch.add(nullptr, socket, text.size());
}

std::set<std::string> rings() {
  std::set<std::string> found;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (!gone && target == "anon_inode:[io_uring]") found.insert(entry.path().filename());
  }
  return found;
}

/// From here on the kernel refuses what is asked of the ring with this descriptor.
void break_ring(const std::string& descriptor) {
  const base::Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  REQUIRE(::dup2(null.get(), std::stoi(descriptor)) >= 0);
}

/// The process has no descriptor left while this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none{0, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("a batch sends each lot to its socket, in the order added, again and again") {
  const auto batch = batch_or_warn();
  if (!batch) return;
  std::vector<Pair> pairs(SendBatch::most);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      REQUIRE_FALSE(batch->full());
      add(*batch, pairs[i].here.get(), std::to_string(i) + " round " + std::to_string(round));
    }
    CHECK(batch->full());
    for (const SendBatch::Entry& entry : batch->send()) {
      CHECK(entry.result == static_cast<int>(entry.size));
    }
    batch->clear();
    CHECK(batch->works());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      CHECK(pairs[i].read() == std::to_string(i) + " round " + std::to_string(round));
    }
  }
}

TEST_CASE("a batch of large lots is full before its room ends") {
  const auto batch = batch_or_warn();
  if (!batch) return;
  const Pair pair;
  const std::string lot(SendBatch::largest, 'x');
  std::size_t added = 0;
  for (; !batch->full(); ++added) add(*batch, pair.here.get(), lot);
  CHECK(added == 16);
  for (const SendBatch::Entry& entry : batch->send()) {
    CHECK(entry.result == static_cast<int>(entry.size));
  }
  CHECK(pair.read().size() == added * lot.size());
}

TEST_CASE("a batch tells of sockets that are full, in part or wholly, and does not wait") {
  const auto batch = batch_or_warn();
  if (!batch) return;
  bool in_part = false;
  for (int before = 0; before < 16; ++before) {
    const Pair pair;
    const Pair other;
    base::limit_buffers(pair.here.get(), 1, 0);  // the least there is
    std::string written;
    const auto send = [&](const std::string& lot) {
      add(*batch, pair.here.get(), lot);
      add(*batch, other.here.get(), "!");  // so that it is not sent alone
      const auto entries = batch->send();
      const int result = entries[0].result;
      CHECK(entries[1].result == 1);
      batch->clear();
      if (result > 0) written.append(lot, 0, static_cast<std::size_t>(result));
      return result;
    };
    for (int i = 0; i < before; ++i) send(std::string(1, static_cast<char>('A' + i)));
    int result = 1;
    for (int round = 0; round < 100 && result > 0; ++round) {
      const std::string lot(SendBatch::largest, static_cast<char>('a' + round % 26));
      result = send(lot);
      in_part = in_part || (result > 0 && result < static_cast<int>(lot.size()));
    }
    CHECK(result == -EAGAIN);
    CHECK(pair.read() == written);
  }
  CHECK(in_part);
  CHECK(batch->works());
}

TEST_CASE("a batch tells of peers that are gone, without a signal, and sends to the others") {
  const auto batch = batch_or_warn();
  if (!batch) return;
  const Pair first, last;
  Pair gone;
  gone.there.reset();
  add(*batch, first.here.get(), "first");
  add(*batch, gone.here.get(), "nobody");
  add(*batch, -1, "no socket");
  add(*batch, last.here.get(), "last");
  const auto entries = batch->send();
  CHECK(entries[0].result == 5);
  CHECK(entries[1].result == -EPIPE);
  CHECK(entries[2].result == -EBADF);
  CHECK(entries[3].result == 4);
  CHECK(first.read() == "first");
  CHECK(last.read() == "last");
  CHECK(batch->works());
}

TEST_CASE("without descriptors there is no batch, and the reason is told") {
  if (!io_uring_works().ok()) return;
  {
    const NoDescriptors none;
    const auto works = io_uring_works();
    REQUIRE_FALSE(works.ok());
    CHECK(works.error().errc() == Errc::unsupported);
    CHECK(works.error().message.find("Too many open files") != std::string::npos);
  }
  CHECK(io_uring_works().ok());
}

TEST_CASE("a ring that fails in mid-life loses nothing: what it did not take goes alone") {
  const auto before = rings();
  const auto batch = batch_or_warn();
  if (!batch) return;
  for (const std::string& descriptor : rings()) {
    if (!before.contains(descriptor)) break_ring(descriptor);
  }
  const Pair one, two;
  add(*batch, one.here.get(), "one");
  add(*batch, two.here.get(), "two");
  for (const SendBatch::Entry& entry : batch->send()) CHECK(entry.result == 3);
  batch->clear();
  CHECK_FALSE(batch->works());
  add(*batch, one.here.get(), ", three");
  add(*batch, two.here.get(), ", four");
  batch->send();
  CHECK(one.read() == "one, three");
  CHECK(two.read() == "two, four");
}

TEST_CASE("a child of fork() leaves its parent's ring alone and sends by itself") {
  const auto batch = batch_or_warn();
  if (!batch) return;
  const Pair one, two;
  add(*batch, one.here.get(), "1");
  add(*batch, two.here.get(), "2");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    bool good = true;
    for (const SendBatch::Entry& entry : batch->send()) good = good && entry.result == 1;
    ::_exit(good && !batch->works() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(one.read() + two.read() == "12");
  batch->send();
  CHECK(batch->works());
  CHECK(one.read() + two.read() == "12");
}

// ---- Links ----

namespace {

std::string framed(std::string_view text) {
  return {std::string("\0\0\0", 3) + static_cast<char>(text.size()) + std::string(text)};
}

void say(Link& link, std::string_view text) {
  const Payload payload = Payload::copy_of(text);
  link.send(std::span(&payload, 1));
}

/// Links whose peers the test reads by hand.
struct Crowd {
  Server server;
  std::deque<RawPeer> peers;
  Crowd(std::size_t size, std::size_t gather_from)
      : server(tcp_transport({{.gather_from = gather_from}}), "tcp://127.0.0.1:0") {
    for (std::size_t i = 0; i < size; ++i) {
      peers.emplace_back(server);
      REQUIRE(peers.back().write("PB1\n"));
      server.host.turn();
    }
    while (server.host.ears.size() < size) server.host.turn();
  }
  Link& link(std::size_t i) { return *server.host.ears[i]->link; }
};

}  // namespace

TEST_CASE("more links than a batch holds: each hears all that is its own, in order") {
  const bool broken = GENERATE(false, true);
  Crowd crowd(600, 1);
  const auto before = rings();
  std::vector<std::string> told(600);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < told.size(); ++i) {
      // A second time in one turn, and larger than what is gathered.
      for (int again = 0; again <= static_cast<int>(i % 3); ++again) {
        const std::string text = std::to_string(i) + "/" + std::to_string(round * 3 + again);
        say(crowd.link(i), text);
        told[i] += framed(text);
      }
    }
    crowd.server.host.turn();
    if (broken && round == 0) {
      for (const std::string& each : rings())
        if (!before.contains(each)) break_ring(each);
    }
  }
  for (std::size_t i = 0; i < told.size(); ++i) {
    const bool heard = crowd.peers[i].saw(told[i]);
    CHECK(heard);
    CHECK(crowd.peers[i].received() == told[i]);
    CHECK(crowd.link(i).queued() == 0);
  }
}

TEST_CASE("what is gathered counts as queued until the turn ends; the first of a turn are not") {
  if (!io_uring_works().ok()) return;
  Crowd crowd(4, 3);
  for (std::size_t i = 0; i < 4; ++i) say(crowd.link(i), "hello");
  CHECK(crowd.link(0).queued() == 0);
  CHECK(crowd.link(1).queued() == 0);
  CHECK(crowd.link(2).queued() == 9);
  CHECK(crowd.link(3).queued() == 9);
  crowd.server.host.turn();
  CHECK(crowd.link(2).queued() == 0);
  for (RawPeer& peer : crowd.peers) CHECK(peer.saw(framed("hello")));
}

TEST_CASE("gather_from = 0 and a kernel that refuses: each send goes at once") {
  const bool refused = GENERATE(false, true);
  Crowd crowd(3, refused ? 1 : 0);
  if (refused) {
    const NoDescriptors none;
    say(crowd.link(0), "at once");
  } else {
    say(crowd.link(0), "at once");
  }
  say(crowd.link(1), "at once");
  for (std::size_t i = 0; i < 2; ++i) CHECK(crowd.link(i).queued() == 0);
  say(crowd.link(2), "at once");
  for (RawPeer& peer : crowd.peers) CHECK(peer.saw(framed("at once")));
}

TEST_CASE("a goodbye goes behind what was gathered, and so does a large message") {
  Crowd crowd(3, 1);
  say(crowd.link(0), "last words");
  crowd.link(0).close(CloseReason::normal, "");
  CHECK(crowd.peers[0].saw(framed("last words") + "\xff\xff\xff\xfe"));
  const std::string large(SendBatch::largest, 'l');
  say(crowd.link(1), "small");
  say(crowd.link(1), large);
  CHECK(crowd.peers[1].saw(framed("small") + std::string("\0\0\x10\0", 4) + large));
  say(crowd.link(2), "destroyed");  // in the same turn
  crowd.server.host.ears[2]->link.reset();
  CHECK(crowd.peers[2].saw(framed("destroyed")));
}

TEST_CASE("a peer that does not read gets all of it later; one that left ends its link") {
  Server server(tcp_transport({{.kernel_buffer = 8'192, .gather_from = 1}}), "tcp://127.0.0.1:0");
  RawPeer slow(server);
  RawPeer left(server);
  REQUIRE(slow.write("PB1\n"));
  REQUIRE(left.write("PB1\n"));
  while (server.host.ears.size() < 2) server.host.turn();
  std::string told;
  for (int i = 0; i < 20'000 && server.host.ears[0]->link->queued() < 100'000; ++i) {
    const std::string text = "number " + std::to_string(i) + std::string(i % 100, '.');
    say(*server.host.ears[0]->link, text);
    told += framed(text);
    if (i % 3 == 0) server.host.turn();
  }
  REQUIRE(server.host.ears[0]->link->queued() >= 100'000);
  left.leave();
  for (int i = 0; i < 1'000 && !server.host.ears[1]->closed_seen; ++i) {
    if (server.host.ears[1]->link) say(*server.host.ears[1]->link, "anybody?");
    server.host.turn();
  }
  CHECK(server.host.ears[1]->closed_seen);
  CHECK(server.host.ears[1]->why.errc() == Errc::disconnected);
  CHECK(slow.saw(told.substr(told.size() - 200)));
  CHECK(slow.received() == told);
  CHECK(server.host.ears[0]->link->queued() == 0);
}
