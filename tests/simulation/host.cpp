#include "simulation/host.hpp"

#include <algorithm>
#include <utility>

#include "parley/limits.hpp"
#include "wire/codec.hpp"

namespace parley::simulation {

using namespace std::chrono_literals;

core::AskSystem asking(Engine& engine) {
  return [&engine](wire::Operation operation, std::function<void(Result<wire::Answer> &&)> then) {
    engine.ask(std::move(operation), [then = std::move(then)](const wire::Answer& answer) {
      then(wire::Answer(answer));
    });
  };
}

ExportSink ExportLines::sink(const std::shared_ptr<ExportLines>& lines) {
  return [lines](std::string_view line) {
    std::vector<wire::Reply> replies;
    if (const auto read = wire::json_codec()->decode(line, replies); !read || replies.size() != 1)
      throw Broken("C20 a line of an export is no answer");
    lines->answers.push_back(std::move(replies.front().answer));
    return true;
  };
}

Host::Host(Place place, Random random) : place_(std::move(place)), random_(random) {
  erases_ = random_.chance(0.4);
}

void Host::tick() {
  place_.scheduler.after(random_.between(10ms, 500ms), [this] { tick(); });
  if (busy_ || place_.engine() == nullptr) return;
  calm_ ? settle() : act();
}

void Host::ask(wire::Operation operation, std::function<void(const wire::Answer&)> then) {
  busy_ = true;
  place_.engine()->ask(std::move(operation),
                       [this, then = std::move(then)](const wire::Answer& answer) {
                         busy_ = false;
                         then(answer);
                       });
}

std::optional<ConversationId> Host::somewhere() {
  if (place_.rumours.all.empty()) return std::nullopt;
  const ConversationId id = random_.pick(place_.rumours.all);
  const TrueStream* stream = place_.checker.truth().stream(id);
  return stream == nullptr || stream->ended ? std::nullopt : std::optional(id);
}

void Host::act() {
  const auto dice = random_.below(100);
  if (dice < 3 && erases_ && !erased_) return erase();
  if (erasing_ && dice < 30) return erase_now();
  if (dice < 15) return export_user();
  const auto id = somewhere();
  if (!id) return;
  if (dice < 30) return import(*id);
  if (dice < 48) return keep(*id);
  if (dice < 60) return export_conversation(*id);
  dice < 80 ? decide(*id) : say(*id);
}

/// What is left when nothing is done at random any more.
void Host::settle() {
  if (!held_.empty()) return lift(held_.begin()->first);
  if (erasing_) erase_now();
}

std::string Host::unsettled() const {
  if (!held_.empty()) return "something is held still";
  if (erasing_) return erasing_->first + " is not erased";
  return busy_ ? "the host waits for an answer" : "";
}

// ---- What is kept ----

void Host::keep(const ConversationId& id) {
  wire::SetRetention set{id, {}};
  if (random_.chance(0.5)) set.retention.keep_for = limits::retention_least;
  if (random_.chance(0.4)) set.retention.keep_events = random_.between(5, 60);
  set.retention.hold = random_.chance(0.5);
  if (set.retention.hold) held_[id] = set.retention;
  ask(set, [this, hold = set.retention.hold](const wire::Answer& answer) {
    if (std::holds_alternative<wire::Done>(answer))
      place_.report.reached(hold ? Sometimes::held : Sometimes::kept_by_host);
  });
}

void Host::lift(const ConversationId& id) {
  wire::SetRetention set{id, held_.at(id)};
  set.retention.hold = false;
  ask(set, [this, id](const wire::Answer& answer) {
    const auto* failed = std::get_if<wire::Failed>(&answer);
    if (failed == nullptr || failed->error.errc() == Errc::denied) held_.erase(id);  // or it ended
  });
}

// ---- History from elsewhere ----

void Host::import(const ConversationId& id) {
  if (!imports_.empty() && random_.chance(0.4)) {
    place_.report.reached(Sometimes::import_repeated);
    return send_import(random_.pick(imports_));
  }
  if (place_.checker.truth().kind_of(id) == ConversationKind::space) return;
  wire::Import batch{.conversation = id, .messages = {}, .senders = {}};
  for (auto count = random_.between(1, 6); count > 0; --count) {
    const std::string name = std::to_string(++imported_);
    const auto years = static_cast<std::int64_t>(random_.below(300'000'000'000));
    wire::Send send;
    send.conversation = id;
    send.body = Payload::copy_of("old " + name);
    send.import = {{}, place_.wall_ms() - years, name};
    const bool here = random_.chance(0.7);
    batch.senders.push_back(here                  ? random_.pick(place_.rumours.subjects)
                            : random_.chance(0.5) ? "elsewhere"
                                                  : "");
    const auto user = place_.checker.user_of(random_.pick(place_.rumours.subjects));
    if (user && random_.chance(0.2)) send.extras.mentions.push_back(*user);
    batch.messages.push_back(std::move(send));
  }
  imports_.push_back(batch);
  send_import(batch);
}

void Host::send_import(const wire::Import& batch) {
  place_.checker.importing(batch);
  ask(batch, [this, batch](const wire::Answer& answer) {
    place_.checker.imported(batch, answer);
    if (std::holds_alternative<wire::Imported>(answer)) place_.report.reached(Sometimes::imported);
  });
}

// ---- Who sees what, and what it says itself ----

/// In which of the host's groups somebody is, and whether others see what they write.
void Host::decide(const ConversationId& id) {
  const auto user = place_.checker.user_of(random_.pick(place_.rumours.subjects));
  if (!user) return;
  wire::SetVisibility set{id, *user, {}, {}};
  if (random_.chance(0.7))
    set.groups = static_cast<std::uint16_t>(random_.below(4) << audience::first_group);
  if (random_.chance(0.4)) set.shadowed = random_.chance(0.4);
  const TrueStream* stream = place_.checker.truth().stream(id);
  const Seq head = stream == nullptr ? 0 : stream->head();
  ask(set, [this, set, head](const wire::Answer& answer) {
    place_.checker.visibility_set(set, head, answer);
    if (!std::holds_alternative<wire::Done>(answer)) return;
    if (set.groups && *set.groups != 0) place_.report.reached(Sometimes::grouped);
    if (set.shadowed)
      place_.report.reached(*set.shadowed ? Sometimes::shadow_banned : Sometimes::shadow_lifted);
  });
}

/// As the system; what has a key may be said again.
void Host::say(const ConversationId& id) {
  if (!said_.empty() && random_.chance(0.2)) return send(random_.pick(said_));
  wire::Send said;
  said.conversation = id;
  said.random = random_.next() | 1;
  said.body = Payload::copy_of("h" + std::to_string(said.random));
  if (random_.chance(0.5)) said.key = "key" + std::to_string(said.random);
  if (random_.chance(0.5))
    said.audience = random_.chance(0.2) ? audience::moderators
                                        : static_cast<std::uint8_t>(random_.between(
                                              audience::first_group, audience::first_group + 1));
  const auto user = place_.checker.user_of(random_.pick(place_.rumours.subjects));
  if (user && random_.chance(0.3)) said.extras.mentions.push_back(*user);
  if (!said.key.empty()) said_.push_back(said);
  send(said);
}

void Host::send(const wire::Send& said) {
  place_.checker.saying(said);
  ask(said, [this, said](const wire::Answer& answer) {
    place_.checker.host_said(said, answer);
    if (std::holds_alternative<wire::Acked>(answer)) place_.report.reached(Sometimes::host_said);
  });
}

// ---- To elsewhere ----

void Host::export_conversation(const ConversationId& id) {
  auto lines = std::make_shared<ExportLines>();
  busy_ = true;
  core::export_conversation(
      asking(*place_.engine()), id, ExportLines::sink(lines),
      [this, id, lines, before = place_.checker.told()](const Result<void>& done) {
        busy_ = false;
        if (!done) return;
        place_.checker.exported(id, before, lines->answers, false);
        place_.report.reached(Sometimes::exported);
      });
}

void Host::export_user() {
  const auto user = place_.checker.user_of(random_.pick(place_.rumours.subjects));
  if (!user) return;
  auto lines = std::make_shared<ExportLines>();
  busy_ = true;
  core::export_user(asking(*place_.engine()), *user, ExportLines::sink(lines),
                    [this, user, lines, before = place_.checker.told()](const Result<void>& done) {
                      busy_ = false;
                      if (!done) return;
                      place_.checker.user_exported(*user, before, lines->answers, false);
                      place_.report.reached(Sometimes::user_exported);
                    });
}

// ---- The end of a user ----

/// Its devices are used until they are closed, and never again; nobody else looks for the name.
void Host::erase() {
  auto& subjects = place_.rumours.subjects;
  if (subjects.size() < 3) return;
  const std::string subject = random_.pick(subjects);
  const auto user = place_.checker.user_of(subject);
  if (!user || subject == robot) return;  // a bot is let in by its name alone
  erased_ = true;
  std::erase(subjects, subject);
  place_.rumours.gone.insert(subject);
  std::erase_if(imports_, [&](const wire::Import& batch) {
    return std::find(batch.senders.begin(), batch.senders.end(), subject) != batch.senders.end();
  });
  place_.retire(subject);
  place_.checker.erasing(*user, place_.wall_ms());
  erasing_.emplace(subject, *user);
  erase_now();
}

void Host::erase_now() {
  if (place_.checker.signing_in(erasing_->first)) return;
  busy_ = true;
  core::erase_user(asking(*place_.engine()), erasing_->second, erasing_->first,
                   [this, user = erasing_->second](const Result<ErasedUser>& erased) {
                     busy_ = false;
                     if (!erased) return;
                     place_.checker.erased(user, *erased);
                     if (!erased->held.empty())
                       return place_.report.reached(Sometimes::erasure_held);
                     place_.report.reached(Sometimes::user_erased);
                     erasing_.reset();
                   });
}

}  // namespace parley::simulation
