// static_files.cpp: names, types and contents.
#include "net/static_files.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include "net/upgrade.hpp"

namespace parley::net {
namespace {

namespace fs = std::filesystem;

int hex(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

StaticFiles::Response refused(int status, std::string_view text, std::string_view more = {}) {
  return {.head = refusal(status, text, more)};
}

bool inside(const fs::path& root, const fs::path& path) {
  const std::string prefix = root.string() + '/';
  return path.string().compare(0, prefix.size(), prefix) == 0;
}

}  // namespace

std::string_view content_type(std::string_view name) noexcept {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> types{{
      {"html", "text/html; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"json", "application/json"},
      {"map", "application/json"},
      {"webmanifest", "application/manifest+json"},
      {"txt", "text/plain; charset=utf-8"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"webp", "image/webp"},
      {"ico", "image/x-icon"},
      {"woff2", "font/woff2"},
      {"wasm", "application/wasm"},
  }};
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    for (const auto& [ending, type] : types) {
      if (name.substr(dot + 1) == ending) return type;
    }
  }
  return "application/octet-stream";
}

std::string decode_path(std::string_view target) {
  target = target.substr(0, target.find('?'));
  std::string path;
  for (std::size_t i = 0; i < target.size(); ++i) {
    char c = target[i];
    if (c == '%') {
      if (i + 2 >= target.size()) return {};
      const int high = hex(target[i + 1]);
      const int low = hex(target[i + 2]);
      if (high < 0 || low < 0) return {};
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0' || c == '\\') return {};
    path += c;
  }
  // No segment may begin with a dot: "." and "..", and files that are meant to be hidden.
  if (path.empty() || path.front() != '/' || path.find("/.") != std::string::npos) return {};
  return path;
}

StaticFiles::StaticFiles(std::string directory, std::size_t largest) : largest_(largest) {
  if (directory.empty()) return;
  std::error_code failed;
  const fs::path resolved = fs::canonical(directory, failed);
  root_ = failed ? std::move(directory) : resolved.string();
}

bool StaticFiles::usable() const {
  std::error_code failed;
  return fs::is_directory(root_, failed);
}

StaticFiles::Contents StaticFiles::contents(const std::string& file, const std::string& tag,
                                            std::size_t size) const {
  const std::lock_guard lock(mutex_);
  std::erase_if(sending_, [](const auto& sent) { return sent.second.contents.expired(); });
  Sent& sent = sending_[file];
  if (sent.tag == tag)
    if (Contents shared = sent.contents.lock()) return shared;
  std::string body(size, '\0');
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(body.data(), static_cast<std::streamsize>(size)) && size > 0) return nullptr;
  auto fresh = std::make_shared<const std::string>(std::move(body));
  sent = {tag, fresh};
  return fresh;
}

StaticFiles::Response StaticFiles::answer(const HttpHead& head) const {
  if (head.method != "GET" && head.method != "HEAD") {
    return refused(405, "expected GET or HEAD", "Allow: GET, HEAD\r\n");
  }
  std::string path = decode_path(head.target);
  if (path.empty()) return refused(404, "nothing here");
  if (path.back() == '/') path += "index.html";
  std::error_code failed;
  const fs::path file =
      fs::canonical(root_ + path, failed);  // follows links, so they cannot lead out
  if (failed || !inside(root_, file) || !fs::is_regular_file(file, failed)) {
    return refused(404, "nothing here");
  }
  const std::uintmax_t size = fs::file_size(file, failed);
  if (failed || size > largest_) return refused(404, "nothing here");
  const auto changed = fs::last_write_time(file, failed).time_since_epoch().count();
  const std::string tag = '"' + std::to_string(size) + '-' + std::to_string(changed) + '"';

  std::string common = "ETag: " + tag + "\r\nCache-Control: no-cache\r\nConnection: close\r\n";
  if (has_token(head.if_none_match, tag)) {
    return {.head = "HTTP/1.1 304 Not Modified\r\n" + common + "\r\n"};
  }
  Response response;
  if (head.method == "GET") {
    const Contents body = contents(file.string(), tag, size);
    if (!body) return refused(404, "nothing here");
    response.body = Payload(body, *body);
  }
  response.head = "HTTP/1.1 200 OK\r\nContent-Type: ";
  response.head.append(content_type(path));
  response.head += "\r\nContent-Length: " + std::to_string(size) +
                   "\r\nX-Content-Type-Options: nosniff\r\n" + common + "\r\n";
  return response;
}

}  // namespace parley::net
