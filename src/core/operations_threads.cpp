// operations_threads.cpp: what is asked about threads.
#include <utility>

#include "core/operations.hpp"
#include "core/shard_state.hpp"

namespace parley::core {

void Operations::operator()(wire::Thread&& thread) {
  if (!known_message(thread.conversation, thread.root)) return;
  shard.at_home(thread.conversation, [ref = ref, number = number, who = caller(), thread](
                                         ShardState& there, Conversation& home) {
    home.thread(who, thread,
                there.answering<wire::ThreadPage>(
                    ref, number, [](wire::ThreadPage page) -> wire::Answer { return page; }));
  });
}

void Operations::operator()(wire::Threads&& threads) {
  if (!known(threads.conversation) || !has_user()) return;
  shard.at_home(threads.conversation, [ref = ref, number = number, who = caller(), threads](
                                          ShardState& there, Conversation& home) {
    home.threads(who, threads,
                 there.answering<wire::ThreadsPage>(
                     ref, number, [](wire::ThreadsPage page) -> wire::Answer { return page; }));
  });
}

void Operations::operator()(wire::FollowThread&& follow) {
  if (!known_message(follow.conversation, follow.root) || !has_user()) return;
  shard.at_home(follow.conversation, [ref = ref, number = number, who = caller(), follow](
                                         ShardState& there, Conversation& home) {
    home.follow_thread(who, follow.root, follow.on,
                       telling<wire::ThreadState>(there, ref, number, who.user));
  });
}

void Operations::operator()(wire::ReadThread&& read) {
  if (!known_message(read.conversation, read.root) || !has_user()) return;
  shard.at_home(read.conversation, [ref = ref, number = number, who = caller(), read](
                                       ShardState& there, Conversation& home) {
    home.read_thread(who, read.root, read.seq,
                     telling<wire::ThreadState>(there, ref, number, who.user));
  });
}

}  // namespace parley::core
