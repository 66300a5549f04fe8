// conversation_commit.cpp: see the header.
#include "core/conversation_commit.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace parley::core {
namespace {

using Outcome = Settled::Outcome;
using std::chrono::milliseconds;

class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(Effects& effects, std::weak_ptr<const void> alive, Batch batch,
          base::UniqueFunction<void(Settled)> then)
      : effects_(effects),
        alive_(std::move(alive)),
        batch_(std::move(batch)),
        then_(std::move(then)) {}

  void submit() {
    effects_.commit(batch_, [self = shared_from_this()](Committed committed) {
      if (!self->alive_.expired()) self->judge(committed);
    });
  }

 private:
  void judge(const Committed& committed) {
    switch (committed.verdict) {
      case Verdict::done:
        return finish(Outcome::done);
      case Verdict::refused:
        if (!unsure_) return finish(Outcome::refused);
        // Not this attempt; an earlier one may have been what moved the guard.
        return committed.found ? judge_guard(committed.found) : look();
      case Verdict::failed:
        if (!unsure_) return finish(Outcome::failed, committed.error);
        return wait([](Attempt& self) { self.look(); });  // an earlier attempt may still land
      case Verdict::unknown:
        unsure_ = true;
        return look();
    }
  }

  void look() {
    auto self = shared_from_this();
    Get get{.cells = {{batch_.partition, {}}}, .owner = batch_.owner};
    effects_.get(std::move(get), [self](Result<Cells> cells) {
      if (self->alive_.expired()) return;
      // A store that has failed for good is opened anew: whoever asks again is told then.
      if (!cells && !cells.error().retryable())
        return self->finish(Outcome::failed, std::move(cells).error());
      if (!cells) return self->wait([](Attempt& again) { again.look(); });
      self->judge_guard(cells->values.front());
    });
  }

  void judge_guard(const std::optional<Bytes>& guard) {
    if (guard == batch_.guard) return finish(Outcome::done);
    if (guard == batch_.expect) return wait([](Attempt& self) { self.submit(); });
    finish(Outcome::refused);
  }

  void wait(void (*next)(Attempt&)) {
    const milliseconds delay = delay_;
    delay_ = std::min(delay_ * 2, milliseconds(1000));
    effects_.start_timer(delay, [self = shared_from_this(), next] {
      if (!self->alive_.expired()) next(*self);
    });
  }

  void finish(Outcome outcome, Error error = {}) {
    auto then = std::move(then_);
    then({outcome, unsure_, std::move(error)});
  }

  Effects& effects_;
  std::weak_ptr<const void> alive_;
  Batch batch_;
  base::UniqueFunction<void(Settled)> then_;
  milliseconds delay_{10};
  bool unsure_ = false;
};

}  // namespace

void submit_guarded(Effects& effects, std::weak_ptr<const void> alive, Batch batch,
                    base::UniqueFunction<void(Settled)> then) {
  std::make_shared<Attempt>(effects, std::move(alive), std::move(batch), std::move(then))->submit();
}

Scan owned_scan(std::uint8_t space, std::string partition, std::string from, std::string to) {
  struct Names {
    std::string partition, from, to;
  };
  auto names =
      std::make_shared<const Names>(Names{std::move(partition), std::move(from), std::move(to)});
  return {
      .partition = {space, names->partition}, .from = names->from, .to = names->to, .owner = names};
}

Scan owned_scan_of(std::uint8_t space, std::string partition, std::string key) {
  std::string end = key + '\0';
  return owned_scan(space, std::move(partition), std::move(key), std::move(end));
}

Get owned_get(std::vector<OwnedCell> cells) {
  auto owned = std::make_shared<const std::vector<OwnedCell>>(std::move(cells));
  Get get;
  get.cells.reserve(owned->size());
  for (const OwnedCell& cell : *owned)
    get.cells.push_back({{cell.space, cell.partition}, cell.key});
  get.owner = std::move(owned);
  return get;
}

BatchWriter::BatchWriter(std::uint8_t space, Bytes partition, std::size_t room) : space_(space) {
  arena_.reserve(room + partition.size() + 512);
  partition_ = add(partition);
}

void BatchWriter::end() {
  puts_.push_back({{begin_, value_at_ - begin_}, {value_at_, arena_.size() - value_at_}});
  begin_ = arena_.size();
}

void BatchWriter::put(Bytes key, Bytes value) {
  arena_.append(key);
  this->value();
  arena_.append(value);
  end();
}

void BatchWriter::erase(Bytes key) { erases_.push_back(add(key)); }

BatchWriter::Piece BatchWriter::add(Bytes bytes) {
  const Piece piece{arena_.size(), bytes.size()};
  arena_.append(bytes);
  begin_ = arena_.size();
  return piece;
}

Batch BatchWriter::finish() && {
  auto block = std::make_shared<const std::string>(std::move(arena_));
  const auto view = [&](const Piece& piece) { return Bytes(*block).substr(piece.at, piece.size); };
  Batch batch;
  batch.partition = {space_, view(partition_)};
  if (has_expect_) batch.expect = view(expect_);
  batch.guard = view(guard_);
  batch.note = view(note_);
  batch.puts.reserve(puts_.size());
  for (const auto& [key, value] : puts_) batch.puts.push_back({view(key), view(value)});
  batch.erases.reserve(erases_.size());
  for (const Piece& key : erases_) batch.erases.push_back(view(key));
  batch.owner = std::move(block);
  return batch;
}

}  // namespace parley::core
