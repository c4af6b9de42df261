#!/usr/bin/env node
// amshls: HLS recording for GStreamer
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// m3u8-check.mjs FILE...: reads playlists with two parsers that know nothing of each other (hls-parser in its
// strict mode, m3u8-parser) and checks what RFC 8216bis demands and they do not. Exit code 1 on any finding.
// AMS_NODE_MODULES says where the parsers are (build-node/node_modules).

import { existsSync, readFileSync } from 'fs';
import { createRequire } from 'module';
import { dirname, join, resolve } from 'path';
import { fileURLToPath } from 'url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.AMS_NODE_MODULES || resolve(here, '../../build-node/node_modules');
if (!existsSync(join(modules, 'hls-parser'))) {
  console.error(`no parsers in ${modules}: tools/test installs them`);
  process.exit(77);
}
const require = createRequire(join(modules, 'x.js'));
const HLS = require('hls-parser');
const { Parser } = require('m3u8-parser');
const ONCE = ['VERSION', 'TARGETDURATION', 'MEDIA-SEQUENCE', 'DISCONTINUITY-SEQUENCE', 'PLAYLIST-TYPE',
  'ENDLIST', 'INDEPENDENT-SEGMENTS', 'I-FRAMES-ONLY'];
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,}(Z|[+-]\d\d:\d\d)$/;

function checkBytes(bytes, say) {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (e) {
    say('is not UTF-8');
    text = bytes.toString('latin1');
  }
  if (text.charCodeAt(0) === 0xfeff)
    say('begins with a BOM');
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text))
    say('has control characters');
  if (!text.startsWith('#EXTM3U\n') && !text.startsWith('#EXTM3U\r\n'))
    say('the first line is not #EXTM3U');
  if (!text.endsWith('\n'))
    say('the last line is not ended');
  return text;
}

function checkMedia(text, lines, say) {
  const value = tag => (text.match(new RegExp(`^#EXT-X-${tag}:(.*?)\\r?$`, 'm')) || [])[1];
  const version = +(value('VERSION') || 1);
  const target = value('TARGETDURATION');
  const first = lines.findIndex(l => l.startsWith('#EXTINF'));

  for (const tag of ONCE)
    if (lines.filter(l => l === `#EXT-X-${tag}` || l.startsWith(`#EXT-X-${tag}:`)).length > 1)
      say(`more than one EXT-X-${tag}`);
  if (target === undefined)
    say('no EXT-X-TARGETDURATION');
  else if (!/^\d+$/.test(target))
    say(`EXT-X-TARGETDURATION is no integer: ${target}`);

  for (const line of lines.filter(l => l.startsWith('#EXTINF:'))) {
    const m = line.match(/^#EXTINF:([^,]*)(,?)/);
    if (!m[2])
      say(`no comma: ${line}`);
    if (!/^\d+(\.\d+)?$/.test(m[1]))
      say(`no decimal number: ${line}`);
    else {
      if (Math.round(+m[1]) > +target)
        say(`EXTINF ${m[1]} rounds to more than the target ${target}`);
      if (/\.\d{7,}/.test(m[1]))
        say(`EXTINF ${m[1]} claims more than microseconds`);
      if (version < 3 && m[1].includes('.'))
        say('a decimal EXTINF needs version 3');
    }
  }
  for (const tag of ['MEDIA-SEQUENCE', 'DISCONTINUITY-SEQUENCE']) {
    const at = lines.findIndex(l => l.startsWith(`#EXT-X-${tag}:`));
    if (at > first && first >= 0)
      say(`EXT-X-${tag} comes after the first segment`);
    if (at >= 0 && !/^#[^:]*:\d+$/.test(lines[at]))
      say(`no integer: ${lines[at]}`);
  }
  const needs = { MAP: 6, KEYFORMAT: 5, BYTERANGE: 4, 'I-FRAMES-ONLY': 4 };
  for (const [tag, least] of Object.entries(needs))
    if (new RegExp(`^#EXT-X-${tag}\\b`, 'm').test(text) && version < least && !(tag === 'MAP' && version >= 5 && /I-FRAMES-ONLY/.test(text)))
      say(`EXT-X-${tag} needs version ${least}`);
  const least = Object.entries(needs).reduce((a, [tag, v]) =>
    new RegExp(`^#EXT-X-${tag}\\b`, 'm').test(text) ? Math.max(a, v) : a, /^#EXTINF:\d+\./m.test(text) ? 3 : 1);
  if (version > Math.max(least, 3))
    say(`version ${version} is said, ${least} would do`);
  if (value('PLAYLIST-TYPE') !== undefined && !['EVENT', 'VOD'].includes(value('PLAYLIST-TYPE')))
    say(`EXT-X-PLAYLIST-TYPE ${value('PLAYLIST-TYPE')}`);
  if (value('PLAYLIST-TYPE') === 'VOD' && !lines.includes('#EXT-X-ENDLIST'))
    say('VOD without EXT-X-ENDLIST');
  checkSegments(lines, say);
}

function checkSegments(lines, say) {
  let pending = {}, segments = 0, dated = false, last;
  const uris = new Set();

  for (const line of lines) {
    if (line.startsWith('#EXTINF:'))
      pending.extinf = (pending.extinf || 0) + 1;
    else if (line === '#EXT-X-DISCONTINUITY')
      pending.discontinuity = (pending.discontinuity || 0) + 1;
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) {
      const date = line.slice(line.indexOf(':') + 1);
      if (pending.date)
        say(`two EXT-X-PROGRAM-DATE-TIME for one segment: ${line}`);
      if (!DATE.test(date) || isNaN(Date.parse(date)))
        say(`no RFC 3339 date with milliseconds and zone: ${line}`);
      pending.date = true;
    } else if (line !== '' && !line.startsWith('#')) {
      if (pending.extinf !== 1)
        say(`${pending.extinf || 'no'} EXTINF before ${line}`);
      if (pending.discontinuity > 1)
        say(`two EXT-X-DISCONTINUITY before ${line}`);
      if (uris.has(line))
        say(`listed twice: ${line}`);
      if (/[\s"<>\\^`{|}]/.test(line) || /%(?![0-9A-Fa-f]{2})/.test(line))
        say(`no URI: ${line}`);
      if (segments === 0)
        dated = !!pending.date;
      else if (dated && pending.discontinuity && !pending.date)
        say(`no EXT-X-PROGRAM-DATE-TIME after the DISCONTINUITY before ${line}`);
      uris.add(line);
      segments++;
      pending = {};
    }
    if (line !== '')
      last = line;
  }
  if (Object.keys(pending).length > 0)
    say('the last segment has tags but no URI');
  if (lines.includes('#EXT-X-ENDLIST') && last !== '#EXT-X-ENDLIST')
    say('something follows EXT-X-ENDLIST');
}

let bad = 0;
HLS.setOptions({ strictMode: true, silent: true });
for (const file of process.argv.slice(2)) {
  const findings = [];
  const say = text => findings.push(text);
  let bytes;
  try {
    bytes = readFileSync(file);
  } catch (e) {
    console.log(`FAIL ${file}: cannot be read: ${e.code}`);
    bad++;
    continue;
  }
  const text = checkBytes(bytes, say);
  const lines = text.split(/\r?\n/);
  const parser = new Parser();
  let strict;

  try {
    strict = HLS.parse(text);
  } catch (e) {
    say(`hls-parser: ${e.message}`);
  }
  parser.on('warn', w => say(`m3u8-parser: ${w.message}`));
  parser.push(text);
  parser.end();
  const other = parser.manifest;

  if (/^#EXT-X-STREAM-INF/m.test(text)) {
    console.log(`${file}: multivariant, ${(other.playlists || []).length} variants`);
  } else {
    checkMedia(text, lines, say);
    const total = a => a.reduce((sum, s) => sum + s.duration, 0);
    const segments = other.segments || [];
    if (strict && strict.segments.length !== segments.length)
      say(`the parsers disagree: ${strict.segments.length} and ${segments.length} segments`);
    else if (strict && Math.abs(total(strict.segments) - total(segments)) > 0.001)
      say(`the parsers disagree: ${total(strict.segments)} and ${total(segments)} s`);
    console.log(`${file}: ${segments.length} segments, ${total(segments).toFixed(3)} s, target ${other.targetDuration}, ` +
      `${other.endList ? 'ended' : 'open'}, type ${other.playlistType || '-'}`);
  }
  for (const finding of findings)
    console.log(`FAIL ${file}: ${finding}`);
  bad += findings.length;
}
process.exit(bad ? 1 : 0);
