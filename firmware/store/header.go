package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"hash/fnv"
	"io"
	"os"
)

// metaPage is what one of the two meta pages says. BBOLT internal/common/meta.go.
type metaPage struct {
	pageSize, pages, freelist, root, txid uint64
}

const (
	pageHeader = 16 // id, flags, count, overflow
	metaSize   = 64 // magic … checksum
	boltMagic  = 0xED0CDAED
	boltFormat = 2
)

// parseMeta reads one meta page without bbolt, so that nothing can panic. The
// byte order is the machine's; all our targets are little-endian.
func parseMeta(p []byte) (m metaPage, err error) {
	if len(p) < pageHeader+metaSize {
		return m, damaged("a meta page of %d bytes", len(p))
	}
	b := p[pageHeader : pageHeader+metaSize]
	le := binary.LittleEndian
	if le.Uint32(b) != boltMagic {
		return m, damaged("not a bbolt file")
	}
	if v := le.Uint32(b[4:]); v != boltFormat {
		return m, damaged("bbolt format %d", v)
	}
	h := fnv.New64a()
	h.Write(b[:56])
	if h.Sum64() != le.Uint64(b[56:]) {
		return m, damaged("a meta page fails its checksum")
	}
	return metaPage{pageSize: uint64(le.Uint32(b[8:])), root: le.Uint64(b[16:]), freelist: le.Uint64(b[32:]),
		pages: le.Uint64(b[40:]), txid: le.Uint64(b[48:])}, nil
}

// readHeader judges a file by its two meta pages and its length, and returns
// the newer meta. Both pages must be good: bbolt itself would go on with the
// older one, and thereby forget a commit that was already acted upon. A power
// cut cannot tear one, since it lies in the first sector of its page.
func readHeader(f *os.File) (metaPage, error) {
	st, err := f.Stat()
	if err != nil {
		return metaPage{}, classify(err)
	}
	switch {
	case !st.Mode().IsRegular():
		return metaPage{}, damaged("not a regular file")
	case st.Size() == 0:
		return metaPage{}, damaged("an empty file")
	}
	buf := make([]byte, 4096)
	if _, err := f.ReadAt(buf, 0); err != nil {
		return metaPage{}, readFault(err)
	}
	m0, err := parseMeta(buf)
	if err != nil {
		return metaPage{}, err
	}
	if m0.pageSize < 512 || m0.pageSize > 1<<16 || m0.pageSize&(m0.pageSize-1) != 0 {
		return metaPage{}, damaged("pages of %d bytes", m0.pageSize)
	}
	if _, err := f.ReadAt(buf[:pageHeader+metaSize], int64(m0.pageSize)); err != nil {
		return metaPage{}, readFault(err)
	}
	m1, err := parseMeta(buf)
	if err != nil {
		return metaPage{}, err
	}
	if m0.txid < m1.txid {
		m0, m1 = m1, m0
	}
	switch {
	case m0.txid != m1.txid+1 || m0.pageSize != m1.pageSize:
		return metaPage{}, damaged("the meta pages do not follow each other (%d, %d)", m0.txid, m1.txid)
	case m0.pages < 4 || m0.pages > 1<<32 || uint64(st.Size()) < m0.pages*m0.pageSize:
		return metaPage{}, damaged("cut short: %d bytes for %d pages", st.Size(), m0.pages)
	case m0.root >= m0.pages || m0.freelist >= m0.pages:
		return metaPage{}, damaged("a root beyond the end")
	}
	return m0, nil
}

// readFault: a file that ends too early is damaged; anything else is the disk.
func readFault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("cut short")
	}
	return classify(err)
}

// sumFile hashes the first n bytes.
func sumFile(f *os.File, n int64) (uint32, error) {
	h := crc32.New(castagnoli)
	_, err := io.CopyBuffer(h, io.NewSectionReader(f, 0, n), make([]byte, 1<<18))
	return h.Sum32(), classify(err)
}
