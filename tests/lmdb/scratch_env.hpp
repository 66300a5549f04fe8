// tests/lmdb/scratch_env.hpp: an LMDB environment with the store's own rows, gone after the test.
#pragma once
#include <filesystem>
#include <memory>

#include "lmdb/own_rows.hpp"
#include "lmdb/reader_pool.hpp"
#include "scratch.hpp"

struct ScratchEnv {
  explicit ScratchEnv(std::size_t map_size = 8 << 20) {
    std::filesystem::create_directory(scratch / "e");
    env =
        parley::lmdb::Env::open(scratch / "e", map_size, parley::lmdb::Env::Access::write).value();
    parley::lmdb::write_first_rows(*env, {}).value();
    readers = std::make_unique<parley::lmdb::ReaderPool>(*env);
  }
  Scratch scratch;
  std::unique_ptr<parley::lmdb::Env> env;
  std::unique_ptr<parley::lmdb::ReaderPool> readers;
};
