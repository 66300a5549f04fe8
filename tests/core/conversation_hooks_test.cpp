// What the host says of a message before it is stored, and who it lets in.
#include <stdexcept>
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"

namespace parley::core::test {
namespace {

using namespace std::chrono_literals;

/// A group of 1, an owner, and 2 whose host looks at every message when it has time.
struct HookedChat : World {
  HookedChat() {
    limits.looks_at_messages = true;
    restart();
    create(by(1), ConversationKind::group, {user(2)});
  }
  /// The host answers what it was asked first.
  void agree(std::string body = {}) {
    auto [message, then] = std::move(fx.looking.front());
    fx.looking.erase(fx.looking.begin());
    if (!body.empty()) message.body = std::move(body);
    then(std::move(message));
    fx.drain();
  }
  void refuse() {
    auto then = std::move(fx.looking.front().second);
    fx.looking.erase(fx.looking.begin());
    then(Error{Errc::denied, "not here"});
    fx.drain();
  }
  std::vector<std::string> bodies() {
    std::vector<std::string> found;
    for (const auto& fields : stream())
      if (fields.kind == EventKind::message) found.emplace_back(fields.body);
    return found;
  }
};
using Bodies = std::vector<std::string>;

}  // namespace

TEST_CASE("while a message is with the host, only its device's later ones wait") {
  HookedChat chat;
  auto first = chat.send(by(2), text("first"));
  chat.fx.drain();
  auto second = chat.send(by(2), text("second"));
  auto elsewhere = chat.send(by(2, 9), text("elsewhere"));
  auto other = chat.send(by(1), text("other"));
  chat.fx.drain();
  REQUIRE(chat.fx.looking.size() == 3);  // not `second`
  CHECK(chat.fx.looking[0].first.body == "first");
  CHECK(chat.fx.looking[0].first.sender == user(2));
  CHECK_FALSE(chat->idle());
  std::swap(chat.fx.looking[0], chat.fx.looking[2]);
  chat.agree();
  CHECK(other.errc() == Errc::ok);
  chat.agree();
  CHECK(elsewhere.errc() == Errc::ok);
  CHECK_FALSE(first.answered());
  chat.agree("first, changed");
  CHECK(first.errc() == Errc::ok);
  REQUIRE(chat.fx.looking.size() == 1);
  chat.agree();
  CHECK(second.errc() == Errc::ok);
  CHECK(chat.bodies() == Bodies{"other", "elsewhere", "first, changed", "second"});
}

TEST_CASE("the host sees all that a message carries, and notes what it thinks of it") {
  HookedChat chat;
  wire::Send asked = text("which?");
  asked.extras.headers = {{"lang", "en"}};
  asked.extras.attachments = {{"blob/1", "image/png", "cat.png", 3}};
  asked.poll = PollDraft{.options = {"this", "that"}};
  auto sent = chat.send(by(2), std::move(asked));
  chat.fx.drain();
  REQUIRE(chat.fx.looking.size() == 1);
  IncomingMessage& seen = chat.fx.looking[0].first;
  CHECK(seen.headers == std::vector<MessageHeader>{{"lang", "en"}});
  CHECK(seen.attachments.size() == 1);
  CHECK(seen.poll_options == std::vector<std::string>{"this", "that"});
  seen.headers.push_back({"score", "0.2"});
  seen.attachments.clear();
  seen.poll_options.clear();  // not the host's to change
  chat.agree();
  CHECK(sent.errc() == Errc::ok);
  const auto stored = chat.stream().back();
  CHECK(stored.extras.headers == std::vector<MessageHeader>{{"lang", "en"}, {"score", "0.2"}});
  CHECK(stored.extras.attachments.empty());
  CHECK(stored.poll.has_value());

  auto bad = chat.send(by(2), text("bad"));
  chat.fx.drain();
  chat.fx.looking[0].first.headers = {{"", "no name"}};
  chat.agree();
  CHECK(bad.errc() == Errc::internal);
}

TEST_CASE("a host that says no, or nothing") {
  HookedChat chat;
  auto refused = chat.send(by(2), text("refused"));
  chat.fx.drain();
  chat.refuse();
  CHECK(refused.errc() == Errc::denied);
  CHECK(refused.result().error().message == "not here");

  auto silent = chat.send(by(2), text("silent"));
  chat.fx.advance(parley::limits::hook_patience - 1ms);
  auto later = chat.send(by(2), text("later"));
  chat.fx.drain();
  CHECK_FALSE(silent.answered());
  chat.fx.advance(1ms);
  CHECK(silent.errc() == Errc::timed_out);
  REQUIRE(chat.fx.looking.size() == 2);
  chat.agree();  // too late
  chat.agree();
  CHECK(later.errc() == Errc::ok);
  CHECK(chat.bodies() == Bodies{"later"});
  auto bad = chat.send(by(2), text("bad"));
  chat.fx.drain();
  chat.agree("\xff");
  CHECK(bad.errc() == Errc::internal);
  chat.fx.advance(2s);
  CHECK(chat->idle());
}

TEST_CASE("whether the sender may is looked at again after the host") {
  HookedChat chat;
  auto asked = chat.send(by(2), text("secret"));
  chat.fx.drain();
  CHECK(chat.remove(by(1), 2) == Errc::ok);
  chat.agree();
  CHECK(asked.errc() == Errc::denied);
  CHECK(chat.bodies().empty());
}

TEST_CASE("a retry while the message is with the host gets the first answer") {
  HookedChat chat;
  auto first = chat.send(by(2), text("once", 1, 11));
  chat.fx.drain();
  auto again = chat.send(by(2), text("once", 1, 11));
  chat.fx.drain();
  CHECK(chat.fx.looking.size() == 1);
  chat.agree();
  CHECK(first.value().seq == again.value().seq);
  CHECK(again.value().repeated);
}

TEST_CASE("both hooks: the first one first, each once, whatever the store does") {
  HookedChat chat;
  int seen = 0;
  chat.limits.before_message = [&seen](IncomingMessage& message) -> Result<void> {
    ++seen;
    message.body += "1";
    return {};
  };
  chat.restart();
  int refusals = 2;
  chat.fx.inject = [&refusals](const Batch& batch) {
    return batch.partition.space == layout::conversation && refusals-- > 0 ? Fault::refused
                                                                           : Fault::none;
  };
  auto asked = chat.send(by(2), text("a"));
  chat.fx.drain();
  REQUIRE(chat.fx.looking.size() == 1);
  CHECK(chat.fx.looking[0].first.body == "a1");
  chat.agree("a12");
  CHECK(asked.errc() == Errc::ok);
  CHECK(chat.bodies() == Bodies{"a12"});
  CHECK(seen == 1);
  CHECK(chat.fx.looking.empty());
}

TEST_CASE("a hook says who sees a message") {
  World chat;
  chat.limits.before_message = [](IncomingMessage& message) -> Result<void> {
    if (message.body == "rude") message.audience = audience::sender;
    if (message.body == "wrong") message.audience = audience::last_group + 1;
    return {};
  };
  chat.restart();
  chat.create(by(1), ConversationKind::group, {user(2)});
  CHECK(chat.say(2, "rude") == Errc::ok);
  CHECK(chat.say(2, "wrong") == Errc::internal);
  const Asked<Access> access = chat.access(1);
  CHECK(access.value().head_ordinal == 0);  // nobody's unread
}

TEST_CASE("a hook lets users into channels, or says why not") {
  World lobby;
  lobby.limits.on_join = [](const JoinRequest& request) -> Result<void> {
    if (request.user == user(3)) throw std::runtime_error("boom");
    if (request.user == user(2)) return {};
    return Error{Errc::limit_reached, "full tonight"};
  };
  lobby.restart();
  lobby.create(by(1), ConversationKind::channel);
  CHECK(lobby.join(2).errc() == Errc::ok);
  const auto refused = lobby.join(4);
  CHECK(refused.errc() == Errc::limit_reached);
  CHECK(refused.result().error().message == "full tonight");
  CHECK(lobby.join(3).errc() == Errc::internal);
  CHECK(lobby.fx.logged.back() == "EngineOptions::on_join threw: boom");
  CHECK(lobby.access(4).errc() == Errc::denied);
}

}  // namespace parley::core::test
