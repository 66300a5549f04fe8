// Who may do what: every cell of matrix.csv, over a link, in both encodings and at three moments.
// Each body carries a canary; not one byte of it reaches who may not see it.
#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "authorization/operations.hpp"
#include "catch.hpp"
#include "engine/fake_link.hpp"
#include "parley/engine.hpp"
#include "wire/codec.hpp"

namespace parley::test {
namespace {

using namespace std::chrono_literals;

// ---- The table ----

struct RoleColumn {
  const char* name;
  bool member;
  Role role;  // of a member
  bool removed = false, shadowed = false;
};
constexpr std::array roles = {
    RoleColumn{"stranger", false, Role::none},
    RoleColumn{"removed", true, Role::member, true},
    RoleColumn{"read_only", true, Role::read_only},
    RoleColumn{"member", true, Role::member},
    RoleColumn{"moderator", true, Role::moderator},
    RoleColumn{"admin", true, Role::admin},
    RoleColumn{"owner", true, Role::owner},
    RoleColumn{"shadowed", true, Role::member, false, true},
};

enum class Block { none, of_actor, by_actor };  // in a direct conversation with the keeper

struct Line {
  ConversationKind kind{};
  Block block = Block::none;
  bool child = false;   // a channel of a space, where the roles are held
  bool closed = false;  // and it is not open to them
  std::string operation;
  std::vector<std::string> verdicts;  // one a role of `roles`
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> fields;
  std::istringstream in(text);
  for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
  return fields;
}

std::vector<Line> read_table() {
  const std::map<std::string, ConversationKind> kinds = {
      {"direct", ConversationKind::direct},   {"blocked", ConversationKind::direct},
      {"blocking", ConversationKind::direct}, {"group", ConversationKind::group},
      {"channel", ConversationKind::channel}, {"child", ConversationKind::channel},
      {"closed", ConversationKind::channel},  {"space", ConversationKind::space}};
  std::ifstream file(std::string(PARLEY_SOURCE_DIR) + "/tests/authorization/matrix.csv");
  REQUIRE(file);
  std::vector<Line> lines;
  bool header = true;
  for (std::string text; std::getline(file, text);) {
    if (text.empty() || text[0] == '#') continue;
    std::vector<std::string> fields = split(text);
    INFO(text);
    REQUIRE(fields.size() == roles.size() + 2);
    if (std::exchange(header, false)) {
      for (std::size_t i = 0; i < roles.size(); ++i) REQUIRE(fields[i + 2] == roles[i].name);
      continue;
    }
    const bool closed = fields[0] == "closed";
    const Block block = fields[0] == "blocked"    ? Block::of_actor
                        : fields[0] == "blocking" ? Block::by_actor
                                                  : Block::none;
    lines.push_back({kinds.at(fields[0]), block, closed || fields[0] == "child", closed, fields[1],
                     std::vector(fields.begin() + 2, fields.end())});
  }
  return lines;
}

std::string verdict_of(const wire::Answer& answer) {
  if (const auto* subscribed = std::get_if<wire::Subscribed>(&answer)) {
    const Resume how = subscribed->answers.at(0).answer;
    return how == Resume::denied || how == Resume::not_member ? "no" : "yes";
  }
  const auto* failed = std::get_if<wire::Failed>(&answer);
  if (failed == nullptr) return "yes";
  if (failed->error.errc() == Errc::denied) return "no";
  return failed->error.errc() == Errc::invalid_argument ? "bad" : failed->error.message;
}

// ---- The world ----

/// When the operation comes: long after the role was given, right after, or while it is being
/// given.
enum class Moment { settled, committed, in_flight };

struct Actor {
  std::shared_ptr<Peer> peer = std::make_shared<Peer>();
  std::unique_ptr<wire::Codec> codec;
  std::uint32_t request = 0;
  UserId user;

  [[nodiscard]] std::vector<wire::Reply> replies() const {
    std::vector<wire::Reply> all;
    for (const std::string& message : peer->got) REQUIRE(codec->decode(message, all));
    return all;
  }
  [[nodiscard]] const wire::Answer* answer(const std::vector<wire::Reply>& all) const {
    for (const wire::Reply& reply : all)
      if (reply.request == request) return &reply.answer;
    return nullptr;
  }
  void say(wire::Operation operation) {
    peer->say(std::string(codec->encode(wire::Request{++request, std::move(operation)}).bytes()));
  }
};

class Matrix {
 public:
  Matrix() : engine_(open()) {
    keeper_ = engine_.attach({.user = "keeper", .follow = false}).get().value();
    bystander_ = engine_.attach({.user = "bystander", .follow = false}).get().value();
    hermit_ = engine_.attach({.user = "hermit", .follow = false}).get().value();
    ear_ = engine_.attach({.user = "keeper"}).get().value();
    ear_.on_event([this](const Event& event) {
      if (event.as<Message>() != nullptr) heard_.emplace(event.conversation, event.sender);
    });
    ear_.on_signal(
        [this](const Signal& signal) { heard_.emplace(signal.conversation, signal.sender); });
  }

  void check(const Line& line, std::size_t column, Moment moment, Encoding encoding) {
    const RoleColumn& role = roles[column];
    INFO(line.operation << " in a conversation of kind " << static_cast<int>(line.kind) << " by a "
                        << role.name << ", moment " << static_cast<int>(moment));
    Actor actor = connect(encoding);
    Cell cell = open_conversation(line, role, actor);
    if (line.operation == "add_hermit") CHECK(hermit_.block(actor.user).get().ok());
    if (moment == Moment::in_flight) {
      post_canaries(cell, "old");
      give_role(cell, role, false);
    } else {
      give_role(cell, role, true);
      if (moment == Moment::settled) settle();
      post_canaries(cell, "");
    }
    if (moment == Moment::in_flight) post_later(cell);
    actor.say(make_operation(line.operation, cell));
    std::string verdict;
    REQUIRE(until([&] {
      const auto replies = actor.replies();
      const wire::Answer* answer = actor.answer(replies);
      if (answer != nullptr) verdict = verdict_of(*answer);
      return answer != nullptr;
    }));
    settle();
    const std::string& expected = line.verdicts[column];
    // The list follows the memberships; what is in flight may come before or after.
    const bool later = line.operation == "set_list" && moment != Moment::settled;
    if (moment != Moment::in_flight && !later) CHECK(verdict == expected);
    check_canaries(line, role, actor, moment, expected);
    check_heard(line, cell, verdict, moment);
    actor.peer->host->post([peer = actor.peer] { peer->events->closed({}); });
    drop_space(cell);
  }

  void check_anonymous(const Line& line) {
    INFO(line.operation << " without a hello");
    Actor actor = connect(Encoding::json, false);
    Cell cell = open_conversation(line, roles[0], actor);
    post_canaries(cell, "");
    actor.say(make_operation(line.operation, cell));
    REQUIRE(until([&] { return actor.peer->closed.has_value(); }));
    CHECK(actor.peer->closed == CloseReason::protocol_error);
    CHECK_FALSE(actor.peer->has("canary"));
    drop_space(cell);
  }

 private:
  static Engine open() {
    EngineOptions options;
    options.threads = host_driven;
    options.authenticator = development_authenticator();
    return Engine::open(std::move(options)).value();
  }
  template <class Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (!engine_.poll(1ms)) engine_.wait(1ms);
    }
    return true;
  }
  void settle() {
    while (engine_.poll(1ms)) {}
  }

  Actor connect(Encoding encoding, bool hello = true) {
    Actor actor;
    actor.codec = wire::make_codec(encoding);
    bool adopted = false;
    REQUIRE(engine_.adopt(std::make_unique<FakeLink>(actor.peer),
                          {.transport = "fake", .peer = "test", .encoding = encoding},
                          [&adopted, peer = actor.peer](LinkEvents* events, LinkHost& host) {
                            peer->events = events;
                            peer->host = &host;
                            adopted = true;
                          }));
    REQUIRE(until([&] { return adopted; }));
    name_ = "actor" + std::to_string(++actors_);
    if (!hello) return actor;
    wire::Hello greeting;
    greeting.token = name_;
    actor.say(std::move(greeting));
    REQUIRE(until([&] {
      const auto replies = actor.replies();
      const wire::Answer* answer = actor.answer(replies);
      if (answer != nullptr) actor.user = std::get<wire::Welcome>(*answer).user;
      return answer != nullptr;
    }));
    return actor;
  }

  /// The actor is in it as a member (as an admin when a right is to be lost), and follows it.
  Cell open_conversation(const Line& line, const RoleColumn& role, Actor& actor) {
    const ConversationKind kind = kind_ = line.kind;
    block_ = line.block;
    Cell cell;
    cell.actor = actor.user;
    cell.keeper = keeper_.user();
    cell.bystander = bystander_.user();
    if (kind == ConversationKind::direct) {
      const std::string peer = role.member ? name_ : "other" + std::to_string(actors_);
      cell.conversation = engine_.direct("keeper", peer).get().value().id();
    } else {
      std::vector<std::string> members = {"keeper", "bystander"};
      if (role.member) members.push_back(name_);
      const ConversationKind first = line.child ? ConversationKind::space : kind;
      cell.conversation =
          engine_.create({.kind = first, .members = std::move(members)}).get().value().id();
      if (role.member) CHECK(engine_.set_role(cell.conversation, name_, Role::admin).get().ok());
      if (line.child) open_child(cell, line.closed);
    }
    if (kind != ConversationKind::space)
      REQUIRE(keeper_.send(cell.conversation, "first").get().ok());
    cell.cursor = keeper_.history(cell.conversation).get().value().events.back().cursor();
    if (!role.member) return cell;
    wire::Subscribe subscribe;
    subscribe.items.push_back({cell.conversation, Level::full, {}});
    actor.say(std::move(subscribe));
    REQUIRE(until([&] { return actor.answer(actor.replies()) != nullptr; }));
    return cell;
  }

  /// A user is in no more than limits::spaces at once.
  void drop_space(const Cell& cell) {
    if (cell.space || kind_ == ConversationKind::space)
      (void)engine_.delete_conversation(cell.space ? cell.space : cell.conversation).get();
    settle();
  }

  void open_child(Cell& cell, bool closed) {
    cell.space = cell.conversation;
    CreateOptions options{.kind = kind_, .members = {"keeper"}, .space = cell.space};
    if (closed) options.join = JoinRule::added;
    cell.conversation = engine_.create(std::move(options)).get().value().id();
  }

  void give_role(const Cell& cell, const RoleColumn& role, bool wait) {
    const ConversationId& where = cell.space ? cell.space : cell.conversation;
    if (role.member && block_ != Block::none) return give_block(cell, wait);
    if (!role.member || kind_ == ConversationKind::direct) return;
    Pending<void> given;
    if (role.removed) {
      given = keeper_.remove(where, cell.actor);
    } else if (role.role != Role::admin) {
      given = keeper_.set_role(where, cell.actor, role.role);
    } else {
      return;
    }
    if (!wait) return;
    CHECK(given.get().ok());
    if (role.shadowed) CHECK(engine_.shadow_ban(where, name_).get().ok());
  }

  void give_block(const Cell& cell, bool wait) {
    if (block_ == Block::by_actor) own_ = engine_.attach({.user = name_}).get().value();
    Pending<void> given =
        block_ == Block::by_actor ? own_.block(cell.keeper) : keeper_.block(cell.actor);
    if (wait) CHECK(given.get().ok());
  }

  void post_canaries(Cell& cell, const std::string& prefix) {
    const ConversationId& id = cell.conversation;
    const std::string number = prefix + std::to_string(actors_);
    shown_ = "canary-shown-" + number;
    hidden_ = "canary-hidden-" + number;
    if (kind_ == ConversationKind::space) {  // no messages; what is said of it is for members
      cell.shown = cell.hidden = cell.poll = cell.hidden_poll = 1;
      cell.invite = engine_.create_invite(id).get().value().token;
      CHECK(keeper_.set_settings(id, {.description = shown_}).get().ok());
      return;
    }
    cell.shown = keeper_.send(id, shown_).get().value().seq;
    cell.hidden =
        engine_.send(id, {.body = hidden_, .audience = audience::moderators}).get().value().seq;
    cell.poll = ask(id, shown_, audience::everyone);
    cell.hidden_poll =
        kind_ == ConversationKind::direct ? cell.hidden : ask(id, hidden_, audience::moderators);
    cell.reaction = "canary-r" + number;
    CHECK(keeper_.react(id, cell.shown, cell.reaction).get().ok());
    CHECK(keeper_.pin(id, cell.shown).get().ok());
    CHECK(keeper_.edit(id, cell.shown, shown_ + " edited").get().ok());
    cell.invite = to_string(id) + std::string(32, '0');
    if (kind_ == ConversationKind::direct) return;
    if (!cell.space) cell.invite = engine_.create_invite(id).get().value().token;
    CHECK(keeper_.react(id, cell.hidden, cell.reaction).get().ok());
    CHECK(keeper_.pin(id, cell.hidden).get().ok());
    CHECK(keeper_.set_title(id, "canary-title-" + number).get().ok());
  }
  Seq ask(const ConversationId& id, const std::string& body, std::uint8_t audience) {
    MessageDraft draft{.body = body, .audience = audience};
    draft.poll = PollDraft{.options = {body + " a", body + " b"}};
    return keeper_.send(id, std::move(draft)).get().value().seq;
  }
  /// After the change of the role, in the same turn: nobody waits for anything.
  void post_later(const Cell& cell) {
    const std::string number = std::to_string(actors_);
    shown_ = "canary-shown-" + number;
    hidden_ = "canary-hidden-" + number;
    if (kind_ == ConversationKind::space) {
      keeper_.set_settings(cell.conversation, {.description = shown_});
      return;
    }
    keeper_.send(cell.conversation, shown_);
    if (kind_ != ConversationKind::direct)
      keeper_.send(cell.conversation, {.body = hidden_, .audience = audience::moderators});
  }

  void check_canaries(const Line& line, const RoleColumn& role, const Actor& actor, Moment moment,
                      const std::string& expected) {
    const bool timeless = line.child || line.block == Block::by_actor;  // no seq of it says when
    if (timeless && moment == Moment::in_flight) return;
    const bool joins =  // and sees all of a channel
        line.operation.starts_with("join") && expected == "yes";
    const bool sees_shown =
        line.block != Block::by_actor && (joins || (role.member && !role.removed && !line.closed));
    const bool sees_hidden = role.role > Role::member && !role.removed && !line.closed &&
                             kind_ != ConversationKind::direct && kind_ != ConversationKind::space;
    if (!sees_shown) CHECK_FALSE(actor.peer->has(shown_));
    if (!sees_hidden) CHECK_FALSE(actor.peer->has(hidden_));
    if (!sees_shown && expected != "yes" && moment != Moment::in_flight)
      CHECK_FALSE(actor.peer->has("canary-title-"));
    if (line.operation != "history" || moment == Moment::in_flight) return;
    if (sees_shown) CHECK(actor.peer->has(shown_));  // the canaries are where one looks
    if (sees_hidden) CHECK(actor.peer->has(hidden_));
  }

  /// What is answered with yes reaches the keeper, unless one of the two blocks the other; and
  /// nobody comes anywhere by who is blocked.
  void check_heard(const Line& line, const Cell& cell, const std::string& verdict, Moment moment) {
    static const std::set<std::string> told = {"send", "reply", "forward", "send_brief", "signal"};
    const bool heard = heard_.contains({cell.conversation, cell.actor});
    const bool tells = told.contains(line.operation) && verdict == "yes";
    if (line.kind == ConversationKind::direct && tells && moment != Moment::in_flight) {
      const bool blocked = line.block == Block::of_actor;
      const bool signal = line.operation == "signal";
      CHECK(heard == !(blocked || (signal && line.block == Block::by_actor)));
      for (const Event& event : keeper_.history(cell.conversation).get().value().events)
        if (blocked && event.as<Message>() != nullptr) CHECK(event.sender != cell.actor);
    }
    if (line.operation != "add_hermit") return;
    for (const ListEntry& entry : hermit_.list().get().value())
      CHECK(entry.conversation != cell.conversation);
  }

  Engine engine_;
  Session keeper_, bystander_, hermit_, ear_, own_;
  std::set<std::pair<ConversationId, UserId>> heard_;  // by the keeper
  Block block_ = Block::none;
  ConversationKind kind_{};
  std::string name_, shown_, hidden_;
  int actors_ = 0;
};

void check_all(Moment moment, Encoding encoding) {
  Matrix matrix;
  for (const Line& line : read_table())
    for (std::size_t column = 0; column < roles.size(); ++column)
      if (line.verdicts[column] != "-") matrix.check(line, column, moment, encoding);
}

}  // namespace

TEST_CASE("every cell, settled, in JSON") { check_all(Moment::settled, Encoding::json); }
TEST_CASE("every cell, settled, in binary") { check_all(Moment::settled, Encoding::binary); }
TEST_CASE("every cell, right after the role was given") {
  check_all(Moment::committed, Encoding::binary);
}
TEST_CASE("every cell, while the role is being given") {
  check_all(Moment::in_flight, Encoding::json);
}
TEST_CASE("who has not said hello gets nothing") {
  Matrix matrix;
  for (const Line& line : read_table()) matrix.check_anonymous(line);
}

}  // namespace parley::test
