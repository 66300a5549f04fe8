// slow_readers_test.cpp: readers that take a little at a time, beside others: nobody waits for
// them, what is queued stays bounded, and they end with everything.
#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "parley/engine.hpp"

using namespace parley;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t everything = static_cast<std::size_t>(-1);

/// The other side of a link: takes what it is given at its own pace, and notes the numbers "#7#".
struct Reader {
  std::size_t pace = everything;  // bytes it takes in a round
  std::deque<Payload> queue;      // references, as a socket's queue holds them
  std::size_t queued = 0, most = 0, taken = 0;
  bool high = false, welcome = false, subscribed = false;
  std::vector<int> numbers;
  std::optional<CloseReason> closed;
  LinkEvents* events = nullptr;
  LinkHost* host = nullptr;

  void give(const Payload& message) {
    queue.push_back(message);
    queued += message.size();
    most = std::max(most, queued);
    high |= queued > limits::queue_soft;
    if (pace == everything) take();
  }
  /// One round of the network, on the engine's thread.
  void take() {
    std::size_t left = pace;
    while (!queue.empty() && left > 0) {
      const Bytes text = queue.front().bytes();
      const std::size_t n = std::min(left, text.size() - taken);
      taken += n;
      queued -= n;
      if (left != everything) left -= n;
      if (taken < text.size()) break;
      note(text);
      queue.pop_front();
      taken = 0;
    }
    if (!high || queued > limits::queue_soft / 2) return;
    high = false;
    host->post([this] {
      if (!closed) events->drained();
    });
  }
  void note(Bytes text) {
    welcome |= text.find("\"welcome\"") != Bytes::npos;
    subscribed |= text.find("\"subscribed\"") != Bytes::npos;
    for (auto at = text.find("#"); at != Bytes::npos; at = text.find('#', at + 1)) {
      int number = 0;
      for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        number = number * 10 + (text[at] - '0');
      }
      numbers.push_back(number);
    }
  }
  void say(const std::string& message) {
    if (!closed) events->received(message);
  }
};

class ReaderLink final : public Link {
 public:
  explicit ReaderLink(Reader& reader) : reader_(reader) {}
  void send(std::span<const Payload> messages) override {
    for (const Payload& message : messages) reader_.give(message);
  }
  [[nodiscard]] std::size_t queued() const noexcept override { return reader_.queued; }
  [[nodiscard]] std::size_t held() const noexcept override { return 0; }
  void close(CloseReason reason, std::string_view) override {
    if (reader_.closed) return;
    reader_.closed = reason;
    reader_.queue.clear();
    reader_.host->post([events = reader_.events] { events->closed({}); });
  }
  void limit_messages(std::size_t) override {}

 private:
  Reader& reader_;
};

/// One channel, a crowd of readers in it, and somebody who writes.
struct Hall {
  explicit Hall(std::size_t count) : readers(count) {
    EngineOptions options;
    options.threads = host_driven;
    options.authenticator = development_authenticator();
    engine.emplace(Engine::open(std::move(options)).value());
    room = engine->create({.kind = ConversationKind::channel, .title = "hall"}).get().value().id();
    for (std::size_t i = 0; i < count; i += limits::add_at_once) {
      std::vector<std::string> names;
      for (std::size_t n = i; n < std::min(count, i + limits::add_at_once); ++n) {
        names.push_back("reader" + std::to_string(n));
      }
      REQUIRE(engine->add(room, std::move(names)).get());
    }
    for (std::size_t i = 0; i < count; ++i) connect(readers[i], "reader" + std::to_string(i));
  }
  ~Hall() { engine.reset(); }  // before the readers

  void connect(Reader& reader, const std::string& name) {
    REQUIRE(engine->adopt(std::make_unique<ReaderLink>(reader),
                          {.transport = "test", .peer = name, .encoding = Encoding::json},
                          [&reader](LinkEvents* events, LinkHost& host) {
                            reader.events = events;
                            reader.host = &host;
                          }));
    REQUIRE(until([&] { return reader.events != nullptr; }));
    reader.say(R"({"type":"hello","request":1,"min_version":1,"max_version":1,"token":")" + name +
               R"(","device":"d"})");
    REQUIRE(until([&] { return reader.welcome; }));
    reader.say(R"({"type":"subscribe","request":2,"items":[{"conversation":")" + to_string(room) +
               R"(","level":"full"}]})");
    REQUIRE(until([&] { return reader.subscribed; }));
  }
  /// The next message, of that many bytes.
  void write(std::size_t bytes) {
    std::string text = "#" + std::to_string(written++) + "#";
    text.resize(std::max(text.size(), bytes), 'x');
    REQUIRE(engine->send(room, text).get());
  }
  /// What is due is done, then everybody takes what it takes in a round.
  void round() {
    while (engine->poll(1ms)) {}
    for (Reader& reader : readers) reader.take();
    while (engine->poll(1ms)) {}
    queued_most = std::max(queued_most, engine->stats().queued_bytes);
  }
  template <class Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (!engine->poll(1ms)) engine->wait(1ms);
    }
    return true;
  }
  /// All that was written, each once and in order.
  [[nodiscard]] bool has_all(const Reader& reader) const {
    if (reader.numbers.size() != static_cast<std::size_t>(written)) return false;
    for (int i = 0; i < written; ++i) {
      if (reader.numbers[static_cast<std::size_t>(i)] != i) return false;
    }
    return true;
  }

  std::vector<Reader> readers;
  std::optional<Engine> engine;
  ConversationId room;
  int written = 0;
  std::size_t queued_most = 0;
};

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file != nullptr && std::fscanf(file, "%*u %zu", &pages) != 1) pages = 0;
  if (file != nullptr) std::fclose(file);
  return pages * 4096;
}

}  // namespace

TEST_CASE("readers that take a little at a time do not slow the others, and end with everything",
          "[link]") {
  Hall hall(20);
  Reader& slow = hall.readers[0];
  Reader& slower = hall.readers[1];
  slow.pace = limits::kib;  // a quarter of what is written in a round
  slower.pace = 100;
  for (int i = 0; i < 400; ++i) {
    hall.write(4 * limits::kib);
    hall.round();
    for (std::size_t n = 2; n < hall.readers.size(); ++n) {
      REQUIRE(hall.readers[n].numbers.size() == static_cast<std::size_t>(i + 1));  // at once
    }
  }
  for (const Reader* each : {&slow, &slower}) {
    CHECK(each->numbers.size() < 200);
    CHECK(each->most <= limits::queue_soft + 8 * limits::kib);  // and the one that passed it
  }
  CHECK(hall.queued_most <= 2 * limits::queue_soft);  // though 1.6 MiB were written to each
  slow.pace = slower.pace = 32 * limits::kib;
  for (int i = 0; i < 1'000 && !(hall.has_all(slow) && hall.has_all(slower)); ++i) {
    hall.round();
    hall.engine->wait(1ms);
  }
  for (const Reader& each : hall.readers) {
    CHECK_FALSE(each.closed);
    CHECK(hall.has_all(each));
  }
}

TEST_CASE("many that lag on one conversation take bounded memory", "[link][slow]") {
  Hall hall(10'000);
  for (Reader& reader : hall.readers) reader.pace = 0;
  const std::size_t before = resident_bytes();
  for (int i = 0; i < 128; ++i) {
    hall.write(64 * limits::kib);
    hall.round();
  }
  // 8 MiB were written to each of 10,000; what they wait for is the same 512 KiB for all, and each
  // one's own word that there is more and references to the eight or nine that came before it.
  constexpr std::size_t each_own = 256 + 10 * 64;
  CHECK(hall.queued_most <= 2 * limits::queue_soft + hall.readers.size() * each_own);
  CHECK(resident_bytes() - before < 64 * limits::mib);
  for (const Reader& each : hall.readers) {
    REQUIRE(each.most <= limits::queue_soft + 72 * limits::kib);
  }
  for (std::size_t n = 0; n < 10; ++n) hall.readers[n].pace = everything;
  REQUIRE(hall.until([&] {
    for (std::size_t n = 0; n < 10; ++n) hall.readers[n].take();
    return std::all_of(hall.readers.begin(), hall.readers.begin() + 10,
                       [&](const Reader& each) { return hall.has_all(each) || each.closed; });
  }));
  for (std::size_t n = 0; n < 10; ++n) CHECK(hall.has_all(hall.readers[n]));
}
