package image

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"unicode/utf16"
)

// Sector of the disk, in bytes.
const Sector = 512

// Part is one partition.
type Part struct {
	Name    string
	First   int64 // sector
	Sectors int64
}

// Size in bytes.
func (p Part) Size() int64 { return p.Sectors * Sector }

// Offset of its first byte.
func (p Part) Offset() int64 { return p.First * Sector }

const mib = 1 << 20 / Sector

// SlotSize holds a FIT of a kernel, an archive and a device tree.
const SlotSize = 40 * mib * Sector

// Parts of the disk, in order: U-Boot finds them by name, Linux by number.
var Parts = []Part{
	{"slotA", 1 * mib, SlotSize / Sector},
	{"slotB", 41 * mib, SlotSize / Sector},
	{"state", 81 * mib, 1 * mib},
	{"data", 82 * mib, 64 * mib},
}

// DiskSize leaves a MiB for the second copy of the table.
const DiskSize = 147 << 20

// linuxData is the type of all partitions: Linux file system data. GPT.
const linuxData = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"

// gptEntries and their size are what every system expects.
const (
	gptEntries   = 128
	gptEntrySize = 128
	gptTable     = gptEntries * gptEntrySize / Sector
)

// guid is derived from a name, so that the same layout gives the same bytes; its
// version says "by a hash".
func guid(name string) (g [16]byte) {
	s := sha256.Sum256([]byte("swipewell " + name))
	copy(g[:], s[:])
	g[7] = g[7]&0x0F | 0x80 // little endian: the high byte of the third field
	g[8] = g[8]&0x3F | 0x80
	return g
}

func parseGUID(s string) (g [16]byte) {
	var a uint32
	var b, c, d uint16
	var e uint64
	fmt.Sscanf(s, "%08X-%04X-%04X-%04X-%012X", &a, &b, &c, &d, &e)
	binary.LittleEndian.PutUint32(g[0:], a)
	binary.LittleEndian.PutUint16(g[4:], b)
	binary.LittleEndian.PutUint16(g[6:], c)
	binary.BigEndian.PutUint64(g[8:], uint64(d)<<48|e)
	return g
}

// Table is the partition table of a disk of size bytes: what stands in front of
// the first partition, and what stands at the disk's end. GPT.
func Table(size int64, parts []Part) (front, back []byte) {
	last := size/Sector - 1
	entries := make([]byte, gptTable*Sector)
	for i, p := range parts {
		e := entries[i*gptEntrySize:]
		t, id := parseGUID(linuxData), guid(p.Name)
		copy(e[0:], t[:])
		copy(e[16:], id[:])
		binary.LittleEndian.PutUint64(e[32:], uint64(p.First))
		binary.LittleEndian.PutUint64(e[40:], uint64(p.First+p.Sectors-1))
		for j, u := range utf16.Encode([]rune(p.Name)) {
			binary.LittleEndian.PutUint16(e[56+2*j:], u)
		}
	}
	header := func(self, other, table int64) []byte {
		h := make([]byte, Sector)
		copy(h, "EFI PART")
		binary.LittleEndian.PutUint32(h[8:], 0x00010000)
		binary.LittleEndian.PutUint32(h[12:], 92)
		binary.LittleEndian.PutUint64(h[24:], uint64(self))
		binary.LittleEndian.PutUint64(h[32:], uint64(other))
		binary.LittleEndian.PutUint64(h[40:], 2+gptTable)
		binary.LittleEndian.PutUint64(h[48:], uint64(last-gptTable-1))
		id := guid("disk")
		copy(h[56:], id[:])
		binary.LittleEndian.PutUint64(h[72:], uint64(table))
		binary.LittleEndian.PutUint32(h[80:], gptEntries)
		binary.LittleEndian.PutUint32(h[84:], gptEntrySize)
		binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
		binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
		return h
	}
	mbr := make([]byte, Sector) // one partition over all, for those who know no GPT
	mbr[446+2], mbr[446+4] = 2, 0xEE
	mbr[446+5], mbr[446+6], mbr[446+7] = 0xFF, 0xFF, 0xFF
	binary.LittleEndian.PutUint32(mbr[446+8:], 1)
	binary.LittleEndian.PutUint32(mbr[446+12:], uint32(min(last, 0xFFFFFFFF)))
	mbr[510], mbr[511] = 0x55, 0xAA
	front = append(append(mbr, header(1, last, 2)...), entries...)
	back = append(append([]byte{}, entries...), header(last, 1, last-gptTable)...)
	return front, back
}
