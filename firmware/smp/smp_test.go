package smp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

// TestVector is the example of the documents: "Hello, world!" in one frame, and in six.
func TestVector(t *testing.T) {
	if got := AppendFrames(nil, []byte("Hello, world!")); string(got) != "\x06\tAA9IZWxsbywgd29ybGQhet4=\n" {
		t.Errorf("%q", got)
	}
	var d Demux
	packets, text := d.Feed([]byte("\x06\tAA9I\n\x04\x14ZWxs\n\x04\x14bywg\n\x04\x14d29y\n\x04\x14bGQh\n\x04\x14et4=\n"))
	if len(packets) != 1 || string(packets[0]) != "Hello, world!" || len(text) != 0 || d.Bad != 0 {
		t.Errorf("%q %q %d", packets, text, d.Bad)
	}
}

// TestShared: packets and a typist's text on one line, in any cut, each come whole.
func TestShared(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var line, wantText []byte
		var want [][]byte
		for range rapid.IntRange(1, 6).Draw(rt, "parts") {
			if rapid.Bool().Draw(rt, "packet") {
				p := rapid.SliceOfN(rapid.Byte(), headerSize, 400).Draw(rt, "p")
				want = append(want, p)
				line = AppendFrames(line, p)
			} else {
				s := rapid.StringMatching(`[\x20-\x7e\x03\x04\x09]{0,30}[\r\n]`).Draw(rt, "text")
				line, wantText = append(line, s...), append(wantText, s...)
			}
		}
		for _, f := range bytes.SplitAfter(line, []byte("\n")) {
			if len(f) > maxFrame && f[0] < 7 {
				rt.Fatalf("a frame of %d bytes", len(f))
			}
		}
		var d Demux
		var got [][]byte
		var text []byte
		for len(line) > 0 {
			n := rapid.IntRange(1, len(line)).Draw(rt, "cut")
			p, s := d.Feed(line[:n])
			got, text, line = append(got, p...), append(text, s...), line[n:]
		}
		if len(got) != len(want) || !bytes.Equal(text, wantText) {
			rt.Fatalf("%d packets of %d, text %q of %q", len(got), len(want), text, wantText)
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				rt.Fatalf("packet %d", i)
			}
		}
	})
}

// TestBadFrames: what is damaged is dropped, and the next packet comes.
func TestBadFrames(t *testing.T) {
	good := AppendFrames(nil, bytes.Repeat([]byte{7}, 200))
	lines := bytes.SplitAfter(good, []byte("\n"))
	for name, bad := range map[string][]byte{
		"a bit":           append(append([]byte{}, good[:40]...), append([]byte{good[40] ^ 1}, good[41:]...)...),
		"a line lost":     append(append([]byte{}, lines[0]...), lines[2]...),
		"only the end":    lines[1],
		"not base64":      []byte("\x06\t!!!!\n"),
		"an endless line": append([]byte("\x06\t"), bytes.Repeat([]byte("A"), 5000)...),
		"begun twice":     append(append([]byte{}, lines[0]...), lines[0]...),
		"a giant length":  []byte("\x06\t//8A\n"),
		"too short":       []byte("\x06\tAAEA\n"),
	} {
		var d Demux
		if p, _ := d.Feed(append(bad, '\n')); len(p) != 0 {
			t.Errorf("%s: %q", name, p)
		}
		if p, _ := d.Feed(good); len(p) != 1 {
			t.Errorf("%s: the next packet is lost", name)
		}
	}
}

type images struct {
	list []ImageState
	did  []string
	got  []byte
	err  error
}

func (i *images) State() ([]ImageState, error) { return i.list, nil }
func (i *images) Upload(off, total int64, sha, data []byte) (int64, bool, error) {
	if i.err != nil {
		return 0, false, i.err
	}
	if off == int64(len(i.got)) {
		i.got = append(i.got, data...)
	}
	return int64(len(i.got)), int64(len(i.got)) == total, nil
}
func (i *images) Test(h []byte) error { i.did = append(i.did, "test "+string(h)); return i.err }
func (i *images) Confirm() error      { i.did = append(i.did, "confirm"); return i.err }
func (i *images) Erase() error        { i.did = append(i.did, "erase"); return i.err }

type files map[string]string

func (f files) Open(name string) (io.ReaderAt, int64, error) {
	s, ok := f[name]
	if !ok {
		return nil, 0, &Problem{CodeNoEntry, errors.New("no such export")}
	}
	return strings.NewReader(s), int64(len(s)), nil
}

func server() (*Server, *images) {
	i := &images{list: []ImageState{{Slot: 0, Version: "1.2.0", Hash: []byte("run"), Active: true, Confirmed: true, Bootable: true}, {Slot: 1, Version: "1.3.0", Hash: []byte("new"), Bootable: true}}}
	return &Server{Images: i, Files: files{"log": strings.Repeat("line\n", 500)}, Now: func() time.Time { return time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC) },
		Info: func(f string) string { return "swipewell " + f }, Stats: map[string]func() map[string]uint64{"serial": func() map[string]uint64 { return map[string]uint64{"bad": 3} }},
		Run: func(a []string) (string, int, bool) { return strings.Join(a, "+"), 0, a[0] == "status" }}, i
}

// ask packs a request and unpacks its answer.
func ask(t testing.TB, s *Server, op Op, group uint16, id uint8, body any) map[string]any {
	t.Helper()
	b, err := cbor.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	out := s.Handle(append(Header{Op: op, Version: 1, Group: group, Command: id, Seq: 77, Len: uint16(len(b))}.Append(nil), b...))
	h, err := ParseHeader(out)
	if err != nil || h.Op != op+1 || h.Group != group || h.Command != id || h.Seq != 77 {
		t.Fatalf("%+v %v", h, err)
	}
	m := map[string]any{}
	if err := cbor.Unmarshal(out[headerSize:], &m); err != nil {
		t.Fatal(err)
	}
	return m
}

type m map[string]any

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		name  string
		op    Op
		group uint16
		id    uint8
		body  m
		key   string
		want  any
	}{
		{"echo", Write, GroupOS, 0, m{"d": "hi"}, "r", "hi"},
		{"datetime", Read, GroupOS, 4, nil, "datetime", "2026-05-06T07:08:09"},
		{"set the clock", Write, GroupOS, 4, m{"datetime": "2026-01-01T00:00:00"}, "rc", uint64(CodeDenied)},
		{"reset is not wired", Write, GroupOS, 5, m{}, "rc", uint64(CodeNotSupported)},
		{"params", Read, GroupOS, 6, nil, "buf_size", uint64(BufferSize)},
		{"info", Read, GroupOS, 7, m{"format": "s"}, "output", "swipewell s"},
		{"stat", Read, GroupStat, 0, m{"name": "serial"}, "name", "serial"},
		{"stat of nothing", Read, GroupStat, 0, m{"name": "x"}, "rc", uint64(CodeNoEntry)},
		{"file", Read, GroupFS, 0, m{"name": "log", "off": 0}, "len", uint64(2500)},
		{"file's end", Read, GroupFS, 0, m{"name": "log", "off": 2496}, "data", []byte("ine\n")},
		{"behind it", Read, GroupFS, 0, m{"name": "log", "off": 2501}, "rc", uint64(CodeInvalid)},
		{"no file", Read, GroupFS, 0, m{"name": "/etc/passwd", "off": 0}, "rc", uint64(CodeNoEntry)},
		{"file status", Read, GroupFS, 1, m{"name": "log"}, "len", uint64(2500)},
		{"files are not written", Write, GroupFS, 0, m{"name": "log", "off": 0, "data": []byte("x")}, "rc", uint64(CodeNotSupported)},
		{"shell", Write, GroupShell, 0, m{"argv": []string{"status", "-v"}}, "o", "status+-v"},
		{"no shell", Write, GroupShell, 0, m{"argv": []string{"sh"}}, "rc", uint64(CodeNoEntry)},
		{"upload without an offset", Write, GroupImage, 1, m{"data": []byte("x")}, "rc", uint64(CodeInvalid)},
		{"upload", Write, GroupImage, 1, m{"off": 0, "len": 9, "data": []byte("abc")}, "off", uint64(3)},
		{"upload, the last", Write, GroupImage, 1, m{"off": 0, "len": 3, "data": []byte("abc")}, "match", true},
		{"test", Write, GroupImage, 0, m{"hash": []byte("new")}, "splitStatus", uint64(0)},
		{"confirm", Write, GroupImage, 0, m{"confirm": true}, "splitStatus", uint64(0)},
		{"confirm the other", Write, GroupImage, 0, m{"confirm": true, "hash": []byte("new")}, "rc", uint64(CodeBadState)},
		{"which image", Write, GroupImage, 0, m{}, "rc", uint64(CodeInvalid)},
		{"wrong type", Write, GroupOS, 0, m{"d": 5}, "rc", uint64(CodeInvalid)},
		{"no such group", Read, 77, 0, nil, "rc", uint64(CodeNotSupported)},
	} {
		s, _ := server()
		got := ask(t, s, c.op, c.group, c.id, c.body)
		if b, ok := c.want.([]byte); ok {
			if g, _ := got[c.key].([]byte); !bytes.Equal(g, b) {
				t.Errorf("%s: %v", c.name, got)
			}
			continue
		}
		if got[c.key] != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestImageList(t *testing.T) {
	s, i := server()
	list, _ := ask(t, s, Read, GroupImage, 0, nil)["images"].([]any)
	first, _ := list[0].(map[any]any)
	if len(list) != 2 || first["version"] != "1.2.0" || first["active"] != true || first["slot"] != uint64(0) {
		t.Errorf("%v", list)
	}
	ask(t, s, Write, GroupImage, 5, m{})
	if len(i.did) != 1 || i.did[0] != "erase" {
		t.Error(i.did)
	}
}

// TestLogin: without one, nothing that writes is done.
func TestLogin(t *testing.T) {
	s, i := server()
	s.Allow = func(h Header) bool { return h.Op == Read }
	if a := ask(t, s, Write, GroupImage, 5, m{}); a["rc"] != uint64(CodeDenied) || len(i.did) != 0 {
		t.Error(a)
	}
	if a := ask(t, s, Read, GroupOS, 6, nil); a["buf_size"] == nil {
		t.Error(a)
	}
}

func FuzzHandle(f *testing.F) {
	b, _ := cbor.Marshal(m{"off": 0, "len": 3, "data": []byte("abc")})
	f.Add(append(Header{Op: Write, Group: GroupImage, Command: 1, Len: uint16(len(b))}.Append(nil), b...))
	f.Add(Header{Op: Read, Group: GroupOS, Command: 6}.Append(nil))
	f.Fuzz(func(t *testing.T, p []byte) {
		s, _ := server()
		if a := s.Handle(p); a != nil {
			if _, err := ParseHeader(a); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzDemux(f *testing.F) {
	f.Add(AppendFrames([]byte("text\n"), make([]byte, 300)))
	f.Add([]byte("\x06\x06\x09\x04\x14\n\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Demux
		packets, text := d.Feed(b)
		if len(text) > len(b) {
			t.Fatal("text from nowhere")
		}
		for _, p := range packets {
			var again Demux
			if q, _ := again.Feed(AppendFrames(nil, p)); len(q) != 1 || !bytes.Equal(q[0], p) {
				t.Fatal("a packet that cannot be sent")
			}
		}
	})
}

// TestCBOR holds our half of CBOR against a library.
func TestCBOR(t *testing.T) {
	scalar := rapid.OneOf(rapid.Map(rapid.Uint64(), func(v uint64) any { return v }), rapid.Map(rapid.Int64Range(-1<<62, -1), func(v int64) any { return v }),
		rapid.Map(rapid.String(), func(v string) any { return v }), rapid.Map(rapid.SliceOf(rapid.Byte()), func(v []byte) any { return v }), rapid.Map(rapid.Bool(), func(v bool) any { return v }))
	rapid.Check(t, func(rt *rapid.T) {
		o := object{}
		for k, v := range rapid.MapOfN(rapid.String(), scalar, 0, 20).Draw(rt, "o") {
			o[k] = v
		}
		if rapid.Bool().Draw(rt, "deep") {
			o["x"] = object{"y": "z"}
		}
		ours := appendValue(nil, o)
		var theirs map[string]any
		if err := cbor.Unmarshal(ours, &theirs); err != nil || len(theirs) != len(o) {
			rt.Fatalf("%x: %v %v", ours, theirs, err)
		}
		packed, err := cbor.Marshal(theirs)
		if err != nil {
			rt.Fatal(err)
		}
		back, err := parseObject(packed)
		if err != nil || !bytes.Equal(appendValue(nil, back), ours) {
			rt.Fatalf("%x is %v, %v; want %v", packed, back, err, o)
		}
		if got, err := parseObject(ours[:rapid.IntRange(1, len(ours)).Draw(rt, "cut")]); err == nil && len(got) != len(o) {
			rt.Fatal("a cut map is one")
		}
	})
	for name, b := range map[string]string{"a list": "\x80", "a tag": "\xa1\x61a\xc1\x00", "a key twice": "\xa2\x61a\x01\x61a\x02", "a number for a key": "\xa1\x01\x02", "a giant text": "\xa1\x61a\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
		"deep": "\xa1\x61a\x81\x81\x81\x81\x81\x81\x00", "more": "\xa0\x00", "endless": "\xbf\x61a\x01", "many": "\xa1\x61a\x9b\x00\x00\x00\x00\xff\xff\xff\xff"} {
		if o, err := parseObject([]byte(b)); err == nil {
			t.Errorf("%s: %v", name, o)
		}
	}
	if o, err := parseObject([]byte("\xbf\x61a\x9f\x01\xff\x61b\xfb\x00\x00\x00\x00\x00\x00\x00\x00\xff")); err != nil || len(o) != 2 {
		t.Errorf("lengths that are not told: %v %v", o, err)
	}
}
