// changes: messages are edited, deleted and reacted to; events tell it, history shows the outcome.
#include <cstdio>
#include <future>
#include <map>
#include <string>

#include "parley/parley.hpp"

int main() {
  auto engine = parley::Engine::open({}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();
  auto chat = engine.direct("alice", "bob").get().value();
  std::promise<void> told;

  //! [events]
  std::map<parley::Seq, std::string> screen;  // what bob's window shows
  bob.on_event([&](const parley::Event& event) {
    if (const auto* message = event.as<parley::Message>()) {
      screen[event.seq] = message->text();
    } else if (const auto* edit = event.as<parley::Edit>()) {
      screen[edit->message] = edit->text();
    } else if (const auto* deletion = event.as<parley::Deletion>()) {
      screen[deletion->message] = "(deleted)";
    } else if (const auto* change = event.as<parley::ReactionsChange>()) {
      for (const auto& on : change->messages) {
        std::printf("%zu sorts of reactions are on %llu now\n", on.reactions.size(),
                    static_cast<unsigned long long>(on.message));
      }
      told.set_value();
    }
  });
  //! [events]

  //! [changes]
  const parley::Seq when = alice.send(chat, "see you at nein").get().value().seq;
  const parley::Seq slip = alice.send(chat, "my password is 1234").get().value().seq;
  alice.edit(chat, when, "see you at nine").get().value();
  alice.delete_message(chat, slip).get().value();
  bob.react(chat, when, "👍").get().value();
  told.get_future().wait();  // the reaction is stored; its event comes a moment later

  const parley::HistoryPage page = alice.history(chat).get().value();
  for (const parley::Event& event : page.events) {
    const auto* message = event.as<parley::Message>();
    if (message == nullptr) continue;  // the changes are events of the page as well
    const std::string text = message->deleted ? "(deleted)" : std::string(message->text());
    std::printf("%llu  %s", static_cast<unsigned long long>(event.seq), text.c_str());
    if (message->edited != parley::WallTime{}) std::printf(" (edited)");
    for (const parley::Reaction& reaction : message->reactions) {
      std::printf("  %s %llu", std::string(reaction.key).c_str(),
                  static_cast<unsigned long long>(reaction.count));
    }
    std::printf("\n");
  }
  //! [changes]

  // Bob's window, drawn from events alone, and alice's page say the same.
  std::size_t same = 0;
  for (const parley::Event& event : page.events) {
    const auto* message = event.as<parley::Message>();
    if (message == nullptr) continue;
    const auto shown = message->deleted ? std::string_view("(deleted)") : message->text();
    if (screen[event.seq] == shown) ++same;
  }
  return same == 2 && screen.size() == 2 ? 0 : 1;
}
