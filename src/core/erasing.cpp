#include "core/erasing.hpp"

#include <optional>
#include <utility>

#include "core/conversation_commit.hpp"
#include "store/layout.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t erased_at_once = 1'000;

/// The same cell with another nonce; empty when it cannot be read.
std::string renewed(std::uint8_t space, Bytes guard, std::uint64_t nonce) {
  if (space == layout::conversation || space == layout::user) {
    auto head = layout::decode_head(guard);
    if (!head) return {};
    head->nonce = nonce;
    return layout::encode(*head);
  }
  auto cell = layout::decode_count(guard);
  if (!cell) return {};
  cell->revision += 1;
  cell->nonce = nonce;
  return layout::encode(*cell);
}

class Erasing : public std::enable_shared_from_this<Erasing> {
 public:
  Erasing(Effects& effects, std::weak_ptr<const void> alive, std::uint8_t space,
          std::string partition, std::function<void(const Error&)> then)
      : effects_(effects),
        alive_(std::move(alive)),
        space_(space),
        partition_(std::move(partition)),
        then_(std::move(then)) {}

  void scan() {
    auto request = owned_scan(space_, partition_, {}, {});
    request.max_rows = erased_at_once;
    effects_.scan(std::move(request), [self = shared_from_this()](Result<Rows> rows) {
      if (self->alive_.expired()) return;
      if (!rows) return self->then_(rows.error());
      if (!rows->guard) return self->then_({});
      self->erase(*rows);
    });
  }

 private:
  void erase(const Rows& rows) {
    BatchWriter writer(space_, partition_, 32 * rows.rows.size());
    writer.expect(*rows.guard);
    const std::string guard = renewed(space_, *rows.guard, effects_.random());
    if (guard.empty())
      return then_({Errc::store_corrupt, "a guard cannot be read; run parley-check"});
    writer.guard(guard);
    for (const Row& row : rows.rows) writer.erase(row.key);
    Batch batch = std::move(writer).finish();
    const bool ends = rows.rows.empty();
    if (ends) batch.guard.reset();
    auto self = shared_from_this();
    submit_guarded(effects_, alive_, std::move(batch), [self, ends](const Settled& outcome) {
      if (outcome.outcome == Settled::Outcome::failed) return self->then_(outcome.error);
      if (ends && outcome.outcome == Settled::Outcome::done) return self->then_({});
      self->scan();
    });
  }

  Effects& effects_;
  std::weak_ptr<const void> alive_;
  std::uint8_t space_;
  std::string partition_;
  std::function<void(const Error&)> then_;
};

}  // namespace

void erase_partition(Effects& effects, std::weak_ptr<const void> alive, std::uint8_t space,
                     std::string partition, std::function<void(const Error&)> then) {
  std::make_shared<Erasing>(effects, std::move(alive), space, std::move(partition), std::move(then))
      ->scan();
}

}  // namespace parley::core
