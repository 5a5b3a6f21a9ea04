// Opening hours of a site: parses the widget's `data-hours`, such as "Mo-Fr 09:00-13:00,15:00-19:00; Sa 10:00-14:00"
// (openingHours of schema.org). Has no DOM code.

const DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const RULE = /^(\S+)\s+(\S+)$/;
const TIMES = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;
const DAY = 24 * 60;
const WEEK = 7 * DAY;
const MINUTE_MS = 60_000;

export class Hours {
  #stretches;
  #clock;

  /** Throws RangeError if `words` or `timeZone` cannot be parsed. */
  constructor(words, timeZone) {
    this.#stretches = words.split(";").map((rule) => rule.trim()).filter(Boolean).flatMap(stretchesOf);
    if (!this.#stretches.length) throw new RangeError("there are no hours");
    const options = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: timeZone || undefined };
    this.#clock = new Intl.DateTimeFormat("en", options);
  }

  /** `{open, until}`: whether the site is open at `now`, and when that changes, in milliseconds since 1970. */
  at(now) {
    const minute = this.#minuteOfWeek(now);
    const left = this.#stretches.map(({ from, length }) => length - ahead(from, minute)).filter((rest) => rest > 0);
    const open = left.length > 0;
    const minutes = open ? Math.max(...left) : Math.min(...this.#stretches.map(({ from }) => ahead(minute, from)));
    const until = (Math.floor(now / MINUTE_MS) + minutes) * MINUTE_MS;
    const error = ahead(minute + minutes, this.#minuteOfWeek(until)); // daylight saving time may begin or end in between
    return { open, until: until - (error > WEEK / 2 ? error - WEEK : error) * MINUTE_MS };
  }

  #minuteOfWeek(ms) {
    const parts = Object.fromEntries(this.#clock.formatToParts(ms).map(({ type, value }) => [type, value]));
    return DAYS.indexOf(parts.weekday.slice(0, 2)) * DAY + Number(parts.hour) * 60 + Number(parts.minute);
  }
}

/** Minutes from `from` to `to`, both minutes of the week, modulo one week. */
function ahead(from, to) {
  return (((to - from) % WEEK) + WEEK) % WEEK;
}

function stretchesOf(rule) {
  const [, days, times] = RULE.exec(rule) ?? unreadable(rule);
  return days.split(",").flatMap(daysOf).flatMap((day) => times.split(",").map((each) => stretchOf(day, each)));
}

function daysOf(words) {
  const [first, last = first, ...more] = words.split("-").map((name) => DAYS.indexOf(name));
  if (first < 0 || last < 0 || more.length) unreadable(words);
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, step) => (first + step) % 7);
}

/** An end before the begin means the next day. */
function stretchOf(day, words) {
  const [from, to] = timesOf(TIMES.exec(words) ?? unreadable(words));
  return { from: day * DAY + from, length: to > from ? to - from : to + DAY - from };
}

function timesOf([, hour, minute, endHour, endMinute]) {
  return [Number(hour) * 60 + Number(minute), Number(endHour) * 60 + Number(endMinute)];
}

function unreadable(words) {
  throw new RangeError(`${words} is not like Mo-Fr 09:00-17:00`);
}
