#include "store/layout_spaces.hpp"

#include <algorithm>

#include "store/layout_bytes.hpp"

namespace parley::layout {
namespace {

constexpr std::uint8_t unborn_format = 2;  // of a channel that is still to be born
constexpr std::uint8_t child_open = 1;
constexpr std::size_t beginning_size = 4 + 8;

}  // namespace

std::string child_key(const ConversationId& id) { return std::string(1, 'c').append(id.view()); }

std::optional<ConversationId> parse_child_key(Bytes key) noexcept {
  ConversationId id;
  if (key.size() != 1 + id.bytes.size() || key[0] != 'c') return std::nullopt;
  key.copy(reinterpret_cast<char*>(id.bytes.data()), id.bytes.size(), 1);
  return id;
}

std::string encode(const ChildRow& row) {
  Writer out(32 + (row.unborn ? row.unborn->title.size() : 0));
  out.u8(row.unborn ? unborn_format : format);
  out.u8(row.open ? child_open : 0);
  out.u32(row.number);
  out.u64(row.as_of);
  if (row.unborn) {
    out.u64(row.unborn->creator.value);
    out.u64(row.unborn->entry);
    out.text(row.unborn->title);
  }
  return out.take();
}

std::optional<ChildRow> decode_child(Bytes value) {
  Reader in(value);
  ChildRow row;
  const std::uint8_t version = in.u8();
  if (version != format && version != unborn_format) return std::nullopt;
  row.open = (in.u8() & child_open) != 0;
  row.number = in.u32();
  row.as_of = in.u64();
  if (version == unborn_format) {
    Unborn& unborn = row.unborn.emplace();
    unborn.creator = UserId{in.u64()};
    unborn.entry = in.u64();
    unborn.title = in.text();
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

std::uint64_t Beginnings::of(std::uint32_t child) const noexcept {
  const auto at = std::lower_bound(children.begin(), children.end(), child,
                                   [](const One& one, std::uint32_t n) { return one.child < n; });
  return at != children.end() && at->child == child ? at->ordinal : 0;
}

std::string beginnings_key(UserId user) {
  std::string key(1, 'b');
  base::append_be(key, user.value);
  return key;
}

std::string encode(const Beginnings& row) {
  Writer out(9 + row.children.size() * beginning_size);
  out.u8(format);
  out.u64(row.entry);
  for (const Beginnings::One& one : row.children) {
    out.u32(one.child);
    out.u64(one.ordinal);
  }
  return out.take();
}

std::optional<Beginnings> decode_beginnings(Bytes value) {
  Reader in(value);
  Beginnings row;
  if (in.u8() != format) return std::nullopt;
  row.entry = in.u64();
  row.children.reserve(in.left() / beginning_size);
  while (in.left() >= beginning_size) {
    const std::uint32_t child = in.u32();
    row.children.push_back({child, in.u64()});
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

}  // namespace parley::layout
