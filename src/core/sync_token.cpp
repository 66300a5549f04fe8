// sync_token.cpp: version, instance, cursor of the user's stream, stamp; in Base64.
#include "core/sync_token.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/endian.hpp"

namespace parley::core {
namespace {

constexpr std::size_t bytes = 1 + 8 + 16 + 8 + 4 + 8;
constexpr char version = 1;

}  // namespace

std::string SyncToken::text() const {
  if (!epoch) return {};
  std::string raw(bytes, version);
  char* at = raw.data() + 1;
  base::put_be64(at, instance);
  std::copy(epoch.bytes.begin(), epoch.bytes.end(), at + 8);
  base::put_be64(at + 24, seq);
  base::put_be32(at + 32, mark);
  base::put_be64(at + 36, static_cast<std::uint64_t>(stamp_ms));
  return base::base64_encode(raw);
}

std::optional<SyncToken> parse_sync_token(std::string_view text) {
  const auto raw = base::base64_decode(text);
  if (!raw || raw->size() != bytes || raw->front() != version) return std::nullopt;
  const char* at = raw->data() + 1;
  SyncToken token;
  token.instance = base::get_be64(at);
  std::copy(at + 8, at + 24, reinterpret_cast<char*>(token.epoch.bytes.data()));
  token.seq = base::get_be64(at + 24);
  token.mark = base::get_be32(at + 32);
  token.stamp_ms = static_cast<std::int64_t>(base::get_be64(at + 36));
  return token;
}

}  // namespace parley::core
