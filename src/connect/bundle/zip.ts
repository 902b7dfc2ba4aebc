/** Makes a ZIP archive of uncompressed files (PKWARE's APPNOTE, 4.3). The same files always give the same bytes. */
import { crc32 } from 'node:zlib';

/** A file of the archive. */
export interface ZipFile {
  readonly name: string;
  readonly content: Buffer;
}

/** The date of all files: the earliest that the format has, 1980-01-01, so that the archive does not depend on the day. */
const DATE = 0x0021;

/** The flag that says that names are UTF-8. */
const FLAGS = 0x0800;

/** A regular file that everybody may read, in Unix terms, so that it can be opened when it is unpacked. */
const ATTRIBUTES = 0o100_644 * 0x1_0000;

/** Makes an archive of files, in their order. */
export function zip(files: readonly ZipFile[]): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const facts = factsOf(file);
    const local = Buffer.concat([uint32(0x0403_4b50), facts, uint16(0), Buffer.from(file.name)]);
    // Made by version 2.0 on Unix; no comment, first disk.
    const head = [uint32(0x0201_4b50), uint16(0x0314), facts, uint16(0, 0, 0, 0), uint32(ATTRIBUTES, offset)];
    directory.push(Buffer.concat([...head, Buffer.from(file.name)]));
    pieces.push(local, file.content);
    offset += local.length + file.content.length;
  }
  const index = Buffer.concat(directory);
  const end = [
    uint32(0x0605_4b50),
    uint16(0, 0, files.length, files.length),
    uint32(index.length, offset),
    uint16(0),
  ];
  return Buffer.concat([...pieces, index, ...end]);
}

/** The fields that both records of a file share, up to the length of its name. */
function factsOf({ name, content }: ZipFile): Buffer {
  return Buffer.concat([
    uint16(20, FLAGS, 0, 0, DATE),
    uint32(crc32(content), content.length, content.length),
    uint16(Buffer.byteLength(name)),
  ]);
}

/** Numbers as two bytes each, little-endian. */
function uint16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, 2 * index);
  return bytes;
}

/** Numbers as four bytes each, little-endian. */
function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index);
  return bytes;
}
