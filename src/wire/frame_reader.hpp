// wire/frame_reader.hpp: reads the parts of one binary frame; every length is checked before it is
// used, every copy is paid for.
#pragma once
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/utf8.hpp"
#include "wire/frame.hpp"

namespace parley::wire {

template <class T>
using Vector = flatbuffers::Vector<T>;
using Texts = Vector<flatbuffers::Offset<flatbuffers::String>>;

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(static_cast<void*>(&value), from, sizeof value);
  return value;
}

// Reads one frame. Offsets of a hostile frame may share one long text many times: what is copied
// or scanned is charged against the frame's size, so work and memory stay linear (I12).
class FrameReader {
 public:
  FrameReader(const FrameHeader& header, Bytes frame, const Payload* message)
      : header_(header), frame_(frame), message_(message), budget_(frame.size()) {}

  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] bool ok() const noexcept { return problem_.empty(); }
  [[nodiscard]] const FrameHeader& header() const noexcept { return header_; }

  void fail(const char* field, const char* expected) {
    if (ok()) problem_ = std::string(field) + ": expected " + expected;
  }

  template <class T>
  const T* root() {
    const Bytes body = frame_.substr(FrameHeader::size);
    if (body.size() < 8 || body.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) {
      fail("frame", "a body");
      return nullptr;
    }
    const auto* data = reinterpret_cast<const std::uint8_t*>(body.data());
    flatbuffers::Verifier verifier(data, body.size(), 16,
                                   static_cast<flatbuffers::uoffset_t>(body.size() / 8));
    if (!verifier.VerifyBuffer<T>(nullptr)) {
      fail("frame", "a valid FlatBuffers table of its type");
      return nullptr;
    }
    return flatbuffers::GetRoot<T>(data);
  }

  // The verifier does not look at the alignment of a vector's elements. All structs here need 8.
  bool aligned(const std::uint8_t* elements) {
    if (reinterpret_cast<std::uintptr_t>(elements) % 8 != 0) fail("frame", "8-aligned elements");
    return ok();
  }
  bool charge(std::size_t size) {
    if (size > budget_) {
      fail("frame", "parts that together are no larger than it");
      budget_ = 0;
      return false;
    }
    budget_ -= size;
    return ok();
  }
  template <class Id>
  void id(Id& out, const fb::Bytes16* from, const char* field) {
    if (from == nullptr) return fail(field, "16 bytes");
    std::memcpy(out.bytes.data(), from, out.bytes.size());
  }
  void cursor(Cursor& out, const fb::Cursor& from) {
    std::memcpy(out.epoch.bytes.data(), &from.epoch(), out.epoch.bytes.size());
    out.seq = from.seq();
    out.mark = from.mark();
  }
  void text(std::string& out, const flatbuffers::String* from, const char* field) {
    if (from == nullptr || !charge(from->size())) return;
    const std::string_view view(from->c_str(), from->size());
    if (!base::valid_utf8(view)) return fail(field, "UTF-8");
    out = view;
  }
  void bytes(std::string& out, const Vector<std::uint8_t>* from) {
    if (from == nullptr || !charge(from->size())) return;
    out.assign(reinterpret_cast<const char*>(from->data()), from->size());
  }
  void payload(Payload& out, const Vector<std::uint8_t>* from) {
    if (from == nullptr || from->size() == 0 || !charge(from->size())) return;
    out = Payload::copy_of({reinterpret_cast<const char*>(from->data()), from->size()});
  }
  void texts(std::vector<std::string>& out, const Texts* from, const char* field) {
    if (from == nullptr || !charge(from->size() * std::size_t{4})) return;
    out.reserve(from->size());
    for (const auto* item : *from) {
      text(out.emplace_back(), item, field);
      if (!ok()) return;
    }
  }
  void small_numbers(std::vector<std::uint8_t>& out, const Vector<std::uint8_t>* from) {
    if (from == nullptr || !charge(from->size())) return;
    out.assign(from->begin(), from->end());
  }
  void numbers(std::vector<std::uint64_t>& out, const Vector<std::uint64_t>* from) {
    if (from == nullptr || from->size() == 0 || !aligned(from->Data())) return;
    if (!charge(from->size() * sizeof(std::uint64_t))) return;
    out.assign(from->begin(), from->end());
  }
  void users(std::vector<UserId>& out, const Vector<std::uint64_t>* from) {
    if (from == nullptr || from->size() == 0 || !aligned(from->Data())) return;
    if (!charge(from->size() * sizeof(std::uint64_t))) return;
    out.reserve(from->size());
    for (const std::uint64_t user : *from) out.push_back(UserId{user});
  }
  void ids(std::vector<ConversationId>& out, const Vector<const fb::Bytes16*>* from) {
    each(out, from, sizeof(fb::Bytes16),
         [this](ConversationId& to, const fb::Bytes16& id) { this->id(to, &id, "an id"); });
  }
  template <class To, class From, class F>
  void each(std::vector<To>& out, const Vector<From>* from, std::size_t size, const F& read) {
    if (from == nullptr || !charge(from->size() * size)) return;
    if (from->size() == 0 || (std::is_pointer_v<From> && !aligned(from->Data()))) return;
    out.reserve(from->size());
    for (const auto* item : *from) {
      read(out.emplace_back(), *item);
      if (!ok()) return;
    }
  }
  /// Foreign bytes become a record only when they verify.
  void record(Payload& out, const Vector<std::uint8_t>* from, const char* field) {
    payload(out, from);
    if (ok() && !out.empty() && !verify_record(out.bytes())) fail(field, "a record");
  }
  void records(std::size_t at, const RecordsHeader& head, std::vector<Payload>& out);
  /// The fixed part of events and history_page.
  bool records_header(RecordsHeader& head, std::size_t size) {
    if (frame_.size() < size) {
      fail("frame", "a complete fixed part");
      return false;
    }
    head = load<RecordsHeader>(frame_.data() + FrameHeader::size);
    return true;
  }
  [[nodiscard]] Bytes frame() const noexcept { return frame_; }

 private:
  FrameHeader header_;
  Bytes frame_;
  const Payload* message_;  // what records are slices of; null for requests
  std::size_t budget_;
  std::string problem_;
};

inline void read_kind(FrameReader& r, ConversationKind& kind, std::uint8_t value,
                      const char* field) {
  if (value < 1 || value > 4) return r.fail(field, "1 to 4");
  kind = static_cast<ConversationKind>(value);
}
inline void read_level(FrameReader& r, Level& level, std::uint8_t value, const char* field) {
  if (value > 2) return r.fail(field, "0, 1 or 2");
  level = static_cast<Level>(value);
}

/// Reads the frame's body as what its type says; false: the type is not known.
bool read_body(FrameReader& reader, Operation& operation);
bool read_body(FrameReader& reader, Answer& answer);

/// A message to send, wherever it stands in a frame.
void read(FrameReader& r, Send& v, const fb::Send& t);

}  // namespace parley::wire
