// members_search.cpp: members by the beginning of their names. Groups: the names of all. Channels:
// the 'n' rows of the member partitions, merged in the order of names.
#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/members_page.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

constexpr std::size_t scans_at_once = 32;
constexpr std::uint32_t names_at_once = 8;  // of one bucket: of 256 that a page is made of
constexpr std::uint32_t indexed_at_once = 256;

}  // namespace

struct Conversation::State::SearchJob {
  std::shared_ptr<PageJob> asked;
  std::string end;  // the first key that does not begin so
  struct Source {
    std::uint16_t bucket = 0;
    std::string next;  // to be read from here on
    bool more = true;
    std::deque<std::string> keys;
  };
  std::vector<Source> sources;
  std::size_t begun = 0, reading = 0;         // sources
  std::map<std::string, std::size_t> firsts;  // of every source that has keys
  std::vector<UserId> found;                  // whose rows have not been looked at
  Error error;
};

struct Conversation::State::IndexJob {
  std::uint16_t bucket = 0;
  std::string partition, from = "m", next, guard;
  layout::CountCell cell;
  bool more = true;
  std::vector<std::pair<UserId, layout::MemberRow>> rows;  // without a name
};

// ---- Asked for ----

void Conversation::State::search_members(std::shared_ptr<PageJob> job) {
  const auto go_on = [this, job](const Error& error) {
    if (error) return job->then(error);
    channel() ? search_channel(job) : search_group(job);
  };
  if (!job->after) {
    job->from = layout::member_name_range(job->prefix).first;
    return go_on({});
  }
  using Names = Result<std::vector<UserName>>;
  host.names_of({job->after}, input<Names>([job, go_on](Names names) {
                  if (!names) return go_on(names.error());
                  if (names->empty())
                    return go_on({Errc::invalid_argument, "after: no such user; begin again"});
                  const std::string name = layout::searched_name(names->front().subject);
                  job->from = layout::member_name_key(name, job->after) + '\0';
                  go_on({});
                }));
}

void Conversation::State::search_group(std::shared_ptr<PageJob> job) {
  std::vector<UserId> users;
  for (const auto& [user, row] : members.items())
    if (row.role != Role::none) users.push_back(user);
  using Names = Result<std::vector<UserName>>;
  auto found = [this, job](Names names) {
    if (!names) return job->then(std::move(names).error());
    const auto end = layout::member_name_range(job->prefix).second;
    std::map<std::string, UserId> by_name;
    for (const UserName& known : *names) {
      auto key = layout::member_name_key(layout::searched_name(known.subject), known.id);
      if (key >= job->from && key < end) by_name.emplace(std::move(key), known.id);
    }
    with_receipt({}, [this, job, by_name = std::move(by_name)](Result<layout::ReceiptRow> loaded) {
      if (!loaded) return job->then(std::move(loaded).error());
      job->page.count = head.members;
      for (const auto& [key, user] : by_name) {
        const layout::MemberRow* row = members.find(user);
        if (row == nullptr || row->role == Role::none) continue;
        if (job->full()) break;
        show_member(job->caller, user, *row, job->page);
      }
      job->then(std::move(job->page));
    });
  };
  host.names_of(std::move(users), input<Names>(std::move(found)));
}

void Conversation::State::search_channel(std::shared_ptr<PageJob> job) {
  with_counts([this, job](const Error& error) {
    if (error) return job->then(error);
    job->page.count = member_count();
    auto search = std::make_shared<SearchJob>();
    auto [first, end] = layout::member_name_range(job->prefix);
    search->end = std::move(end);
    const std::string from = std::max(first, job->from);
    for (std::uint16_t bucket = 0; bucket < counts.size(); ++bucket) {
      if (counts[bucket] == 0) continue;
      search->sources.push_back({});
      search->sources.back().bucket = bucket;
      search->sources.back().next = from;
    }
    search->asked = job;
    read_names(std::move(search));
  });
}

// ---- A channel's names, merged ----

/// Every source is to show its first names before any of them counts.
void Conversation::State::read_names(std::shared_ptr<SearchJob> job) {
  while (!job->error && job->reading < scans_at_once && job->begun < job->sources.size()) {
    ++job->reading;
    read_source(job, job->begun++);
  }
  if (job->reading > 0) return;
  job->error ? job->asked->then(job->error) : merge_names(std::move(job));
}

void Conversation::State::read_source(std::shared_ptr<SearchJob> job, std::size_t index) {
  const SearchJob::Source& source = job->sources[index];
  auto request = owned_scan(layout::member, layout::member_id(host.ns(), id, source.bucket),
                            source.next, job->end);
  request.max_rows = names_at_once;
  scan(std::move(request), [this, job, index](Result<Rows> rows) {
    const auto read = [this, job](const Error& error) {
      --job->reading;
      if (error) job->error = error;
      read_names(job);
    };
    if (!rows) return read(rows.error());
    const auto cell = rows->guard ? layout::decode_count(*rows->guard) : layout::CountCell{};
    if (!cell) return read(unreadable("a member partition"));
    if (rows->guard && !cell->indexed) {
      return index_bucket(job->sources[index].bucket, [this, job, index, read](const Error& error) {
        error ? read(error) : read_source(job, index);
      });
    }
    take_names(*job, index, *rows);
    read({});
  });
}

void Conversation::State::take_names(SearchJob& job, std::size_t index, const Rows& rows) {
  SearchJob::Source& source = job.sources[index];
  for (const Row& row : rows.rows) source.keys.emplace_back(row.key);
  source.more = rows.more && !source.keys.empty();
  if (source.keys.empty()) return;
  source.next = source.keys.back() + '\0';
  job.firsts.emplace(source.keys.front(), index);
}

void Conversation::State::merge_names(std::shared_ptr<SearchJob> job) {
  const std::size_t wanted = job->asked->limit + 1 - job->asked->page.members.size();
  while (job->found.size() < wanted && !job->firsts.empty()) {
    const auto [key, index] = *job->firsts.begin();
    const auto user = layout::parse_member_name_key(key);
    if (!user) return job->asked->then(unreadable("a member partition"));
    job->found.push_back(*user);
    job->firsts.erase(job->firsts.begin());
    SearchJob::Source& source = job->sources[index];
    source.keys.pop_front();
    if (!source.keys.empty()) {
      job->firsts.emplace(source.keys.front(), index);
    } else if (source.more) {
      ++job->reading;
      return read_source(job, index);
    }
  }
  confirm_found(std::move(job));
}

/// A name may be there a moment longer than who has it.
void Conversation::State::confirm_found(std::shared_ptr<SearchJob> job) {
  if (job->found.empty()) return job->asked->then(std::move(job->asked->page));
  std::vector<OwnedCell> cells;
  for (const UserId user : job->found) {
    const auto bucket = layout::bucket_of(user, layout::channel_member_buckets);
    cells.push_back(
        {layout::member, layout::member_id(host.ns(), id, bucket), layout::member_key(user)});
  }
  get(owned_get(std::move(cells)), [this, job](Result<Cells> rows) {
    PageJob& asked = *job->asked;
    if (!rows) return asked.then(rows.error());
    const auto found = std::exchange(job->found, {});
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto row = rows->values[i] ? layout::decode_member(*rows->values[i]) : layout::MemberRow{};
      if (!row) return asked.then(unreadable("a member partition"));
      apply_decided(found[i], *row);
      if (row->role == Role::none) continue;
      if (asked.full()) return asked.then(std::move(asked.page));
      asked.page.members.push_back(shown_member(found[i], *row));
    }
    merge_names(job);
  });
}

// ---- Members of older versions ----

void Conversation::State::index_bucket(std::uint16_t bucket,
                                       std::function<void(const Error&)> then) {
  const auto [waiting, fresh] = indexing.try_emplace(bucket);
  waiting->second.push_back(std::move(then));
  if (!fresh) return;
  auto job = std::make_shared<IndexJob>();
  job->bucket = bucket;
  job->partition = layout::member_id(host.ns(), id, bucket);
  index_next(std::move(job));
}

void Conversation::State::index_next(std::shared_ptr<IndexJob> job) {
  if (ending) return index_done(*job, denied());
  auto request = owned_scan(layout::member, job->partition, job->from, "n");
  request.max_rows = indexed_at_once;
  scan(std::move(request), [this, job](Result<Rows> rows) {
    if (!rows) return index_done(*job, rows.error());
    if (!rows->guard) return index_done(*job, {});
    const auto cell = layout::decode_count(*rows->guard);
    if (!cell) return index_done(*job, unreadable("a member partition"));
    job->cell = *cell;
    job->guard = std::string(*rows->guard);
    job->more = rows->more && !rows->rows.empty();
    job->rows.clear();
    std::vector<UserId> users;
    for (const Row& row : rows->rows) {
      const auto user = layout::parse_number_key('m', row.key);
      const auto member = layout::decode_member(row.value);
      if (!user || !member) return index_done(*job, unreadable("a member partition"));
      job->next = std::string(row.key) + '\0';
      if (member->role == Role::none || !layout::decode_member_name(row.value).empty()) continue;
      users.push_back(UserId{*user});
      job->rows.emplace_back(users.back(), *member);
    }
    using Names = Result<std::vector<UserName>>;
    host.names_of(std::move(users), input<Names>([this, job](Names names) {
                    names ? index_commit(job, *names) : index_done(*job, names.error());
                  }));
  });
}

void Conversation::State::index_commit(std::shared_ptr<IndexJob> job,
                                       const std::vector<UserName>& names) {
  BatchWriter writer(layout::member, job->partition, 192 * names.size());
  for (const auto& [user, row] : job->rows) {
    const auto known = std::find_if(names.begin(), names.end(),
                                    [&who = user](const UserName& name) { return name.id == who; });
    if (known == names.end()) continue;  // erased, and on the way out
    const std::string name = layout::searched_name(known->subject);
    writer.put(layout::member_key(user), layout::encode(row, name));
    writer.put(layout::member_name_key(name, user), {});
  }
  writer.expect(job->guard);
  job->cell.revision += 1;
  job->cell.nonce = effects.random();
  job->cell.indexed = !job->more;
  writer.guard(layout::encode(job->cell));
  commit(std::move(writer).finish(), [this, job](const Settled& outcome) {
    if (outcome.outcome == Settled::Outcome::failed) return index_done(*job, outcome.error);
    const bool done = outcome.outcome == Settled::Outcome::done;
    if (done && !job->more) return index_done(*job, {});
    if (done) job->from = job->next;
    index_next(job);  // refused: the same members once more
  });
}

void Conversation::State::index_done(const IndexJob& job, const Error& error) {
  auto waiting = std::move(indexing.extract(job.bucket).mapped());
  for (auto& then : waiting) then(error);
}

}  // namespace parley::core
