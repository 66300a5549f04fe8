// presence.cpp: everybody in rooms changes how they are, again and again, watched by all others of
// their room.
#include <stdexcept>

#include "pubsub.hpp"
#include "run.hpp"
#include "websocket_load.hpp"

namespace parley::bench {
namespace {

/// Reports flaps of everybody, for units of one user told of one change; `flap` returns when
/// everybody has been told.
template <class Flap>
Figures measure(const Arguments& arguments, double told_a_flap, Flap flap) {
  const auto run = [&](double seconds) {
    double told = 0;
    for (const auto start = Clock::now(); seconds_since(start) < seconds; told += told_a_flap)
      flap();
    return told;
  };
  run(arguments.number("warm"));
  Figures figures;
  const Window window(arguments.count("pid"));
  window.report(figures, run(arguments.number("seconds")));
  return figures;
}

/// Changes of a user are told once a second at most, those of several users together.
Figures on_parley(const Arguments& arguments, int users, int members) {
  ParleyLoad load(arguments.count("port"));
  std::vector<ConversationId> rooms;
  for (int i = 0; i < users; ++i) {
    const int client = load.sign_in("user" + std::to_string(i));
    if (i % members == 0) {
      wire::Create create;
      create.kind = ConversationKind::channel;
      create.title = "room";
      rooms.push_back(std::get<wire::Opened>(load.ask(client, create)).entry.conversation);
    } else {
      load.ask(client, wire::Join{rooms.back()});
    }
  }
  for (int i = 0; i < users; ++i) {
    const int room = i / members;
    wire::Watch watch{rooms[static_cast<std::size_t>(room)], {}};
    for (int other = room * members; other < (room + 1) * members; ++other)
      if (other != i) watch.users.push_back(load.user(other));
    load.ask(i, std::move(watch));
  }
  std::uint64_t told = 0;
  load.on_push = [&](const wire::Answer& answer) {
    if (const auto* changed = std::get_if<wire::PresenceChanged>(&answer))
      told += changed->users.size();
  };
  const auto all = static_cast<std::uint64_t>(users) * static_cast<unsigned>(members - 1);
  std::uint32_t request = 1;
  bool away = false;
  return measure(arguments, static_cast<double>(all), [&] {
    away = !away;
    told = 0;
    for (int i = 0; i < users; ++i) {
      load.post(i, request++,
                wire::SetPresence{away ? PresenceState::away : PresenceState::online});
      if (i % members == 0) load.poll(0);
    }
    const auto since = Clock::now();
    while (told < all) {
      load.poll(1'000);
      if (seconds_since(since) > 60) throw std::runtime_error("not everybody was told");
    }
  });
}

/// A peer without presence: everybody says it in the room.
Figures on_peer(const Arguments& arguments, int users, int members) {
  const auto load = pubsub(arguments.text("protocol"), arguments.count("port"), 64);
  for (int i = 0; i < users; ++i) load->subscribe(load->connect(), i / members);
  std::uint64_t told = 0;
  load->on_delivery = [&](int, std::uint64_t count) { told += count; };
  const auto all = static_cast<std::uint64_t>(users) * static_cast<unsigned>(members);
  return measure(arguments, static_cast<double>(all), [&] {
    told = 0;
    for (int i = 0; i < users; ++i) {
      load->publish(i, i / members);
      if (i % members == 0) load->poll(0);
    }
    while (told < all) load->poll(1'000);
  });
}

}  // namespace

Figures presence(const Arguments& arguments) {
  const int members = arguments.count("members");
  const int users = arguments.count("sockets") / members * members;
  return arguments.text("protocol") == "parley" ? on_parley(arguments, users, members)
                                                : on_peer(arguments, users, members);
}

}  // namespace parley::bench
