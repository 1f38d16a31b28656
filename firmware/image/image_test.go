package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

func TestOrder(t *testing.T) {
	graph := map[string][]string{"ext4": {"jbd2", "mbcache", "crc16"}, "jbd2": {"crc32c"}, "crc32c": nil, "mbcache": nil, "crc16": nil,
		"virtio_blk": {"virtio-ring"}, "virtio_ring": nil, "a": {"b"}, "b": {"a"}, "self": {"self"}, "poor": {"nobody"}}
	needs := func(n string) ([]string, bool) { m, ok := graph[n]; return m, ok }
	for _, x := range []struct {
		want []string
		have string // joined, or the error's words
	}{
		{[]string{"ext4"}, "crc32c jbd2 mbcache crc16 ext4"},
		{[]string{"virtio-blk", "ext4", "jbd2"}, "virtio_ring virtio_blk crc32c jbd2 mbcache crc16 ext4"},
		{[]string{"builtin", "crc16"}, "crc16"},
		{[]string{"a"}, "a circle: a → b → a"},
		{[]string{"self"}, "a circle: self → self"},
		{[]string{"poor"}, "none is named nobody (poor → nobody)"},
		{nil, ""},
	} {
		got, err := Order(x.want, map[string]bool{"builtin": true}, needs)
		have := strings.Join(got, " ")
		if err != nil {
			if !errors.Is(err, ErrModule) {
				t.Error(err)
			}
			have = strings.TrimPrefix(err.Error(), ErrModule.Error()+": ")
		}
		if have != x.have {
			t.Errorf("%v: %q, not %q", x.want, have, x.have)
		}
	}
}

// In any order of any graph without circles, each stands behind those it needs,
// once.
func TestOrderHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		graph := map[string][]string{}
		for i := range n {
			var needs []string
			if i > 0 {
				for _, j := range rapid.SliceOfN(rapid.IntRange(0, i-1), 0, 4).Draw(t, "needs") {
					needs = append(needs, fmt.Sprint("m", j))
				}
			}
			graph[fmt.Sprint("m", i)] = needs
		}
		want := rapid.Permutation([]string{"m0", fmt.Sprint("m", n-1), fmt.Sprint("m", n/2)}).Draw(t, "want")
		got, err := Order(want, nil, func(m string) ([]string, bool) { x, ok := graph[m]; return x, ok })
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]int{}
		for i, m := range got {
			if _, twice := at[m]; twice {
				t.Fatalf("%s twice in %v", m, got)
			}
			at[m] = i
			for _, need := range graph[m] {
				if j, ok := at[need]; !ok || j >= i {
					t.Fatalf("%s before %s in %v", m, need, got)
				}
			}
		}
	})
}

func TestModinfo(t *testing.T) {
	have := modinfo([]byte("license=GPL\x00depends=jbd2,mbcache\x00softdep=pre: crc32c\x00depends=\x00name=ext4\x00"))
	if !slices.Equal(have, []string{"jbd2", "mbcache"}) {
		t.Error(have)
	}
}

func TestArchive(t *testing.T) {
	nodes := []Node{{Path: "init", Mode: progMode, Data: []byte("go")}, {Path: "dev/console", Mode: charMode, Major: 5, Minor: 1}, {Path: "etc/a/b", Mode: fileMode, Data: []byte("x")}}
	b, err := Archive(nodes)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(nodes)
	again, err := Archive(nodes)
	if err != nil || !bytes.Equal(b, again) {
		t.Error("the order of the nodes shows in the archive", err)
	}
	var seen []string
	for len(b) > 0 {
		if string(b[:6]) != "070701" {
			t.Fatalf("no head at %q", b[:6])
		}
		num := func(i int) (n int) { fmt.Sscanf(string(b[6+8*i:14+8*i]), "%x", &n); return n }
		mode, size, name := num(1), num(6), num(11)
		path := string(b[110 : 110+name-1])
		seen = append(seen, fmt.Sprintf("%s %o %d %d", path, mode, size, num(9)))
		b = b[(110+name+3)/4*4:]
		b = b[(size+3)/4*4:]
		if path == "TRAILER!!!" {
			break
		}
	}
	want := []string{"dev 40755 0 0", "dev/console 20600 0 5", "etc 40755 0 0", "etc/a 40755 0 0", "etc/a/b 100644 1 0", "init 100755 2 0", "TRAILER!!! 0 0 0"}
	if !slices.Equal(seen, want) || len(b) != 0 {
		t.Errorf("%q, %d bytes behind", seen, len(b))
	}
	// What is late moves nothing that stays.
	build := func(n int) []byte {
		b, err := Archive([]Node{{Path: "bin/posd", Mode: progMode, Data: make([]byte, n), Late: 2}, {Path: "init", Mode: progMode, Data: []byte("go"), Late: 1},
			{Path: "lib/modules/a.ko", Mode: fileMode, Data: bytes.Repeat([]byte("module"), 100)}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, two := build(1000), build(9000)
	at := bytes.Index(one, []byte("bin/posd")) - 110
	if bytes.Index(one, []byte("init")) > at || bytes.Index(one, []byte("a.ko")) > at || !bytes.Equal(one[:at], two[:at]) {
		t.Error("what stays is moved by what does not")
	}
	for _, p := range []string{"", "/init", "a/../b", "../a", "a/"} {
		if _, err := Archive([]Node{{Path: p}}); err == nil {
			t.Errorf("a node named %q", p)
		}
	}
	if _, err := Archive([]Node{{Path: "a"}, {Path: "a"}}); err == nil {
		t.Error("a name twice")
	}
}

func TestTable(t *testing.T) {
	front, back := Table(DiskSize, Parts)
	if len(front) != (2+gptTable)*Sector || len(back) != (1+gptTable)*Sector {
		t.Fatal(len(front), len(back))
	}
	entries := front[2*Sector:]
	if !bytes.Equal(entries, back[:gptTable*Sector]) {
		t.Error("the two tables differ")
	}
	for name, h := range map[string][]byte{"first": front[Sector : 2*Sector], "second": back[gptTable*Sector:]} {
		sum := binary.LittleEndian.Uint32(h[16:])
		c := slices.Clone(h[:92])
		clear(c[16:20])
		if string(h[:8]) != "EFI PART" || sum != crc32.ChecksumIEEE(c) || binary.LittleEndian.Uint32(h[88:]) != crc32.ChecksumIEEE(entries) {
			t.Errorf("%s: checksums", name)
		}
	}
	lastUsable := int64(binary.LittleEndian.Uint64(front[Sector+48:]))
	next := int64(binary.LittleEndian.Uint64(front[Sector+40:]))
	for i, p := range Parts {
		e := entries[i*gptEntrySize:]
		first, last := int64(binary.LittleEndian.Uint64(e[32:])), int64(binary.LittleEndian.Uint64(e[40:]))
		if first != p.First || last-first+1 != p.Sectors || first < next || last > lastUsable {
			t.Errorf("%s: %d to %d", p.Name, first, last)
		}
		next = last + 1
	}
	// As UEFI writes it, the first three fields turned round.
	if g := fmt.Sprintf("%x", parseGUID(linuxData)); g != "af3dc60f838472478e793d69d8477de4" {
		t.Error(g)
	}
}

// The loader reads what package update writes, and gives back every word of it.
func TestLoaderKnowsTheRecord(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "scripts", "ab.env"))
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for l := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(l), "="); ok && !strings.HasPrefix(l, "#") {
			env[k] = v
		}
	}
	r := update.First(update.Image{Version: bundle.Version{Major: 1}, Size: 1, Schemas: bundle.Schemas{Lo: 1, Hi: 1}})
	copy1, err := update.AppendEnv(r, EnvSize)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, w := range strings.Split(strings.TrimRight(string(copy1[4:]), "\x00"), "\x00") {
		k, _, _ := strings.Cut(w, "=")
		words = append(words, k)
	}
	if have := strings.Fields(env["words"]); !slices.Equal(have, words) {
		t.Errorf("words=%v, the record has %v", have, words)
	}
	for key, want := range map[string]string{
		"ab_load": fmt.Sprintf("env import -c ${st_a} 0x%x ${words}", EnvSize),
		"ab_save": fmt.Sprintf("env export -c -s 0x%x ${st_a} ${words}", EnvSize),
		"ab_boot": fmt.Sprintf("virtio read ${fit_a} ${s0} 0x%x", SlotSize/Sector),
	} {
		if !strings.Contains(env[key], want) {
			t.Errorf("%s does not have %q: %s", key, want, env[key])
		}
	}
	for name, text := range env { // a name that is spelled wrong is a boot that ends
		for _, m := range regexp.MustCompile(`\brun (\w+)`).FindAllStringSubmatch(text, -1) {
			if env[m[1]] == "" {
				t.Errorf("%s runs %s, which is nothing", name, m[1])
			}
		}
		if a, b := len(regexp.MustCompile(`\bif\b`).FindAllString(text, -1)), len(regexp.MustCompile(`\bfi\b`).FindAllString(text, -1)); a != b {
			t.Errorf("%s: %d if, %d fi", name, a, b)
		}
	}
	if !strings.Contains(env["ab_load"], fmt.Sprintf("setexpr p1 ${p0} + %x", EnvSize/Sector)) || !strings.Contains(env["ab_boot"], "swipewell.slot=${slot}") {
		t.Error("the second copy, or the slot's name")
	}
	if strings.Count(string(b), "env import") != strings.Count(string(b), "${words}")-strings.Count(string(b), "env export") {
		t.Error("an import that takes any word from the disk")
	}
}

// ramStart and ramSize are both machines'; looseKernel is more than any kernel of
// Debian's takes unpacked, with its zeroed data.
const ramStart, ramSize, looseKernel = 0x4000_0000, 256 << 20, 40 << 20

// Every board's plan can be carried out, and nothing that its loader puts into RAM
// lies where something else does, or where a kernel unpacks itself to.
func TestBoards(t *testing.T) {
	env, err := os.ReadFile(filepath.Join("..", "..", "scripts", "ab.env"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) (n int64) {
		m := regexp.MustCompile(`(?m)^` + name + `=0x([0-9a-f]+)$`).FindSubmatch(env)
		if m == nil {
			t.Fatalf("ab.env has no %s", name)
		}
		fmt.Sscanf(string(m[1]), "%x", &n)
		return n
	}
	for _, b := range boards {
		kernel := int64(looseKernel)
		if b.Zipped {
			kernel = 8 << 20
			if b.Load < ramStart+looseKernel {
				t.Errorf("%s: the kernel at %#x unpacks itself over itself", b.Name, b.Load)
			}
		}
		order := []int64{ramStart, int64(b.Load), int64(b.Load) + kernel, int64(b.Tree), int64(b.Tree) + 1<<20, at("st_a"), at("st_a") + EnvSize, at("st_b"), at("st_b") + EnvSize, at("fit_a"),
			at("fit_a") + SlotSize, ramStart + ramSize}
		if !slices.IsSorted(order) {
			t.Errorf("%s: places in RAM lie over each other: %#x", b.Name, order)
		}
		if text := fitText(b); strings.Contains(text, `compression = "gzip"`) == b.Zipped || !strings.Contains(text, fmt.Sprintf("load = <%#x>;", b.Load)) {
			t.Errorf("%s: %s", b.Name, text)
		}
		if err := b.plan("1.2.3", []string{"a", "b"}).Check(); err != nil {
			t.Errorf("%s: %v", b.Name, err)
		}
		if found, err := Find(b.Name); err != nil || found.Name != b.Name {
			t.Errorf("%s: %v", b.Name, err)
		}
	}
	if _, err := Find("toaster"); err == nil || !strings.Contains(err.Error(), "qemu-arm64") {
		t.Error(err)
	}
}

// A build on trial stands in slot B, first in order, with all its tries; the
// loader's choice is then B, B, B, A.
func TestTry(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(disk)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(DiskSize); err != nil {
		t.Fatal(err)
	}
	good := update.Image{Version: bundle.Version{Major: 1}, Size: 1, Schemas: bundle.Schemas{Lo: 1, Hi: 1}}
	if err := (update.UBoot{M: section{f, Parts[2]}, Size: EnvSize}).Save(update.First(good)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := Try(disk, []byte("a slot"), good); err != nil {
		t.Fatal(err)
	}
	r, err := Record(disk)
	if err != nil {
		t.Fatal(err)
	}
	var order string
	for range 5 {
		var s update.Slot
		s, r = r.Boot()
		order += s.String()
	}
	if order != "BBBAA" {
		t.Error(order)
	}
	b := make([]byte, 6)
	g, err := os.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if _, err := g.ReadAt(b, Parts[1].Offset()); err != nil || string(b) != "a slot" {
		t.Errorf("%q %v", b, err)
	}
	if err := Try(disk, make([]byte, SlotSize+1), good); err == nil {
		t.Error("a slot that does not fit")
	}
}
