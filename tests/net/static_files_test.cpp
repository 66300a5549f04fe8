// static_files_test.cpp: what is served, and all that must not be.
#include "net/static_files.hpp"

#include <filesystem>
#include <fstream>

#include "catch.hpp"

using namespace parley;
using namespace parley::net;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path root = fs::temp_directory_path() / "parley_static_files_test";
  Folder() {
    fs::remove_all(root);
    fs::create_directories(root / "page" / "sub");
    fs::create_directories(root / "page-secret");
    write("page/index.html", "<p>home");
    write("page/app.js", "let a");
    write("page/sub/index.html", "sub");
    write("page/sub/a b.txt", "spaced");
    write("page/.hidden", "no");
    write("page/ten.bin", "0123456789");
    write("page/eleven.bin", "01234567890");
    write("page/empty.css", "");
    write("secret.txt", "no");
    write("page-secret/x.txt", "no");
    fs::create_symlink(root / "secret.txt", root / "page" / "link.txt");
    fs::create_symlink(root / "page" / "app.js", root / "page" / "inner.js");
    fs::create_directory_symlink(root, root / "page" / "up");
  }
  ~Folder() { fs::remove_all(root); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(root / name, std::ios::binary) << text;
  }
};

HttpHead get(std::string target, std::string method = "GET") {
  HttpHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  return head;
}

std::string body(const StaticFiles& files, const std::string& target) {
  const auto response = files.answer(get(target));
  if (!response.head.starts_with("HTTP/1.1 200 ")) return response.head.substr(9, 3);
  return std::string(response.body.bytes());
}

}  // namespace

TEST_CASE("those who fetch a file at the same time share one copy of it, as it is now") {
  const Folder folder;
  const StaticFiles files((folder.root / "page").string(), 10);
  const auto first = files.answer(get("/ten.bin"));
  const auto second = files.answer(get("/ten.bin"));
  CHECK(first.body.bytes().data() == second.body.bytes().data());
  folder.write("page/ten.bin", "changed");
  const auto third = files.answer(get("/ten.bin"));
  CHECK(third.body.bytes() == "changed");
  CHECK(first.body.bytes() == "0123456789");
  CHECK(files.answer(get("/ten.bin", "HEAD")).body.bytes().empty());
}

TEST_CASE("files of the directory are served with their type, tag and length") {
  const Folder folder;
  const StaticFiles files((folder.root / "page").string(), 10);
  REQUIRE(files.usable());
  CHECK(body(files, "/") == "<p>home");
  CHECK(body(files, "/index.html") == "<p>home");
  CHECK(body(files, "/?query=1") == "<p>home");
  CHECK(body(files, "/sub/") == "sub");
  CHECK(body(files, "/sub/a%20b.txt") == "spaced");
  CHECK(body(files, "/inner.js") == "let a");
  CHECK(body(files, "/ten.bin") == "0123456789");
  CHECK(body(files, "/empty.css").empty());

  const auto script = files.answer(get("/app.js"));
  CHECK(script.head.find("Content-Type: text/javascript; charset=utf-8\r\n") != std::string::npos);
  CHECK(script.head.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(script.head.find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);

  const auto head = files.answer(get("/app.js", "HEAD"));
  CHECK(head.head == script.head);
  CHECK(head.body.empty());

  const std::size_t at = script.head.find("ETag: ") + 6;
  HttpHead again = get("/app.js");
  again.if_none_match = script.head.substr(at, script.head.find('\r', at) - at);
  CHECK(files.answer(again).head.starts_with("HTTP/1.1 304 "));
  again.if_none_match = "\"other\"";
  CHECK(files.answer(again).head.starts_with("HTTP/1.1 200 "));
}

TEST_CASE("nothing outside the directory, hidden, too large or of another method is served") {
  const Folder folder;
  const StaticFiles files((folder.root / "page").string(), 10);
  for (const char* target : {"/../secret.txt",
                             "/%2e%2e/secret.txt",
                             "/..%2fsecret.txt",
                             "/sub/../../secret.txt",
                             "/sub/%2e%2e/%2e%2e/secret.txt",
                             "/....//secret.txt",
                             "/..\\secret.txt",
                             "/%5c../secret.txt",
                             "/link.txt",
                             "/up/secret.txt",
                             "/up/page-secret/x.txt",
                             "/../page-secret/x.txt",
                             "/.hidden",
                             "/sub/./index.html",
                             "/sub",
                             "/missing",
                             "/%",
                             "/%2",
                             "/%zz",
                             "/a%00b",
                             "/app.js%00.html",
                             "",
                             "app.js",
                             "*",
                             "http://host/app.js",
                             "/eleven.bin",
                             "//etc/passwd",
                             "/etc/passwd"}) {
    INFO(target);
    CHECK(body(files, target) == "404");
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    CHECK(files.answer(get("/", method)).head.starts_with("HTTP/1.1 405 "));
  }
}

TEST_CASE("a directory that is none is not usable, and types have a fallback") {
  CHECK_FALSE(StaticFiles("/nonexistent/folder", 10).usable());
  CHECK_FALSE(StaticFiles("", 10).enabled());
  CHECK(content_type("x.html").starts_with("text/html"));
  CHECK(content_type("x.unknown") == "application/octet-stream");
  CHECK(content_type("html") == "application/octet-stream");
}
