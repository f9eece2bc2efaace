import { closeSync, openSync, readSync } from 'node:fs';

const chunkBytes = 65_536;

/** The lines of a text file, one at a time, so that a file may be larger than the memory. Ends of lines are cut off. */
export function* linesOf(path: string): Generator<string> {
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(chunkBytes);
    const decoder = new TextDecoder();
    let rest = '';
    for (let bytes = readSync(file, chunk); bytes > 0; bytes = readSync(file, chunk)) {
      const lines = (rest + decoder.decode(chunk.subarray(0, bytes), { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines.map(withoutReturn);
    }
    if (rest !== '') yield withoutReturn(rest);
  } finally {
    closeSync(file);
  }
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);
