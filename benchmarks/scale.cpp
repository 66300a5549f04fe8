// scale.cpp: what one thing costs when there are few or many: messages, members, conversations,
// users, on the LMDB store. A run is one number of them; the first fills the directory.
#include <unistd.h>

#include <algorithm>
#include <random>
#include <stdexcept>

#include "parley/parley.hpp"
#include "run.hpp"
#include "stored.hpp"

namespace parley::bench {
namespace {

constexpr int page = 50;
constexpr int together = 16;  // sends that are open at once

double us(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e3; }
std::string user_name(std::uint64_t at) { return "user" + std::to_string(at); }

void close(Engine& engine) {
  engine.close();
  while (!engine.stopped()) engine.poll(std::chrono::milliseconds(10));
}

class Scale {
 public:
  explicit Scale(const Arguments& arguments)
      : directory(arguments.text("data")),
        operations(static_cast<std::uint64_t>(arguments.count("operations"))),
        random(static_cast<std::mt19937_64::result_type>(arguments.count("seed"))) {}
  /// Fills a store that is empty; then opens it, with what that takes as figures.
  template <class Fill>
  Engine open(Fill fill) {
    fill_once(directory, fill);
    const double memory = private_bytes(getpid());
    const auto since = Clock::now();
    Engine engine = open_stored(directory);
    (void)engine.attach({.user = "reader", .follow = false}).get().value();
    figures.add("start_ms", 1e3 * seconds_since(since));
    figures.add("start_bytes", private_bytes(getpid()) - memory);
    return engine;
  }
  /// Adds the CPU time that `count` calls take, for one.
  template <class Work>
  void measure(const char* figure, std::uint64_t count, Work work) {
    const auto before = own_cpu();
    work();
    figures.add(figure, us(own_cpu() - before) / static_cast<double>(count));
  }
  /// The same of one call after the other.
  template <class Call>
  void measure_each(const char* figure, std::uint64_t count, Call call) {
    measure(figure, count, [&] {
      for (std::uint64_t at = 0; at < count; ++at) call(at);
    });
  }
  /// Messages to conversations that `next` names.
  template <class Next>
  void send(Engine& engine, std::uint64_t count, Next next) {
    in_flight(engine, count, together, [&](std::uint64_t at, const Answered& answered) {
      MessageDraft draft;
      draft.body.assign(100, 'x');
      engine.send(next(at), std::move(draft), {},
                  [answered](const Result<Ack>& ack) { answered(ack.ok()); });
    });
  }
  void add_disk(double units) { figures.add("disk_bytes", disk_bytes(directory) / units); }

  Figures figures;
  std::string directory;
  std::uint64_t operations;
  std::mt19937_64 random;
};

void read_page(Session& reader, const ConversationId& room, Seq from) {
  HistoryOptions options;
  options.from = from;
  options.limit = page;
  if (reader.history(room, options).get().value().events.size() != page)
    throw std::runtime_error("a page is not whole");
}

}  // namespace

Figures scale_messages(const Arguments& arguments) {
  Scale scale(arguments);
  const auto rooms = static_cast<std::uint64_t>(arguments.count("rooms"));
  const std::uint64_t each = static_cast<std::uint64_t>(arguments.count("messages")) / rooms;
  const auto size = static_cast<std::size_t>(arguments.count("size"));
  {
    Engine engine =
        scale.open([&](Engine& into) { fill_rooms(into, stored_rooms(into, rooms), each, size); });
    const std::vector<ConversationId> all = stored_rooms(engine, rooms);
    Session reader = engine.attach({.user = "reader", .follow = false}).get().value();
    for (const ConversationId& room : all) reader.join(room).get().value();
    const auto last = [&](std::uint64_t at) { read_page(reader, all[at % rooms], 0); };
    for (std::uint64_t at = 0; at < rooms; ++at) last(at);
    scale.measure_each("page_cpu_us", scale.operations, last);
    scale.measure_each("random_page_cpu_us", scale.operations, [&](std::uint64_t at) {
      read_page(reader, all[at % rooms], page + 1 + scale.random() % (each - page + 1));
    });
    scale.send(engine, rooms, [&](std::uint64_t at) { return all[at]; });  // each is in memory
    const auto before = own_cpu();
    scale.send(engine, scale.operations,
               [&](std::uint64_t) { return all[scale.random() % rooms]; });
    close(engine);  // what was sent is folded
    scale.figures.add("cpu_us", us(own_cpu() - before) / static_cast<double>(scale.operations));
  }
  scale.add_disk(arguments.number("messages"));
  return scale.figures;
}

Figures scale_members(const Arguments& arguments) {
  Scale scale(arguments);
  const auto members = static_cast<std::uint64_t>(arguments.count("members"));
  const auto online = static_cast<std::uint64_t>(arguments.count("online"));
  const auto fill = [&](Engine& engine) {
    const ConversationId room = stored_rooms(engine, 1)[0];
    constexpr std::uint64_t at_once = 100;
    in_flight(engine, members / at_once, 2, [&](std::uint64_t at, const Answered& answered) {
      std::vector<std::string> names;
      for (std::uint64_t i = 0; i < at_once; ++i) names.push_back(user_name(at * at_once + i));
      engine.add(room, std::move(names), [answered](Result<void> done) { answered(done.ok()); });
    });
  };
  {
    Engine engine = scale.open(fill);
    const ConversationId room = stored_rooms(engine, 1)[0];
    std::uint64_t delivered = 0;
    std::vector<Session> sessions;
    const auto attach = [&](std::uint64_t) {
      AttachOptions options;
      options.user = user_name(sessions.size() * (members / online));
      options.manual_ack = true;
      sessions.push_back(engine.attach(std::move(options)).get().value());
    };
    scale.measure_each("attach_cpu_us", online, attach);
    for (Session& session : sessions)
      session.on_events([&](std::span<const Event> events) { delivered += events.size(); });
    scale.send(engine, 100, [&](std::uint64_t) { return room; });
    scale.measure("cpu_us", scale.operations, [&] {
      delivered = 0;
      scale.send(engine, scale.operations, [&](std::uint64_t) { return room; });
      while (delivered < scale.operations * online) engine.poll(std::chrono::milliseconds(1));
    });
    MembersOptions options;
    scale.measure_each("page_cpu_us", 100, [&](std::uint64_t) {
      const MembersPage got = sessions[0].members(room, options).get().value();
      options.after = got.more ? got.members.back().user : UserId{};
    });
    const auto guest = [](std::uint64_t at) { return "guest" + std::to_string(at); };
    scale.measure_each("add_cpu_us", 100,
                       [&](std::uint64_t at) { engine.add(room, {guest(at)}).get().value(); });
    scale.measure_each("remove_cpu_us", 100,
                       [&](std::uint64_t at) { engine.remove(room, guest(at)).get().value(); });
  }
  scale.add_disk(static_cast<double>(members));
  return scale.figures;
}

/// Groups of two; a user for five groups, so that each is in ten.
Figures scale_conversations(const Arguments& arguments) {
  Scale scale(arguments);
  const auto count = static_cast<std::uint64_t>(arguments.count("conversations"));
  const std::uint64_t users = std::max<std::uint64_t>(2, count / 5);
  const auto options_of = [&](std::uint64_t at) {
    CreateOptions create;
    create.title = "group";
    create.key = "group" + std::to_string(at);
    create.members = {user_name(at % users), user_name((at + 1 + at / users) % users)};
    return create;
  };
  const auto fill = [&](Engine& engine) {
    in_flight(engine, count, 64, [&](std::uint64_t at, const Answered& answered) {
      engine.create(options_of(at),
                    [answered](const Result<Conversation>& made) { answered(made.ok()); });
    });
  };
  {
    Engine engine = scale.open(fill);
    const auto found = [&](std::uint64_t at) -> ConversationId {
      return engine.create(options_of(at)).get().value();
    };
    std::vector<ConversationId> few, some;
    for (std::uint64_t at = 0; at < 100; ++at) few.push_back(found(at * (count / 100)));
    scale.send(engine, 200, [&](std::uint64_t at) { return few[at % 100]; });
    scale.measure("cpu_us", scale.operations, [&] {
      scale.send(engine, scale.operations, [&](std::uint64_t at) { return few[at % 100]; });
    });
    // Any of them, as none is in memory that nobody wanted lately.
    std::vector<std::uint64_t> any;
    for (int at = 0; at < 500; ++at) any.push_back(scale.random() % count);
    scale.measure_each("find_cpu_us", any.size(),
                       [&](std::uint64_t at) { some.push_back(found(any[at])); });
    scale.measure("any_cpu_us", some.size(), [&] {
      scale.send(engine, some.size(), [&](std::uint64_t at) { return some[at]; });
    });
    scale.measure_each("attach_cpu_us", 200, [&](std::uint64_t) {
      (void)engine.attach({.user = user_name(scale.random() % users)}).get().value();
    });
    scale.measure_each("create_cpu_us", 20, [&](std::uint64_t at) {
      CreateOptions create;
      create.title = "new";
      create.members = {user_name(at % users), user_name((at + 1) % users)};
      engine.create(std::move(create)).get().value();
    });
  }
  scale.add_disk(static_cast<double>(count));
  return scale.figures;
}

/// Users that were seen once, on a device with a name.
Figures scale_users(const Arguments& arguments) {
  Scale scale(arguments);
  const auto users = static_cast<std::uint64_t>(arguments.count("users"));
  const auto options_of = [](std::string name) {
    AttachOptions options;
    options.user = std::move(name);
    options.device = "phone";
    options.follow = false;
    return options;
  };
  const auto fill = [&](Engine& engine) {
    in_flight(engine, users, 64, [&](std::uint64_t at, const Answered& answered) {
      engine.attach(options_of(user_name(at)),
                    [answered](const Result<Session>& made) { answered(made.ok()); });
    });
  };
  {
    Engine engine = scale.open(fill);
    std::vector<Session> sessions;
    const double memory = private_bytes(getpid());
    scale.measure_each("attach_cpu_us", scale.operations, [&](std::uint64_t) {
      const std::string name = user_name(scale.random() % users);
      sessions.push_back(engine.attach(options_of(name)).get().value());
    });
    scale.figures.add("bytes",
                      (private_bytes(getpid()) - memory) / static_cast<double>(scale.operations));
    scale.measure_each("find_cpu_us", scale.operations, [&](std::uint64_t) {
      (void)engine.find_user(user_name(scale.random() % users)).get().value();
    });
    // Names that no run before has used.
    const std::string tag = std::to_string(Clock::now().time_since_epoch().count());
    scale.measure_each("new_cpu_us", 20, [&](std::uint64_t at) {
      (void)engine.attach(options_of(tag + "." + std::to_string(at))).get().value();
    });
  }
  scale.add_disk(static_cast<double>(users));
  return scale.figures;
}

}  // namespace parley::bench
