// authenticator.cpp: the authenticator for development, and how the engine knows it.
#include <utility>

#include "engine/engine_impl.hpp"
#include "parley/options.hpp"

namespace parley {
namespace {

struct BelieveEverybody {
  void operator()(const AuthRequest& request,
                  const std::function<void(Result<AuthAnswer>)>& done) const {
    if (engine::check_subject(request.token)) {
      return done(Error{Errc::unauthenticated, "token: expected a name"});
    }
    done(AuthAnswer{request.token});
  }
};

}  // namespace

inline namespace v0 {
Authenticator development_authenticator() { return BelieveEverybody{}; }
}  // namespace v0

namespace engine {
bool is_development(const Authenticator& authenticator) noexcept {
  return authenticator.target<BelieveEverybody>() != nullptr;
}
}  // namespace engine

}  // namespace parley
