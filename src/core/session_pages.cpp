// session_pages.cpp: pages of messages that are asked for. So many bytes of them are read at one
// time; what is asked beyond waits for its turn, session by session.
#include <algorithm>
#include <utility>

#include "core/operations.hpp"
#include "core/session.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

constexpr std::size_t page_least = 4 * limits::kib;  // when what is queued has taken its part
constexpr std::size_t page_most = limits::page_bytes;
constexpr std::size_t pages_of_session = 2;  // with what waits to be read, below limits::queue_hard

}  // namespace

void Sessions::ask_page(SessionRef ref, SessionState& session, wire::Request&& request) {
  if (!session.pages) session.pages = std::make_unique<SessionState::Pages>();
  if (page_line_.empty() && session.pages->waiting.empty() && may_read(session))
    if (const std::uint32_t page = next_page(); page != 0)
      return read_page(ref, session, std::move(request), page);
  session.pages->waiting.push_back(std::move(request));
  line_up(ref, session);
  read_pages();
}

/// Unless it reads enough already or has to take what it was answered first: then the end of a
/// page, or drained(), comes back here.
bool Sessions::may_read(const SessionState& session) const noexcept {
  if (session.phase != SessionState::Phase::ready) return false;
  if (session.pages->reading + page_most > pages_of_session * page_most) return false;
  // Host code takes answers at once, whatever else it leaves.
  const bool link = session.kind == SessionSetup::Kind::link;
  return !link || session.outlet->backlog() <= shard_.world.queue_limit();
}

void Sessions::line_up(SessionRef ref, SessionState& session) {
  if (!session.pages || session.pages->in_line || session.pages->waiting.empty()) return;
  if (!may_read(session)) {
    if (session.pages->reading == 0) session.outlet->lag();
    return;
  }
  page_line_.push_back(ref);
  session.pages->in_line = true;
}

/// What the next page may weigh; 0: others come first.
std::uint32_t Sessions::next_page() noexcept {
  const std::size_t share = std::max(limits::paging / shard_.config.shards, page_most);
  const std::size_t room = std::min(share, shard_.world.queue_room());
  if (paging_ == 0) return static_cast<std::uint32_t>(std::clamp(room, page_least, page_most));
  return paging_ + page_most <= room ? static_cast<std::uint32_t>(page_most) : 0;
}

void Sessions::read_pages() {
  if (lining_) return;  // one is answered at once: the loop goes on
  struct Lining {
    explicit Lining(bool& of) : flag(of) { flag = true; }
    ~Lining() { flag = false; }
    bool& flag;
  };
  const Lining lining(lining_);
  while (!page_line_.empty()) {
    const std::uint32_t page = next_page();
    if (page == 0) break;
    const SessionRef ref = page_line_.front();
    page_line_.pop_front();
    SessionState* session = find(ref);
    if (session == nullptr) continue;
    SessionState::Pages& pages = *session->pages;
    pages.in_line = false;
    if (session->phase != SessionState::Phase::ready || pages.waiting.empty()) continue;
    wire::Request request = std::move(pages.waiting.front());
    pages.waiting.erase(pages.waiting.begin());
    read_page(ref, *session, std::move(request), page);
  }
}

void Sessions::read_page(SessionRef ref, SessionState& session, wire::Request&& request,
                         std::uint32_t page) {
  const auto open = std::find_if(session.open.begin(), session.open.end(),
                                 [&](const auto& each) { return each.number == request.number; });
  if (open == session.open.end())  // answered without: there was no memory for it
    return line_up(ref, session);
  open->page = page;
  session.pages->reading += page;
  paging_ += page;
  line_up(ref, session);
  Operations{shard_, *this, ref, session, request.number}.run(std::move(request.operation));
}

/// Outside of whatever an answer comes from: what is asked next may enter the same conversation.
void Sessions::read_pages_soon() {
  if (page_line_.empty() || lining_ || std::exchange(pages_soon_, true)) return;
  shard_.later([this](Shard&) {
    pages_soon_ = false;
    read_pages();
  });
}

std::uint32_t Sessions::page_of(const SessionState& session, std::uint32_t number) noexcept {
  const auto open = std::find_if(session.open.begin(), session.open.end(),
                                 [&](const auto& each) { return each.number == number; });
  return open == session.open.end() || open->page == 0 ? page_least : open->page;
}

void Sessions::page_over(SessionState& session, const SessionState::Open& open) noexcept {
  if (open.page == 0) return;
  session.pages->reading -= open.page;
  paging_ -= open.page;
}

}  // namespace parley::core
