// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/script.h"

#include <fstream>

#include "absl/strings/str_cat.h"

namespace kpath::debugger {

absl::Status RunScript(Session& session, std::istream& lines, const std::string& name) {
  std::string line;
  for (int number = 1; !session.over() && std::getline(lines, line); ++number) {
    const bool text = line.empty() || line[0] == '#';
    session.Print(text ? absl::StrCat(line, "\n")
                       : absl::StrCat(session.Strong(absl::StrCat(kPrompt, line)), "\n"));
    if (text) continue;
    const absl::Status status = session.Execute(line);
    if (status.ok()) continue;
    return absl::Status(status.code(), absl::StrCat(name, ":", number, ": ", status.message()));
  }
  return absl::OkStatus();
}

absl::Status RunScriptFile(Session& session, const std::string& path) {
  if (session.sourcing.count(path) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(path, " would be read inside of itself"));
  }
  std::ifstream file(path);
  if (!file.good() || file.peek() == std::ifstream::traits_type::eof()) {
    return absl::NotFoundError(absl::StrCat("cannot read commands from ", path));
  }
  session.sourcing.insert(path);
  absl::Status status = RunScript(session, file, path);
  session.sourcing.erase(path);
  return status;
}

}  // namespace kpath::debugger
