#include "s3/codec/time.h"

#include <array>
#include <chrono>

namespace kura::s3 {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Civil {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0;
  unsigned weekday = 0;
};

Civil civil_of(int64_t ms) {
  namespace c = std::chrono;
  const c::sys_time<c::milliseconds> time{c::milliseconds(ms)};
  const auto date_point = c::floor<c::days>(time);
  const c::year_month_day date(date_point);
  const auto rest = static_cast<int>((time - date_point).count());
  return {int(date.year()),
          int(unsigned(date.month())),
          int(unsigned(date.day())),
          rest / 3'600'000,
          rest / 60'000 % 60,
          rest / 1000 % 60,
          rest % 1000,
          c::weekday(date_point).c_encoding()};
}

std::optional<int64_t> ms_of(const Civil& t) {
  namespace c = std::chrono;
  const c::year_month_day date{c::year(t.year), c::month(static_cast<unsigned>(t.month)),
                               c::day(static_cast<unsigned>(t.day))};
  if (!date.ok() || t.year < 1970 || t.year > 9999) return std::nullopt;
  // 60 is a leap second: it counts as the next minute's first.
  if (t.hour > 23 || t.minute > 59 || t.second > 60) return std::nullopt;
  const int64_t days = c::sys_days(date).time_since_epoch().count();
  return ((days * 24 + t.hour) * 60 + t.minute) * 60'000 + t.second * 1000 + t.millisecond;
}

// Within the years that can be written again: an offset or a leap second may lead out of them.
std::optional<int64_t> within_years(std::optional<int64_t> ms) {
  constexpr int64_t kYear10000Ms = 253'402'300'800'000;
  return ms && *ms >= 0 && *ms < kYear10000Ms ? ms : std::nullopt;
}

// Takes tokens off the front; after the first mismatch everything fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return good_ = false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool accept(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  int number(size_t digits) {
    int value = 0;
    if (rest_.size() < digits) return fail();
    for (size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  int month() {
    for (size_t i = 0; i < kMonths.size(); ++i)
      if (rest_.starts_with(kMonths[i])) {
        rest_.remove_prefix(3);
        return static_cast<int>(i) + 1;
      }
    return fail();
  }
  // A day's name, whole or its first three letters.
  void weekday(bool whole) {
    for (std::string_view day : kDays) {
      const std::string_view name = whole ? day : day.substr(0, 3);
      if (rest_.starts_with(name)) return rest_.remove_prefix(name.size());
    }
    fail();
  }
  void clock(Civil* t) {
    t->hour = number(2);
    literal(":");
    t->minute = number(2);
    literal(":");
    t->second = number(2);
  }
  std::optional<int64_t> end(const Civil& t) const {
    return good_ && rest_.empty() ? within_years(ms_of(t)) : std::nullopt;
  }

 private:
  int fail() {
    good_ = false;
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

std::optional<int64_t> parse_fixdate(std::string_view text) {
  Scanner in(text);
  Civil t;
  in.weekday(false);
  in.literal(", ");
  t.day = in.number(2);
  in.literal(" ");
  t.month = in.month();
  in.literal(" ");
  t.year = in.number(4);
  in.literal(" ");
  in.clock(&t);
  in.literal(" GMT");
  return in.end(t);
}

std::optional<int64_t> parse_rfc850(std::string_view text) {
  Scanner in(text);
  Civil t;
  in.weekday(true);
  in.literal(", ");
  t.day = in.number(2);
  in.literal("-");
  t.month = in.month();
  in.literal("-");
  const int year = in.number(2);
  t.year = year + (year >= 70 ? 1900 : 2000);
  in.literal(" ");
  in.clock(&t);
  in.literal(" GMT");
  return in.end(t);
}

std::optional<int64_t> parse_asctime(std::string_view text) {
  Scanner in(text);
  Civil t;
  in.weekday(false);
  in.literal(" ");
  t.month = in.month();
  in.literal(" ");
  t.day = in.accept(' ') ? in.number(1) : in.number(2);
  in.literal(" ");
  in.clock(&t);
  in.literal(" ");
  t.year = in.number(4);
  return in.end(t);
}

void append_digits(std::string* out, int value, size_t width) {
  const size_t at = out->size();
  out->resize(at + width);
  for (size_t i = width; i-- > 0; value /= 10) (*out)[at + i] = static_cast<char>('0' + value % 10);
}

}  // namespace

// By hand: a listing writes a thousand of these, and every answer has one or two.
std::string http_date(int64_t ms) {
  const Civil t = civil_of(ms);
  std::string out;
  out.reserve(29);
  out.append(kDays[t.weekday].substr(0, 3));
  append_digits(&(out += ", "), t.day, 2);
  out.append(" ").append(kMonths[static_cast<size_t>(t.month - 1)]);
  append_digits(&(out += ' '), t.year, 4);
  append_digits(&(out += ' '), t.hour, 2);
  append_digits(&(out += ':'), t.minute, 2);
  append_digits(&(out += ':'), t.second, 2);
  out += " GMT";
  return out;
}

std::string iso8601(int64_t ms) {
  const Civil t = civil_of(ms);
  std::string out;
  out.reserve(24);
  append_digits(&out, t.year, 4);
  append_digits(&(out += '-'), t.month, 2);
  append_digits(&(out += '-'), t.day, 2);
  append_digits(&(out += 'T'), t.hour, 2);
  append_digits(&(out += ':'), t.minute, 2);
  append_digits(&(out += ':'), t.second, 2);
  append_digits(&(out += '.'), t.millisecond, 3);
  out += 'Z';
  return out;
}

std::string amz_date(int64_t ms) {
  const Civil t = civil_of(ms);
  std::string out;
  append_digits(&out, t.year, 4);
  append_digits(&out, t.month, 2);
  append_digits(&out, t.day, 2);
  append_digits(&(out += 'T'), t.hour, 2);
  append_digits(&out, t.minute, 2);
  append_digits(&out, t.second, 2);
  out += 'Z';
  return out;
}

std::optional<int64_t> parse_http_date(std::string_view text) {
  if (auto ms = parse_fixdate(text)) return ms;
  if (auto ms = parse_rfc850(text)) return ms;
  return parse_asctime(text);
}

std::optional<int64_t> parse_iso8601(std::string_view text) {
  Scanner in(text);
  Civil t;
  t.year = in.number(4);
  in.literal("-");
  t.month = in.number(2);
  in.literal("-");
  t.day = in.number(2);
  in.literal("T");
  in.clock(&t);
  if (in.accept('.')) {
    int scale = 100;
    for (int digits = 0; digits < 9; ++digits, scale /= 10) {
      bool any = false;
      for (char c = '0'; c <= '9' && !any; ++c)
        if ((any = in.accept(c))) t.millisecond += (c - '0') * scale;
      if (!any && digits == 0) return std::nullopt;
      if (!any) break;
    }
  }
  int64_t ahead_ms = 0;
  if (!in.accept('Z')) {
    const int64_t sign = in.accept('-') ? -1 : 1;
    if (sign == 1) in.literal("+");
    const int hours = in.number(2);
    in.literal(":");
    const int minutes = in.number(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    ahead_ms = sign * (hours * 60 + minutes) * 60'000;
  }
  const std::optional<int64_t> local = in.end(t);
  if (!local) return std::nullopt;
  return within_years(*local - ahead_ms);
}

std::optional<int64_t> parse_http_date_or_iso8601(std::string_view text) {
  if (auto ms = parse_iso8601(text)) return ms;
  return parse_http_date(text);
}

std::optional<int64_t> parse_amz_date(std::string_view text) {
  Scanner in(text);
  Civil t;
  t.year = in.number(4);
  t.month = in.number(2);
  t.day = in.number(2);
  in.literal("T");
  t.hour = in.number(2);
  t.minute = in.number(2);
  t.second = in.number(2);
  in.literal("Z");
  return in.end(t);
}

}  // namespace kura::s3
