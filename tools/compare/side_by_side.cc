// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/side_by_side.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/compare/align.h"
#include "tools/compare/conditional.h"

namespace kpath {
namespace {

constexpr absl::string_view kRed = "\x1b[31m";
constexpr absl::string_view kGreen = "\x1b[32m";
constexpr absl::string_view kBold = "\x1b[1m";
constexpr absl::string_view kPlain = "\x1b[0m";

// How many steps behind the difference are searched for where the two sides meet again.
constexpr size_t kWindow = 200;

struct TextRow {
  char mark;  // ' ', '<' or '>'
  std::string left;
  std::string right;
};

std::string StepText(const VisibleStep& step, bool is_leaf) {
  const std::string indent(2 * step.depth, ' ');
  if (!step.is_enter) return absl::StrCat(indent, "}");
  return absl::StrCat(indent, step.name, is_leaf ? "();" : "() {");
}

bool IsReturnOf(const AlignedRow& row, const AlignedRow& enter,
                const std::vector<VisibleStep>& left, const std::vector<VisibleStep>& right) {
  if (row.left.has_value() != enter.left.has_value()) return false;
  if (row.right.has_value() != enter.right.has_value()) return false;
  const auto returns = [](const std::vector<VisibleStep>& steps, std::optional<size_t> step,
                          std::optional<size_t> call) {
    return !step.has_value() || (!steps[*step].is_enter && steps[*step].call == steps[*call].call);
  };
  return returns(left, row.left, enter.left) && returns(right, row.right, enter.right);
}

// Rows of text; an entry that is followed by its return becomes one line.
std::vector<TextRow> Draw(const std::vector<AlignedRow>& rows, const std::vector<VisibleStep>& left,
                          const std::vector<VisibleStep>& right) {
  std::vector<TextRow> drawn;
  for (size_t i = 0; i < rows.size(); ++i) {
    const AlignedRow& row = rows[i];
    const bool is_leaf = i + 1 < rows.size() && IsReturnOf(rows[i + 1], row, left, right);
    TextRow text;
    text.mark = row.is_common() ? ' ' : row.left.has_value() ? '<' : '>';
    if (row.left.has_value()) text.left = StepText(left[*row.left], is_leaf);
    if (row.right.has_value()) text.right = StepText(right[*row.right], is_leaf);
    drawn.push_back(std::move(text));
    if (is_leaf) ++i;
  }
  return drawn;
}

std::string Fit(absl::string_view text, size_t width) {
  if (text.size() > width) return absl::StrCat(text.substr(0, width - 3), "...");
  return absl::StrCat(text, std::string(width - text.size(), ' '));
}

std::string RowText(const TextRow& row, const SideBySideOptions& options) {
  const size_t width = (std::max(options.width, 40) - 5) / 2;
  std::string line = absl::StrCat(absl::string_view(&row.mark, 1), " ", Fit(row.left, width), "| ",
                                  Fit(row.right, width));
  line.erase(line.find_last_not_of(' ') + 1);
  if (!options.color || row.mark == ' ') return line;
  return absl::StrCat(row.mark == '<' ? kRed : kGreen, line, kPlain);
}

// Takes away the indentation that all rows share, so that deep calls do not run out to the right.
void Unindent(std::vector<TextRow>::iterator begin, std::vector<TextRow>::iterator end) {
  size_t shared = std::string::npos;
  const auto indent = [](const std::string& text) { return text.find_first_not_of(' '); };
  for (auto row = begin; row != end; ++row) {
    shared = std::min({shared, indent(row->left), indent(row->right)});
  }
  if (shared == std::string::npos) return;
  for (auto row = begin; row != end; ++row) {
    row->left.erase(0, shared);
    row->right.erase(0, shared);
  }
}

}  // namespace

std::string SideBySide(const VisibleGraph& recording, const VisibleGraph& model,
                       const ComparedTree& tree, const SideBySideOptions& options) {
  if (!tree.difference.has_value() || tree.model.call == kNoCall) return "";
  const StepsOfBoth steps = LeaveOutConditional(
      *recording.rules,
      {recording.streams[tree.recorded.stream].Steps(tree.recorded.call, tree.open_root),
       model.streams[tree.model.stream].Steps(tree.model.call, tree.open_root)});
  const std::vector<VisibleStep>& left = steps.recorded;
  const std::vector<VisibleStep>& right = steps.model;

  // Up to the difference both sides have the same steps; a leaf is two of them.
  const size_t difference = tree.difference->step;
  const size_t before = 2 * static_cast<size_t>(std::max(options.before, 0));
  std::vector<AlignedRow> rows;
  for (size_t i = difference - std::min(before, difference); i < difference; ++i) {
    rows.push_back({i, i});
  }
  for (const AlignedRow& row : Align(left, right, difference, kWindow)) rows.push_back(row);

  std::vector<TextRow> drawn = Draw(rows, left, right);
  const auto first_marked =
      std::find_if(drawn.begin(), drawn.end(), [](const TextRow& row) { return row.mark != ' '; });
  const size_t marked = first_marked - drawn.begin();
  const size_t begin = marked - std::min<size_t>(marked, std::max(options.before, 0));
  const size_t end = std::min(drawn.size(), marked + std::max(options.after, 1));

  Unindent(drawn.begin() + begin, drawn.begin() + end);
  std::string text = absl::StrCat(RowText({' ', "recording", "model"}, options), "\n");
  for (size_t i = begin; i < end; ++i) absl::StrAppend(&text, RowText(drawn[i], options), "\n");
  return text;
}

std::string Report(const Graph& recorded, const Graph& model, const CompareOptions& options,
                   const CompareResult& result, const SideBySideOptions& view) {
  std::string text;
  const ComparedTree* different = result.FirstDifferent();
  if (different == nullptr) {
    size_t calls = 0;
    for (const ComparedTree& tree : result.trees) calls += tree.calls;
    text = absl::StrCat("equal: ", calls, calls == 1 ? " call" : " calls", " in ",
                        result.trees.size(), result.trees.size() == 1 ? " tree\n" : " trees\n");
  } else {
    const absl::string_view bold = view.color ? kBold : "";
    const absl::string_view plain = view.color ? kPlain : "";
    text = absl::StrCat(bold, different->difference->Message(), plain, "\n");
    const std::string picture = SideBySide(VisibleGraph(recorded, options.rules),
                                           VisibleGraph(model, options.rules), *different, view);
    if (!picture.empty()) absl::StrAppend(&text, "\n", picture);
  }
  if (result.not_compared.empty()) return text;
  absl::StrAppend(&text, "not in the model, so not compared: ",
                  absl::StrJoin(result.not_compared, ", ",
                                [](std::string* out, const std::pair<std::string, int>& entry) {
                                  absl::StrAppend(out, entry.first, "()");
                                  if (entry.second > 1) absl::StrAppend(out, " x", entry.second);
                                }),
                  "\n");
  return text;
}

}  // namespace kpath
