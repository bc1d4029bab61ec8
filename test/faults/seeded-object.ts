import { appendFile } from 'node:fs/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { TestBucket } from '../support/s3.ts';
import { seededBytes } from '../support/seeded-bytes.ts';

/** What is in memory at once of a file of 1 GiB. */
const pieceBytes = 32 * 1024 * 1024;

/** More of the bytes that a name repeats, from `position` on. */
export async function appendSeeded(
  file: string,
  name: string,
  sizeBytes: number,
  position = 0,
): Promise<void> {
  for (const { from, length } of pieces(sizeBytes, position)) {
    await appendFile(file, seededBytes(name, length, from));
  }
}

/** Where the pieces of an object begin that do not have the bytes that the name repeats. */
export async function differing(
  { owner, bucket }: TestBucket,
  key: string,
  name: string,
  sizeBytes: number,
): Promise<number[]> {
  const different: number[] = [];
  for (const { from, length } of pieces(sizeBytes, 0)) {
    const range = `bytes=${from}-${from + length - 1}`;
    const { Body } = await owner.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: range }));
    const found = Buffer.from((await Body?.transformToByteArray()) ?? []);
    if (!found.equals(seededBytes(name, length, from))) different.push(from);
  }
  return different;
}

function pieces(sizeBytes: number, position: number): { from: number; length: number }[] {
  return Array.from({ length: Math.ceil(sizeBytes / pieceBytes) }, (_, index) => {
    const at = index * pieceBytes;
    return { from: position + at, length: Math.min(pieceBytes, sizeBytes - at) };
  });
}
