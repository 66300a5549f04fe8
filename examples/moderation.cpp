// moderation: the host looks at every message before it is stored; moderators mute, ban and talk
// among themselves; who is shadow banned is not told.
#include <cstdio>
#include <string>

#include "parley/parley.hpp"

using namespace std::chrono_literals;

namespace {

/// Hooks run on engine threads: look, decide, return. An error's code and words go to the sender.
parley::Result<void> look_at(parley::IncomingMessage& message) {
  constexpr auto rude = static_cast<parley::Errc>(1000);  // hosts' codes begin here
  if (message.body.find("noob") != std::string::npos) {
    return parley::Error{rude, "please be kind to beginners"};
  }
  if (const auto at = message.body.find("darn"); at != std::string::npos) {
    message.body.replace(at, 4, "****");                // stored like that
    message.headers.push_back({"moderation", "mild"});  // a note for the host's own programs
  }
  if (message.body.starts_with("report:")) message.audience = parley::audience::sender;
  return {};
}

void say(const char* who, const parley::Result<parley::Ack>& sent) {
  std::printf("%-5s %s\n", who, sent ? "stored" : sent.error().message.c_str());
}

/// What somebody may read of a room: others' messages of another audience are `hidden` events.
void show(const char* who, parley::Session& session, const parley::Conversation& room) {
  std::printf("%s reads:", who);
  for (const auto& event : session.history(room).get().value().events) {
    const auto* message = event.as<parley::Message>();
    if (message == nullptr) continue;
    std::printf(" [%.*s]", static_cast<int>(message->text().size()), message->text().data());
  }
  std::printf("\n");
}

}  // namespace

int main() {
  auto engine = parley::Engine::open({.before_message = look_at}).value();
  auto mia = engine.attach({.user = "mia"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();
  auto eve = engine.attach({.user = "eve"}).get().value();
  auto room = engine.create({.title = "arena", .members = {"mia", "bob", "eve"}}).get().value();
  engine.set_role(room, "mia", parley::Role::moderator).get().value();

  say("eve:", eve.send(room, "what a noob").get());  // refused, with the host's words
  say("eve:", eve.send(room, "darn!").get());        // stored as "****!"
  say("bob:", bob.send(room, "report: eve is loud").get());
  const parley::MessageDraft aside{.body = "I see it", .audience = parley::audience::moderators};
  say("mia:", mia.send(room, aside).get());

  // A mute: eve reads on, and is told until when. Also Session::lift, restrictions.
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  mia.restrict_user(room, eve.user(), parley::RestrictionKind::mute,
                    {.until = now + 10min, .reason = "shouting"})
      .get()
      .value();
  say("eve:", eve.send(room, "but I").get());
  mia.lift(room, eve.user(), parley::RestrictionKind::mute).get().value();

  // A shadow ban is the host's: eve sees her messages, moderators too, nobody else does.
  engine.shadow_ban(room, "eve").get().value();
  say("eve:", eve.send(room, "can you hear me?").get());
  show("bob", bob, room);
  show("eve", eve, room);
  show("mia", mia, room);

  // A ban: out, and neither joins nor is added.
  mia.restrict_user(room, eve.user(), parley::RestrictionKind::ban).get().value();
  say("eve:", eve.send(room, "hello?").get());
  const bool back = engine.add(room, {"eve"}).get().ok();
  std::printf("eve can be added again: %s\n", back ? "yes" : "no");
  return back ? 1 : 0;
}
