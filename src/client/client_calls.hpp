// client/client_calls.hpp: what every operation of the public client is made of.
#pragma once
#include <memory>
#include <utility>
#include <variant>

#include "client/client_impl.hpp"

namespace parley::client {

using detail::ClientImpl;

inline Error unexpected() { return {Errc::protocol_error, "the answer is of an unexpected type"}; }

// An answer of type A as the application's T.
template <class A, class T, class F>
ClientImpl::Answered as(Completion<T> done, F convert) {
  return [done = std::move(done), convert](Result<wire::Answer> answer) {
    if (!done) return;
    if (!answer) return done(answer.error());
    if (auto* value = std::get_if<A>(&*answer)) return done(convert(std::move(*value)));
    done(unexpected());
  };
}
inline ClientImpl::Answered as_done(Completion<void> done) {
  return [done = std::move(done)](const Result<wire::Answer>& answer) {
    if (!done) return;
    if (!answer) return done(answer.error());
    if (std::holds_alternative<wire::Done>(*answer)) return done({});
    done(unexpected());
  };
}
// The Pending form of an operation: `start` takes the completion.
template <class T, class F>
Pending<T> pending(ClientImpl& impl, F start) {
  auto operation = std::make_shared<detail::ResultOf<T>>(impl.waiting(), std::uint16_t{0});
  start(Completion<T>([operation](Result<T> result) { operation->finish(std::move(result)); }));
  return Pending<T>(std::move(operation));
}

// What goes to the loop with a completion: `work(ClientImpl&, done)`. A fork answers at once.
template <class T, class F>
void call(ClientImpl& impl, Completion<T> done, F work) {
  if (impl.forked()) {
    if (done) done(forked_error());
    return;
  }
  impl.post([&impl, work = std::move(work), done = std::move(done)]() mutable {
    work(impl, std::move(done));
  });
}

// A request whose answer `done` understands.
inline void ask(ClientImpl& impl, wire::Operation operation, ClientImpl::Answered done) {
  call(impl, std::move(done),
       [operation = std::move(operation)](ClientImpl& self, ClientImpl::Answered then) mutable {
         self.request(std::move(operation), std::move(then));
       });
}

}  // namespace parley::client
