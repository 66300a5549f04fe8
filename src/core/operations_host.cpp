// operations_host.cpp: what only the host asks: history from elsewhere, and the end of a user.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "core/operations.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

/// No host's own key begins like this: those are text.
std::string import_key(const std::string& id) { return std::string("\0import", 7) + id; }

/// What is wrong with the message at that place; no error when nothing is.
Error check_import(const wire::Send& message, std::size_t at) {
  const std::string which = "messages[" + std::to_string(at) + "].";
  const wire::Send::Import& import = *message.import;
  if (import.id.empty() || import.id.size() > limits::import_id || !base::valid_utf8(import.id))
    return {Errc::invalid_argument, which + "id: expected 1 to 96 bytes of UTF-8"};
  if (import.written_ms <= 0)
    return {Errc::invalid_argument, which + "written: expected a time after 1970"};
  return {};
}

/// The messages of one import on their way, and their answers.
struct ImportJob {
  wire::Import import;
  wire::Imported done;
  std::size_t open = 0;
  Error error;
  Then<wire::Imported> then;
};

void import_at_home(Conversation& home, const std::shared_ptr<ImportJob>& job) {
  job->open = job->import.messages.size();
  job->done.acks.resize(job->open);
  for (std::size_t i = 0; i < job->import.messages.size(); ++i) {
    home.send({}, std::move(job->import.messages[i]), [job, i](Result<Ack> ack) {
      if (ack) job->done.acks[i] = *ack;
      if (!ack && !job->error) {
        job->error = std::move(ack).error();
        job->error.message = "messages[" + std::to_string(i) + "]: " + job->error.message;
      }
      if (--job->open > 0) return;
      job->error ? job->then(job->error) : job->then(std::move(job->done));
    });
  }
}

}  // namespace

bool Operations::is_host() {
  return session.kind == SessionSetup::Kind::system || fail(Errc::denied, "only the host can");
}

void Operations::operator()(wire::Import&& import) {
  if (!is_host() || !known(import.conversation)) return;
  if (import.messages.empty() || import.messages.size() > limits::import_at_once)
    return void(fail(Errc::limit_reached, "messages: expected 1 to 256"));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < import.messages.size(); ++i) {
    wire::Send& message = import.messages[i];
    if (Error error = check_import(message, i))
      return sessions.answer(ref, number, wire::Failed{std::move(error)});
    message.conversation = import.conversation;
    message.key = import_key(message.import->id);
    if (!import.senders[i].empty()) names.push_back(import.senders[i]);
  }
  make_unique(names);
  auto job = std::make_shared<ImportJob>();
  job->import = std::move(import);
  shard.names.resolve(
      names, true,
      [&shard = shard, ref = ref, number = number, names, job](Result<std::vector<UserId>> users) {
        if (!users) return shard.fail(ref, number, std::move(users).error());
        std::map<std::string, UserId> ids;
        for (std::size_t i = 0; i < names.size(); ++i) ids[names[i]] = (*users)[i];
        for (std::size_t i = 0; i < job->import.messages.size(); ++i)
          job->import.messages[i].import->sender = ids[job->import.senders[i]];
        shard.at_home(
            job->import.conversation, [ref, number, job](ShardState& there, Conversation& home) {
              job->then = there.answering<wire::Imported>(
                  ref, number, [](wire::Imported imported) -> wire::Answer { return imported; });
              import_at_home(home, job);
            });
      });
}

void Operations::operator()(wire::PlacesOf&& places) {
  if (!is_host()) return;
  const UserId user = owner(places.user);
  if (!user) return;
  // Whatever was entered before is to be in the list.
  shard.at(0, [ref = ref, number = number, user](ShardState& first) {
    first.follower.when_current([&first, ref, number, user](bool current) {
      if (!current)
        return first.fail(ref, number,
                          {Errc::unavailable, "lists lag behind memberships; try again"});
      first.at_user(user, [ref, number](ShardState& there, UserHome& home) {
        home.places(there.answering<wire::Places>(
            ref, number, [](wire::Places all) -> wire::Answer { return all; }));
      });
    });
  });
}

void Operations::operator()(wire::OwnDeletionsOf&& asked) {
  if (!is_host() || !known(asked.conversation)) return;
  shard.at_home(asked.conversation, [ref = ref, number = number, asked](ShardState& there,
                                                                        Conversation& home) {
    home.deleted_by(
        asked.user,
        there.answering<std::vector<Seq>>(
            ref, number, [id = asked.conversation](std::vector<Seq> seqs) -> wire::Answer {
              return DeletedForMe{id, std::move(seqs)};
            }));
  });
}

/// The name last: as long as it is there, whoever was interrupted can begin again.
void Operations::operator()(wire::Forget&& forget) {
  if (!is_host()) return;
  const UserId user = owner(forget.user);
  if (!user) return;
  shard.names.lookup(
      {user}, [&shard = shard, ref = ref, number = number, user,
               named = std::move(forget.subject)](Result<std::vector<UserName>> known) {
        if (!known) return shard.fail(ref, number, std::move(known).error());
        const std::string subject = known->empty() ? named : known->front().subject;
        shard.at_user(user, [ref, number, user, subject](ShardState& there, UserHome& home) {
          home.forget([&there, ref, number, user, subject](const Result<void>& forgotten) {
            if (!forgotten) return there.fail(ref, number, forgotten.error());
            there.names.forget(subject, user, there.answering<void>(ref, number, done));
          });
        });
      });
}

}  // namespace parley::core
