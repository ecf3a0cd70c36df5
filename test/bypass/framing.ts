/** Framing: a request whose end is ambiguous is refused. */
import {
  ANA,
  anonymous,
  type Case,
  CHUNKS,
  chunked,
  cut,
  ended,
  get,
  HOST,
  lines,
  post,
  refused,
  served,
} from './case.js';

const SMUGGLED = lines('GET /v3/report/full HTTP/1.1', HOST, ANA);

/** A POST with the framing headers in `fields`. */
const framed = (body: string, ...fields: readonly string[]): string =>
  lines('POST /cheap/1 HTTP/1.1', HOST, ANA, ...fields) + body;
const coded = (coding: string): string => framed(CHUNKS, `transfer-encoding: ${coding}`);
const SERVED = { received: ['POST /cheap/1 hello'], units: 1 } as const;

const BROKEN_CHUNKS: Readonly<Record<string, string>> = {
  'a chunk without a size': 'hello\r\n0\r\n\r\n',
  'a chunk with a negative size': '-5\r\nhello\r\n0\r\n\r\n',
  'a chunk size in 0x': '0x5\r\nhello\r\n0\r\n\r\n',
  'a chunk size with a sign': '+5\r\nhello\r\n0\r\n\r\n',
  'a chunk size with an underscore': '0_5\r\nhello\r\n0\r\n\r\n',
  'a chunk size with a space': '5 \r\nhello\r\n0\r\n\r\n',
  'a chunk size beyond 2^64': '10000000000000005\r\nhello\r\n0\r\n\r\n',
  'an empty chunk size': '\r\nhello\r\n0\r\n\r\n',
  'a chunk that is longer than it says': '4\r\nhello\r\n0\r\n\r\n',
  'a chunk that is shorter than it says': '6\r\nhello\r\n0\r\n\r\n',
  'a chunk behind a bare line feed': '5\nhello\r\n0\r\n\r\n',
  'a chunk before a bare line feed': '5\r\nhello\n0\r\n\r\n',
  'an extension with a line feed': '5;x\nxx\r\nhello\r\n0\r\n\r\n',
  'an extension that does not end': `5;${'x'.repeat(40_000)}\r\nhello\r\n0\r\n\r\n`,
  'a last chunk with a bare line feed': '5\r\nhello\r\n0\n\n',
  'a trailer with a space before its colon': '5\r\nhello\r\n0\r\nx-a : 1\r\n\r\n',
  'a length in a trailer': '5\r\nhello\r\n0\r\ncontent-length: 99\r\n\r\n',
  'a coding in a trailer': '5\r\nhello\r\n0\r\ntransfer-encoding: gzip\r\n\r\n',
};

export const FRAMING: readonly Case[] = [
  ...ended('request-malformed', {
    'a length and chunks': framed(`0\r\n\r\n${SMUGGLED}`, 'content-length: 6', 'transfer-encoding: chunked'),
    'chunks and a length': framed(`0\r\n\r\n${SMUGGLED}`, 'transfer-encoding: chunked', 'content-length: 6'),
    'a length of 0 and chunks': framed(CHUNKS, 'content-length: 0', 'transfer-encoding: chunked'),
    'two lengths': framed('hello', 'content-length: 5', 'content-length: 6'),
    'two equal lengths': framed('hello', 'content-length: 5', 'content-length: 5'),
    'a list of lengths': framed('hello', 'content-length: 5, 5'),
    'a length with a sign': framed('hello', 'content-length: +5'),
    'a negative length': framed('', 'content-length: -5'),
    'a length in hexadecimal': framed('hello', 'content-length: 0x5'),
    'a length with a fraction': framed('hello', 'content-length: 5.0'),
    'a length with an exponent': framed('hello', 'content-length: 5e0'),
    'a length with letters': framed('hello', 'content-length: 5 bytes'),
    'a length with an underscore': framed('hello', 'content-length: 0_5'),
    'an empty length': framed('', 'content-length:'),
    'a length beyond 2^64': framed('hello', 'content-length: 18446744073709551621'),
    'a coding like chunked': coded('xchunked'),
    'chunked and a letter': coded('chunkedx'),
    'chunked in quotes': coded('"chunked"'),
    'chunked with a parameter': coded('chunked;x=1'),
    'chunked followed by a tab': coded('chunked\t'),
    'chunked after a vertical tab': coded('\x0bchunked'),
    'gzip and chunked': coded('gzip, chunked'),
    'chunked and gzip': coded('chunked, gzip'),
    'identity and chunked': coded('identity, chunked'),
    'chunked twice': coded('chunked, chunked'),
    'chunked twice, in two fields': framed(
      CHUNKS,
      'transfer-encoding: chunked',
      'transfer-encoding: chunked',
    ),
    'chunked and identity, in two fields': framed(
      CHUNKS,
      'transfer-encoding: chunked',
      'transfer-encoding: identity',
    ),
    'identity and chunked, in two fields': framed(
      CHUNKS,
      'transfer-encoding: identity',
      'transfer-encoding: chunked',
    ),
    identity: coded('identity'),
    'an empty coding': coded(''),
    'chunks in HTTP/1.0': lines('POST /cheap/1 HTTP/1.0', HOST, ANA, 'transfer-encoding: chunked') + CHUNKS,
    'chunks in HTTP/1.0 with keep-alive':
      lines('POST /cheap/1 HTTP/1.0', HOST, ANA, 'transfer-encoding: chunked', 'connection: keep-alive') +
      CHUNKS,
    'a space before the colon': framed('', 'content-length : 5'),
    'a space before the colon of the coding': framed(CHUNKS, 'transfer-encoding : chunked'),
    'a tab before the colon': framed(CHUNKS, 'transfer-encoding\t: chunked'),
    'a folded coding': framed(CHUNKS, 'transfer-encoding:', ' chunked'),
    'a folded field': framed('', 'x-a: 1', ' transfer-encoding: chunked'),
    'a folded first field': `GET /cheap/1 HTTP/1.1\r\n x: 1\r\n${lines(HOST, ANA)}`,
    'a bare line feed between fields': framed('', 'x-a: 1\ntransfer-encoding: chunked'),
    'a bare carriage return in a field': framed('', 'x-a: 1\rtransfer-encoding: chunked'),
    'a bare line feed at the end of the head': `GET /cheap/1 HTTP/1.1\r\n${HOST}\r\n${ANA}\n\n`,
    'a field without a colon': framed('', 'transfer-encoding'),
    'a field without a name': framed('', ': chunked'),
    'a field with a sign in its name': framed('', 'x(a): 1'),
    'a zero byte in a field': framed('', 'x-a: 1\0'),
    'a zero byte in a name': framed('', 'x\0-a: 1'),
    'not HTTP': 'hello, gateway\r\n\r\n',
    'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  }),
  ...ended(
    'request-malformed',
    Object.fromEntries(
      Object.entries(BROKEN_CHUNKS).map(([title, body]) => [
        title,
        chunked('/rows', body, 'content-type: application/json'),
      ]),
    ),
  ),
  ...cut('headers-too-large', {
    'a header above the maximum size': get('/cheap/1', `x-a: ${'x'.repeat(40_000)}`),
  }),
  ...cut('body-too-large', {
    'a body above the maximum size': lines('POST /rows HTTP/1.1', HOST, ANA, 'content-length: 99999999'),
  }),
  ...cut(
    'request-malformed',
    Object.fromEntries(
      ['9007199254740992', '9007199254740993', '18446744073709551615'].flatMap((length) =>
        ['/rows', '/cheap/1', '/nowhere'].map((path) => [
          `a length of ${length} to ${path}`,
          lines(`POST ${path} HTTP/1.1`, HOST, ANA, `content-length: ${length}`),
        ]),
      ),
    ),
  ),
  ...ended('headers-too-large', {
    'trailers above the maximum size': chunked(
      '/rows',
      `5\r\nhello\r\n0\r\nx-a: ${'x'.repeat(40_000)}\r\n\r\n`,
    ),
  }),
  ...ended('route-unknown', {
    'chunks to an unknown route': chunked('/nowhere', CHUNKS),
    'a long body to an unknown route': post('/nowhere', 'x'.repeat(100_000)),
  }),
  ...ended('path-refused', { 'chunks to a path with dot segments': chunked('/cheap/../x', CHUNKS) }),
  ...ended('identity-missing', {
    'chunks without identity': lines('POST /cheap/1 HTTP/1.1', HOST, 'transfer-encoding: chunked') + CHUNKS,
  }),
  ...ended('quota-exceeded', { 'chunks above the remaining budget': chunked('/beyond', CHUNKS) }),
  ...refused('quota-exceeded', { 'a body above the remaining budget': post('/beyond', 'hello') }),
  ...refused('route-unknown', { 'a body to an unknown route': post('/nowhere', `${SMUGGLED}`) }),
  served('chunked in capitals', { bytes: coded('CHUNKED'), ...SERVED }),
  served('chunked between spaces', { bytes: coded('   chunked  '), ...SERVED }),
  served('a length with leading zeros', { bytes: framed('hello', 'content-length: 0005'), ...SERVED }),
  served('chunk extensions', {
    bytes: framed('5;x=1;y="\\""\r\nhello\r\n0;z\r\n\r\n', 'transfer-encoding: chunked'),
    ...SERVED,
  }),
  served('chunk sizes with leading zeros', {
    bytes: framed('0005\r\nhello\r\n000\r\n\r\n', 'transfer-encoding: chunked'),
    ...SERVED,
  }),
  served('trailers are not forwarded', {
    bytes: framed(
      `5\r\nhello\r\n0\r\nx-quota-user: ben\r\n\r\n`,
      'transfer-encoding: chunked',
      'trailer: x-quota-user',
    ),
    ...SERVED,
    fields: { trailer: undefined },
  }),
  served('a request inside a body is only a body', {
    bytes: post('/cheap/1', SMUGGLED),
    received: [`POST /cheap/1 ${SMUGGLED}`],
    units: 1,
  }),
  served('a request inside a chunk is only a body', {
    bytes: chunked('/cheap/1', `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`),
    received: [`POST /cheap/1 ${SMUGGLED}`],
    units: 1,
  }),
  served('a request without a length has no body', {
    bytes: framed(''),
    received: ['POST /cheap/1'],
    units: 1,
  }),
  served('framing headers with underscores are ignored', {
    bytes: framed('', 'content_length: 5', 'transfer_encoding: chunked'),
    received: ['POST /cheap/1'],
    units: 1,
    fields: { content_length: undefined, transfer_encoding: undefined },
  }),
  served('empty lines before a request', {
    bytes: `\r\n\r\n${get('/cheap/1')}`,
    received: ['GET /cheap/1'],
    units: 1,
  }),
  served('pipelined requests', {
    bytes: get('/cheap/1') + anonymous('/v3/x') + post('/cheap/2', 'hello') + get('/v3/report/full'),
    received: ['GET /cheap/1', 'GET /v3/x', 'POST /cheap/2 hello', 'GET /v3/report/full'],
    units: 12,
  }),
  served('a request after one with `Connection: close` is not served', {
    bytes: get('/cheap/1', 'connection: close') + get('/cheap/2'),
    received: ['GET /cheap/1'],
    units: 1,
    behind: 'dropped',
  }),
  served('garbage after a request', {
    bytes: `${get('/cheap/1')}\0\0garbage\r\n\r\n`,
    received: ['GET /cheap/1'],
    units: 1,
    behind: 'dropped',
  }),
  served('garbage after pipelined requests', {
    bytes: `${get('/cheap/1') + get('/cheap/2')}garbage\r\n\r\n`,
    received: ['GET /cheap/1'],
    units: 1,
    behind: 'dropped',
  }),
];
