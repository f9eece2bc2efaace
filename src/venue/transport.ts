import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { TransportFailure } from '../domain/outcome.ts';

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange, connecting included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once the last byte is with the system. The answer may have come, but nothing of it has been read. */
  readonly onWritten?: (() => void) | undefined;
};

export type HttpResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: http.IncomingHttpHeaders;
      readonly body: string;
    }
  | {
      readonly kind: 'failure';
      readonly failure: TransportFailure;
      /** Whether any byte of the request may have left this machine. */
      readonly firstByteSent: boolean;
      /** The system's code of the failure. Never a URL: that carries a signature. */
      readonly detail: string;
    };

export type Transport = {
  /** One request, sent at most once: no redirect is followed and nothing is sent again. Never rejects. */
  request(request: HttpRequest): Promise<HttpResult>;
  close(): void;
};

type Phase = 'resolving' | 'securing' | 'sending';

// Exchanges drop idle connections without a word; a request on such a connection would be in doubt for nothing.
const idleMsMax = 15_000;
const bodyBytesMax = 64 * 1024 * 1024;

/**
 * HTTP on connections that are kept open. Node's own client rather than `fetch`, because it shows when a connection is
 * up: what fails before that has not been sent for certain, and `fetch` can only guess it from the error.
 */
export function createTransport(): Transport {
  const agents = {
    'http:': new http.Agent({ keepAlive: true, timeout: idleMsMax }),
    'https:': new https.Agent({ keepAlive: true, timeout: idleMsMax }),
  };
  return {
    request: (request) => new Promise((resolve) => exchange(request, agents, resolve)),
    close() {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

type Agents = { readonly 'http:': http.Agent; readonly 'https:': https.Agent };

function exchange(request: HttpRequest, agents: Agents, resolve: (result: HttpResult) => void): void {
  const url = new URL(request.url);
  const isSecure = url.protocol === 'https:';
  let phase: Phase = 'resolving';
  if (request.signal?.aborted) {
    resolve(failureOf(gaveUp('AbortError'), phase));
    return;
  }
  const done = (result: HttpResult): void => {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', abort);
    resolve(result);
  };
  const fail = (error: NodeJS.ErrnoException): void => done(failureOf(error, phase));
  const giveUp = (name: GivenUp): void => {
    fail(gaveUp(name));
    outgoing.destroy();
  };
  // A timer of our own: of the signals that `AbortSignal.any` joins, Node forgets the timeouts with the next garbage.
  const timer = setTimeout(() => giveUp('TimeoutError'), request.timeoutMs);
  const abort = (): void => giveUp('AbortError');
  request.signal?.addEventListener('abort', abort);

  const outgoing = (isSecure ? https : http).request(url, {
    agent: agents[isSecure ? 'https:' : 'http:'],
    method: request.method,
    headers: request.body === undefined ? request.headers : { ...request.headers, ...bodyHeaders(request.body) },
  });
  outgoing.on('socket', (socket: Socket) => {
    if (!socket.connecting) {
      phase = 'sending';
      return;
    }
    socket.once('connect', () => {
      phase = isSecure ? 'securing' : 'sending';
    });
    socket.once('secureConnect', () => {
      phase = 'sending';
    });
  });
  outgoing.on('error', fail);
  if (request.onWritten !== undefined) outgoing.on('finish', request.onWritten);
  outgoing.on('response', (response) => readAnswer(response, done, fail));
  outgoing.end(request.body);
}

function readAnswer(
  response: http.IncomingMessage,
  done: (result: HttpResult) => void,
  fail: (error: NodeJS.ErrnoException) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bodyBytesMax) response.destroy(new Error('body too long'));
  });
  response.on('error', fail);
  response.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    done({ kind: 'answer', status: response.statusCode ?? 0, headers: response.headers, body });
  });
}

type GivenUp = 'AbortError' | 'TimeoutError';

const gaveUp = (name: GivenUp): Error => Object.assign(new Error('gave up on an answer'), { name });

const bodyHeaders = (body: string): Record<string, string> => ({
  'content-type': 'application/x-www-form-urlencoded',
  'content-length': String(Buffer.byteLength(body)),
});

function failureOf(error: NodeJS.ErrnoException, phase: Phase): HttpResult {
  return {
    kind: 'failure',
    failure: kindOf(error, phase),
    firstByteSent: phase === 'sending',
    detail: [error.code ?? error.name, error.syscall].filter((part) => part !== undefined).join(' '),
  };
}

function kindOf(error: NodeJS.ErrnoException, phase: Phase): TransportFailure {
  // An aborted request has met our own time limit, or its caller's.
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'timeout';
  if (phase === 'resolving') return error.syscall === 'getaddrinfo' ? 'dns' : 'refused';
  if (phase === 'securing') return 'tls';
  if (error.code === 'ETIMEDOUT') return 'timeout';
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'other';
}
