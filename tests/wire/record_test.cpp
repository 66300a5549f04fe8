// record_test.cpp: the stored form of events: layout rules, foreign bytes, and bytes of released
// versions.
#include "wire/record.hpp"

#include <rapidcheck.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "base/hex.hpp"
#include "catch.hpp"
#include "wire/any_message.hpp"

namespace {

using namespace parley;
using wire::RecordFields;

bool same(const RecordFields& a, const RecordFields& b) {
  return a.seq == b.seq && a.ordinal == b.ordinal && a.thread_ordinal == b.thread_ordinal &&
         a.time_ms == b.time_ms && a.id == b.id && a.sender == b.sender && a.kind == b.kind &&
         a.audience == b.audience && a.echo == b.echo && a.content_type == b.content_type &&
         a.body == b.body && a.reply_to == b.reply_to && a.thread_root == b.thread_root &&
         a.target == b.target && a.role == b.role && a.title == b.title &&
         a.conversation == b.conversation && a.conversation_kind == b.conversation_kind;
}

// Every field set to something of its own. Never changed: record_v1_full.hex was made from it.
RecordFields everything() {
  RecordFields f;
  f.seq = 9'007'199'254'740'991;
  f.ordinal = 1234;
  f.thread_ordinal = 7;
  f.time_ms = 1'767'225'600'123;
  f.id = 0xfedcba9876543210;
  f.sender = UserId{42};
  f.kind = EventKind::message;
  f.audience = 2;
  f.echo = 0x0123456789abcdef;
  f.content_type = "text/markdown";
  f.body = "**gr\xc3\xbc\xc3\x9f dich**";
  f.reply_to = 11;
  f.thread_root = 5;
  f.target = UserId{43};
  f.role = Role::admin;
  f.title =
      "Stra\xc3\x9f"
      "e";
  for (std::size_t i = 0; i < 16; ++i) f.conversation.bytes[i] = static_cast<std::uint8_t>(i + 1);
  f.conversation_kind = ConversationKind::channel;
  return f;
}

Payload from_hex_file(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::string hex;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) hex += line;
  }
  std::vector<unsigned char> bytes(hex.size() / 2);
  REQUIRE(base::from_hex(hex, bytes.data(), bytes.size()));
  return Payload::copy_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

TEST_CASE("a record gives back every field, 8-aligned and a multiple of 8") {
  const RecordFields fields = everything();
  const Payload record = wire::build_record(fields);
  CHECK(record.size() % 8 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(record.data()) % 8 == 0);
  std::uint32_t prefix = 0;
  std::memcpy(&prefix, record.data(), sizeof prefix);
  CHECK(prefix + 4 == record.size());
  CHECK(same(wire::read_record(record.bytes()), fields));
  const auto verified = wire::verify_record(record.bytes());
  REQUIRE(verified);
  CHECK(same(*verified, fields));
}

TEST_CASE("records of any content keep the layout and verify") {
  CHECK(rc::check("layout", [] {
    const Payload record = test::any_record(test::any_seq());
    RC_ASSERT(record.size() % 8 == 0);
    const auto verified = wire::verify_record(record.bytes());
    RC_ASSERT(verified.has_value());
    RC_ASSERT(wire::build_record(*verified).bytes() == record.bytes());
    const wire::Glance seen = wire::glance(record.bytes());
    RC_ASSERT(seen.audience == verified->audience);
    RC_ASSERT(seen.last_edit == (verified->edits.empty() ? 0 : verified->edits.back()));
  }));
}

TEST_CASE("a record may be empty, or as large as a body may be") {
  RecordFields fields;
  fields.kind = EventKind{0};
  const Payload empty = wire::build_record(fields);
  CHECK(empty.size() % 8 == 0);
  CHECK(wire::verify_record(empty.bytes()));
  for (const std::size_t size : {std::size_t{1}, std::size_t{900}, std::size_t{1024},
                                 std::size_t{5000}, std::size_t{256} * 1024}) {
    const std::string body(size, 'x');
    fields = everything();
    fields.body = body;
    const Payload record = wire::build_record(fields);
    CHECK(record.size() % 8 == 0);
    CHECK(record.size() < size + 512);
    CHECK(wire::read_record(record.bytes()).body == body);
  }
}

TEST_CASE("records of version 1 are read for ever") {
  const Payload old = from_hex_file(PARLEY_SOURCE_DIR "/tests/wire/fixtures/record_v1_full.hex");
  const auto fields = wire::verify_record(old.bytes());
  REQUIRE(fields);
  CHECK(same(*fields, everything()));
  const Payload small = from_hex_file(PARLEY_SOURCE_DIR "/tests/wire/fixtures/record_v1_small.hex");
  const auto minimal = wire::verify_record(small.bytes());
  REQUIRE(minimal);
  CHECK(minimal->seq == 1);
  CHECK(minimal->kind == EventKind::created);
  CHECK(minimal->body.empty());
  CHECK(minimal->content_type.empty());
}

TEST_CASE("verification refuses what is no record") {
  const Payload record = wire::build_record(everything());
  const std::string bytes(record.bytes());
  CHECK_FALSE(wire::verify_record({}));
  CHECK_FALSE(wire::verify_record(Payload::copy_of(bytes.substr(0, bytes.size() - 8)).bytes()));
  CHECK_FALSE(wire::verify_record(Payload::copy_of(bytes + std::string(8, '\0')).bytes()));
  const Payload shifted = Payload::copy_of("...." + bytes);
  CHECK_FALSE(wire::verify_record(shifted.bytes().substr(4)));  // not aligned
  std::string bad_text = bytes;
  const auto at = bad_text.find("text/markdown");
  REQUIRE(at != std::string::npos);
  bad_text[at] = '\xff';
  CHECK_FALSE(wire::verify_record(Payload::copy_of(bad_text).bytes()));
}

TEST_CASE("no flipped bit makes verification or reading misbehave") {
  const Payload record = wire::build_record(everything());
  std::string bytes(record.bytes());
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const Payload copy = Payload::copy_of(bytes);
    if (const auto fields = wire::verify_record(copy.bytes())) {
      ++accepted;
      wire::build_record(*fields);  // reads every byte of every field
    }
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  CHECK(accepted > 0);  // the checksum of the envelope, not the verifier, finds changed values
  CHECK(accepted < bytes.size() * 8);
}

TEST_CASE("an event is a view over the shared record") {
  RecordFields fields = everything();
  const ConversationId conversation{{9}};
  const Epoch epoch{{8}};
  const Payload record = wire::build_record(fields);
  const Event event = wire::to_event(conversation, epoch, record, 77);
  CHECK(event.conversation == conversation);
  CHECK(event.cursor() == Cursor{epoch, fields.seq, 77});
  CHECK(event.ordinal == 1234);
  CHECK(event.id == fields.id);
  CHECK(event.time.time_since_epoch().count() == fields.time_ms);
  CHECK(event.sender == UserId{42});
  REQUIRE(event.as<Message>() != nullptr);
  CHECK(event.as<Message>()->content_type == "text/markdown");
  CHECK(event.as<Message>()->text() == fields.body);
  CHECK(event.as<Message>()->reply_to == 11);
  CHECK(event.record.data() == record.data());
  CHECK(event.as<Message>()->body.data() > record.data());

  fields.content_type = {};
  const Event plain = wire::to_event(conversation, epoch, wire::build_record(fields), 0);
  CHECK(plain.as<Message>()->content_type == "text/plain");
  fields.kind = EventKind::role_changed;
  const Event change = wire::to_event(conversation, epoch, wire::build_record(fields), 0);
  REQUIRE(change.as<MembershipChange>() != nullptr);
  CHECK(change.as<MembershipChange>()->user == UserId{43});
  CHECK(change.as<MembershipChange>()->role == Role::admin);
  fields.kind = EventKind::settings_changed;
  const Event settings = wire::to_event(conversation, epoch, wire::build_record(fields), 0);
  REQUIRE(settings.as<SettingsChange>() != nullptr);
  CHECK(settings.as<SettingsChange>()->title == fields.title);
  fields.kind = EventKind{200};
  const Event unknown = wire::to_event(conversation, epoch, wire::build_record(fields), 0);
  CHECK(unknown.as<UnknownEvent>() != nullptr);
  CHECK(unknown.seq == fields.seq);
}
