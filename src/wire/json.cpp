// json.cpp: the parser and the string writer; recursion is bounded by the depth limit.
#include "wire/json.hpp"

#include "base/hex.hpp"
#include "base/utf8.hpp"
#include "parley/limits.hpp"

namespace parley::wire {

class JsonParser {
 public:
  JsonParser(std::string_view text, JsonDocument& document) : text_(text), out_(document) {}

  Result<void> run() {
    out_.nodes_.clear();
    out_.arena_.clear();
    out_.arena_.reserve(text_.size());
    skip_space();
    if (value(0)) {
      skip_space();
      if (at_ == text_.size()) return {};
      fail("end of text");
    }
    return Error{Errc::protocol_error,
                 "JSON at byte " + std::to_string(at_) + ": expected " + std::string(expected_)};
  }

 private:
  using Type = JsonNode::Type;

  bool fail(const char* expected) {
    expected_ = expected;
    return false;
  }
  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool take(char c) noexcept {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  void add(Type type, std::string_view text) {
    const auto end = static_cast<std::uint32_t>(out_.nodes_.size() + 1);
    out_.nodes_.push_back({text, end, 0, type});
  }

  bool value(std::size_t depth) {
    switch (peek()) {
      case '{':
        return depth < limits::json_depth ? object(depth) : fail("less nesting");
      case '[':
        return depth < limits::json_depth ? array(depth) : fail("less nesting");
      case '"':
        return string();
      case 't':
        return word("true", Type::boolean);
      case 'f':
        return word("false", Type::boolean);
      case 'n':
        return word("null", Type::null);
      default:
        return number();
    }
  }

  bool word(std::string_view word, Type type) {
    if (text_.substr(at_, word.size()) != word) return fail("a value");
    add(type, text_.substr(at_, word.size()));
    at_ += word.size();
    return true;
  }

  bool digits() noexcept {
    const std::size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > begin;
  }
  bool number() {
    const std::size_t begin = at_;
    take('-');
    if (!take('0') && !digits()) return fail("a value");
    if (take('.') && !digits()) return fail("a digit");
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return fail("a digit");
    }
    add(Type::number, text_.substr(begin, at_ - begin));
    return true;
  }

  bool string() {
    ++at_;  // the quote
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return fail("no raw control character");
      ++at_;
    }
    if (take('"')) {
      add(Type::string, text_.substr(begin, at_ - 1 - begin));
      return true;
    }
    return escaped_string(begin);
  }

  // A string with at least one escape: unescaped into the arena, never longer than its source.
  bool escaped_string(std::size_t begin) {
    std::string& arena = out_.arena_;
    const std::size_t start = arena.size();
    arena.append(text_.substr(begin, at_ - begin));
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return fail("no raw control character");
      if (text_[at_] == '\\') {
        if (!escape()) return false;
      } else {
        arena.push_back(text_[at_++]);
      }
    }
    if (!take('"')) return fail("a closing quote");
    add(Type::string, std::string_view(arena).substr(start));
    return true;
  }

  bool escape() {
    ++at_;  // the backslash
    const char c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out_.arena_.push_back(c);
        return true;
      case 'b':
        out_.arena_.push_back('\b');
        return true;
      case 'f':
        out_.arena_.push_back('\f');
        return true;
      case 'n':
        out_.arena_.push_back('\n');
        return true;
      case 'r':
        out_.arena_.push_back('\r');
        return true;
      case 't':
        out_.arena_.push_back('\t');
        return true;
      case 'u':
        return code_point();
      default:
        return fail("a known escape");
    }
  }

  std::optional<std::uint32_t> hex4() noexcept {
    if (text_.size() - std::min(at_, text_.size()) < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = text_[at_];
      const int digit = base::hex_digit(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit < 0) return std::nullopt;
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return value;
  }
  bool code_point() {
    const auto first = hex4();
    if (!first) return fail("four hex digits");
    std::uint32_t code = *first;
    if (code >= 0xd800 && code < 0xe000) {
      if (code >= 0xdc00 || !take('\\') || !take('u')) return fail("a surrogate pair");
      const auto second = hex4();
      if (!second || *second < 0xdc00 || *second >= 0xe000) return fail("a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (*second - 0xdc00);
    }
    put_utf8(code);
    return true;
  }
  void put_utf8(std::uint32_t code) {
    std::string& arena = out_.arena_;
    const auto tail = [&](int shift) {
      arena.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f)));
    };
    if (code < 0x80) {
      arena.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      arena.push_back(static_cast<char>(0xc0 | (code >> 6)));
      tail(0);
    } else if (code < 0x10000) {
      arena.push_back(static_cast<char>(0xe0 | (code >> 12)));
      tail(6);
      tail(0);
    } else {
      arena.push_back(static_cast<char>(0xf0 | (code >> 18)));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  bool array(std::size_t depth) {
    const std::size_t self = out_.nodes_.size();
    add(Type::array, {});
    ++at_;
    skip_space();
    std::uint32_t count = 0;
    if (!take(']')) {
      do {
        skip_space();
        if (!value(depth + 1)) return false;
        ++count;
        skip_space();
      } while (take(','));
      if (!take(']')) return fail("a comma or ]");
    }
    return close(self, count);
  }

  bool object(std::size_t depth) {
    const std::size_t self = out_.nodes_.size();
    add(Type::object, {});
    ++at_;
    skip_space();
    std::uint32_t count = 0;
    if (!take('}')) {
      do {
        skip_space();
        if (peek() != '"') return fail("a key");
        if (!string() || !new_key(self, count)) return false;
        skip_space();
        if (!take(':')) return fail("a colon");
        skip_space();
        if (!value(depth + 1)) return false;
        ++count;
        skip_space();
      } while (take(','));
      if (!take('}')) return fail("a comma or }");
    }
    return close(self, count);
  }

  // The key just added must differ from the `count` keys before it.
  bool new_key(std::size_t object, std::uint32_t count) {
    if (count >= limits::json_keys) return fail("at most 64 keys in an object");
    const std::string_view key = out_.nodes_.back().text;
    std::size_t other = object + 1;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (out_.nodes_[other].text == key) return fail("no duplicate key");
      other = out_.nodes_[other + 1].end;
    }
    return true;
  }
  bool close(std::size_t self, std::uint32_t count) {
    out_.nodes_[self].end = static_cast<std::uint32_t>(out_.nodes_.size());
    out_.nodes_[self].count = count;
    return true;
  }

  std::string_view text_;
  JsonDocument& out_;
  std::size_t at_ = 0;
  const char* expected_ = "a value";
};

Result<void> JsonDocument::parse(std::string_view text) {
  if (text.size() >= UINT32_MAX) return Error{Errc::protocol_error, "JSON: expected less text"};
  if (!base::valid_utf8(text)) return Error{Errc::protocol_error, "JSON: expected UTF-8"};
  return JsonParser(text, *this).run();
}

std::optional<std::uint32_t> JsonDocument::find(std::uint32_t object,
                                                std::string_view key) const noexcept {
  const JsonNode& node = nodes_[object];
  if (node.type != JsonNode::Type::object) return std::nullopt;
  std::uint32_t at = object + 1;
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (nodes_[at].text == key) return at + 1;
    at = nodes_[at + 1].end;
  }
  return std::nullopt;
}

namespace {

void append_escaped(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(plain, i - plain));
    plain = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out.push_back(digits[c >> 4]);
        out.push_back(digits[c & 15]);
    }
  }
  out.append(text.substr(plain));
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  if (base::valid_utf8(text)) {
    append_escaped(out, text);
  } else {
    // Byte by byte: what is not part of a whole character is replaced.
    for (std::size_t i = 0; i < text.size();) {
      std::size_t size = 1;
      while (size <= 4 && i + size <= text.size() && !base::valid_utf8(text.substr(i, size))) {
        ++size;
      }
      if (size > 4 || i + size > text.size()) {
        out += "\xef\xbf\xbd";
        ++i;
      } else {
        append_escaped(out, text.substr(i, size));
        i += size;
      }
    }
  }
  out.push_back('"');
}

}  // namespace parley::wire
