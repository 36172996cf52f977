#include "server/connections/memory_limit.hpp"

#include "test/rigs/folder.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace weir::server {
namespace {

using test::Folder;

constexpr std::uint64_t kMi = 1024 * 1024;

// The lines that the kernel shows of a process in `cgroup`, with the hierarchy's `mount`.
void write_process(const Folder& root, const std::string& cgroup, const std::string& mount) {
  root.write("proc/self/cgroup", cgroup);
  root.write("proc/self/mountinfo",
             "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n" + mount +
                 "40 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n");
}

const std::string kVersion2 =
    "31 22 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kVersion1 =
    "35 31 0:32 / /sys/fs/cgroup/memory rw,nosuid shared:14 - cgroup cgroup rw,memory\n";

TEST_CASE("S40: version 2: the limit of a container that sees its cgroup as the root") {
  const Folder root;
  write_process(root, "0::/\n", kVersion2);
  root.write("sys/fs/cgroup/memory.max", "268435456\n");

  CHECK(memory_limit(root.path("")) == 256 * kMi);
}

TEST_CASE("S40: version 2: the nearest ancestor with a limit decides where the cgroup has none") {
  const Folder root;
  write_process(root, "0::/kubepods/pod1/main\n", kVersion2);
  root.write("sys/fs/cgroup/kubepods/pod1/main/memory.max", "max\n");
  root.write("sys/fs/cgroup/kubepods/pod1/memory.max", "134217728\n");
  root.write("sys/fs/cgroup/kubepods/memory.max", "8589934592\n");

  CHECK(memory_limit(root.path("")) == 128 * kMi);
}

TEST_CASE("S40: version 2: an ancestor with a smaller limit decides") {
  const Folder root;
  write_process(root, "0::/pod1/main\n", kVersion2);
  root.write("sys/fs/cgroup/pod1/main/memory.max", "268435456\n");
  root.write("sys/fs/cgroup/pod1/memory.max", "134217728\n");

  CHECK(memory_limit(root.path("")) == 128 * kMi);
}

TEST_CASE("S40: version 2: max is no limit") {
  const Folder root;
  write_process(root, "0::/pod1\n", kVersion2);
  root.write("sys/fs/cgroup/pod1/memory.max", "max\n");

  CHECK_FALSE(memory_limit(root.path("")));
}

TEST_CASE("S40: version 1: the limit of the memory controller, whatever is mounted with it") {
  const Folder root;
  write_process(root,
                "9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n",
                "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,cpu,memory\n");
  root.write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "268435456\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");

  CHECK(memory_limit(root.path("")) == 256 * kMi);
}

TEST_CASE("S40: version 1: a container whose own folder alone is mounted") {
  const Folder root;
  write_process(root,
                "4:memory:/docker/abc\n",
                "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");

  CHECK(memory_limit(root.path("")) == 256 * kMi);
}

TEST_CASE("S40: version 1: 2^63 - 4096 is no limit, nor is that of larger pages") {
  for (const char* text : {"9223372036854771712\n", "9223372036854710272\n"}) {
    const Folder root;
    write_process(root, "4:memory:/pod1\n", kVersion1);
    root.write("sys/fs/cgroup/memory/pod1/memory.limit_in_bytes", text);

    CHECK_FALSE(memory_limit(root.path("")));
  }
}

TEST_CASE("S40: with both versions mounted, the one with memory limits decides") {
  const Folder root;
  write_process(root,
                "4:memory:/pod1\n0::/\n",
                kVersion1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  root.write("sys/fs/cgroup/memory/pod1/memory.limit_in_bytes", "134217728\n");

  CHECK(memory_limit(root.path("")) == 128 * kMi);
}

TEST_CASE("without files, or with others than the kernel's, there is no limit") {
  const Folder empty;
  CHECK_FALSE(memory_limit(empty.path("")));

  const Folder root;
  write_process(root, "0\n0:\n0::/../../pod1\n", "x\n31 - \n" + kVersion2);
  root.write("sys/fs/cgroup/memory.max", "");
  root.write("sys/fs/cgroup/pod1/memory.max", "many\n");
  CHECK_FALSE(memory_limit(root.path("")));
}

TEST_CASE("S40: half of the memory limit is for connections, 2,048 at most") {
  CHECK(max_connections(std::nullopt) == 2048);
  CHECK(max_connections(4096 * kMi) == 2048);
  CHECK(max_connections(256 * kMi) == 2048);
  CHECK(max_connections(128 * kMi) == 1024);
  CHECK(max_connections(64 * kMi) == 512);
  CHECK(max_connections(1) == 64);
}

}  // namespace
}  // namespace weir::server
