// tests/client/linked.hpp: real clients on real shards over streams of bytes that a test may cut,
// on one thread and a manual clock.
#pragma once
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/endian.hpp"
#include "client/client_core.hpp"
#include "core/shard_world.hpp"
#include "net/tcp_codec.hpp"
#include "wire/codec.hpp"

namespace parley::test {

/// A connection: the server's way out, and the bytes that are under way in both directions, each
/// message with its length as over `tcp:`.
class Line final : public core::Outlet {
 public:
  static constexpr std::size_t longest = std::size_t{1} << 20;

  explicit Line(Encoding encoding) : codec_(wire::make_codec(encoding)) {}
  void push(const core::FramePtr& frame) override { write(down, frame->reply()); }
  void close(CloseReason, std::string_view) override { closing = true; }
  void ask(const wire::Request& request) { write(up, request); }

  /// Hands over what `bytes` make whole.
  template <class Message, class F>
  void read(net::TcpParser& parser, std::string bytes, F take) {
    std::span<char> input(bytes);
    for (;;) {
      const auto event = parser.next(input);
      if (event.kind != net::TcpParser::Event::Kind::message) return;
      std::vector<Message> messages;
      REQUIRE(codec_->decode(event.payload, messages));
      for (Message& message : messages) take(std::move(message));
    }
  }

  std::string up, down;  // written, not yet carried over
  net::TcpParser at_server{longest}, at_client{longest};
  core::SessionRef ref;
  bool closing = false;

 private:
  template <class Message>
  void write(std::string& stream, const Message& message) {
    const Payload bytes = codec_->encode(message);
    char length[4];
    base::put_be32(length, static_cast<std::uint32_t>(bytes.size()));
    stream.append(length, sizeof length).append(bytes.bytes());
  }
  std::unique_ptr<wire::Codec> codec_;
};

/// One device with what its user would see of it.
class Person {
 public:
  Person(ShardWorld& world, std::string name, Encoding encoding = Encoding::binary,
         std::size_t shard = 0)
      : world_(world),
        encoding_(encoding),
        shard_(shard),
        storage_(memory_storage()),
        core(options(std::move(name)), *storage_) {
    REQUIRE(core.load());
  }
  ~Person() {
    if (line_) world_.shard(shard_).session_closed(line_->ref);
  }
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;

  void start() {
    core.start(world_.now());
    act();
  }
  void stop() {
    core.stop(world_.now());
    act();
  }
  void send(const ConversationId& id, std::string text) {
    MessageDraft draft;
    draft.body = std::move(text);
    core.send(world_.now(), id, std::move(draft));
    act();
  }
  /// Asked again, the same way, until a link held long enough for an answer.
  void ask(wire::Operation operation) {
    asked_[core.request(world_.now(), operation)] = operation;
    act();
  }
  void read(const ConversationId& id, Seq seq) {
    core.read(world_.now(), id, seq);
    act();
  }
  void tick() {
    core.tick(world_.now());
    act();
  }

  /// Carries over what was written; false when that was nothing.
  bool carry() {
    if (!line_ || (line_->up.empty() && line_->down.empty() && !line_->closing)) return false;
    const std::string up = part_of(line_->up);
    line_->read<wire::Request>(line_->at_server, up, [this](wire::Request request) {
      world_.shard(shard_).request(line_->ref, std::move(request));
    });
    world_.settle();
    if (cut_after == 0) return hang_up(), true;
    const std::string down = part_of(line_->down);
    const bool over = cut_after == 0 || (line_->closing && line_->down.empty());
    Line& line = *line_;
    line.read<wire::Reply>(line.at_client, down, [this](wire::Reply reply) {
      core.received(world_.now(), std::move(reply));
    });
    if (over) hang_up();
    act();
    return true;
  }
  /// The link is gone for both sides; what was under way is lost.
  void hang_up() {
    if (!line_) return;
    world_.shard(shard_).session_closed(line_->ref);
    world_.settle();
    line_.reset();
    cut_after = endless;
    core.closed(world_.now(), Error{Errc::disconnected, "cut"});
    act();
  }
  /// The server's process is gone, and with it the session.
  void lose_server() {
    if (!line_) return;
    line_.reset();
    core.closed(world_.now(), Error{Errc::disconnected, "the server is gone"});
    act();
  }
  [[nodiscard]] bool connected() const { return core.state() == ClientState::ready; }
  [[nodiscard]] bool answered() const { return asked_.empty(); }
  [[nodiscard]] std::vector<std::string> texts(const ConversationId& id) const {
    std::vector<std::string> out;
    const auto found = events.find(id);
    if (found == events.end()) return out;
    for (const Event& event : found->second) {
      if (const auto* message = event.as<Message>()) out.emplace_back(message->text());
    }
    return out;
  }
  [[nodiscard]] std::vector<Seq> seqs(const ConversationId& id) const {
    std::vector<Seq> out;
    const auto found = events.find(id);
    if (found == events.end()) return out;
    for (const Event& event : found->second) out.push_back(event.seq);
    return out;
  }

  static constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();
  std::size_t cut_after = endless;  // bytes of both directions together, then the link is cut
  bool may_dial = true;
  std::map<ConversationId, std::vector<Event>> events;  // as they were told
  std::vector<ResumeAnswer> resumed;
  std::vector<MessageSettled> settled;
  std::vector<Result<wire::Answer>> answers;  // to what was asked, the final one of each

 private:
  client::CoreOptions options(std::string name) {
    client::CoreOptions options;
    options.device = name + "-phone";
    options.token = std::move(name);
    options.random = [this] { return chance_ = chance_ * 6364136223846793005ULL + 1; };
    return options;
  }
  std::string part_of(std::string& stream) {
    std::string part = stream.substr(0, cut_after);
    stream.erase(0, part.size());
    if (cut_after != endless) cut_after -= part.size();
    return part;
  }
  void dial() {
    if (!may_dial) {
      core.closed(world_.now(), Error{Errc::unreachable, "nobody listens"});
      return;
    }
    line_ = std::make_unique<Line>(encoding_);
    line_->ref = world_.shard(shard_).open(*line_, {});
    core.opened(world_.now());
  }
  void act() {
    for (;;) {
      client::Outputs out = core.take();
      if (out.requests.empty() && !out.close && !out.dial && out.notices.empty()) return;
      for (const wire::Request& request : out.requests) {
        if (line_) line_->ask(request);
      }
      if (out.close && line_) {
        world_.shard(shard_).session_closed(line_->ref);
        line_.reset();
        core.closed(world_.now(), {});
      }
      if (out.dial) dial();
      for (client::Notice& notice : out.notices) take(notice);
    }
  }
  void take(client::Notice& notice) {
    if (auto* applied = std::get_if<client::Applied>(&notice)) {
      auto& all = events[applied->conversation];
      for (Event& event : applied->events) all.push_back(std::move(event));
    } else if (auto* resume = std::get_if<ResumeAnswer>(&notice)) {
      resumed.push_back(*resume);
    } else if (auto* done = std::get_if<client::Settled>(&notice)) {
      settled.push_back(done->message);
    } else if (auto* completed = std::get_if<client::Completed>(&notice)) {
      auto again = asked_.extract(completed->id);
      if (!again) return;  // of a send
      if (!completed->answer && completed->answer.error().errc() == Errc::disconnected) {
        return ask(std::move(again.mapped()));
      }
      answers.push_back(std::move(completed->answer));
    }
  }

  ShardWorld& world_;
  Encoding encoding_;
  std::size_t shard_;
  std::shared_ptr<ClientStorage> storage_;
  std::uint64_t chance_ = 1;
  std::unique_ptr<Line> line_;
  std::map<std::uint64_t, wire::Operation> asked_;

 public:
  client::ClientCore core;
};

/// Carries bytes and lets time pass until `time` is over.
inline void pass(ShardWorld& world, const std::vector<Person*>& people,
                 std::chrono::milliseconds time) {
  const auto carry = [&] {
    for (bool moved = true; moved;) {
      moved = false;
      world.settle();
      for (Person* person : people) moved |= person->carry();
    }
  };
  constexpr auto step = std::chrono::milliseconds(50);
  carry();
  for (; time.count() > 0; time -= step) {
    world.pass(step);
    for (Person* person : people) person->tick();
    carry();
  }
}

}  // namespace parley::test
