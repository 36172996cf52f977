// The hot paths of the clients, one file each: llen.cpp, declare.cpp.
#pragma once

#include <cstdint>
#include <string>

namespace weir::bench {

// How much to do: operations of a round one by one, and of a round with many in flight.
struct Amount {
  int rounds;
  std::size_t one_by_one;
  std::size_t pipelined;
};

// LLEN of a list, by hiredis and by Weir's client.
void bench_llen(std::uint16_t port, const Amount& amount);

// Passive declares of the queues bench-0 to bench-99, by rabbitmq-c and by Weir's client.
// `username` and `password` are paths of files.
void bench_declare(std::uint16_t port,
                   const std::string& username,
                   const std::string& password,
                   const Amount& amount);

}  // namespace weir::bench
