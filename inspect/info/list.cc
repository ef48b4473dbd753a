// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/list.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "inspect/info/address.h"
#include "inspect/info/examine.h"
#include "inspect/info/text.h"

namespace kpath {
namespace {

constexpr int kBefore = 5;
constexpr int kLines = 10;

struct Place {
  const char* function = nullptr;
  const char* file = nullptr;
  int line = 0;
};

// Where frame `number` is in the source; no file: it is assembly, or there is no such frame.
Place PlaceOf(const View& view, size_t number) {
  const std::vector<const Frame*> frames = FramesOf(view, ContextOf(view));
  if (number < frames.size()) {
    const Frame& frame = *frames[number];
    if (frame.function == nullptr) return {};
    if (frame.step != nullptr) return {frame.function->name, frame.step->file, frame.step->line};
    return {frame.function->name, frame.function->file, frame.function->line};
  }
  if (!frames.empty()) return {};
  const FunctionProbe* f = ContextOf(view).function();
  for (size_t i = 0; f != nullptr && i < number; ++i) f = f->caller();
  if (f == nullptr) return {};
  return {f->info().name, f->info().file, f->info().line};
}

std::string ListCode(const CodeLine& current, int width) {
  const CodeListing& listing = *current.listing;
  const size_t first = current.index < kBefore ? 0 : current.index - kBefore;
  std::string text;
  for (size_t i = first; i < std::min(first + kLines, listing.lines.size()); ++i) {
    text += CodeText({&listing, i}, current.address(), width);
  }
  return text;
}

absl::StatusOr<std::string> ListSource(const Place& place, absl::string_view root, int width) {
  const std::string path = absl::StrCat(root.empty() ? "." : root, "/", place.file);
  std::ifstream file(path);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(place.file, ":", place.line, ", in ", place.function,
                                            ": the source is not at hand, ", path,
                                            " cannot be read"));
  }
  const int first = std::max(1, place.line - kBefore);
  std::string text, line;
  for (int number = 1; number < first + kLines && std::getline(file, line); ++number) {
    if (number < first) continue;
    absl::StrAppend(
        &text,
        Cut(absl::StrFormat("%-5d%s %s", number, number == place.line ? "=>" : "  ", line), width),
        "\n");
  }
  if (text.empty()) {
    return absl::NotFoundError(absl::StrCat(path, " has no line ", place.line,
                                            ": it is not what the program was built from"));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> List(const View& view, absl::string_view root) {
  const Place place = PlaceOf(view, static_cast<size_t>(std::max(view.frame, 0)));
  if (place.file != nullptr) return ListSource(place, root, view.width);
  if (const auto line = CurrentCode(view)) return ListCode(*line, view.width);
  return absl::FailedPreconditionError(
      absl::StrCat("Nothing to list: ", TaskName(ContextOf(view)),
                   " is in no function and in no listing of the kernel"));
}

}  // namespace kpath
