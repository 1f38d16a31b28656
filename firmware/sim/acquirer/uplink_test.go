package acquirer_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net"
	"os"
	"path/filepath"
	"testing"

	"swipewell/firmware/iso8583"
	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
)

// What a terminal sends of its log is put together in whatever order it comes, kept once it is
// what its name says, and refused where it is not.
func TestLogUploads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "up")
	h, err := acquirer.New(acquirer.Opts{Clock: hal.SystemClock{}, SaveUploads: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	f := &firmware{t: t}
	if f.c, err = net.Dial("tcp", h.Addr()); err != nil {
		t.Fatal(err)
	}
	defer f.c.Close()
	whole := bytes.Repeat([]byte("a log "), 200)
	id := crc32.ChecksumIEEE(whole)
	de62 := func(id uint32, n, of int, data []byte) []byte {
		b := binary.BigEndian.AppendUint32([]byte{'1'}, id)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
		b = binary.BigEndian.AppendUint16(b, uint16(of))
		return append(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(append(bytes.Clone(b), data...))), data...)
	}
	send := func(want string, b []byte) {
		t.Helper()
		rc, echo := f.asks(iso8583.MTI(0x0820), "990", b)
		if rc != want || rc == "00" && !bytes.Equal(echo, b[1:7]) {
			t.Errorf("answered %s %x, want %s", rc, echo, want)
		}
	}
	send("00", de62(id, 3, 3, whole[960:]))
	send("00", de62(id, 1, 3, whole[:480]))
	send("00", de62(id, 1, 3, whole[:480])) // once more
	if l := h.LogUploads(); len(l) != 1 || l[0].Have != 2 || l[0].Again != 1 || l[0].Whole || l[0].Data != nil {
		t.Errorf("%+v", l)
	}
	send("30", de62(id, 2, 4, whole[480:960])) // of another length
	send("30", de62(id, 1, 3, whole[1:481]))   // another piece 1
	send("30", append([]byte("1"), 0))
	send("00", de62(id, 2, 3, whole[480:960]))
	if l := h.LogUploads(); !l[0].Whole || !bytes.Equal(l[0].Data, whole) {
		t.Errorf("%+v", l)
	}
	// Pieces that do not make what the name says.
	send("30", de62(12345, 1, 1, []byte("x")))
	if l := h.LogUploads(); len(l) != 2 || l[1].Whole {
		t.Errorf("%+v", l)
	}
	if out, err := h.Command("logs", "save", dir); err != nil || out == "" {
		t.Error(out, err)
	}
	fs, _ := os.ReadDir(dir)
	if len(fs) != 1 {
		t.Fatal(fs)
	}
	if b, err := os.ReadFile(filepath.Join(dir, fs[0].Name())); err != nil || !bytes.Equal(b, whole) {
		t.Error(len(b), err)
	}
}
