// SPDX-License-Identifier: Apache-2.0
//
// The output in docs/how-io_getevents-works.md, which stands there as a run printed it.
//
// In the page a block of output follows a line `<!-- run: NAME -->`:
//
//   <!-- run: empty -->
//   ```text
//   ...
//   ```
#pragma once

#include <map>
#include <string>

namespace kpath {

// What each run prints, by its name.
std::map<std::string, std::string> GeteventsRuns();

// The page with each block as the run of its name prints it. A block whose name no run has stays,
// and its name is put into `*unknown`.
std::string WithRuns(const std::string& page, const std::map<std::string, std::string>& runs,
                     std::string* unknown);

}  // namespace kpath
