// client_polls.cpp: what a client asks of polls. See client.cpp.
#include <utility>

#include "client/client_calls.hpp"

namespace parley::inline v0 {

using client::as;
using client::as_done;
using client::ask;
using client::pending;

void Client::vote(const ConversationId& conversation, Seq message,
                  std::vector<std::uint8_t> options, Completion<void> done) {
  ask(*impl_, wire::Vote{conversation, message, std::move(options)},
      as<Ballot>(std::move(done), [](Ballot&&) { return Result<void>(); }));
}
Pending<void> Client::vote(const ConversationId& conversation, Seq message,
                           std::vector<std::uint8_t> options) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    vote(conversation, message, std::move(options), std::move(done));
  });
}
void Client::close_poll(const ConversationId& conversation, Seq message, Completion<void> done) {
  ask(*impl_, wire::ClosePoll{conversation, message}, as_done(std::move(done)));
}
Pending<void> Client::close_poll(const ConversationId& conversation, Seq message) {
  return pending<void>(
      *impl_, [&](Completion<void> done) { close_poll(conversation, message, std::move(done)); });
}
void Client::ballot(const ConversationId& conversation, Seq message, Completion<Ballot> done) {
  ask(*impl_, wire::GetBallot{conversation, message},
      as<Ballot>(std::move(done), [](Ballot&& ballot) { return std::move(ballot); }));
}
Pending<Ballot> Client::ballot(const ConversationId& conversation, Seq message) {
  return pending<Ballot>(
      *impl_, [&](Completion<Ballot> done) { ballot(conversation, message, std::move(done)); });
}
void Client::voters(const ConversationId& conversation, Seq message, std::uint8_t option,
                    VotersOptions options, Completion<VotersPage> done) {
  ask(*impl_, wire::Voters{conversation, message, option, options.after, options.limit},
      as<wire::VotersPage>(std::move(done), [](wire::VotersPage&& page) {
        return VotersPage{std::move(page.users), page.more};
      }));
}
Pending<VotersPage> Client::voters(const ConversationId& conversation, Seq message,
                                   std::uint8_t option, VotersOptions options) {
  return pending<VotersPage>(*impl_, [&](Completion<VotersPage> done) {
    voters(conversation, message, option, options, std::move(done));
  });
}

}  // namespace parley::inline v0
