// device_acts.cpp: what devices do at random: what people do, and what nobody should.
#include "parley/limits.hpp"
#include "simulation/device.hpp"

namespace parley::simulation {
namespace {

const auto ignore = [](const wire::Reply*) {};

}  // namespace

void Device::opened(const wire::Reply* reply) {
  if (reply == nullptr) return;
  const auto* opened = std::get_if<wire::Opened>(&reply->answer);
  if (opened == nullptr) return;
  const ListEntry& entry = opened->entry;
  View& view = kept_.views[entry.conversation];
  view.member = true;
  view.entry = entry;
  place_.rumours.all.push_back(entry.conversation);
  if (entry.kind == ConversationKind::channel)
    place_.rumours.channels.push_back(entry.conversation);
  if (entry.kind == ConversationKind::space) place_.rumours.spaces.push_back(entry.conversation);
  if (entry.space) place_.report.reached(Sometimes::child_created);
  upkeep();
}

void Device::act() {
  const auto dice = random_.below(1000);
  const auto id = some_conversation();
  const auto open = [this](const wire::Reply* reply) { opened(reply); };
  if (!id || dice < 20) {
    const wire::Create create = creation();
    ask(create, open);
    if (create.nonce && random_.chance(0.1)) {
      place_.report.reached(Sometimes::create_repeated);
      ask(create, open);
    }
  } else if (dice < 32) {
    const auto& peer = random_.pick(place_.rumours.subjects);
    if (peer != subject_) ask(wire::Direct{peer}, open);
  } else if (dice < 45) {
    if (!place_.rumours.channels.empty()) {
      ask(wire::Join{random_.pick(place_.rumours.channels)},
          [open, this](const wire::Reply* reply) {
            if (reply != nullptr && std::holds_alternative<wire::Opened>(reply->answer)) {
              place_.report.reached(Sometimes::joined_channel);
            }
            open(reply);
          });
    }
  } else if (dice < 620) {
    // Bursts, so that batches form.
    for (auto count = random_.chance(0.1) ? random_.between(1, 20) : 1; count > 0 && room();
         --count) {
      const bool talks = kept_.views[*id].entry.kind != ConversationKind::space;
      talks ? write(*id) : membership(*id);
    }
  } else if (dice < 740) {
    const View& view = kept_.views[*id];
    if (view.cursor) {
      const Seq received = random_.below(view.cursor->seq + 1);
      ask(wire::MarkRead{*id, received, random_.below(received + 1)}, ignore);
    }
  } else if (dice < 780) {
    if (random_.chance(0.3))
      grow(*id);
    else
      ask(wire::SendSignal{*id, "typing", random_.chance(0.5) ? "x" : ""}, ignore);
  } else if (dice < 790) {
    history(*id);
  } else if (dice < 800) {
    thread(*id);
  } else if (dice < 850) {
    change_message(*id);
  } else if (dice < 880) {
    View& view = kept_.views[*id];
    view.wanted = random_.chance(0.7)   ? Level::full
                  : random_.chance(0.7) ? Level::heads
                                        : Level::none;
    if (!view.subscribing) subscribe({*id});
  } else if (dice < 950) {
    membership(*id);
  } else {
    look_around(*id, dice);
  }
}

/// What people do now and then.
void Device::look_around(const ConversationId& id, std::uint64_t dice) {
  if (dice < 955) {
    ask(wire::WatchConversation{id, random_.chance(0.9)}, [this](const wire::Reply* reply) {
      const auto* online = reply == nullptr ? nullptr : std::get_if<Online>(&reply->answer);
      if (online != nullptr && online->users) take_presence({*online->users});
    });
  } else if (dice < 965) {
    ask(wire::Members{.conversation = id,
                      .limit = static_cast<std::uint32_t>(random_.between(1, 5)),
                      .prefix = random_.chance(0.3) ? "USER" : ""},
        [this, id](const wire::Reply* reply) {
          if (reply == nullptr || !online_) return;
          const auto* page = std::get_if<wire::MembersPage>(&reply->answer);
          if (page == nullptr) return;
          wire::Watch watch{.conversation = id, .users = {}};
          for (const Member& member : page->members) watch.users.push_back(member.user);
          ask(watch, [this](const wire::Reply* answer) {
            if (answer == nullptr) return;
            if (const auto* state = std::get_if<wire::PresenceChanged>(&answer->answer)) {
              take_presence(*state);
            }
          });
        });
  } else if (dice < 980) {
    ask(wire::Sync{kept_.token}, [this](const wire::Reply* reply) {
      if (reply == nullptr) return;
      if (const auto* list = std::get_if<wire::ListChanged>(&reply->answer)) take_list(*list);
    });
  } else if (dice < 985) {
    ListSettings settings;
    if (random_.chance(0.5)) settings.pinned = random_.chance(0.5);
    if (random_.chance(0.5)) settings.draft = random_.chance(0.6) ? "dear" : "";
    if (random_.chance(0.3)) settings.folder = random_.chance(0.6) ? "f" : "";
    if (random_.chance(0.3)) settings.hidden = random_.chance(0.7);
    ask(wire::SetList{id, settings}, told(Sometimes::list_set));
  } else if (dice < 988) {
    random_.chance(0.5) ? schedule(id) : change_self(id);
  } else if (dice < 991) {
    ask(wire::Lookup{{kept_.user, UserId{random_.next()}}}, ignore);
  } else if (dice < 995) {
    ask(wire::Ping{}, ignore);
  } else {
    ask(wire::Bye{}, ignore);
  }
}

wire::Create Device::creation() {
  wire::Create create{.title = "c" + std::to_string(random_.below(100))};
  if (random_.chance(0.5)) create.kind = ConversationKind::channel;
  if (random_.chance(0.3)) create.kind = ConversationKind::space;
  if (random_.chance(0.8)) {
    for (auto& byte : create.nonce.bytes) byte = static_cast<std::uint8_t>(random_.next());
  }
  for (const auto& subject : place_.rumours.subjects) {
    if (subject != subject_ && random_.chance(0.6)) create.members.push_back(subject);
  }
  if (create.kind != ConversationKind::channel) return create;
  std::vector<ConversationId> spaces;  // where this user may
  for (const auto& [id, view] : kept_.views)
    if (view.member && view.entry.kind == ConversationKind::space && view.entry.role >= Role::admin)
      spaces.push_back(id);
  if (spaces.empty() || random_.chance(0.2)) return create;
  create.space = random_.pick(spaces);
  create.join = random_.chance(0.7) ? JoinRule::open : JoinRule::added;
  if (random_.chance(0.7)) create.members.clear();
  return create;
}

void Device::schedule(const ConversationId& id) {
  if (!scheduled_.empty() && random_.chance(0.2)) {
    const Snowflake dropped = scheduled_.back();
    scheduled_.pop_back();
    place_.checker.unschedule(dropped);
    return ask(wire::Unschedule{dropped}, ignore);
  }
  if (random_.chance(0.1)) return ask(wire::ListScheduled{}, ignore);
  wire::Schedule later;
  later.at = WallTime(std::chrono::milliseconds(
      place_.wall_ms() + static_cast<std::int64_t>(random_.between(100, 20'000))));
  later.message.conversation = id;
  later.message.body = Payload::copy_of(scheduled_text);
  if (!scheduled_.empty() && random_.chance(0.1)) later.id = scheduled_.back();
  ask(later, [this](const wire::Reply* reply) {
    const auto* list = reply == nullptr ? nullptr : std::get_if<wire::Scheduled>(&reply->answer);
    if (list == nullptr) return;
    place_.report.reached(Sometimes::scheduled);
    scheduled_.push_back(list->items.front().id);
  });
}

void Device::change_self(const ConversationId& id) {
  const View& view = kept_.views[id];
  wire::SetUser set;
  switch (random_.below(7)) {
    case 0:
      set.change.hide_reads = random_.chance(0.4);
      if (*set.change.hide_reads) {
        place_.rumours.hidden = true;
        place_.report.reached(Sometimes::reads_hidden);
      }
      ask(set, ignore);
      break;
    case 1:
      set.change.status = random_.chance(0.7) ? "here" : "";
      set.change.hide_last_seen = random_.chance(0.5);
      ask(set, ignore);
      break;
    case 2:
      ask(wire::SetPresence{static_cast<PresenceState>(random_.between(1, 4))},
          told(Sometimes::presence_set));
      break;
    case 3:
      ask(wire::PageList{.limit = static_cast<std::uint32_t>(random_.between(1, 4))}, ignore);
      break;
    case 4:
      ask(wire::Devices{}, ignore);
      break;
    case 5:
      ask(wire::RenameDevice{device_id_, "d" + std::to_string(random_.below(4))}, ignore);
      break;
    default:
      ask(wire::Seen{id, 1 + random_.below(view.cursor ? view.cursor->seq + 1 : 1)}, ignore);
  }
}

void Device::history(const ConversationId& id) {
  const View& view = kept_.views[id];
  const Seq head = view.cursor ? view.cursor->seq : 0;
  ask(wire::History{.conversation = id,
                    .from = random_.chance(0.3) ? 0 : random_.below(head + 3),
                    .backward = random_.chance(0.6),
                    .limit = static_cast<std::uint32_t>(
                        random_.chance(0.2) ? limits::page_events : random_.between(1, 30))},
      ignore);
}

void Device::change_message(const ConversationId& id) {
  const View& view = kept_.views[id];
  if (!view.polls.empty() && random_.chance(0.3)) return poll(id, random_.pick(view.polls));
  const bool own = !view.mine.empty() && random_.chance(0.6);
  const auto& seqs = own ? view.mine : view.others;
  if (seqs.empty()) return;
  const Seq seq = random_.pick(seqs);
  switch (random_.below(8)) {
    case 0:
    case 1:
      ask(wire::Edit{id, seq, "", Payload::copy_of("edit " + std::to_string(random_.below(16)))},
          told(Sometimes::edited));
      break;
    case 2:
      if (random_.chance(0.5)) {
        ask(wire::Delete{id, seq}, told(Sometimes::deleted));
      } else {
        ask(wire::DeleteForMe{id, {seq, random_.pick(seqs)}}, told(Sometimes::deleted_for_me));
      }
      break;
    case 3:
      ask(wire::Pin{id, seq, random_.chance(0.6)}, told(Sometimes::pinned));
      break;
    case 4:
      if (random_.chance(0.5)) {
        ask(wire::Pins{id}, ignore);
      } else {
        ask(wire::Reactors{.conversation = id, .seq = seq, .key = "a", .limit = 2}, ignore);
      }
      break;
    default:
      ask(wire::React{id, seq, random_.chance(0.5) ? "a" : "b", random_.chance(0.7)},
          told(Sometimes::reacted));
  }
}

/// Writes its user's name in two pieces, and takes it back sometimes.
void Device::grow(const ConversationId& id) {
  ask(wire::StartStream{.conversation = id}, [this, id](const wire::Reply* reply) {
    if (reply == nullptr || !online_) return;
    const auto* begun = std::get_if<wire::StreamStarted>(&reply->answer);
    if (begun == nullptr) return;
    const Snowflake stream = begun->stream;
    ask(wire::AppendStream{id, stream, 0, subject_.substr(0, 3)}, ignore);
    ask(wire::AppendStream{id, stream, random_.below(4), ""}, ignore);
    ask(wire::AppendStream{id, stream, 3, subject_.substr(3)}, ignore);
    if (random_.chance(0.5)) ask(wire::CancelStream{id, stream}, ignore);
    if (random_.chance(0.3)) ask(wire::GetStream{id, stream}, ignore);
  });
}

void Device::poll(const ConversationId& id, Seq seq) {
  wire::Vote vote{id, seq, {}};
  switch (random_.below(8)) {
    case 0:
      ask(wire::ClosePoll{id, seq}, told(Sometimes::poll_closed));
      break;
    case 1:
      ask(wire::GetBallot{id, seq}, ignore);
      break;
    case 2:
      ask(wire::Voters{.conversation = id, .seq = seq, .option = 1, .limit = 2}, ignore);
      break;
    default:
      for (std::uint8_t option = 0; option < 3; ++option)
        if (random_.chance(0.4)) vote.options.push_back(option);
      ask(vote, [this](const wire::Reply* reply) {
        if (reply != nullptr && std::holds_alternative<Ballot>(reply->answer))
          place_.report.reached(Sometimes::voted);
      });
  }
}

/// An answer that only counts when it says yes.
Device::Then Device::told(Sometimes what) {
  return [this, what](const wire::Reply* reply) {
    if (reply != nullptr && std::holds_alternative<wire::Done>(reply->answer))
      place_.report.reached(what);
  };
}

/// Some messages mention somebody, some go in a thread: of whatever message, not always a root.
void Device::address(const ConversationId& id, Item& item) {
  const View& view = kept_.views[id];
  if (random_.chance(0.2)) {
    const auto user = place_.checker.user_of(random_.pick(place_.rumours.subjects));
    if (user) item.mentions.push_back(*user);
    // In a channel that is not everybody's right.
    if (view.entry.kind != ConversationKind::channel && random_.chance(0.2))
      item.scope = random_.chance(0.7) ? MentionScope::all : MentionScope::here;
  }
  const auto& roots = random_.chance(0.5) ? view.mine : view.others;
  if (!roots.empty() && random_.chance(0.2))
    item.thread_root = random_.chance(0.5) ? roots.front() : random_.pick(roots);
}

void Device::thread(const ConversationId& id) {
  const View& view = kept_.views[id];
  const auto& roots = random_.chance(0.5) ? view.mine : view.others;
  if (roots.empty()) return;
  const Seq root = random_.chance(0.5) ? roots.front() : random_.pick(roots);
  switch (random_.below(4)) {
    case 0:
      ask(wire::Thread{.conversation = id, .root = root, .backward = random_.chance(0.5)}, ignore);
      break;
    case 1:
      ask(wire::Threads{.conversation = id, .limit = 5}, ignore);
      break;
    case 2:
      ask(wire::FollowThread{id, root, random_.chance(0.5)}, ignore);
      break;
    default:
      ask(wire::ReadThread{id, root, root + random_.below(20)}, [this](const wire::Reply* reply) {
        if (reply != nullptr && std::holds_alternative<wire::ThreadState>(reply->answer))
          place_.report.reached(Sometimes::thread_read);
      });
  }
}

void Device::membership(const ConversationId& id) {
  const auto& somebody = random_.pick(place_.rumours.subjects);
  const auto user = place_.checker.user_of(somebody);
  switch (random_.below(15)) {
    case 0:
      ask(wire::Leave{id}, [this, id](const wire::Reply* reply) {
        if (reply != nullptr && std::holds_alternative<wire::Done>(reply->answer)) {
          place_.report.reached(Sometimes::left_group);
          kept_.views[id].member = kept_.views[id].subscribed = false;
        }
      });
      break;
    case 1:
    case 2:
    case 3:
    case 4:
      ask(wire::Add{id, {somebody}}, ignore);
      break;
    case 5:
    case 6:
    case 7:
      if (user && *user != kept_.user) ask(wire::Remove{id, *user}, ignore);
      break;
    case 8:
      if (user) {
        ask(wire::SetRole{id, *user,
                          random_.pick(std::vector{Role::owner, Role::admin, Role::moderator,
                                                   Role::member, Role::read_only})},
            ignore);
      }
      break;
    case 9:
      if (user) ask(wire::Transfer{id, *user}, told(Sometimes::transferred));
      break;
    case 10:
      order(id, user);
      break;
    case 11:
      if (user && *user != kept_.user && random_.chance(0.4)) {
        place_.rumours.blocked = true;
        ask(wire::BlockUser{*user, random_.chance(0.7)}, told(Sometimes::blocked));
      } else {
        invite(id);
      }
      break;
    case 12:
      request(id);
      break;
    case 13:
      keep(id);
      break;
    default:
      ask(wire::SetTitle{id, "t" + std::to_string(random_.below(1000))}, ignore);
  }
}

/// Lets people ask, asks, or answers.
void Device::request(const ConversationId& id) {
  auto& askable = place_.rumours.askable;
  if (random_.chance(0.3)) {
    ask(wire::SetSettings{id, {.join = JoinRule::by_request}},
        [this, id](const wire::Reply* reply) {
          if (reply != nullptr && std::holds_alternative<wire::Done>(reply->answer))
            place_.rumours.askable.push_back(id);
        });
  } else if (askable.empty() || random_.chance(0.2)) {
    answer_requests(id);
  } else {
    ConversationId wanted = random_.pick(askable);
    for (int i = 0; i < 8 && kept_.views[wanted].member; ++i) wanted = random_.pick(askable);
    if (random_.chance(0.9))
      ask(wire::RequestJoin{wanted, "please"}, told(Sometimes::asked_to_join));
    else
      ask(wire::Leave{wanted}, ignore);  // takes it back, when it only asks
  }
}

/// Looks who asks, and answers.
void Device::answer_requests(const ConversationId& where) {
  ask(wire::JoinRequests{.conversation = where, .limit = 3},
      [this, where](const wire::Reply* reply) {
        if (reply == nullptr || !online_) return;
        const auto* page = std::get_if<wire::JoinRequestsPage>(&reply->answer);
        if (page == nullptr) return;
        for (const Applicant& each : page->requests)
          ask(wire::AnswerRequest{where, each.user, random_.chance(0.7)},
              told(Sometimes::answered_asker));
      });
}

void Device::invite(const ConversationId& id) {
  auto& known = place_.rumours.invites;
  if (known.empty() || random_.chance(0.3)) {
    // What somebody in a channel is, its stream tells of others only.
    const ConversationKind kind = kept_.views[id].entry.kind;
    const bool channel = kind == ConversationKind::channel || kind == ConversationKind::space;
    const Role role = channel || random_.chance(0.6) ? Role::member
                      : random_.chance(0.5)          ? Role::read_only
                                                     : Role::moderator;
    ask(wire::CreateInvite{id, {role, {}, static_cast<std::uint32_t>(random_.below(3))}},
        [this](const wire::Reply* reply) {
          if (reply == nullptr) return;
          const auto* made = std::get_if<wire::Invites>(&reply->answer);
          if (made == nullptr) return;
          place_.report.reached(Sometimes::invited);
          place_.rumours.invites.push_back(made->invites.at(0).token);
        });
  } else if (random_.chance(0.8)) {
    ask(wire::JoinInvite{random_.pick(known)}, [this](const wire::Reply* reply) {
      if (reply != nullptr && std::holds_alternative<wire::Opened>(reply->answer))
        place_.report.reached(Sometimes::joined_by_invite);
      opened(reply);
    });
  } else if (random_.chance(0.5)) {
    ask(wire::ListInvites{id}, ignore);
  } else {
    ask(wire::RevokeInvite{random_.pick(known)}, ignore);
  }
}

/// What owners do.
void Device::keep(const ConversationId& id) {
  if (random_.chance(0.1)) {
    ask(wire::End{id}, told(Sometimes::conversation_ended));
  } else if (random_.chance(0.7)) {
    Retention keep;
    if (random_.chance(0.7)) keep.keep_events = random_.between(5, 60);
    ask(wire::SetRetention{id, keep}, told(Sometimes::retention_set));
  } else {
    ask(wire::GetRetention{id}, ignore);
  }
}

/// What moderators and admins do.
void Device::order(const ConversationId& id, std::optional<UserId> user) {
  const auto kind = random_.chance(0.5) ? RestrictionKind::mute : RestrictionKind::ban;
  if (user && random_.chance(0.5)) {
    ask(wire::Restrict{id, kind, *user, random_.chance(0.5), {{}, "r"}},
        told(Sometimes::restricted));
  } else if (random_.chance(0.6)) {
    SettingsUpdate settings;
    if (random_.chance(0.5)) settings.description = "d" + std::to_string(random_.below(10));
    if (random_.chance(0.3)) settings.archived = random_.chance(0.2);
    if (random_.chance(0.3)) settings.slow_mode = std::chrono::seconds(random_.below(3));
    if (random_.chance(0.1)) settings.expires_after = std::chrono::seconds(random_.below(8));
    if (random_.chance(0.4))
      settings.join = random_.pick(
          std::vector{JoinRule::open, JoinRule::added, JoinRule::by_request, JoinRule::by_request});
    ask(wire::SetSettings{id, settings}, told(Sometimes::settings_set));
  } else if (random_.chance(0.5)) {
    ask(wire::GetInfo{id}, ignore);
  } else {
    ask(wire::Restrictions{.conversation = id, .kind = kind, .limit = 2}, ignore);
  }
}

/// Presents a cursor that is wrong in one field, and comes back with the right one.
void Device::probe_cursor(const ConversationId& id) {
  View& view = kept_.views[id];
  if (!view.cursor || view.subscribing) return;
  Cursor cursor = *view.cursor;
  switch (random_.below(4)) {
    case 0:
      cursor.epoch.bytes[random_.below(16)] ^= 1;
      break;
    case 1:
      cursor.mark ^= 1U << random_.below(32);
      break;
    case 2:
      cursor.seq += random_.between(1, 1000);
      break;
    default:
      if (place_.faults.encoded) return;  // the codec refuses it before the core sees it
      cursor.epoch = {};
  }
  view.subscribing = true;
  ask(wire::Subscribe{{{.conversation = id, .level = Level::full, .cursor = cursor}}},
      [this, id](const wire::Reply* reply) {
        if (reply == nullptr) return;
        View& there = kept_.views[id];
        there.subscribing = false;
        there.subscribed = false;
      });
}

void Device::act_hostile() {
  const auto refused = [this](const wire::Reply* reply) {
    if (reply == nullptr) return;
    if (!std::holds_alternative<wire::Failed>(reply->answer)) {
      throw Broken("A what must be refused to " + name_ + " was answered");
    }
    place_.report.reached(Sometimes::hostile_refused);
  };
  ConversationId nowhere;
  for (auto& byte : nowhere.bytes) byte = static_cast<std::uint8_t>(random_.next());
  const auto id = some_conversation();
  const auto dice = random_.below(12);
  if (!id || dice == 0) {
    ask(wire::Send{.conversation = nowhere, .body = Payload::copy_of("x")}, refused);
  } else if (dice == 1) {
    ask(wire::History{.conversation = nowhere}, refused);
  } else if (dice == 2) {
    ask(wire::Members{.conversation = nowhere}, refused);
  } else if (dice == 3) {
    ask(wire::Send{.conversation = *id,
                   .body = Payload::copy_of(std::string(limits::body_default + 1, 'x'))},
        refused);
  } else if (dice == 4) {
    ask(wire::Create{.title = std::string(limits::title + 1, 'x')}, refused);
  } else if (dice == 5) {
    ask(wire::History{.conversation = *id, .limit = limits::page_events + 1}, refused);
  } else if (dice == 6) {
    // Far beyond the head: an error or a clamp; the checker watches what becomes visible.
    place_.report.reached(Sometimes::receipt_capped);
    ask(wire::MarkRead{*id, (Seq{1} << 53) - 1, (Seq{1} << 53) - 1}, [](const wire::Reply*) {});
  } else if (dice == 7 && !place_.rumours.all.empty()) {
    // Perhaps a member, perhaps not; whatever is answered, the checker knows.
    history(random_.pick(place_.rumours.all));
  } else if (dice == 8 && !place_.rumours.all.empty()) {
    const auto other = random_.pick(place_.rumours.all);
    if (!kept_.views[other].subscribing && !kept_.views[other].member) {
      ask(wire::Subscribe{{{.conversation = other, .level = Level::full, .cursor = {}}}},
          [](const wire::Reply*) {});
    }
  } else if (dice == 9) {
    // A key again with another body: only a message that was acked, so that it cannot be new.
    for (const auto& [random, sent] : place_.checker.ledger().all()) {
      if (sent.acked == 0 || sent.device != index_ || sent.life != life_) continue;
      if (random_.chance(0.7)) continue;
      ask(wire::Send{.conversation = sent.conversation,
                     .number = sent.number,
                     .random = random,
                     .settled = sent.number,
                     .key = hosted() ? "robot" + std::to_string(random) : "",
                     .body = Payload::copy_of("another body")},
          refused);
      break;
    }
  } else {
    probe_cursor(*id);
  }
}

}  // namespace parley::simulation
