#include "core/names.hpp"

#include <cstring>
#include <memory>
#include <utility>

#include "base/siphash.hpp"
#include "base/utf8.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

/// Memory that a store call's views point into.
struct NameWrite {
  std::string partition, guard, key, subject;
};

constexpr int name_attempts_most =
    8;  // of a store that answers unknown or retryable; then the caller is told

}  // namespace

Error check_subject(std::string_view subject) {
  if (subject.empty())
    return {Errc::invalid_argument, "user: expected a name of at least one byte"};
  if (subject.size() > limits::subject) {
    return {Errc::too_large, "user: longer than " + std::to_string(limits::subject) + " bytes"};
  }
  if (!base::valid_utf8(subject)) return {Errc::invalid_argument, "user: expected UTF-8"};
  return {};
}

std::string Names::partition_of(std::string_view subject) const {
  return layout::name_id(shard_.config.ns, base::siphash128(shard_.config.key, subject));
}

void Names::resolve(std::string subject, bool create, Then<UserId> then) {
  if (Error error = check_subject(subject)) return then(std::move(error));
  if (const UserId* id = ids_.find(subject)) return then(*id);
  const ShardIndex asking = shard_.index;
  shard_.at(shard_.shard_of_subject(subject),
            [subject, create, asking, then = std::move(then)](ShardState& there) mutable {
              there.names.resolve_here(
                  subject, create,
                  [&there, subject, asking, then = std::move(then)](Result<UserId> result) mutable {
                    there.at(asking, [subject, then = std::move(then),
                                      result = std::move(result)](ShardState& here) mutable {
                      if (result) {
                        here.names.ids_.insert(subject, *result);
                        here.names.subjects_.insert(*result, subject);
                      }
                      then(std::move(result));
                    });
                  });
            });
}

void Names::resolve(std::vector<std::string> subjects, bool create,
                    Then<std::vector<UserId>> then) {
  struct Gather {
    std::vector<UserId> ids;
    std::size_t open = 0;
    Error error;
    Then<std::vector<UserId>> then;
  };
  if (subjects.empty()) return then(std::vector<UserId>{});
  auto gather = std::make_shared<Gather>();
  gather->ids.resize(subjects.size());
  gather->open = subjects.size();
  gather->then = std::move(then);
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    resolve(std::move(subjects[i]), create, [gather, i](Result<UserId> id) {
      if (id) {
        gather->ids[i] = *id;
      } else if (!gather->error) {
        gather->error = std::move(id).error();
      }
      if (--gather->open != 0) return;
      if (gather->error) return gather->then(std::move(gather->error));
      gather->then(std::move(gather->ids));
    });
  }
}

void Names::resolve_here(std::string subject, bool create, Then<UserId> then) {
  if (const UserId* id = ids_.find(subject)) return then(*id);
  auto [it, fresh] = pending_.try_emplace(subject);
  it->second.create |= create;
  it->second.waiting.push_back(std::move(then));
  if (fresh) read_name(subject, 0);
}

void Names::read_name(const std::string& subject, int attempt) {
  auto memory = std::make_shared<std::string>(partition_of(subject));
  Get get;
  get.cells.push_back({{layout::name, *memory}, {}});
  get.owner = memory;
  shard_.world.get(std::move(get), [this, subject, attempt](Result<Cells> cells) {
    if (!cells) return retry(subject, attempt, std::move(cells).error());
    if (const auto& value = cells->values.at(0)) {
      const auto name = layout::decode_name(*value);
      if (!name) return finish(subject, Error(Errc::store_corrupt, "a name's cell is damaged"));
      return finish(subject, name->user);
    }
    if (!pending_.at(subject).create) {
      return finish(subject, Error(Errc::denied, "no such user, or not allowed"));
    }
    create_user(subject, attempt);
  });
}

void Names::create_user(const std::string& subject, int attempt) {
  const UserId id{shard_.next_snowflake()};
  auto memory = std::make_shared<NameWrite>();
  layout::HeadCell head;
  for (std::size_t i = 0; i < head.epoch.bytes.size(); i += 8) {
    const std::uint64_t word = shard_.world.random();
    std::memcpy(head.epoch.bytes.data() + i, &word, sizeof word);
  }
  head.nonce = shard_.world.random();
  memory->partition = layout::user_id(shard_.config.ns, id);
  memory->guard = layout::encode(head);
  memory->key = layout::setting_key("subject");
  memory->subject = subject;
  Batch batch;
  batch.partition = {layout::user, memory->partition};
  batch.guard = memory->guard;
  batch.puts.push_back({memory->key, memory->subject});
  batch.owner = memory;
  shard_.world.commit(std::move(batch), [this, subject, id, attempt](Committed committed) {
    // Anything but done: this id may or may not exist, and nothing leads to it. Take another.
    if (committed.verdict == Verdict::done) return create_name(subject, id, attempt);
    Error error = std::move(committed.error);
    if (!error) error = Error(Errc::unavailable, "the store did not take a new user; try again");
    retry(subject, attempt, std::move(error));
  });
}

void Names::create_name(const std::string& subject, UserId id, int attempt) {
  auto memory = std::make_shared<NameWrite>();
  memory->partition = partition_of(subject);
  memory->guard =
      layout::encode(layout::NameCell{id, subject.substr(0, 200), shard_.world.random()});
  Batch batch;
  batch.partition = {layout::name, memory->partition};
  batch.guard = memory->guard;
  batch.owner = memory;
  shard_.world.commit(std::move(batch), [this, subject, id, attempt](Committed committed) {
    if (committed.verdict == Verdict::done) return finish(subject, id);
    if (committed.verdict == Verdict::refused) return read_name(subject, attempt);
    // Failed or unknown: who owns the name now is what its cell says; a write that still lands
    // makes the next reading wrong only if we answered before, so we read until it is settled.
    Error error = std::move(committed.error);
    if (!error) error = Error(Errc::unavailable, "the store did not take a new name; try again");
    retry(subject, attempt, std::move(error));
  });
}

void Names::retry(const std::string& subject, int attempt, Error error) {
  const bool worth = error.retryable() || error.errc() == Errc::unavailable;
  if (!worth || attempt + 1 >= name_attempts_most) return finish(subject, std::move(error));
  const auto delay = std::chrono::milliseconds(10 << attempt);
  shard_.world.start_timer(delay, [this, subject, attempt] { read_name(subject, attempt + 1); });
}

void Names::finish(const std::string& subject, Result<UserId> result) {
  auto node = pending_.extract(subject);
  if (result) {
    ids_.insert(subject, *result);
    subjects_.insert(*result, subject);
  }
  for (auto& then : node.mapped().waiting) then(result);
}

void Names::lookup(std::vector<UserId> ids, Then<std::vector<UserName>> then) {
  struct Asked {
    std::vector<UserId> ids;
    std::vector<std::string> partitions;
    std::string key = layout::setting_key("subject");
  };
  std::vector<UserName> found;
  auto asked = std::make_shared<Asked>();
  for (const UserId id : ids) {
    if (const std::string* subject = subjects_.find(id)) {
      found.push_back({id, *subject});
    } else {
      asked->ids.push_back(id);
      asked->partitions.push_back(layout::user_id(shard_.config.ns, id));
    }
  }
  if (asked->ids.empty()) return then(std::move(found));
  Get get;
  for (const std::string& partition : asked->partitions) {
    get.cells.push_back({{layout::user, partition}, asked->key});
  }
  get.owner = asked;
  shard_.world.get(std::move(get), [this, asked, found = std::move(found),
                                    then = std::move(then)](Result<Cells> cells) mutable {
    if (!cells) return then(std::move(cells).error());
    for (std::size_t i = 0; i < asked->ids.size(); ++i) {
      if (const auto& value = cells->values[i]) {
        found.push_back({asked->ids[i], std::string(*value)});
        subjects_.insert(asked->ids[i], std::string(*value));
      }
    }
    then(std::move(found));
  });
}

}  // namespace parley::core
