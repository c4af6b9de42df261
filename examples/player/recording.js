// amshls: HLS recording for GStreamer
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a playlist says of a recording: stretches that were recorded without a break, what is missing, which moment is where. No page in here.
// Positions are seconds on the video element's time line, dates are milliseconds since 1970 UTC (null: the playlist has none).

/** A hole between the dates of two segments that is shorter than this is rounding, or the drift of a clock. */
const HOLE = 0.5;

/** So far behind the beginning of a segment one seeks: on it, the last frame of the one before could be shown. */
const INSIDE = 0.02;

export class Recording {
  /** fragments: hls.js's, of one playlist */
  constructor (fragments, growing, target) {
    this.growing = growing;
    this.target = target;
    this.segments = [];
    for (const fragment of fragments) this.segments.push(toSegment(fragment, this.segments[this.segments.length - 1]));
    this.runs = findRuns(this.segments);
    this.gaps = findGaps(this.segments);
  }

  get start () { return this.segments.length ? this.segments[0].start : 0; }
  get end () { return this.segments.length ? this.segments[this.segments.length - 1].end : 0; }
  get dated () { return this.runs.some(run => run.from !== null); }

  /** The index of the segment at a position; the nearest one outside of the recording, -1 if there is none at all. */
  indexAt (time) {
    return lastAtMost(this.segments, 0, this.segments.length - 1, segment => segment.start, time);
  }

  segmentAt (time) { return this.segments[this.indexAt(time)]; }

  dateAt (time) {
    const segment = this.segmentAt(time);
    if (!segment || segment.date === null) return null;
    return segment.date + 1000 * Math.min(Math.max(time - segment.start, 0), segment.end - segment.start);
  }

  /** The first segment from an index on that is not missing. */
  presentFrom (index) {
    while (index < this.segments.length && this.segments[index].gap) index++;
    return this.segments[index];
  }

  /**
   * Where a date is: {time, date, status}. status: "there"; "hole", nothing was recorded then, and time is where it goes on;
   * "before" and "after" the recording; "undated".
   */
  find (date) {
    if (!this.dated) return { status: 'undated' };
    for (const run of this.runs) {
      if (run.from === null || date < run.from || date >= run.to) continue;
      const index = lastAtMost(this.segments, run.first, run.last, segment => segment.date, date);
      const segment = this.segments[index];
      if (!segment.gap) {
        return { status: 'there', time: Math.min(segment.start + (date - segment.date) / 1000, segment.end - INSIDE), date };
      }
      const next = this.presentFrom(index);
      return next ? { status: 'hole', time: next.start + INSIDE, date: next.date } : this.last('after');
    }
    return this.findOutside(date);
  }

  findOutside (date) {
    let next = null;
    for (const run of this.runs) {
      if (run.from !== null && run.from > date && (!next || run.from < next.from)) next = run;
    }
    const segment = next && this.presentFrom(next.first);
    if (!segment) return this.last('after');
    const before = !this.runs.some(run => run.to !== null && run.to <= date);
    return { status: before ? 'before' : 'hole', time: segment.start + INSIDE, date: segment.date };
  }

  /** A little before the end, so that there is something to see. */
  last (status) {
    let index = this.segments.length - 1;
    while (index > 0 && this.segments[index].gap) index--;
    const segment = this.segments[index];
    const time = Math.max(segment.start + INSIDE, segment.end - 2);
    return { status, time, date: this.dateAt(time), end: this.runs[this.runs.length - 1].to };
  }

  /** What a reader of the time line should know, in order: {kind, time, date, …}. */
  events () {
    const found = [];
    this.runs.forEach((run, i) => {
      if (i === 0) {
        found.push({ kind: 'began', time: run.start, date: run.from });
      } else if (run.hole > 0) {
        found.push({ kind: 'stopped', time: run.start, date: this.runs[i - 1].to, until: run.from, hole: run.hole });
      } else {
        found.push({ kind: 'joined', time: run.start, date: run.from, hole: run.hole });
      }
    });
    for (const gap of this.gaps) found.push({ kind: 'missing', ...gap });
    found.sort((a, b) => a.time - b.time);
    const last = this.runs[this.runs.length - 1];
    if (last) found.push({ kind: this.growing ? 'growing' : 'ended', time: last.end, date: last.to });
    return found;
  }
}

/** Media whose timestamps are not as the playlist says may lie anywhere; on the time line it stays in order. */
function toSegment (fragment, before) {
  const start = before ? Math.max(fragment.start, before.start) : fragment.start;
  const date = Number.isFinite(fragment.programDateTime) ? fragment.programDateTime : null;
  const path = (fragment.relurl || '').split(/[?#]/)[0];
  let name = path;
  try {
    name = decodeURIComponent(path);
  } catch { /* it stays as it is written */ }
  return { start, end: Math.max(fragment.start + fragment.duration, start), date, gap: Boolean(fragment.gap), gone: Boolean(fragment.gone), cc: fragment.cc, sn: fragment.sn, name };
}

/** Stretches without a discontinuity or a hole in time. hole: seconds of nothing in front of it; negative: the clock went back. */
function findRuns (segments) {
  const runs = [];
  let run = null;
  segments.forEach((segment, i) => {
    const before = segments[i - 1];
    const dateEnd = before && before.date !== null ? before.date + 1000 * (before.end - before.start) : null;
    const step = dateEnd !== null && segment.date !== null ? (segment.date - dateEnd) / 1000 : 0;
    const hole = Math.abs(step) >= HOLE ? step : 0;
    const joined = before && before.cc !== segment.cc;
    if (!run || joined || hole) {
      run = { first: i, start: segment.start, from: segment.date, hole, joined: Boolean(joined) };
      runs.push(run);
    }
    run.last = i;
    run.end = segment.end;
    run.to = segment.date === null ? null : segment.date + 1000 * (segment.end - segment.start);
  });
  return runs;
}

function findGaps (segments) {
  const gaps = [];
  let gap = null;
  segments.forEach((segment, i) => {
    if (!segment.gap) {
      gap = null;
    } else if (gap && segments[i - 1].cc === segment.cc && gap.gone === segment.gone) {
      gap.count++;
      gap.end = segment.end;
    } else {
      gap = { time: segment.start, end: segment.end, date: segment.date, count: 1, gone: segment.gone };
      gaps.push(gap);
    }
  });
  return gaps;
}

/** The last index in first..last whose key is at most value; first if none is, -1 if there is no index. */
export function lastAtMost (list, first, last, key, value) {
  if (last < first) return -1;
  while (first < last) {
    const middle = (first + last + 1) >> 1;
    if (key(list[middle]) <= value) first = middle; else last = middle - 1;
  }
  return first;
}

const two = number => String(number).padStart(2, '0');

/** {day, time, tenth} of a date, in UTC or the reader's zone. */
export function parts (date, utc) {
  const d = new Date(utc ? date : date - new Date(date).getTimezoneOffset() * 60000);
  return {
    day: `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`,
    time: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`,
    tenth: String(Math.floor(d.getUTCMilliseconds() / 100)),
  };
}

export function zoneName (date, utc) {
  if (utc) return 'UTC';
  const minutes = -new Date(date).getTimezoneOffset();
  if (!minutes) return 'UTC';
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${size % 60 ? ':' + two(size % 60) : ''}`;
}

export function clockText (date, utc) {
  const p = parts(date, utc);
  return `${p.day} ${p.time}`;
}

/** "4.0 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
export function durationText (seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const at = units.findIndex(([size]) => whole >= size);
  const [size, unit] = units[at];
  const text = `${Math.floor(whole / size)} ${unit}`;
  const rest = at < 3 ? Math.floor((whole % size) / units[at + 1][0]) : 0;
  return rest ? `${text} ${rest} ${units[at + 1][1]}` : text;
}
