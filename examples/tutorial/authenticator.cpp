// authenticator: who may come in, decided by the host.
#include <cstdio>
#include <string>
#include <unordered_map>

#include "parley/parley.hpp"

int main() {
  //! [authenticator]
  const std::unordered_map<std::string, std::string> tokens{{"s3cret", "alice"}, {"t0ken", "bob"}};
  parley::EngineOptions options;
  options.authenticator = [tokens](parley::AuthRequest request,
                                   std::function<void(parley::Result<parley::AuthAnswer>)> done) {
    // Called on an engine thread: look up what is at hand, or hand over and call `done` later.
    const auto found = tokens.find(request.token);
    if (found == tokens.end()) {
      return done(parley::Error{parley::Errc::unauthenticated, "no such token"});
    }
    done(parley::AuthAnswer{.subject = found->second});
  };
  //! [authenticator]
  auto engine = parley::Engine::open(std::move(options)).value();
  std::printf("listening at %s\n", engine.listen("ws://127.0.0.1:0/chat").value().c_str());
}
