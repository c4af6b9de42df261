// amshls: HLS recording for GStreamer
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The page: which recording, playing it through hls.js, what the clock says, what went wrong. ?src=PLAYLIST opens one, &t=DATE goes to a moment of it;
// behind a # as well, where an address with a key in it is not sent to the server that has the page.

import { Recording, parts, zoneName, clockText, durationText } from './recording.js';
import { Timeline } from './timeline.js';

const LOOK = 3000; // ms between looks at the list, and at a recording that has ended
const RETRY = [1000, 2000, 3000, 5000]; // ms
const EVENTS = 500; // so many of the newest are listed
const ONE_BY_ONE = 16; // so many segments behind one that is gone are looked at; then more and more are leapt over
const FRESH = 3; // the newest segments of a recording that grows: a cache may not have them yet

const at = id => document.getElementById(id);
const video = at('video');

let hls = null;
let opened = null; // {src, name, url}
let recording = null;
let details = null; // hls.js's, of the playlist
const gone = new Set(); // addresses of segments that are listed, and not there
let played = false; // a segment of what is opened could be loaded
let wanted = null; // date to go to, once it is known where that is
let listed = [];
let failures = 0;
let retryTimer = 0;
let grown = 0; // when the recording was last seen to grow, performance.now()
let utc = false;
let problem = false;
let reopening = false;

const timeline = new Timeline(at('timeline'), time => seek(time));

// ---- messages

/** One sentence. A problem stays until it is over, a note until the next one. */
function say (text, isProblem = false) {
  problem = isProblem;
  at('message').textContent = text;
  at('message').className = isProblem ? 'problem' : '';
}

function over () {
  failures = 0;
  if (problem) say('');
}

/** What may be shown of an address: no user, no query. */
function shown (address) {
  try {
    const url = new URL(address, location.href);
    return url.origin === location.origin ? decodeURIComponent(url.pathname) : url.origin + decodeURIComponent(url.pathname);
  } catch {
    return 'that address';
  }
}

// ---- the list

async function look () {
  let answer;
  try {
    const response = await fetch('recordings.json', { cache: 'no-cache' });
    if (!response.ok) throw new Error();
    answer = await response.json();
  } catch {
    if (!listed.length) {
      at('list-empty').hidden = false;
      at('list-empty').textContent = 'There is no list of recordings here. Play one from its address.';
    }
    return;
  }
  listed = answer.recordings;
  showList(answer.now);
  if (!opened && !parameters().src && listed.length) {
    const newest = listed.reduce((best, entry) => entry.modified > best.modified ? entry : best);
    open(newest.src, newest.name);
  }
}

function showList (now) {
  at('list-empty').hidden = listed.length > 0;
  at('list-empty').textContent = 'No recordings yet. What is recorded appears here by itself.';
  const rows = new Map([...at('list').children].map(row => [row.dataset.src, row]));
  const focused = document.activeElement;
  at('list').replaceChildren(...listed.map(entry => {
    const row = rows.get(entry.src) || makeRow(entry);
    const growing = !entry.ended && now - entry.modified < 3 * entry.target + 5;
    row.classList.toggle('growing', growing);
    row.querySelector('small').textContent = growing ? 'recording' : `${entry.ended ? 'ended' : 'interrupted'} ${clockText(entry.modified * 1000, utc).slice(0, 16)}`;
    return row;
  }));
  if (at('list').contains(focused)) focused.focus();
  markList();
}

function makeRow (entry) {
  const row = document.createElement('li');
  row.dataset.src = entry.src;
  const link = document.createElement('a');
  link.href = '?src=' + encodeURIComponent(entry.src);
  link.append(Object.assign(document.createElement('span'), { textContent: entry.name }), document.createElement('small'));
  link.addEventListener('click', event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    open(entry.src, entry.name);
  });
  row.append(link);
  return row;
}

function markList () {
  for (const row of at('list').children) {
    const current = Boolean(opened) && row.dataset.src === opened.src;
    if (current) row.firstChild.setAttribute('aria-current', 'true'); else row.firstChild.removeAttribute('aria-current');
  }
}

// ---- opening

function parameters () {
  const all = new URLSearchParams(location.search);
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) all.set(name, value);
  return { src: all.get('src'), t: all.get('t') };
}

function open (src, name) {
  let url;
  try {
    url = new URL(src, location.href);
  } catch {
    url = { protocol: '' };
  }
  if (!/^https?:$/.test(url.protocol)) {
    say('That is not the address of a playlist: it has to begin with http:// or https://.', true);
    return;
  }
  opened = { src, url: url.href, name: name || decodeURIComponent(url.pathname.split('/').pop()).replace(/\.m3u8$/, '') || url.host };
  recording = null;
  details = null;
  gone.clear();
  played = false;
  grown = 0;
  failures = 0;
  timeline.clear();
  say('');
  at('title').textContent = opened.name;
  document.title = `${opened.name} · Recordings`;
  at('events').replaceChildren();
  showState();
  showClock();
  markList();
  load(-1);
}

/** From a position on; -1: the newest of one that grows, the beginning of one that has ended. */
function load (position) {
  clearTimeout(retryTimer);
  if (hls) hls.destroy();
  hls = null;
  if (!window.Hls || !window.Hls.isSupported()) {
    say(window.Hls ? 'This browser cannot play HLS on a page (it has no Media Source Extensions).' : 'hls.min.js is missing beside this page.', true);
    return;
  }
  const { Events } = window.Hls;
  hls = new window.Hls({ startPosition: position, backBufferLength: 60, maxBufferLength: 30, liveDurationInfinity: false });
  hls.on(Events.LEVEL_UPDATED, (_, data) => update(data.details));
  hls.on(Events.LEVEL_PTS_UPDATED, (_, data) => update(data.details));
  hls.on(Events.LEVEL_LOADED, over);
  hls.on(Events.FRAG_LOADED, () => {
    played = true;
    over();
  });
  hls.on(Events.ERROR, (_, data) => onError(data));
  hls.loadSource(opened.url);
  hls.attachMedia(video);
}

/** As the playlist says now, or as the media say that its segments lie. */
function update (found) {
  const before = recording;
  details = found;
  for (const fragment of details.fragments) if (gone.has(fragment.url)) treatAsGap(fragment);
  recording = new Recording(details.fragments, details.live, details.targetduration);
  if (!before || recording.segments.length === 0 || recording.end > before.end + 0.01) grown = performance.now();
  if (!before) begin();
  timeline.update(recording);
  if (reopening && before && recording.growing) say('The recording goes on.');
  reopening = false;
  if (!before || before.segments.length !== recording.segments.length || before.growing !== recording.growing ||
      before.gaps.length !== recording.gaps.length) showEvents();
  showState();
  if (wanted !== null && recording.segments.length) {
    const date = wanted;
    wanted = null;
    seekDate(date, true);
  }
}

function begin () {
  if (!at('jump-date').value && recording.dated) setJump(recording.runs[0].from);
  start();
}

/** A browser may want a click before it plays sound: then without, and if it does not want that either, it says how. */
async function start () {
  try {
    await video.play();
  } catch (error) {
    if (error.name !== 'NotAllowedError') return;
    video.muted = true;
    video.play().catch(() => {});
  }
}

// ---- what goes wrong

function onError (data) {
  const { ErrorTypes, ErrorDetails } = window.Hls;
  if (isGone(data)) {
    skipGone(data);
    return;
  }
  if (data.details === ErrorDetails.BUFFER_STALLED_ERROR || !data.fatal) return;
  if (data.type === ErrorTypes.MEDIA_ERROR && failures < 3) {
    failures++;
    hls.recoverMediaError();
    return;
  }
  const wait = RETRY[Math.min(failures++, RETRY.length - 1)];
  say(sentence(data) + ` Trying again every ${RETRY[RETRY.length - 1] / 1000} seconds at most.`, true);
  clearTimeout(retryTimer);
  const playlist = recording === null;
  retryTimer = setTimeout(() => {
    if (playlist) load(-1); else hls.startLoad(video.currentTime);
  }, wait);
}

function sentence (data) {
  const what = data.frag ? `The segment ${shown(data.frag.url)}` : `The playlist ${shown(data.url || opened.url)}`;
  const code = data.response && data.response.code;
  if (data.type === window.Hls.ErrorTypes.MEDIA_ERROR) return 'This browser cannot decode the recording (its video or audio format).';
  if (/Parsing/i.test(data.details)) return `${what} is not what it should be: ${data.reason || (data.error && data.error.message) || 'unreadable'}.`;
  if (code === 404 || code === 410) return `${what} is not there (HTTP ${code}).`;
  if (code === 401 || code === 403) return `${what} may not be read (HTTP ${code}).`;
  if (code) return `${what} could not be loaded (HTTP ${code}).`;
  const elsewhere = new URL(opened.url).origin !== location.origin;
  return `${what} could not be loaded: its server does not answer` + (elsewhere ? ', or does not let this page read it (CORS).' : '.');
}

// ---- segments that somebody deleted

/** The playlist lists it, and the server says that there is no such file. (A bucket whose keys may not be listed says 403.) */
function isGone (data) {
  const code = data.response && data.response.code;
  if (!data.frag || !details || data.details !== window.Hls.ErrorDetails.FRAG_LOAD_ERROR) return false;
  const fresh = recording.growing && data.frag.sn > details.endSN - FRESH;
  return (code === 404 || code === 410 || (code === 403 && played)) && (data.fatal || !fresh);
}

/** For hls.js, as if the playlist said EXT-X-GAP. */
function treatAsGap (fragment) {
  if (!fragment.gone) fragment.tagList.push(['GAP']);
  fragment.gone = fragment.gap = true;
}

async function isThere (fragment) {
  try {
    const response = await fetch(fragment.url, { method: 'HEAD', cache: 'no-store' });
    return ![403, 404, 410].includes(response.status);
  } catch {
    return true; // hls.js finds out
  }
}

/** The index of the first fragment from an index on that is there. What is deleted is, in long rows, the oldest: so it is not asked for each. */
async function findPresent (fragments, first) {
  let missing = first - 1, there = first;
  while (there < fragments.length && !await isThere(fragments[there])) {
    missing = there;
    there = missing + Math.max(1, missing - first - ONE_BY_ONE);
  }
  there = Math.min(there, fragments.length);
  while (there - missing > 1) {
    const middle = (there + missing) >> 1;
    if (await isThere(fragments[middle])) there = middle; else missing = middle;
  }
  return there;
}

async function skipGone (data) {
  const asked = hls, { fragments } = details;
  const first = fragments.findIndex(fragment => fragment.url === data.frag.url);
  if (first < 0 || gone.has(data.frag.url)) return;
  gone.add(data.frag.url);
  const next = await findPresent(fragments, first + 1);
  if (asked !== hls) return;
  for (const fragment of fragments.slice(first, next)) gone.add(fragment.url);
  update(details);
  showEvents();
  say(tellGone(fragments.slice(first, next), data.response.code) + ' ' + goOn(data.frag.start));
}

function tellGone (fragments, code) {
  const names = [fragments[0], fragments[fragments.length - 1]].map(fragment => shown(fragment.url).split('/').pop());
  const length = durationText(fragments.reduce((sum, fragment) => sum + fragment.duration, 0));
  return fragments.length === 1 ? `The segment ${names[0]} (${length}) is listed, but not there any more (HTTP ${code}).`
    : `The segments ${names[0]} to ${names[1]} (${fragments.length}, ${length}) are listed, but not there any more (HTTP ${code}).`;
}

/** Loads what comes after what is gone, and goes there if that is where it is; says so. */
function goOn (from) {
  const position = video.readyState > 0 ? video.currentTime : from;
  if (!recording.segments.some(segment => !segment.gap)) return 'Nothing of this recording is there.';
  const index = recording.indexAt(position);
  const next = recording.presentFrom(index);
  const time = !recording.segments[index].gap ? position : next ? next.start + 0.02 : recording.last('after').time;
  hls.startLoad(time);
  if (time !== position) video.currentTime = time;
  return recording.presentFrom(recording.indexAt(from + 0.001)) ? 'What follows is played.' : 'Nothing follows.';
}

/** hls.js does not look again at a playlist that has ended. Another run of the recorder makes it grow again. */
async function lookAgain () {
  if (!hls || !opened || !recording || recording.growing || document.hidden || reopening) return;
  const asked = opened;
  try {
    const response = await fetch(opened.url, { method: 'HEAD', cache: 'no-store' });
    if (!response.ok || asked !== opened) return;
    const seen = [response.headers.get('Content-Length'), response.headers.get('Last-Modified')].join();
    const changed = opened.seen !== undefined && opened.seen !== seen;
    opened.seen = seen;
    if (!changed) return;
  } catch {
    return;
  }
  reopening = true;
  const paused = video.paused && !video.ended;
  load(video.currentTime);
  if (!paused) start();
}

// ---- going somewhere

/** Before there are media, hls.js goes to a position of its own once they come, unless it is told where to begin. */
function go (time) {
  if (hls && video.readyState === 0) hls.startLoad(time);
  video.currentTime = time;
  showClock();
}

function seek (time) {
  if (!recording || !recording.segments.length) return;
  const last = recording.end - (recording.growing ? 0.5 : 0.1);
  time = Math.min(Math.max(time, recording.start), last);
  const segment = recording.segmentAt(time);
  go(segment.gap ? pastGap(time) : time);
}

/** Where it goes on behind a missing segment, which is said. */
function pastGap (time) {
  const index = recording.indexAt(time);
  const next = recording.presentFrom(index);
  const gap = recording.gaps.find(g => time < g.end + 1e-3 && time >= g.time - 1e-3);
  if (!next) {
    const end = recording.last('after');
    say('What follows is missing in the recording; this is the last there is.');
    return end.time;
  }
  say(`${gap ? durationText(gap.end - gap.time) : 'A piece'} is ${gap && gap.gone ? 'not there any more' : 'missing'} here${next.date === null ? '' : `; it goes on at ${clockText(next.date, utc)}`}.`);
  return next.start + 0.02;
}

function seekDate (date, quiet = false) {
  const found = recording.find(date);
  const asked = clockText(date, utc);
  if (found.status === 'undated') {
    say('This playlist has no dates (EXT-X-PROGRAM-DATE-TIME), so there is no going to one.');
    return;
  }
  if (found.status === 'hole') say(`Nothing was recorded at ${asked}; this is what comes next, from ${clockText(found.date, utc)}.`);
  if (found.status === 'before') say(`The recording had not begun at ${asked}; this is its beginning, at ${clockText(found.date, utc)}.`);
  if (found.status === 'after') say(`The recording ${recording.growing ? 'has only come to' : 'ended at'} ${clockText(found.end, utc)}; this is its last moment.`);
  if (found.status === 'there' && !quiet) say('');
  go(found.time);
}

function seekBy (seconds) { seek(video.currentTime + seconds); }

function seekNewest () {
  if (!recording) return;
  say('');
  seek(recording.growing && hls.liveSyncPosition ? hls.liveSyncPosition : recording.end);
  start();
}

function seekRun (step) {
  const starts = recording.runs.map(run => run.start);
  const now = video.currentTime;
  const next = step > 0 ? starts.find(time => time > now + 0.1) : starts.filter(time => time < now - 2).pop();
  if (next !== undefined) seek(next + 0.02);
}

function seekSegment (step) {
  const segment = recording.segments[Math.min(Math.max(recording.indexAt(video.currentTime) + step, 0), recording.segments.length - 1)];
  if (segment) seek(segment.start + 0.02);
}

// ---- what is shown

function showClock () {
  const date = recording && recording.dateAt(video.currentTime);
  const clock = at('clock'), slider = at('timeline');
  if (date === null || date === undefined || !recording) {
    clock.textContent = recording ? durationText(video.currentTime) : '–';
    clock.removeAttribute('datetime');
    at('clock-other').textContent = recording ? 'The playlist has no dates.' : '';
  } else {
    const p = parts(date, utc);
    clock.textContent = `${p.time}.${p.tenth}`;
    clock.dateTime = new Date(date).toISOString();
    const other = parts(date, !utc).time;
    at('clock-other').textContent = `${p.day} ${zoneName(date, utc)}` + (other === p.time ? '' : ` · ${other} ${utc ? 'local' : 'UTC'}`);
  }
  slider.setAttribute('aria-valuemax', recording ? Math.round(recording.end - recording.start) : 0);
  slider.setAttribute('aria-valuenow', recording ? Math.round(video.currentTime - recording.start) : 0);
  slider.setAttribute('aria-valuetext', date ? `${clockText(date, utc)} ${zoneName(date, utc)}` : clock.textContent);
}

function bufferedRanges () {
  return Array.from({ length: video.buffered.length }, (_, i) => [video.buffered.start(i), video.buffered.end(i)]);
}

function showState () {
  const state = at('state');
  at('live').hidden = !recording || !recording.growing;
  state.hidden = !recording;
  if (!recording) {
    at('summary').textContent = '';
    at('span').textContent = '';
    return;
  }
  const quiet = (performance.now() - grown) / 1000;
  const end = recording.runs.length ? recording.runs[recording.runs.length - 1].to : null;
  const old = end !== null && quiet < 60 && Date.now() - end > 1000 * (6 * recording.target + 60);
  const stale = recording.growing && (quiet > 3 * recording.target + 5 || old);
  state.className = 'state ' + (!recording.growing ? 'ended' : stale ? 'stale' : 'growing');
  state.textContent = !recording.growing ? 'Ended' : stale ? 'Nothing new' : 'Recording';
  const count = recording.segments.length;
  at('summary').textContent = `${durationText(recording.end - recording.start)} in ${count.toLocaleString('en')} segment${count === 1 ? '' : 's'}`;
  at('span').textContent = timeline.windowed() ? durationText(timeline.span) : '';
  at('live').classList.toggle('on', recording.growing && recording.end - video.currentTime < 4 * recording.target + 1);
}

const TELL = {
  began: () => 'Recording begins',
  stopped: e => `Nothing recorded for ${durationText(e.hole)}, goes on at ${clockText(e.until, utc).slice(11)}`,
  joined: e => e.hole < 0 ? `Discontinuity: the dates go back by ${durationText(-e.hole)}` : 'Discontinuity: another run, a new format, or a jump in time',
  missing: e => `${durationText(e.end - e.time)} ${e.gone ? 'listed, but not there any more' : 'missing'} (${e.count} segment${e.count === 1 ? '' : 's'})`,
  growing: () => 'Being recorded',
  ended: () => 'Recording ends',
};

function showEvents () {
  const events = recording.events();
  const rows = events.slice(-EVENTS).map(event => {
    const row = document.createElement('li');
    row.className = event.kind;
    const button = Object.assign(document.createElement('button'), { type: 'button' });
    const when = document.createElement('time');
    when.textContent = Number.isFinite(event.date) && event.date !== null ? clockText(event.date, utc) : durationText(event.time);
    if (event.date) when.dateTime = new Date(event.date).toISOString();
    button.append(when, Object.assign(document.createElement('span'), { textContent: TELL[event.kind](event) }));
    button.addEventListener('click', () => {
      if (event.kind === 'ended' || event.kind === 'growing') seekNewest(); else seek(event.kind === 'missing' ? event.time : event.time + 0.02);
    });
    row.append(button);
    return row;
  });
  at('events').replaceChildren(...rows);
  const between = events.filter(e => !['began', 'growing', 'ended'].includes(e.kind)).length;
  at('events-count').textContent = events.length > EVENTS ? `the last ${EVENTS} of ${events.length}` : between ? '' : 'no interruption';
}

function setJump (date) {
  const p = parts(date, utc);
  at('jump-date').value = `${p.day}T${p.time}`;
}

function showPlaying () {
  const ready = Boolean(recording);
  at('play').setAttribute('aria-label', video.paused ? 'Play' : 'Pause');
  at('play-icon').setAttribute('d', video.paused ? 'M8 5v14l11-7z' : 'M7 5h4v14H7zM13 5h4v14h-4z');
  at('big-play').hidden = !ready || !video.paused || video.seeking;
}

function showSound () {
  const silent = video.muted || video.volume === 0;
  at('mute').setAttribute('aria-label', silent ? 'Sound on' : 'Mute');
  at('waves').toggleAttribute('hidden', silent);
  at('muted').toggleAttribute('hidden', !silent);
}

// ---- what the reader does

function togglePlay () {
  if (!video.paused) video.pause(); else start();
}

function copyLink () {
  const link = new URL(location.href);
  const date = recording && recording.dateAt(video.currentTime);
  const secret = opened && new URL(opened.url).search;
  const query = new URLSearchParams({ src: opened ? opened.src : '', ...(date ? { t: new Date(date).toISOString() } : {}) });
  link.search = secret ? '' : query;
  link.hash = secret ? query : '';
  navigator.clipboard.writeText(link.href).then(() => say('The link to this moment is copied.'),
    () => say('The browser does not let this page copy; the link is in the address bar now.') || history.replaceState(null, '', link.href));
}

const KEYS = {
  ' ': togglePlay, k: togglePlay,
  j: () => seekBy(-10), l: () => seekBy(10), ArrowLeft: () => seekBy(-5), ArrowRight: () => seekBy(5),
  PageUp: () => seekSegment(-1), PageDown: () => seekSegment(1), '[': () => seekRun(-1), ']': () => seekRun(1),
  Home: () => seek(recording.start), End: seekNewest,
  m: () => { video.muted = !video.muted; }, f: toggleFull,
  '+': () => timeline.zoom(0.5), '=': () => timeline.zoom(0.5), '-': () => timeline.zoom(2),
};

function toggleFull () {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (at('stage').requestFullscreen) at('stage').requestFullscreen().catch(() => {});
  else if (video.webkitEnterFullscreen) video.webkitEnterFullscreen();
}

document.addEventListener('keydown', event => {
  const on = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || on.closest('input, select')) return;
  if (event.key === ' ' && on.closest('button, a')) return;
  if (/^(Page|Home|End)/.test(event.key) && on !== at('timeline') && on !== document.body) return;
  const act = KEYS[event.key];
  if (!act || !recording) return;
  event.preventDefault();
  act();
  showState();
});

at('play').addEventListener('click', togglePlay);
at('big-play').addEventListener('click', togglePlay);
video.addEventListener('click', togglePlay);
at('back').addEventListener('click', () => seekBy(-10));
at('forward').addEventListener('click', () => seekBy(10));
at('live').addEventListener('click', seekNewest);
at('mute').addEventListener('click', () => { video.muted = !video.muted; });
at('full').addEventListener('click', toggleFull);
at('copy').addEventListener('click', copyLink);
at('speed').addEventListener('change', () => { video.playbackRate = Number(at('speed').value); });
for (const [id, act] of [['zoom-in', () => timeline.zoom(0.5)], ['zoom-out', () => timeline.zoom(2)], ['zoom-all', () => timeline.showAll()]]) {
  at(id).addEventListener('click', () => {
    if (recording) act();
    showState();
  });
}

at('jump').addEventListener('submit', event => {
  event.preventDefault();
  const text = at('jump-date').value;
  const date = Date.parse(utc ? text + 'Z' : text);
  if (!recording || !recording.segments.length) say('There is no recording to go into.');
  else if (Number.isNaN(date)) say('Enter a date and a time, with its hour and minute.');
  else seekDate(date);
});

at('zone').addEventListener('change', () => {
  const date = Date.parse(utc ? at('jump-date').value + 'Z' : at('jump-date').value);
  utc = timeline.utc = at('zone').value === 'utc';
  if (!Number.isNaN(date)) setJump(date);
  timeline.draw();
  showClock();
  if (recording) showEvents();
  look();
});

at('address').addEventListener('submit', event => {
  event.preventDefault();
  const src = at('address-input').value.trim();
  history.pushState(null, '', location.pathname + '#' + new URLSearchParams({ src }));
  open(src);
});

function openFromAddress () {
  const { src, t } = parameters();
  const date = t === null ? NaN : Date.parse(t);
  wanted = Number.isNaN(date) ? null : date;
  if (!src) return;
  const entry = listed.find(e => e.src === src);
  open(src, entry && entry.name);
}
window.addEventListener('popstate', openFromAddress);

for (const name of ['play', 'pause', 'ended', 'seeking', 'seeked', 'emptied']) video.addEventListener(name, showPlaying);
video.addEventListener('volumechange', showSound);
video.addEventListener('waiting', () => { at('spinner').hidden = video.paused; });
for (const name of ['playing', 'seeked', 'pause', 'canplay', 'emptied']) video.addEventListener(name, () => { at('spinner').hidden = true; });
video.addEventListener('ratechange', () => { at('speed').value = String(video.playbackRate); });

/** Playing has come to what is missing. Behind the last segment that is there, it would come there again and again. */
function leaveGap (segment) {
  const next = recording.presentFrom(recording.indexAt(segment.start + 0.001));
  if (next && segment.gone) {
    video.currentTime = next.start + 0.02; // it has been said already
  } else if (next) {
    seek(segment.start + 0.001);
  } else if (!recording.growing && !video.paused) {
    video.pause();
    say('What follows is missing in the recording; this is the last there is.');
  }
}

/** Ten times a second is enough for a clock that shows tenths. */
function tick () {
  if (!recording) return;
  const segment = recording.segmentAt(video.currentTime + 0.1);
  if (segment && segment.gap && !video.seeking && video.readyState > 0) leaveGap(segment);
  showClock();
  timeline.setPlayhead(video.currentTime, bufferedRanges(), !video.paused || video.seeking);
}

setInterval(tick, 100);
setInterval(showState, 1000);
setInterval(lookAgain, LOOK);
setInterval(() => { if (!document.hidden) look(); }, LOOK);
showSound();
at('zone').options[0].textContent = `local time (${zoneName(Date.now(), false)})`;
openFromAddress();
look();
