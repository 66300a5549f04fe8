// threads_test.cpp: every transport between loops on threads of their own, from first word to
// stopped.
#include <atomic>
#include <mutex>
#include <thread>

#include "catch.hpp"
#include "parley/limits.hpp"
#include "parley/net.hpp"
#include "runtime/loop.hpp"
#include "transport/inproc.hpp"

using namespace parley;
using runtime::Loop;

namespace {

constexpr int links = 24;
constexpr int words = 400;

/// Sends its words in bursts, answers nothing, closes when it has heard all of the peer's.
struct Talker final : LinkEvents {
  std::unique_ptr<Link> link;
  Loop* loop = nullptr;
  std::atomic<int>* over = nullptr;
  std::atomic<int>* wrong = nullptr;
  int heard = 0;
  int said = 0;

  void talk() {
    if (!link || said == words) return;
    std::vector<Payload> burst;
    for (int i = 0; i < 20; ++i) burst.push_back(Payload::copy_of(std::to_string(said++)));
    link->send(burst);
    loop->post([this] { talk(); });
  }
  void received(Bytes message) override {
    if (message != std::to_string(heard)) wrong->fetch_add(1);
    if (++heard == words && said == words) link->close(CloseReason::normal, "");
  }
  void drained() override {}
  void holding() override {}
  void closed(Error) override {
    link.reset();
    over->fetch_add(1);
  }
};

}  // namespace

TEST_CASE(
    "transports between threads: every word in order, every link closed, stopped at the end") {
  const int which = GENERATE(0, 1, 2);
  const std::size_t gather_from = GENERATE(0, 1, 8);
  std::unique_ptr<Transport> transport = which == 0 ? transport::inproc_transport()
                                         : which == 1
                                             ? tcp_transport({{.gather_from = gather_from}})
                                             : websocket_transport({{.gather_from = gather_from}});
  const char* url = which == 0   ? "inproc:threads"
                    : which == 1 ? "tcp://127.0.0.1:0"
                                 : "ws://127.0.0.1:0";
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<LinkHost*> hosts;
  std::mutex mutex;
  std::vector<std::unique_ptr<Talker>> talkers;  // guarded by mutex
  std::atomic<int> over{0};
  std::atomic<int> wrong{0};
  std::atomic<int> dialled{0};
  for (int i = 0; i < 4; ++i) {
    loops.push_back(Loop::create().value());
    Loop* loop = loops.back().get();
    hosts.push_back(loop);
    loop->on_opened([&, loop](std::unique_ptr<Link> link, const LinkInfo&) {
      auto talker = std::make_unique<Talker>();
      talker->link = std::move(link);
      talker->loop = loop;
      talker->over = &over;
      talker->wrong = &wrong;
      Talker* raw = talker.get();
      loop->post([raw] { raw->talk(); });
      const std::scoped_lock lock(mutex);
      talkers.push_back(std::move(talker));
      return raw;
    });
  }
  std::vector<std::thread> threads;
  for (const auto& loop : loops) threads.emplace_back([&loop] { loop->run(); });
  const std::string bound = transport->listen(url, std::span(hosts).first(3)).value();
  for (int i = 0; i < links; ++i) {
    transport->dial(bound, Encoding::binary, *hosts[static_cast<std::size_t>(i) % hosts.size()],
                    [&](const Result<void>& done) { dialled.fetch_add(done.ok() ? 1 : 1000); });
  }
  while (over.load() < 2 * links) std::this_thread::yield();
  std::atomic<bool> stopped{false};
  transport->close([&] { stopped = true; });
  while (!stopped.load()) std::this_thread::yield();
  transport.reset();
  for (const auto& loop : loops) loop->stop();
  for (std::thread& thread : threads) thread.join();
  REQUIRE(dialled.load() == links);
  REQUIRE(wrong.load() == 0);
  REQUIRE(talkers.size() == 2 * links);
}
