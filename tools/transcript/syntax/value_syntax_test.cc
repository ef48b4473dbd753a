// SPDX-License-Identifier: Apache-2.0
//
// Every form of a value: how it is understood, and that it is printed back as it was.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/transcript/syntax/print.h"
#include "tools/transcript/syntax/test_util.h"

namespace kpath::strace {
namespace {

struct Form {
  const char* what;
  const char* text;
  const char* tree;
};

void PrintTo(const Form& form, std::ostream* out) { *out << form.text; }

class ValueSyntaxTest : public testing::TestWithParam<Form> {};

TEST_P(ValueSyntaxTest, IsUnderstood) { EXPECT_EQ(TreeOf(GetParam().text), GetParam().tree); }

TEST_P(ValueSyntaxTest, IsPrintedAsItWas) {
  const Transcript transcript = MustParse(absl::StrCat("f(", GetParam().text, ") = 0"));
  EXPECT_EQ(PrintValue(transcript.calls[0].args[0]), GetParam().text);
}

constexpr Form kNumbers[] = {
    {"Decimal", "3", "int:3"},
    {"Zero", "0", "int:0"},
    {"Negative", "-1000", "int:-1000"},
    {"LargestUnsigned", "18446744073709551615", "int:18446744073709551615"},
    {"MostNegative", "-9223372036854775808", "int:-9223372036854775808"},
    {"Hex", "0x7f9c4d335000", "int:140309286834176h"},
    {"LargestHex", "0xffffffffffffffff", "int:18446744073709551615h"},
    {"HexLeadingZeros", "0x00000000001000", "int:4096h"},
    {"Octal", "0644", "int:420o"},
    {"OctalZeros", "00000000", "int:0o"},
    {"TooLarge", "18446744073709551616", "int:overflow"},
    {"TooLargeHex", "0x1d2c3b4a5968778695a4b3c2d1e0f", "int:overflowh"},
    {"TooNegative", "-9223372036854775809", "int:overflow"},
};

constexpr Form kNames[] = {
    {"Null", "NULL", "null"},
    {"Symbol", "AT_FDCWD", "sym:AT_FDCWD"},
    {"Unknown", "???", "sym:\?\?\?"},
    {"AddressOf", "&sin6_addr", "sym:&sin6_addr"},
    {"Dotted", "{fmt.pix={width=1}}", "struct(fmt.pix=struct(width=int:1))"},
    {"Flags", "O_RDWR|O_CREAT|0x80", "flags(sym:O_RDWR sym:O_CREAT int:128h)"},
    {"FlagsWithMode", "S_IFREG|0644", "flags(sym:S_IFREG int:420o)"},
    {"SpacedFlags", "{a=1} | PTRACE_EVENT_EXEC<<8",
     "flags (struct(a=int:1) op<<(sym:PTRACE_EVENT_EXEC int:8))"},
    {"Shift", "1<<CAP_CHOWN|1<<CAP_KILL",
     "flags(op<<(int:1 sym:CAP_CHOWN) op<<(int:1 sym:CAP_KILL))"},
    {"Product", "8192*1024", "op*(int:8192 int:1024)"},
    {"ProductInShift", "2*3<<4", "op<<(op*(int:2 int:3) int:4)"},
    {"Call", "makedev(0x8, 0x1)", "call:makedev(int:8h int:1h)"},
    {"CallWithoutArguments", "f()", "call:f()"},
    {"CallOfCall", "_IOC(_IOC_READ|_IOC_WRITE, htons(80))",
     "call:_IOC(flags(sym:_IOC_READ sym:_IOC_WRITE) call:htons(int:80))"},
    {"Words", "SNDCTL_TMR_START or TCSETS", "words(sym:SNDCTL_TMR_START sym:or sym:TCSETS)"},
};

constexpr Form kStrings[] = {
    {"Plain", R"("/etc/ld.so.cache")", R"("/etc/ld.so.cache")"},
    {"Empty", R"("")", R"("")"},
    {"Octal", R"("\177ELF\2\1\0001")", R"("\x7f\x45LF\x02\x01\x00\x31")"},
    {"Letters", R"("\t\n\v\f\r\a\b\e\"\\")", R"("\t\n\x0b\x0c\r\x07\x08\x1b\"\\")"},
    {"Hex", R"("\x2e\x2f")", R"("./")"},
    {"Abbreviated", R"("#\n# Auto"...)", R"("#\n# Auto"...)"},
    {"AbstractSocket", R"(@"abstract\0")", R"(@"abstract\x00")"},
    {"LooksLikeSyntax", R"("a, b) = 3 /* <unfinished ...> ")",
     R"("a, b) = 3 /* <unfinished ...> ")"},
    {"AnyBytes", "\"\x80\xff\xc3(\"", R"("\x80\xff\xc3(")"},
};

constexpr Form kBrackets[] = {
    {"Struct", "{fd=3, events=POLLIN}", "struct(fd=int:3 events=sym:POLLIN)"},
    {"EmptyStruct", "{}", "struct()"},
    {"AbbreviatedStruct", "{st_mode=S_IFREG|0644, ...}",
     "struct(st_mode=flags(sym:S_IFREG int:420o) ...)"},
    {"OnlyDots", "{...}", "struct(...)"},
    {"UnnamedFields", "{SIG_DFL, [], 0}", "struct(sym:SIG_DFL array() int:0)"},
    {"Iovec", R"([{iov_base="hello", iov_len=5}, {iov_base=NULL, iov_len=0}])",
     R"(array(struct(iov_base="hello" iov_len=int:5) struct(iov_base=null iov_len=int:0)))"},
    {"Array", "[1, 2, ...]", "array(int:1 int:2 ...)"},
    {"EmptyArray", "[]", "array()"},
    {"Designators", "[[VINTR]=0x3, [17]=0]", "array([VINTR]=int:3h [17]=int:0)"},
    {"ArrayOfArrays", "[[1], [2, 3]]", "array(array(int:1) array(int:2 int:3))"},
    {"SignalSet", "[HUP INT]", "set(sym:HUP sym:INT)"},
    {"OneSignal", "[XFSZ]", "array(sym:XFSZ)"},
    {"Complement", "~[RTMIN RT_1]", "~set(sym:RTMIN sym:RT_1)"},
    {"ComplementOfOne", "~[RT_1]", "~set(sym:RT_1)"},
    {"AllSignals", "~[]", "~set()"},
    {"CpuSet", "[0 1 2]", "set(int:0 int:1 int:2)"},
    {"AbbreviatedSet", "[HUP INT ...]", "set(sym:HUP sym:INT ...)"},
    {"TerminalWords", "{B38400 opost -isig ...}",
     "struct(words(sym:B38400 sym:opost sym:-isig ...))"},
    {"Socket", R"({sa_family=AF_INET6, inet_pton(AF_INET6, "::1", &sin6_addr)})",
     R"(struct(sa_family=sym:AF_INET6 call:inet_pton(sym:AF_INET6 "::1" sym:&sin6_addr)))"},
};

constexpr Form kInOut[] = {
    {"InOut", "[88 => 0]", "array(pair(int:88 int:0))"},
    {"InOutArrays", "[0] => [4096]", "pair(array(int:0) array(int:4096))"},
    {"InOutStructs", "{flags=0} => {parent_tid=[7]}",
     "pair(struct(flags=int:0) struct(parent_tid=array(int:7)))"},
    {"InOutField", "{handle_bytes=128 => 8}", "struct(handle_bytes=pair(int:128 int:8))"},
    {"NullArrow", "NULL => [1]", "pair(null array(int:1))"},
};

constexpr Form kPredicates[] = {
    {"Exited", "[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]",
     "array(struct(op&&(call:WIFEXITED(sym:s) op==(call:WEXITSTATUS(sym:s) int:0))))"},
    {"Dumped", "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}]",
     "array(struct(op&&(call:WIFSIGNALED(sym:s) op==(call:WTERMSIG(sym:s) sym:SIGSEGV) "
     "call:WCOREDUMP(sym:s))))"},
    {"Stopped", "WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP|0x80",
     "op&&(call:WIFSTOPPED(sym:s) op==(call:WSTOPSIG(sym:s) flags(sym:SIGTRAP int:128h)))"},
};

constexpr Form kDecorations[] = {
    {"Path", "3</etc/passwd>", "int:3</etc/passwd>"},
    {"PathOfSymbol", "AT_FDCWD</root>", "sym:AT_FDCWD</root>"},
    {"Inode", "3<socket:[123]>", "int:3<socket:[123]>"},
    {"Device", "0</dev/pts/0<char 136:0>>", "int:0</dev/pts/0<char 136:0>>"},
    {"Connection", "5<TCP:[127.0.0.1:80->127.0.0.1:5]>", "int:5<TCP:[127.0.0.1:80->127.0.0.1:5]>"},
    {"NamedSocket", R"(5<UNIX-STREAM:[1->2,@"a>]"]>)", R"(int:5<UNIX-STREAM:[1->2,@"a>]"]>)"},
    {"EscapedPath", R"(3</a\74b\76\">)", R"(int:3</a\74b\76\">)"},
    {"Deleted", "3</tmp/x>(deleted)", "int:3</tmp/x>deleted"},
    {"Comment", "0x7ffc /* 37 vars */", "int:32764h/* 37 vars */"},
    {"CommentInFlags", "A|0x8 /* O_??? */|B", "flags(sym:A int:8h/* O_\?\?\? */ sym:B)"},
    {"PathAndComment", "3</x> /* y */", "int:3</x>/* y */"},
    {"CommentOnStruct", "[{tv_sec=1} /* 2001 */]", "array(struct(tv_sec=int:1)/* 2001 */)"},
    {"OnlyComment", "[/* 20 vars */]", "array(omitted/* 20 vars */)"},
    {"HardwareAddress", "[00:16:3e:00:0a:ff]", "array(verbatim:00:16:3e:00:0a:ff)"},
    {"OldDate", "{st_atime=2017/09/12-10:00:00}", "struct(st_atime=verbatim:2017/09/12-10:00:00)"},
    {"Resuming", "<... resuming interrupted read ...>",
     "verbatim:<... resuming interrupted read ...>"},
    {"NamedArgument", "child_stack=NULL", "child_stack=null"},
};

std::string NameOf(const testing::TestParamInfo<Form>& info) { return info.param.what; }

INSTANTIATE_TEST_SUITE_P(Numbers, ValueSyntaxTest, testing::ValuesIn(kNumbers), NameOf);
INSTANTIATE_TEST_SUITE_P(Names, ValueSyntaxTest, testing::ValuesIn(kNames), NameOf);
INSTANTIATE_TEST_SUITE_P(Strings, ValueSyntaxTest, testing::ValuesIn(kStrings), NameOf);
INSTANTIATE_TEST_SUITE_P(Brackets, ValueSyntaxTest, testing::ValuesIn(kBrackets), NameOf);
INSTANTIATE_TEST_SUITE_P(InOut, ValueSyntaxTest, testing::ValuesIn(kInOut), NameOf);
INSTANTIATE_TEST_SUITE_P(Predicates, ValueSyntaxTest, testing::ValuesIn(kPredicates), NameOf);
INSTANTIATE_TEST_SUITE_P(Decorations, ValueSyntaxTest, testing::ValuesIn(kDecorations), NameOf);

TEST(ValueTest, PositionsAreThoseOfTheText) {
  const Transcript transcript = MustParse("\n7  f(1, {a=[2, B|C]}) = 0\n");
  const Call& call = transcript.calls[0];
  EXPECT_EQ(call.begin, (Position{2, 4}));
  EXPECT_EQ(call.end, (Position{2, 23}));
  EXPECT_EQ(call.args[0].position, (Position{2, 6}));
  const Value& field = call.args[1].children[0];
  EXPECT_EQ(field.position, (Position{2, 10}));
  EXPECT_EQ(field.children[1].position, (Position{2, 16}));
  EXPECT_EQ(field.children[1].children[1].position, (Position{2, 18}));
}

TEST(ValueTest, BytesOfAnAbbreviatedStringAreThosePrinted) {
  const Transcript transcript = MustParse(R"(f("ab"...) = 0)");
  EXPECT_TRUE(transcript.calls[0].args[0].abbreviated);
  EXPECT_EQ(Bytes(transcript.calls[0].args[0]), "ab");
}

TEST(ValueTest, BytesOfOtherKindsAreNone) { EXPECT_EQ(Bytes(Value()), ""); }

TEST(ValueTest, QuoteBytesEscapesAsStrace) {
  EXPECT_EQ(QuoteBytes(absl::string_view("abc\0\1\377\"\\\n\t9", 11)), R"("abc\0\1\377\"\\\n\t9")");
  EXPECT_EQ(QuoteBytes("\x01"
                       "9"),
            R"("\0019")");
  EXPECT_EQ(QuoteBytes(""), R"("")");
}

TEST(ValueTest, FindField) {
  const Transcript transcript = MustParse("f({a=1, b=2}, {a=1, b=2} => {b=3}, [a=4]) = 0");
  const absl::Span<const Value> args = transcript.calls[0].args;
  EXPECT_EQ(FindField(args[0], "b")->number, 2);
  EXPECT_EQ(FindField(args[0], "c"), nullptr);
  EXPECT_EQ(FindField(args[1], "a")->number, 1);
  EXPECT_EQ(FindField(args[1], "b")->number, 3) << "what came out hides what went in";
  EXPECT_EQ(FindField(args[2], "a"), nullptr) << "an array has no fields";
}

TEST(ValueTest, Descriptor) {
  const Transcript transcript = MustParse("f(3</x>, 4) = 5</y>");
  EXPECT_EQ(Descriptor(transcript.calls[0].args[0]), "/x");
  EXPECT_EQ(Descriptor(transcript.calls[0].args[1]), "");
  EXPECT_EQ(Descriptor(transcript.calls[0].result.value), "/y");
}

}  // namespace
}  // namespace kpath::strace
