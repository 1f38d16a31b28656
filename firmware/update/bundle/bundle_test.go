package bundle_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/lzma"
)

func key(seed byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	k := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	return k.Public().(ed25519.PublicKey), k
}

func build(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 0, n+4)
	for len(b) < n {
		w := r.Uint32N(600) * 2654435761
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(r.Uint32N(4)))
	}
	return b[:n]
}

func opts(bases ...[]byte) bundle.Opts {
	return bundle.Opts{Product: "swipewell", Board: "demo", Version: bundle.Version{Major: 1, Minor: 2, Patch: 3}, Floor: bundle.Version{Major: 1}, Schemas: bundle.Schemas{Lo: 3, Hi: 4}, Filter: lzma.ARM, Bases: bases}
}

// made is a bundle of 150,000 bytes with a delta, signed by keys 1 and 2.
func made(t testing.TB) (b *bundle.Bundle, old, image []byte) {
	t.Helper()
	old = build(1, 150_000)
	image = slices.Insert(slices.Clone(old), 70_000, build(2, 3000)...)
	b, err := bundle.Make(image, opts(old, image, old))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []byte{1, 2} {
		_, k := key(s)
		b.Sign(k)
	}
	return b, old, image
}

// install takes a file as a device does: head, keys, then the first payload that it can use.
func install(file, old []byte, ring bundle.Keyring) ([]byte, error) {
	r := bytes.NewReader(file)
	h, err := bundle.ReadHead(r)
	if err != nil {
		return nil, err
	}
	if _, err := ring.Verify(h); err != nil {
		return nil, err
	}
	i, err := bundle.Section(r, h.Manifest)
	if err != nil {
		return nil, err
	}
	var got []byte
	err = bundle.Unpack(h.Manifest, i, r, bytes.NewReader(old), func(_ int, b []byte) error { got = append(got, b...); return nil })
	return got, err
}

func ring(need int, seeds ...byte) (k bundle.Keyring) {
	k.Need = need
	for _, s := range seeds {
		pub, _ := key(s)
		k.Production = append(k.Production, pub)
	}
	return k
}

func TestMake(t *testing.T) {
	b, old, image := made(t)
	m := b.Manifest
	if len(m.Payloads) != 2 || m.Payloads[0].Kind != bundle.Delta || m.Payloads[0].Size > 8000 {
		t.Fatalf("%+v", m.Payloads)
	}
	for i := range m.Payloads {
		got, err := install(b.File(i), old, ring(2, 1, 2, 3))
		if err != nil || !bytes.Equal(got, image) {
			t.Errorf("payload %d: %v", i, err)
		}
	}
	again, _, _ := made(t)
	if !bytes.Equal(again.File(), b.File()) {
		t.Error("the same tree gives other bytes")
	}
	p, err := bundle.Parse(b.File())
	if err != nil || !bytes.Equal(p.File(), b.File()) {
		t.Error(err)
	}
	has := func(s bundle.Sum) bool { return s == m.Payloads[0].Base }
	if m.Pick(has) != 0 || m.Pick(func(bundle.Sum) bool { return false }) != 1 {
		t.Error("the wrong payload")
	}
}

func TestSignatures(t *testing.T) {
	b, _, _ := made(t)
	dev, _ := key(1)
	for _, c := range []struct {
		name string
		ring bundle.Keyring
		want error
	}{
		{"two of three", ring(2, 1, 2, 3), nil},
		{"two of three, one unknown", ring(2, 1, 3, 4), bundle.ErrUnsigned},
		{"one key named twice is one", ring(2, 1, 1), bundle.ErrUnsigned},
		{"none known", ring(1, 5), bundle.ErrUnsigned},
		{"nobody is believed", bundle.Keyring{}, bundle.ErrUnsigned},
		{"a development key", bundle.Keyring{Need: 2, Development: []ed25519.PublicKey{dev}}, nil},
	} {
		if _, err := c.ring.Verify(&b.Head); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	twice := b.Head
	twice.Signatures = []bundle.Signature{b.Signatures[0], b.Signatures[0]}
	if _, err := ring(2, 1, 2).Verify(&twice); !errors.Is(err, bundle.ErrUnsigned) {
		t.Errorf("one signature twice: %v", err)
	}
	forged := b.Head
	forged.Signatures = slices.Clone(b.Signatures)
	forged.Signatures[1].Sig[9] ^= 1
	if _, err := ring(1, 1, 2).Verify(&forged); !errors.Is(err, bundle.ErrSignature) {
		t.Errorf("forged: %v", err)
	}
}

// TestAnyByte: whatever byte is turned over, and wherever it is cut, no block of
// another image comes out.
func TestAnyByte(t *testing.T) {
	b, old, image := made(t)
	rapid.Check(t, func(rt *rapid.T) {
		only := rapid.IntRange(0, 1).Draw(rt, "payload")
		file := b.File(only)
		if rapid.Bool().Draw(rt, "cut") {
			if _, err := install(file[:rapid.IntRange(0, len(file)-1).Draw(rt, "at")], old, ring(2, 1, 2)); err == nil {
				rt.Fatal("a cut bundle is one")
			}
			return
		}
		head := len(b.Head.Append(nil)) + 1
		at := rapid.IntRange(0, head-1).Draw(rt, "at")
		if rapid.Bool().Draw(rt, "in the payload") {
			at = rapid.IntRange(head, len(file)-1).Draw(rt, "at")
		}
		file[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		got, err := install(file, old, ring(2, 1, 2))
		if err == nil && !bytes.Equal(got, image) || !bytes.HasPrefix(image, got) {
			rt.Fatalf("byte %d: another image", at)
		}
		if err == nil && at != head-1 {
			rt.Fatalf("byte %d does not matter", at)
		}
	})
}

func TestWrongBase(t *testing.T) {
	b, old, _ := made(t)
	for name, base := range map[string][]byte{"short": old[:100], "other": build(9, len(old)), "none": nil} {
		if _, err := install(b.File(0), base, ring(2, 1, 2)); !errors.Is(err, bundle.ErrBase) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadManifest(t *testing.T) {
	b, _, _ := made(t)
	change := func(f func(*bundle.Manifest)) []byte {
		m := *b.Manifest
		m.Payloads = slices.Clone(m.Payloads)
		f(&m)
		return m.Append(nil)
	}
	for name, raw := range map[string][]byte{
		"empty":           nil,
		"cut":             b.Raw[:len(b.Raw)-1],
		"more":            append(slices.Clone(b.Raw), 0),
		"format":          append([]byte{2}, b.Raw[1:]...),
		"no product":      change(func(m *bundle.Manifest) { m.Product = "" }),
		"a blank":         change(func(m *bundle.Manifest) { m.Board = "a b" }),
		"below its floor": change(func(m *bundle.Manifest) { m.Floor.Major = 9 }),
		"schemas":         change(func(m *bundle.Manifest) { m.Schemas.Hi = 0 }),
		"no payload":      change(func(m *bundle.Manifest) { m.Payloads = nil }),
		"kind":            change(func(m *bundle.Manifest) { m.Payloads[0].Kind = 7 }),
		"filter":          change(func(m *bundle.Manifest) { m.Payloads[1].Filter = 9 }),
		"delta filtered":  change(func(m *bundle.Manifest) { m.Payloads[0].Filter = lzma.ARM }),
		"blocks":          change(func(m *bundle.Manifest) { m.BlockBits = 30 }),
		"giant":           change(func(m *bundle.Manifest) { m.Size = 1 << 31 }),
		"no image":        change(func(m *bundle.Manifest) { m.Size, m.Blocks = 0, nil }),
	} {
		if _, err := bundle.ParseManifest(raw); !errors.Is(err, bundle.ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, s := range []string{"", "1", "1.2", "1.2.3.4", "01.2.3", "1.-2.3", "1.2.70000", "1.2.x", "+1.0.0"} {
		if v, err := bundle.ParseVersion(s); err == nil {
			t.Errorf("%q is %v", s, v)
		}
	}
	a, _ := bundle.ParseVersion("1.2.10")
	b, _ := bundle.ParseVersion("1.3.0")
	if a.String() != "1.2.10" || a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 {
		t.Error(a, b)
	}
}

func FuzzHead(f *testing.F) {
	b, _, _ := made(f)
	f.Add(b.Head.Append(nil))
	f.Add([]byte("SWB1\x00\x00\x00\x00\x00"))
	blocks, i, _ := byBlock(f, lzma.ARM64)
	f.Add(blocks.Head.Append(nil))
	f.Add(blocks.Slim(i, bundle.Set{9})[:4096])
	f.Fuzz(func(t *testing.T, file []byte) {
		h, err := bundle.ReadHead(bytes.NewReader(file))
		if err != nil {
			return
		}
		if !bytes.HasPrefix(file, h.Append(nil)) {
			t.Fatal("read and written are not the same")
		}
		for i := range h.Manifest.Payloads {
			bundle.Unpack(h.Manifest, i, bytes.NewReader(file), bytes.NewReader(file), func(int, []byte) error { return io.ErrShortWrite })
		}
		if b, err := bundle.Parse(file); err == nil {
			again, err := bundle.Parse(b.File())
			if err != nil || !bytes.Equal(again.File(), b.File()) {
				t.Fatal("parsed and written are not the same", err)
			}
			for i, p := range b.Manifest.Payloads {
				if p.Kind == bundle.Blocks && b.Packed[i] != nil && !bytes.Equal(b.Slim(i, b.Set(i)), b.File(i)) {
					t.Fatal("all the blocks of a file are not the file")
				}
			}
		}
	})
}
