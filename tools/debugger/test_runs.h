// SPDX-License-Identifier: Apache-2.0
//
// For tests: transcripts to step through.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::debugger {

inline strace::Transcript Parse(const std::string& name, const std::string& text) {
  auto transcript = strace::ParseTranscript(name, text);
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  return *std::move(transcript);
}

inline strace::Transcript Read(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  return Parse(path, *text);
}

// A process that makes `pairs` pairs of an io_submit and the io_getevents of its event: about 340
// probes each.
inline std::string TextOfManyReads(int pairs) {
  std::string text =
      "100 openat(AT_FDCWD, \"/tmp/x\", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3\n"
      "100 ftruncate(3, 4096) = 0\n"
      "100 io_setup(64, [0x7f0000000000]) = 0\n";
  for (int i = 0; i < pairs; ++i) {
    absl::StrAppend(&text,
                    "100 io_submit(0x7f0000000000, 1, [{aio_data=7, "
                    "aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=0x7f0000010000, "
                    "aio_nbytes=512, aio_offset=0}]) = 1\n"
                    "100 io_getevents(0x7f0000000000, 1, 1, [{data=7, obj=0x7f0000020000, "
                    "res=512, res2=0}], NULL) = 1\n");
  }
  return text;
}

inline strace::Transcript ManyReads(int pairs) {
  return Parse("many-reads.strace", TextOfManyReads(pairs));
}

}  // namespace kpath::debugger
