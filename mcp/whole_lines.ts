import { Buffer } from "node:buffer";
import { type Readable, Transform } from "node:stream";

const NEWLINE = 10;

/**
 * Passes a stream on in whole lines. SDK 1.32 copies and searches all that it has at each piece that
 * comes, which takes many seconds for a message of megabytes. A line that is too long passes in part.
 */
export function wholeLines(source: Readable, mostBytes: number): Readable {
  let pieces: Buffer[] = [];
  let bytes = 0;
  return source.pipe(
    new Transform({
      transform(piece: Buffer, _encoding, done) {
        pieces.push(piece);
        bytes += piece.length;
        const end = piece.lastIndexOf(NEWLINE) + 1;
        if (end === 0 && bytes <= mostBytes) return done();
        const rest = end === 0 ? 0 : piece.length - end;
        const whole = Buffer.concat(pieces, bytes - rest);
        pieces = rest === 0 ? [] : [piece.subarray(end)];
        bytes = rest;
        done(null, whole);
      },
    }),
  );
}
