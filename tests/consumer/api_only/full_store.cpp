// full_store.cpp: a store written against the public headers alone: it keeps nothing and says so.
#include "full_store.hpp"

#include "parley/ids.hpp"
#include "parley/limits.hpp"
#include "parley/store.hpp"
#include "parley/transport.hpp"

namespace {

class FullStore final : public parley::Store {
 public:
  const parley::StoreFacts& facts() const noexcept override { return facts_; }
  void commit(parley::Batch, Done<parley::Committed> done) override {
    done({.verdict = parley::Verdict::failed, .error = {parley::Errc::unavailable, "always full"}});
  }
  void get(parley::Get get, Done<parley::Result<parley::Cells>> done) override {
    parley::Cells cells;
    cells.values.resize(get.cells.size());
    done(std::move(cells));
  }
  void scan(parley::Scan, Done<parley::Result<parley::Rows>> done) override {
    done(parley::Rows{});
  }
  void list(std::uint8_t, parley::Bytes, std::uint32_t,
            Done<parley::Result<parley::Listed>> done) override {
    done(parley::Listed{});
  }
  void changes(parley::Bytes, std::uint32_t, Done<parley::Result<parley::Changes>> done) override {
    done(parley::Changes{});
  }
  void forget_changes(parley::Bytes, Done<parley::Result<void>> done) override { done({}); }
  void close(Done<parley::Result<void>> done) override { done({}); }

 private:
  parley::StoreFacts facts_;
};

}  // namespace

std::unique_ptr<parley::Store> full_store() { return std::make_unique<FullStore>(); }
