// Package lzma packs builds for a slow line: the LZMA coder behind a filter for
// branches of ARM code. [NewReader] runs on the device in the memory of its
// dictionary, [Pack] on a desk. A stream is a plain .lzma file, which other tools
// read; [Branches] and [FilterReader] turn what is in it back into code.
//
// Sources:
//   - LZMA: I. Pavlov, LZMA specification, draft of 2015-06-14 (LZMA SDK, DOC/lzma-specification.txt)
//   - BCJ: XZ Embedded, xz_dec_bcj.c: the filters "arm" and "arm64"
//
// The header: one byte of lc, lp, pb as (pb·5+lp)·9+lc, four of the dictionary's
// size and eight of the size of what is packed, little endian. No end mark is
// written, and none is read.
package lzma
