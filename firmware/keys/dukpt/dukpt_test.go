package dukpt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/keys/key"
	"swipewell/firmware/keys/mac"
	"swipewell/firmware/keys/pinblock"
	"swipewell/hal"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func must(alg hal.KeyAlg, s string) key.Key {
	k, err := key.New(alg, unhex(s))
	if err != nil {
		panic(err)
	}
	return k
}

var (
	serialTDES = unhex("FFFF9876543210E00000")
	serialAES  = unhex("1234567890123456")
)

func initialTDES() key.Key { return must(hal.AlgTDES2, "6AC292FAA1315B4D858AB3A3D7D5933A") }
func initialAES() key.Key  { return must(hal.AlgAES, "1273671EA26AC29AFA4D1084127652A1") }

func initial(s Scheme) (key.Key, []byte) {
	if s == TDES {
		return initialTDES(), serialTDES
	}
	return initialAES(), serialAES
}

// hostKey is the host's way: from the initial key, one step per one of the
// counter, from the top.
func hostKey(s Scheme, c uint32) key.Key {
	k, id := initial(s)
	r, _ := s.rules()
	var seen uint32
	for i := 31; i >= 0; i-- {
		if c>>i&1 == 1 {
			var err error
			seen |= 1 << i
			if k, err = r.derive(k, id, seen); err != nil {
				panic(err)
			}
		}
	}
	return k
}

// at is the state before transaction c.
func at(t rapid.TB, s Scheme, c uint32) *State {
	t.Helper()
	_, id := initial(s)
	r, _ := s.rules()
	regs := make([]key.Key, r.bits)
	low := bits.TrailingZeros32(c)
	for i := range regs {
		if i == low || i > low && c>>i&1 == 0 {
			regs[i] = hostKey(s, c>>i<<i|1<<i)
		}
	}
	st, err := Restore(s, id, c, regs)
	if err != nil {
		t.Fatalf("counter %X: %v", c, err)
	}
	return st
}

func kept(*State) error { return nil }

func hexKey(k key.Key) (out string) {
	k.Use(func(b []byte) { out = fmt.Sprintf("%X", b) })
	return out
}

// The initial keys come from the base derivation keys as X9.24 says; a device
// never has those, so that derivation is the test's.
func TestInitialKeys(t *testing.T) {
	bdk, register := unhex("0123456789ABCDEFFEDCBA9876543210"), serialTDES[:8]
	half := func(k []byte) []byte {
		c, _ := des.NewTripleDESCipher(append(slices.Clone(k), k[:8]...))
		out := make([]byte, 8)
		c.Encrypt(out, register)
		return out
	}
	left := half(bdk)
	for _, i := range []int{0, 1, 2, 3, 8, 9, 10, 11} {
		bdk[i] ^= 0xC0
	}
	if got := append(left, half(bdk)...); hexKey(initialTDES()) != fmt.Sprintf("%X", got) {
		t.Errorf("TDES %X", got)
	}
	c, _ := aes.NewCipher(unhex("FEDCBA9876543210F1F1F1F1F1F1F1F1"))
	got := append(unhex("0101800100020080"), serialAES...)
	if c.Encrypt(got, got); hexKey(initialAES()) != fmt.Sprintf("%X", got) {
		t.Errorf("AES %X", got)
	}
}

func TestVectorsTDES(t *testing.T) {
	st, err := New(TDES, serialTDES, initialTDES())
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vectorsTDES {
		if v.counter == 0xFF800 {
			st = at(t, TDES, 0xFF800)
		}
		tx, err := st.Next(kept)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("FFFF98765432%X", 0x10E00000+v.counter); tx.KSN.String() != want {
			t.Fatalf("KSN %s, want %s", tx.KSN, want)
		}
		if got := hexKey(tx.key); got != v.key {
			t.Errorf("%s: key %s, want %s", tx.KSN, got, v.key)
		}
		pk, err := tx.PIN()
		if err != nil {
			t.Fatal(err)
		}
		b, _ := pk.Block()
		block, err := pinblock.Encrypt(b, hal.PINFormat0, []byte("1234"), []byte("4012345678909"), nil)
		if err != nil || fmt.Sprintf("%X", block) != v.pin {
			t.Errorf("%s: PIN block %X %v, want %s", tx.KSN, block, err, v.pin)
		}
		if i >= len(workingTDES) {
			continue
		}
		w := workingTDES[i]
		for d, want := range map[hal.Direction][2]string{hal.Request: {w.macReq, w.dataReq}, hal.Response: {w.macRsp, w.dataRsp}} {
			mk, err := tx.MAC(d)
			if err != nil {
				t.Fatal(err)
			}
			if sum, err := mac.Sum(hal.MACX919, mk, []byte("4012345678909D987")); err != nil || fmt.Sprintf("%X", sum) != want[0] {
				t.Errorf("%s: MAC %d %X %v, want %s", tx.KSN, d, sum, err, want[0])
			}
			dk, err := tx.Data(d)
			if err != nil {
				t.Fatal(err)
			}
			if got := cbc(dk, "4012345678909D987"); got != want[1] {
				t.Errorf("%s: data %d %s, want %s", tx.KSN, d, got, want[1])
			}
		}
	}
}

func cbc(k key.Key, s string) string {
	b, err := k.Block()
	if err != nil {
		panic(err)
	}
	n := b.BlockSize()
	out := make([]byte, (len(s)+n-1)/n*n)
	copy(out, s)
	cipher.NewCBCEncrypter(b, make([]byte, n)).CryptBlocks(out, out)
	return fmt.Sprintf("%X", out)
}

func TestVectorsAES(t *testing.T) {
	st, err := New(AES128, serialAES, initialAES())
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vectorsAES {
		if v.counter == 0x1FFFE || v.counter == 0xFFFE2000 {
			st = at(t, AES128, v.counter)
		}
		tx, err := st.Next(kept)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("1234567890123456%08X", v.counter); tx.KSN.String() != want {
			t.Fatalf("KSN %s, want %s", tx.KSN, want)
		}
		if got := hexKey(tx.key); got != v.key {
			t.Errorf("%s: key %s, want %s", tx.KSN, got, v.key)
		}
		if i >= len(workingAES) {
			continue
		}
		w := workingAES[i]
		for d, want := range map[hal.Direction][2]string{hal.Request: {w.macReq, w.dataReq}, hal.Response: {w.macRsp, w.dataRsp}} {
			mk, _ := tx.MAC(d)
			b, err := mk.Block()
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%X", key.CMAC(b, []byte("4012345678909D987"))); got != want[0] {
				t.Errorf("%s: MAC %d %s, want %s", tx.KSN, d, got, want[0])
			}
			dk, _ := tx.Data(d)
			if got := cbc(dk, "4012345678909D987"); got != want[1] {
				t.Errorf("%s: data %d %s, want %s", tx.KSN, d, got, want[1])
			}
		}
		if i == 0 { // HOST §5.3
			pk, _ := tx.PIN()
			if hexKey(pk) != "AF8CB133A78F8DC2D1359F18527593FB" {
				t.Errorf("PIN key %s", hexKey(pk))
			}
			b, _ := pk.Block()
			block, err := pinblock.Encrypt(b, hal.PINFormat4, []byte("1234"), []byte("4111111111111111"), bytes.NewReader(unhex("2F69ADDE2E9E7ACE")))
			if err != nil || fmt.Sprintf("%X", block) != "A912150391AB65A67E52883D81CE2D15" {
				t.Errorf("PIN block %X %v", block, err)
			}
		}
	}
	// The last counter has been used.
	if _, err := st.Next(kept); !errors.Is(err, hal.ErrExhausted) || st.Counter() != 0 {
		t.Errorf("after FFFF0000: %v", err)
	}
}

// drawCounter is any counter that is used.
func drawCounter(rt *rapid.T, r rules) uint32 {
	var c uint32
	for range rapid.IntRange(1, r.maxOnes).Draw(rt, "ones") {
		c |= 1 << rapid.IntRange(0, r.bits-1).Draw(rt, "bit")
	}
	return c
}

// From any state the device's key is the host's, the state after is the one of
// the next counter, and no key of the past is in it.
func TestAnyStep(t *testing.T) {
	for _, s := range []Scheme{TDES, AES128} {
		r, _ := s.rules()
		rapid.Check(t, func(rt *rapid.T) {
			c := drawCounter(rt, r)
			st := at(rt, s, c)
			spent := st.Registers()[bits.TrailingZeros32(c)]
			tx, err := st.Next(kept)
			if err != nil {
				rt.Fatal(err)
			}
			if !tx.key.Same(hostKey(s, c)) {
				rt.Fatalf("counter %X: another key than the host's", c)
			}
			if !spent.IsZero() {
				rt.Fatal("the spent register is not wiped")
			}
			n := uint64(c) + 1
			for n < 1<<r.bits && bits.OnesCount64(n) > r.maxOnes {
				n++
				if low := n & -n; bits.OnesCount64(n) > r.maxOnes && low > 1 {
					n += low - 1
				}
			}
			if n == 1<<r.bits {
				n = 0
			}
			if uint64(st.Counter()) != n {
				rt.Fatalf("counter %X, then %X, want %X", c, st.Counter(), n)
			}
			if n == 0 {
				return
			}
			want := at(rt, s, uint32(n))
			for i, k := range st.Registers() {
				if k.IsZero() != want.regs[i].IsZero() || !k.IsZero() && !k.Same(want.regs[i]) {
					rt.Fatalf("register %d before counter %X", i, n)
				}
				if !k.IsZero() && k.Same(hostKey(s, c)) {
					rt.Fatal("a used key stays")
				}
			}
		})
	}
}

// The power goes at any point of any step: before the commit, in it with either
// outcome, or after it; or the disk refuses and the device goes on. No KSN and no
// key is handed out twice, and the numbers lost are those of cuts after a commit.
func TestPowerCuts(t *testing.T) {
	errCut, errDisk := errors.New("power"), errors.New("disk full")
	for _, s := range []Scheme{TDES, AES128} {
		rapid.Check(t, func(rt *rapid.T) {
			k, id := initial(s)
			st, err := New(s, id, k)
			if err != nil {
				rt.Fatal(err)
			}
			type image struct {
				counter uint32
				regs    []key.Key
			}
			write := func(s *State) image {
				im := image{counter: s.Counter()}
				for _, k := range s.Registers() {
					im.regs = append(im.regs, k.Clone())
				}
				return im
			}
			disk := write(st)
			boot := func() {
				var regs []key.Key
				for _, k := range disk.regs {
					regs = append(regs, k.Clone())
				}
				if st, err = Restore(s, id, disk.counter, regs); err != nil {
					rt.Fatal(err)
				}
			}
			seenKSN, seenKey, lost := map[hal.KSN]bool{}, map[string]bool{}, 0
			for range rapid.IntRange(1, 60).Draw(rt, "steps") {
				fate := rapid.IntRange(0, 5).Draw(rt, "fate")
				tx, err := st.Next(func(next *State) error {
					switch fate {
					case 0: // cut before the disk has it
						return errCut
					case 1: // cut when the disk has it
						disk = write(next)
						return errCut
					case 2: // full: no cut
						return errDisk
					}
					disk = write(next)
					return nil
				})
				switch {
				case fate <= 2:
					if tx != nil || !errors.Is(err, errCut) && !errors.Is(err, errDisk) {
						rt.Fatalf("a key without a commit: %v", err)
					}
					if fate == 1 {
						lost++
					}
					if fate < 2 {
						boot()
					}
					continue
				case err != nil:
					rt.Fatal(err)
				}
				if seenKSN[tx.KSN] || seenKey[hexKey(tx.key)] {
					rt.Fatalf("%s again", tx.KSN)
				}
				seenKSN[tx.KSN], seenKey[hexKey(tx.key)] = true, true
				if fate == 3 { // cut after the hand-out
					boot()
				}
			}
			if got := int(st.Counter()) - 1; got != len(seenKSN)+lost {
				rt.Fatalf("%d numbers gone, %d used and %d lost", got, len(seenKSN), lost)
			}
		})
	}
}

// The last of the 1,048,575 transactions of a TDES initial key: those whose
// counters begin with four ones. Each once, rising, then the end.
func TestToTheEndTDES(t *testing.T) {
	st := at(t, TDES, 0x1E0000)
	n, before := 0, hal.KSN("")
	for {
		tx, err := st.Next(kept)
		if errors.Is(err, hal.ErrExhausted) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if tx.KSN <= before {
			t.Fatalf("%s after %s", tx.KSN, before)
		}
		n, before = n+1, tx.KSN
		tx.Wipe()
	}
	if n != 1+17+136+680+2380+6188+12376 { // of 17 bits at most 6 ones
		t.Errorf("%d transactions", n)
	}
	for i, k := range st.Registers() {
		if !k.IsZero() {
			t.Errorf("register %d has a key left", i)
		}
	}
}

func TestStatesThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		scheme Scheme
		serial []byte
		k      key.Key
	}{
		"no scheme":       {0, serialTDES, initialTDES()},
		"counted TDES":    {TDES, unhex("FFFF9876543210E00001"), initialTDES()},
		"short serial":    {TDES, serialTDES[:9], initialTDES()},
		"counted AES":     {AES128, unhex("123456789012345600000001"), initialAES()},
		"AES key in TDES": {TDES, serialTDES, initialAES()},
		"TDES key in AES": {AES128, serialAES, initialTDES()},
		"AES-256":         {AES128, serialAES, must(hal.AlgAES, "0000000000000000000000000000000000000000000000000000000000000001")},
		"no key":          {TDES, serialTDES, key.Key{}},
	} {
		if _, err := New(c.scheme, c.serial, c.k); !errors.Is(err, ErrState) && !errors.Is(err, hal.ErrKeyLength) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(AES128, unhex("123456789012345600000000"), initialAES()); err != nil {
		t.Errorf("a serial number of 12 bytes: %v", err)
	}
	good := at(t, TDES, 6)
	for name, f := range map[string]func(id []byte, c uint32, regs []key.Key) ([]byte, uint32, []key.Key){
		"a spent register filled": func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) {
			r[0] = initialTDES()
			return id, c, r
		},
		"a key missing":       func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) { r[5] = key.Key{}; return id, c, r },
		"the next missing":    func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) { r[1] = key.Key{}; return id, c, r },
		"a counter set back":  func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) { return id, 1, r },
		"a counter too large": func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) { return id, 1 << 21, r },
		"too many ones":       func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) { return id, 0x7FF, r },
		"fewer registers":     func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) { return id, c, r[:20] },
		"a key of another kind": func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) {
			r[1] = initialAES()
			return id, c, r
		},
		"a short id": func(id []byte, c uint32, r []key.Key) ([]byte, uint32, []key.Key) { return id[:9], c, r },
	} {
		id, c, regs := f(good.ID(), good.Counter(), good.Registers())
		if _, err := Restore(TDES, id, c, regs); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Restore(3, good.ID(), 6, good.Registers()); !errors.Is(err, ErrState) {
		t.Errorf("no scheme: %v", err)
	}
}

func TestNothingOfAStatePrints(t *testing.T) {
	st := at(t, TDES, 6)
	tx, err := at(t, TDES, 1).Next(kept)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
		for _, v := range []any{st, *st, tx, *tx} {
			out := fmt.Sprintf(verb, v)
			for _, leak := range []string{"042666b4", "042666B4", hexKey(hostKey(TDES, 6))[:8]} {
				if bytes.Contains([]byte(out), []byte(leak)) {
					t.Fatalf("%s shows %s", verb, leak)
				}
			}
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, s := range []Scheme{TDES, AES128} {
		b.Run(fmt.Sprint(s), func(b *testing.B) {
			k, id := initial(s)
			st, _ := New(s, id, k)
			for b.Loop() {
				if _, err := st.Next(kept); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
