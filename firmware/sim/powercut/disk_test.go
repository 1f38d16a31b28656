package powercut

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func wr(path string, off int64, b ...byte) Op {
	return Op{Kind: OpWrite, Path: path, Off: off, Data: b}
}

func TestDisk(t *testing.T) {
	create := Op{Kind: OpCreate, Path: "a"}
	for _, c := range []struct {
		name      string
		ops       []Op
		none, all map[string]string
	}{
		{"a write that was not synced", []Op{create, {Kind: OpSyncDir}, wr("a", 0, 'x')}, map[string]string{"a": ""}, map[string]string{"a": "x"}},
		{"a synced one", []Op{create, {Kind: OpSyncDir}, wr("a", 0, 'x'), {Kind: OpSync, Path: "a"}}, map[string]string{"a": "x"}, map[string]string{"a": "x"}},
		{"a name that was not synced", []Op{create, wr("a", 0, 'x'), {Kind: OpSync, Path: "a"}}, nil, map[string]string{"a": "x"}},
		{"a rename over a synced file", []Op{create, {Kind: OpCreate, Path: "b"}, {Kind: OpSyncDir}, wr("b", 0, 'y'), {Kind: OpSync, Path: "b"}, {Kind: OpRename, Path: "b", To: "a"}},
			map[string]string{"a": "", "b": "y"}, map[string]string{"a": "y"}},
		{"another folder's sync", []Op{{Kind: OpCreate, Path: "d/a"}, {Kind: OpSyncDir}}, nil, map[string]string{"d/a": ""}},
		{"a truncation", []Op{create, {Kind: OpSyncDir}, wr("a", 0, 'x', 'y'), {Kind: OpSync, Path: "a"}, {Kind: OpTruncate, Path: "a", Size: 1}}, map[string]string{"a": "xy"}, map[string]string{"a": "x"}},
		{"an unlink", []Op{create, {Kind: OpSyncDir}, {Kind: OpUnlink, Path: "a"}}, map[string]string{"a": ""}, nil},
	} {
		d := NewDisk()
		for _, op := range c.ops {
			d.Do(op)
		}
		r := rand.New(rand.NewPCG(1, 1))
		for style, want := range map[Style]map[string]string{None: c.none, All: c.all} {
			got := d.Image(r, style)
			if len(got) != len(want) {
				t.Errorf("%s, style %d: %q, want %q", c.name, style, got, want)
			}
			for k, v := range want {
				if string(got[k]) != v {
					t.Errorf("%s, style %d: %s = %q, want %q", c.name, style, k, got[k], v)
				}
			}
		}
	}
}

// Whatever the style, what was synced and not written since is there.
func TestSyncedIsThere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := NewDisk()
		d.Do(Op{Kind: OpCreate, Path: "a"})
		d.Do(Op{Kind: OpSyncDir})
		var want []byte
		for i := range rapid.IntRange(1, 20).Draw(rt, "writes") {
			b := bytes.Repeat([]byte{byte(i + 1)}, rapid.IntRange(1, 1500).Draw(rt, "n"))
			d.Do(wr("a", int64(len(want)), b...))
			want = append(want, b...)
			if rapid.Bool().Draw(rt, "sync") {
				d.Do(Op{Kind: OpSync, Path: "a"})
			}
		}
		d.Do(Op{Kind: OpSync, Path: "a"})
		synced := len(want)
		d.Do(wr("a", int64(synced), bytes.Repeat([]byte{99}, 2000)...))
		img := d.Image(rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1)), Style(rapid.IntRange(0, int(styles)-1).Draw(rt, "style")))["a"]
		if len(img) < synced || !bytes.Equal(img[:synced], want) {
			rt.Fatal("synced bytes are gone")
		}
	})
}
