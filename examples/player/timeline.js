// amshls: HLS recording for GStreamer
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Draws a Recording: each segment a block, what is missing hatched, a discontinuity a dashed line, a time in which nothing was recorded a
// break of a fixed width. Where it would be too long to see anything, a window of it, and an overview of the whole above.

import { parts, durationText, lastAtMost } from './recording.js';

const BREAK = 42; // px
const HEIGHT = 106;
const ROWS = { day: 8, time: 24 }; // the middles of what is written above the blocks
const TRACK = { top: 44, height: 44 };
const OVERVIEW = 20;
const FRESH = 1600; // ms for which a segment that has just come is lit
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];
const AT_FIRST = 900; // s: up to this long, all is shown
const SHORTEST = 10; // s

export class Timeline {
  /** onSeek(position), nothing else is asked of the page */
  constructor (root, onSeek) {
    this.root = root;
    this.detail = root.querySelector('#detail');
    this.overview = root.querySelector('#overview');
    this.tip = root.querySelector('#tip');
    this.onSeek = onSeek;
    this.recording = null;
    this.utc = false;
    this.playhead = 0;
    this.buffered = [];
    this.pointer = null;
    this.fresh = new Map(); // sn → when it came
    this.span = Infinity;
    this.from = 0;
    this.reduced = matchMedia('(prefers-reduced-motion: reduce)');
    this.listen();
  }

  clear () {
    this.recording = null;
    this.fresh.clear();
    this.span = Infinity;
    this.known = undefined;
    this.draw();
  }

  update (recording) {
    if (this.known === undefined) {
      this.span = recording.end - recording.start > AT_FIRST ? AT_FIRST : Infinity;
      this.from = recording.end - AT_FIRST;
    } else {
      for (let i = recording.segments.length - 1; i >= 0 && recording.segments[i].sn > this.known; i--) {
        this.fresh.set(recording.segments[i].sn, performance.now());
      }
    }
    const last = recording.segments[recording.segments.length - 1];
    this.known = last ? last.sn : -1;
    this.recording = recording;
    this.draw();
  }

  setPlayhead (time, buffered, follow) {
    this.playhead = time;
    this.buffered = buffered;
    if (follow && this.windowed() && (time < this.from || time > this.from + this.span)) this.from = time - this.span * 0.2;
    this.draw();
  }

  zoom (factor, around = this.playhead) {
    const { start, end } = this.recording;
    const old = this.windowed() ? this.span : end - start;
    const span = Math.max(SHORTEST, old * factor);
    const from = this.windowed() ? this.from : start;
    this.span = span >= end - start ? Infinity : span;
    around = Math.min(Math.max(around, from), from + old);
    this.from = around - (around - from) * (span / old);
    this.draw();
  }

  showAll () {
    this.span = Infinity;
    this.draw();
  }

  windowed () {
    return this.recording && this.span < this.recording.end - this.recording.start;
  }

  /** What is to be seen, and how positions become pixels: done before each drawing, as the recording grows meanwhile. */
  lay (width) {
    const { start, end, runs } = this.recording;
    let w0 = start, w1 = Math.max(end, start + 1);
    if (this.windowed()) {
      this.from = Math.min(Math.max(this.from, start), end - this.span);
      [w0, w1] = [this.from, this.from + this.span];
    }
    const first = Math.max(1, lastAtMost(runs, 0, runs.length - 1, run => run.start, w0) + (w0 > start ? 1 : 0));
    const breaks = [];
    for (let i = first; i < runs.length && runs[i].start < w1; i++) if (runs[i].hole > 0) breaks.push(runs[i]);
    const wide = Math.min(BREAK, breaks.length ? 0.4 * width / breaks.length : BREAK);
    this.view = { w0, w1, width, breaks, wide, scale: (width - breaks.length * wide) / (w1 - w0) };
  }

  toX (time) {
    const { w0, scale, breaks, wide } = this.view;
    let before = 0;
    while (before < breaks.length && breaks[before].start <= time + 1e-6) before++;
    return (time - w0) * scale + before * wide;
  }

  /** {time} of a pixel, or {hole: run} */
  at (x) {
    const { w0, w1, scale, breaks, wide } = this.view;
    let shift = 0;
    for (const run of breaks) {
      const left = (run.start - w0) * scale + shift;
      if (x < left) break;
      if (x < left + wide) return { hole: run, time: run.start };
      shift += wide;
    }
    return { time: Math.min(Math.max(w0 + (x - shift) / scale, w0), w1) };
  }

  draw () {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.paint();
    });
  }

  paint () {
    this.overview.hidden = !this.windowed();
    const style = getComputedStyle(this.root);
    this.colour = name => style.getPropertyValue('--' + name).trim();
    const width = this.detail.clientWidth;
    const g = prepare(this.detail, width, HEIGHT);
    if (!this.recording || !this.recording.segments.length || !width) return;
    this.lay(width);
    this.paintTicks(g);
    const lit = this.paintSegments(g);
    this.paintBreaks(g);
    this.paintBuffered(g);
    this.paintPlayhead(g);
    if (this.windowed()) this.paintOverview(width);
    if (this.pointer) this.showTip();
    if (lit) this.draw();
  }

  /** Blocks; those too narrow to be told apart become one. */
  paintSegments (g) {
    const { segments } = this.recording;
    const { w0, w1, scale } = this.view;
    const now = performance.now();
    let lit = false;
    for (let i = Math.max(0, this.recording.indexAt(w0)); i < segments.length && segments[i].start < w1;) {
      let j = i + 1;
      while (j < segments.length && (segments[j].end - segments[i].start) * scale < 5 && segments[j].gap === segments[i].gap &&
          segments[j].cc === segments[i].cc && segments[j].start < w1) j++;
      const left = this.toX(segments[i].start), right = this.toX(segments[j - 1].end - 1e-5);
      const space = right - left > 6 ? 1 : right - left > 4 ? 0.5 : 0;
      const since = now - (this.fresh.get(segments[j - 1].sn) ?? -Infinity);
      g.globalAlpha = 1;
      this.paintBlock(g, left + space, Math.max(right - left - 2 * space, 1), segments[i].gap, space ? 3 : 0);
      if (since < FRESH && !this.reduced.matches) {
        lit = true;
        g.globalAlpha = 1 - since / FRESH;
        g.fillStyle = this.colour('fresh');
        box(g, left + space, TRACK.top, Math.max(right - left - 2 * space, 1), TRACK.height, space ? 3 : 0);
        g.globalAlpha = 1;
      }
      i = j;
    }
    return lit;
  }

  paintBlock (g, x, width, gap, radius) {
    if (!gap) {
      g.fillStyle = this.colour('recorded');
      box(g, x, TRACK.top, width, TRACK.height, radius);
      return;
    }
    g.save();
    g.fillStyle = this.colour('gap-soft');
    box(g, x, TRACK.top, width, TRACK.height, radius);
    g.clip();
    g.strokeStyle = this.colour('gap');
    g.lineWidth = 2;
    g.beginPath();
    for (let at = Math.floor((x - TRACK.height) / 8) * 8; at < x + width; at += 8) {
      g.moveTo(at, TRACK.top + TRACK.height);
      g.lineTo(at + TRACK.height, TRACK.top);
    }
    g.stroke();
    g.restore();
    g.strokeStyle = this.colour('gap');
    g.lineWidth = 1;
    if (width > 3) g.strokeRect(x + 0.5, TRACK.top + 0.5, width - 1, TRACK.height - 1);
  }

  /** Discontinuities, and the times in which nothing was recorded. */
  paintBreaks (g) {
    const { w0, w1, wide, breaks } = this.view;
    const { runs } = this.recording;
    const middle = TRACK.top + TRACK.height / 2;
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    for (const run of breaks) {
      const right = this.toX(run.start), x = right - wide / 2;
      g.fillStyle = g.strokeStyle = this.colour('muted');
      g.lineWidth = 1.5;
      g.setLineDash([2, 3]);
      line(g, right - wide + 2, middle, right - 2, middle);
      g.setLineDash([]);
      if (wide >= 20) {
        g.clearRect(x - 5, middle - 8, 10, 16);
        line(g, x - 5, middle + 6, x - 1, middle - 6);
        line(g, x + 1, middle + 6, x + 5, middle - 6);
      }
      if (wide >= BREAK) {
        g.font = '10px ' + this.colour('font');
        g.fillText(durationText(run.hole).split(' ').slice(0, 2).join(' '), x, TRACK.top + 6);
      }
    }
    g.strokeStyle = g.fillStyle = this.colour('join');
    let drawn = -10;
    for (const run of runs.slice(1)) {
      if (!run.joined || run.start < w0 || run.start > w1) continue;
      const x = Math.round(run.hole > 0 ? this.toX(run.start) - wide : this.toX(run.start));
      if (x - drawn < 3) continue;
      drawn = x;
      g.lineWidth = 2;
      g.setLineDash([4, 3]);
      line(g, x, TRACK.top - 4, x, TRACK.top + TRACK.height + 4);
      g.setLineDash([]);
      g.beginPath();
      g.moveTo(x, TRACK.top - 10);
      g.lineTo(x + 5, TRACK.top - 5);
      g.lineTo(x, TRACK.top);
      g.lineTo(x - 5, TRACK.top - 5);
      g.fill();
    }
  }

  /** Times at round places of the clock, in each stretch anew, and above them the days. */
  paintTicks (g) {
    const { w0, w1, scale } = this.view;
    const { runs } = this.recording;
    g.textBaseline = 'middle';
    g.textAlign = 'left';
    g.font = '600 11px ' + this.colour('font');
    const wide = g.measureText('2000-00-00').width + 10;
    const step = STEPS.find(s => s * scale >= 84) || 86400 * Math.ceil(wide / (86400 * scale));
    const free = { day: 0, time: 0 };
    let day = null; // the last one that was written
    for (const run of runs) {
      if (run.end < w0 || run.start > w1 || run.from === null) continue;
      const zone = this.utc ? 0 : new Date(run.from).getTimezoneOffset() * -60;
      const begin = Math.max(run.start, w0), end = Math.min(run.end, w1);
      const clock = run.from / 1000 + zone - run.start;
      const tell = time => parts(run.from + (time - run.start) * 1000, this.utc);
      const dayAt = time => {
        const p = tell(time);
        if (p.day !== day && this.write(g, p.day, time, 'day', free)) day = p.day;
      };
      const timeAt = (time, always) => {
        const p = tell(time), x = this.toX(time);
        g.strokeStyle = this.colour('line');
        g.lineWidth = 1;
        line(g, Math.round(x) + 0.5, step >= 86400 ? ROWS.day - 6 : ROWS.time - 6, Math.round(x) + 0.5, TRACK.top + TRACK.height + 6);
        if (always && this.toX(end - 1e-5) - x < 20 && runs.length > 1) return;
        if (step < 86400) this.write(g, step >= 60 && !always ? p.time.slice(0, 5) : p.time, time, 'time', free);
      };
      const first = Math.ceil((begin + clock) / step) * step - clock;
      const midnight = Math.ceil((begin + clock) / 86400) * 86400 - clock;
      g.font = '600 11px ' + this.colour('font');
      if (midnight > end || this.toX(midnight) - this.toX(begin) > wide) dayAt(begin);
      for (let time = step < 86400 ? midnight : first; time < end; time += Math.max(step, 86400)) dayAt(time);
      g.font = '11px ' + this.colour('font');
      if (first - begin > 0.75 * step || first > end) timeAt(begin, true);
      for (let time = first; time < end; time += step) timeAt(time, false);
    }
  }

  /** A text at a position, in a row; false: there is no room for it. */
  write (g, text, time, row, free) {
    const wide = g.measureText(text).width;
    const left = Math.min(Math.max(this.toX(time) + 4, 0), this.view.width - wide);
    if (left < free[row]) return false;
    g.fillStyle = this.colour('muted');
    g.fillText(text, left, ROWS[row]);
    free[row] = left + wide + 10;
    return true;
  }

  paintBuffered (g) {
    const { w0, w1 } = this.view;
    g.fillStyle = this.colour('buffered');
    for (const [from, to] of this.buffered) {
      if (to < w0 || from > w1) continue;
      const left = this.toX(Math.max(from, w0));
      g.fillRect(left, TRACK.top + TRACK.height + 4, this.toX(Math.min(to, w1) - 1e-5) - left, 3);
    }
  }

  paintPlayhead (g) {
    const { w0, w1 } = this.view;
    if (this.playhead < w0 || this.playhead > w1) return;
    const x = this.toX(this.playhead);
    g.fillStyle = this.colour('page');
    g.fillRect(x - 2.5, TRACK.top - 10, 5, TRACK.height + 24);
    g.fillStyle = this.colour('playhead');
    g.fillRect(x - 1, TRACK.top - 10, 2, TRACK.height + 24);
    g.beginPath();
    g.arc(x, TRACK.top + TRACK.height + 13, 5, 0, 7);
    g.fill();
  }

  /** The whole, a few pixels high, with the window that is shown below. */
  paintOverview (width) {
    const g = prepare(this.overview, width, OVERVIEW);
    const { start, end, runs, gaps } = this.recording;
    const scale = width / (end - start);
    g.fillStyle = this.colour('recorded');
    box(g, 0, 6, width, 8, 4);
    g.fillStyle = this.colour('gap');
    for (const gap of gaps) g.fillRect((gap.time - start) * scale, 6, Math.max(1.5, (gap.end - gap.time) * scale), 8);
    g.fillStyle = this.colour('join');
    for (const run of runs.slice(1)) g.fillRect(Math.round((run.start - start) * scale) - 1, 3, 2, 14);
    const left = (this.view.w0 - start) * scale, wide = Math.max(6, (this.view.w1 - this.view.w0) * scale);
    g.fillStyle = this.colour('window');
    box(g, left, 1, wide, OVERVIEW - 2, 4);
    g.strokeStyle = this.colour('playhead');
    g.lineWidth = 1.5;
    g.stroke();
    g.fillStyle = this.colour('playhead');
    g.fillRect((this.playhead - start) * scale - 1, 0, 2, OVERVIEW);
  }

  showTip () {
    const { x } = this.pointer;
    const found = this.at(x);
    const lines = found.hole ? this.tellHole(found.hole) : this.tellSegment(found.time);
    this.tip.replaceChildren(...lines.map((text, i) => Object.assign(document.createElement(i ? 'div' : 'b'), { textContent: text })));
    this.tip.hidden = false;
    const half = this.tip.offsetWidth / 2;
    this.tip.style.left = Math.min(Math.max(x, half), Math.max(half, this.view.width - half)) + 'px';
  }

  tellHole (run) {
    return ['Nothing recorded', `for ${durationText(run.hole)}`, `until ${this.text(run.from)}`];
  }

  tellSegment (time) {
    const segment = this.recording.segmentAt(time);
    const date = this.recording.dateAt(time);
    return [date === null ? durationText(time - this.recording.start) : this.text(date),
      `${segment.name || 'segment ' + segment.sn}${segment.gone ? ', not there any more' : segment.gap ? ', missing' : ''}`,
      `${(segment.end - segment.start).toFixed(3)} s` + (segment.date === null ? '' : ` from ${this.text(segment.date).slice(11)}`)];
  }

  text (date) {
    const p = parts(date, this.utc);
    return `${p.day} ${p.time}.${p.tenth}`;
  }

  listen () {
    const x = event => event.clientX - this.detail.getBoundingClientRect().left;
    this.detail.addEventListener('pointermove', event => {
      if (!this.recording || !this.view) return;
      this.pointer = { x: x(event) };
      if (this.dragging) this.onSeek(this.at(this.pointer.x).time);
      this.draw();
    });
    this.detail.addEventListener('pointerdown', event => {
      if (!this.recording || !this.view || event.button) return;
      this.dragging = event.pointerType === 'mouse';
      this.detail.setPointerCapture(event.pointerId);
      this.pointer = { x: x(event) };
      this.onSeek(this.at(this.pointer.x).time);
    });
    const leave = () => {
      this.pointer = null;
      this.tip.hidden = true;
    };
    this.detail.addEventListener('pointerup', event => {
      this.dragging = false;
      if (event.pointerType !== 'mouse') leave();
    });
    this.detail.addEventListener('pointercancel', () => { this.dragging = false; });
    this.detail.addEventListener('pointerleave', leave);
    this.detail.addEventListener('wheel', event => this.onWheel(event, x(event)), { passive: false });
    const pan = event => {
      if (!event.buttons || !this.windowed()) return;
      const { start, end } = this.recording;
      this.from = start + x(event) / this.detail.clientWidth * (end - start) - this.span / 2;
      this.draw();
    };
    this.overview.addEventListener('pointerdown', pan);
    this.overview.addEventListener('pointermove', pan);
    new ResizeObserver(() => this.draw()).observe(this.root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  onWheel (event, x) {
    if (!this.recording || !this.view) return;
    const aside = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.at(x).time);
    } else if (Math.abs(aside) > Math.abs(event.shiftKey ? 0 : event.deltaY) && this.windowed()) {
      event.preventDefault();
      this.from += aside / this.view.scale;
      this.draw();
    }
  }
}

/** A canvas of that many CSS pixels, empty. */
function prepare (canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  const wide = Math.round(width * ratio), high = Math.round(height * ratio);
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const g = canvas.getContext('2d');
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  return g;
}

function box (g, x, y, width, height, radius) {
  g.beginPath();
  g.roundRect(x, y, width, height, radius);
  g.fill();
}

function line (g, x0, y0, x1, y1) {
  g.beginPath();
  g.moveTo(x0, y0);
  g.lineTo(x1, y1);
  g.stroke();
}
