// bootstrap.cpp: the format cell of a store, found or written.
#include "store/bootstrap.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/endian.hpp"
#include "store/layout.hpp"

namespace parley::store {
namespace {

constexpr std::size_t fixed_size = 1 + 2 + 2 + 16;
constexpr std::size_t most_version = 32;
constexpr char cell_format = 1;
constexpr int attempts = 8;

struct Work {
  Store& store;
  FormatCell fresh;
  std::function<void(Result<FormatCell>)> done;
  std::string id = layout::system_id("format");
  std::string guard;
  int left = attempts;
  [[nodiscard]] Partition partition() const { return {layout::system, id}; }
};

void look(std::shared_ptr<Work> work);

void found(const std::shared_ptr<Work>& work, Bytes guard) {
  auto cell = decode_format(guard);
  if (!cell) {
    return work->done(Error{Errc::store_corrupt, "the store's format cell cannot be read"});
  }
  if (cell->min_reader > layout_version) {
    return work->done(Error{Errc::store_format, "the store was written by Parley " + cell->version +
                                                    ", layout " + std::to_string(cell->layout) +
                                                    "; this build reads layout " +
                                                    std::to_string(layout_version) +
                                                    ": use that version or a newer one"});
  }
  work->done(std::move(*cell));
}

void committed(const std::shared_ptr<Work>& work, Committed result) {
  switch (result.verdict) {
    case Verdict::done:
      return work->done(work->fresh);
    case Verdict::refused:  // somebody else was first
    case Verdict::unknown:  // the guard tells
      return look(work);
    case Verdict::failed:
      break;
  }
  work->done(std::move(result.error));
}

void create(const std::shared_ptr<Work>& work) {
  work->guard = encode(work->fresh);
  Batch batch{.partition = work->partition(), .guard = work->guard, .owner = work};
  work->store.commit(std::move(batch),
                     [work](Committed result) { committed(work, std::move(result)); });
}

void look(std::shared_ptr<Work> work) {
  if (work->left-- == 0) {
    return work->done(Error{Errc::unavailable, "the store did not settle who writes its format"});
  }
  Get get{.cells = {{work->partition(), {}}}, .owner = work};
  work->store.get(std::move(get), [work](Result<Cells> cells) {
    if (!cells) return work->done(std::move(cells).error());
    if (cells->values.size() != 1) {
      return work->done(Error{Errc::internal, "the store answered another number of cells"});
    }
    if (cells->values[0]) return found(work, *cells->values[0]);
    create(work);
  });
}

}  // namespace

std::string encode(const FormatCell& cell) {
  std::string value(fixed_size, '\0');
  value[0] = cell_format;
  base::put_be16(value.data() + 1, cell.layout);
  base::put_be16(value.data() + 3, cell.min_reader);
  std::copy(cell.key.begin(), cell.key.end(), value.begin() + 5);
  value.append(cell.version, 0, most_version);
  return value;
}

std::optional<FormatCell> decode_format(Bytes value) {
  if (value.size() < fixed_size || value[0] != cell_format) return std::nullopt;
  FormatCell cell;
  cell.layout = base::get_be16(value.data() + 1);
  cell.min_reader = base::get_be16(value.data() + 3);
  std::copy_n(value.begin() + 5, cell.key.size(), cell.key.begin());
  cell.version = value.substr(fixed_size, most_version);
  return cell;
}

void bootstrap(Store& store, std::array<std::uint8_t, 16> fresh_key, std::string_view version,
               std::function<void(Result<FormatCell>)> done) {
  FormatCell fresh;
  fresh.key = fresh_key;
  fresh.version = version.substr(0, most_version);
  look(std::make_shared<Work>(Work{store, std::move(fresh), std::move(done)}));
}

}  // namespace parley::store
