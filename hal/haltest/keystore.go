package haltest

import (
	"bytes"
	"crypto/des"
	"encoding/hex"
	"errors"
	"testing"

	"swipewell/hal"
)

// KeyStoreBench is a store that holds TMK in slot tmk and nothing else, and a
// way to open it again as after a power cut.
type KeyStoreBench struct {
	Keys   hal.KeyStore
	TMK    []byte // 16 bytes, double-length DES
	Reopen func() hal.KeyStore
}

func encrypt(k, src []byte) []byte {
	c, err := des.NewTripleDESCipher(append(append([]byte{}, k...), k[:8]...))
	if err != nil {
		panic(err) // 16 bytes are never refused
	}
	dst := make([]byte, len(src))
	for i := 0; i < len(src); i += 8 {
		c.Encrypt(dst[i:], src[i:])
	}
	return dst
}

// wrapped is key as a host sends it: ECB under tmk, with its check value.
func wrapped(tmk, key []byte, slot hal.KeySlot) hal.KeyImport {
	return hal.KeyImport{Slot: slot, Alg: hal.AlgTDES2, Cryptogram: encrypt(tmk, key), KCV: encrypt(key, make([]byte, 8))[:4], Under: hal.SlotTMK}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// KeyStore is the conformance suite of hal.KeyStore.
func KeyStore(t *testing.T, open func(t *testing.T) KeyStoreBench) {
	pik, mak, tdk := []byte("pik-pik-pik-pik-"), []byte("mak-mak-mak-mak-"), unhex("807A23AD32B36D457AE91FDF927570EA")
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Keys) })
	t.Run("ImportIsAllOrNothing", func(t *testing.T) {
		b := open(t)
		good, bad := wrapped(b.TMK, pik, hal.SlotPIK), wrapped(b.TMK, mak, hal.SlotMAK)
		bad.KCV = []byte{1, 2, 3, 4}
		var e *hal.KeyError
		if err := b.Keys.Import([]hal.KeyImport{good, bad}); !errors.Is(err, hal.ErrKCV) || !errors.As(err, &e) || e.Slot != hal.SlotMAK {
			t.Errorf("a wrong check value: %v", err)
		}
		if _, ok := b.Keys.Has(hal.SlotPIK); ok {
			t.Error("half an import was taken")
		}
		if err := b.Keys.Import([]hal.KeyImport{good, wrapped(b.TMK, mak, hal.SlotMAK)}); err != nil {
			t.Fatal(err)
		}
		kcv, ok := b.Keys.Has(hal.SlotPIK)
		if !ok || !bytes.Equal(kcv[:], good.KCV) {
			t.Errorf("check value %x %v", kcv, ok)
		}
		mac, _ := b.Keys.MAC(hal.SlotMAK, hal.MACX919, hal.Request, []byte("x"))
		if err := b.Keys.Import([]hal.KeyImport{wrapped(b.TMK, tdk, hal.SlotMAK), bad}); !errors.Is(err, hal.ErrKCV) {
			t.Errorf("a wrong check value: %v", err)
		}
		if now, err := b.Keys.MAC(hal.SlotMAK, hal.MACX919, hal.Request, []byte("x")); err != nil || now != mac {
			t.Errorf("the key in force changed: %v", err)
		}
	})
	t.Run("OnlySessionKeysAreImported", func(t *testing.T) {
		b := open(t)
		for _, slot := range []hal.KeySlot{hal.SlotTMK, hal.SlotKBPK, hal.SlotDUKPT, hal.SlotSeal, hal.SlotCardRef, "x"} {
			if err := b.Keys.Import([]hal.KeyImport{wrapped(b.TMK, pik, slot)}); !errors.Is(err, hal.ErrKeyUse) {
				t.Errorf("into %s: %v", slot, err)
			}
		}
		zero := wrapped(b.TMK, make([]byte, 16), hal.SlotPIK)
		if err := b.Keys.Import([]hal.KeyImport{zero}); !errors.Is(err, hal.ErrKeyWeak) {
			t.Errorf("a key of zeros: %v", err)
		}
		sm4 := wrapped(b.TMK, pik, hal.SlotPIK)
		if sm4.Alg = hal.AlgSM4; !errors.Is(b.Keys.Import([]hal.KeyImport{sm4}), hal.ErrKeyUse) {
			t.Error("an SM4 key under a DES key")
		}
		short := wrapped(b.TMK, pik, hal.SlotPIK)
		if short.KCV = short.KCV[:2]; !errors.Is(b.Keys.Import([]hal.KeyImport{short}), hal.ErrKCV) {
			t.Error("two bytes of a check value are enough")
		}
	})
	t.Run("KeysOutliveThePower", func(t *testing.T) {
		b := open(t)
		if err := b.Keys.Import([]hal.KeyImport{wrapped(b.TMK, mak, hal.SlotMAK)}); err != nil {
			t.Fatal(err)
		}
		sealed, err := b.Keys.Seal(nil, []byte("plain"), []byte("aad"))
		if err != nil {
			t.Fatal(err)
		}
		ref, err := b.Keys.HMAC(hal.SlotCardRef, 0, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		next, _ := b.Keys.HMAC(hal.SlotCardRef, 1, []byte("x"))
		k := b.Reopen()
		if _, ok := k.Has(hal.SlotMAK); !ok {
			t.Error("an imported key is gone")
		}
		if got, err := k.Open(nil, sealed, []byte("aad")); err != nil || string(got) != "plain" {
			t.Errorf("what was sealed before opens to %q, %v", got, err)
		}
		if again, err := k.HMAC(hal.SlotCardRef, 0, []byte("x")); err != nil || again != ref {
			t.Errorf("another reference after the power came back, %v", err)
		}
		if again, err := k.HMAC(hal.SlotCardRef, 1, []byte("x")); err != nil || again != next {
			t.Errorf("another reference of generation 1 after the power came back, %v", err)
		}
	})
	t.Run("AGenerationIsAnotherKey", func(t *testing.T) {
		k := open(t).Keys
		seen := map[[32]byte]uint32{}
		for _, g := range []uint32{0, 1, 2, 256, 1 << 24, 1<<32 - 1} {
			ref, err := k.HMAC(hal.SlotCardRef, g, []byte("x"))
			if was, ok := seen[ref]; err != nil || ok {
				t.Errorf("generation %d is that of %d, %v", g, was, err)
			}
			seen[ref] = g
		}
		// Generation 0 is the key itself: of what derives the others it must not be the MAC that leaks them.
		for _, slot := range []hal.KeySlot{hal.SlotMAK, hal.SlotSeal, hal.SlotTMK} {
			if _, err := k.HMAC(slot, 0, []byte("x")); !errors.Is(err, hal.ErrKeyUse) {
				t.Errorf("under %s: %v", slot, err)
			}
		}
	})
	t.Run("SealedIsSealed", func(t *testing.T) {
		k := open(t).Keys
		one, _ := k.Seal(nil, []byte("plain"), []byte("aad"))
		two, err := k.Seal([]byte("head"), []byte("plain"), []byte("aad"))
		if err != nil || !bytes.HasPrefix(two, []byte("head")) || bytes.Equal(one, two[4:]) || bytes.Contains(one, []byte("plain")) {
			t.Errorf("appended with a nonce of its own: %v", err)
		}
		if _, err := k.Open(nil, one, []byte("other")); !errors.Is(err, hal.ErrSealed) {
			t.Errorf("other aad: %v", err)
		}
		for i := range one {
			bad := bytes.Clone(one)
			bad[i] ^= 1
			if _, err := k.Open(nil, bad, []byte("aad")); !errors.Is(err, hal.ErrSealed) {
				t.Fatalf("byte %d changed: %v", i, err)
			}
		}
		for n := range one {
			if _, err := k.Open(nil, one[:n], []byte("aad")); !errors.Is(err, hal.ErrSealed) {
				t.Fatalf("cut to %d: %v", n, err)
			}
		}
	})
	t.Run("AKeyDoesItsOwnWorkOnly", func(t *testing.T) {
		b := open(t)
		pin, pan, track := hal.NewSecret([]byte("111111")), []byte("6226168997066875"), []byte("6225882116400091=0509567890123456")
		if _, err := b.Keys.MAC(hal.SlotMAK, hal.MACECB, hal.Request, nil); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("no MAK: %v", err)
		}
		if _, err := b.Keys.PINBlock(hal.SlotPIK, hal.PINFormat0, pin, pan); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("no PIK: %v", err)
		}
		if _, err := b.Keys.EncryptTrack(hal.SlotTDK, track); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("no TDK: %v", err)
		}
		in := []hal.KeyImport{wrapped(b.TMK, unhex("C5A1EFDE6AD4461B72AF90946EE006AC"), hal.SlotPIK), wrapped(b.TMK, unhex("0123456789ABCDEFFEDCBA9876543210"), hal.SlotMAK), wrapped(b.TMK, tdk, hal.SlotTDK)}
		if err := b.Keys.Import(in); err != nil {
			t.Fatal(err)
		}
		if mac, err := b.Keys.MAC(hal.SlotMAK, hal.MACX919, hal.Request, []byte("Now is the time for all ")); err != nil || !bytes.Equal(mac[:], unhex("A1C72E74EA3FA9B6")) {
			t.Errorf("MAC %X %v", mac, err)
		}
		if block, err := b.Keys.PINBlock(hal.SlotPIK, hal.PINFormat0, pin, pan); err != nil || !bytes.Equal(block, unhex("150A4D565B4A836E")) {
			t.Errorf("PIN block %X %v", block, err)
		}
		if got, err := b.Keys.EncryptTrack(hal.SlotTDK, track); err != nil || string(got) != "622588211640009145C3822EAB55562B6" {
			t.Errorf("track %s %v", got, err)
		}
		if one, err := b.Keys.PINBlock(hal.SlotPIK, hal.PINFormat3, pin, pan); err != nil {
			t.Error(err)
		} else if two, _ := b.Keys.PINBlock(hal.SlotPIK, hal.PINFormat3, pin, pan); bytes.Equal(one, two) {
			t.Error("format 3 is not filled at random")
		}
		all := []hal.KeySlot{hal.SlotTMK, hal.SlotKBPK, hal.SlotPIK, hal.SlotMAK, hal.SlotTDK, hal.SlotSeal, hal.SlotCardRef, "x"}
		for _, slot := range all {
			if _, err := b.Keys.MAC(slot, hal.MACX919, hal.Request, nil); slot != hal.SlotMAK && !errors.Is(err, hal.ErrKeyUse) {
				t.Errorf("MAC under %s: %v", slot, err)
			}
			if _, err := b.Keys.PINBlock(slot, hal.PINFormat0, pin, pan); slot != hal.SlotPIK && !errors.Is(err, hal.ErrKeyUse) {
				t.Errorf("PIN block under %s: %v", slot, err)
			}
			if _, err := b.Keys.EncryptTrack(slot, track); slot != hal.SlotTDK && !errors.Is(err, hal.ErrKeyUse) {
				t.Errorf("track under %s: %v", slot, err)
			}
		}
		for _, f := range []hal.PINFormat{hal.PINFormat4, hal.PINSM4, '2'} {
			if _, err := b.Keys.PINBlock(hal.SlotPIK, f, pin, pan); !errors.Is(err, hal.ErrKeyUse) {
				t.Errorf("PIN format %c under a DES key: %v", f, err)
			}
		}
		if _, err := b.Keys.MAC(hal.SlotMAK, hal.MACSM4CBC, hal.Request, nil); !errors.Is(err, hal.ErrKeyUse) {
			t.Errorf("an SM4 MAC under a DES key: %v", err)
		}
		if err := b.Keys.Forget(hal.SlotMAK); err != nil {
			t.Fatal(err)
		}
		if _, ok := b.Reopen().Has(hal.SlotMAK); ok {
			t.Error("a forgotten key came back with the power")
		}
	})
	inject(t, open)
	transactionKeys(t, open)
	t.Run("ErasedForGood", func(t *testing.T) {
		b := open(t)
		if err := b.Keys.Import([]hal.KeyImport{wrapped(b.TMK, mak, hal.SlotMAK)}); err != nil {
			t.Fatal(err)
		}
		sealed, _ := b.Keys.Seal(nil, []byte("plain"), nil)
		if err := b.Keys.Erase(); err != nil {
			t.Fatal(err)
		}
		for name, k := range map[string]hal.KeyStore{"at once": b.Keys, "after a power cut": b.Reopen()} {
			for _, slot := range []hal.KeySlot{hal.SlotTMK, hal.SlotMAK, hal.SlotSeal, hal.SlotCardRef, hal.SlotDUKPT} {
				if _, ok := k.Has(slot); ok {
					t.Errorf("%s: %s is still there", name, slot)
				}
			}
			calls := map[string]error{"Erase again": k.Erase()}
			_, calls["MAC"] = k.MAC(hal.SlotMAK, hal.MACECB, hal.Request, nil)
			_, calls["PINBlock"] = k.PINBlock(hal.SlotPIK, hal.PINFormat0, hal.NewSecret([]byte("1234")), []byte("6226168997066875"))
			_, calls["EncryptTrack"] = k.EncryptTrack(hal.SlotTDK, nil)
			_, calls["NextDUKPT"] = k.NextDUKPT()
			_, calls["Seal"] = k.Seal(nil, nil, nil)
			_, calls["Open"] = k.Open(nil, sealed, nil)
			_, calls["HMAC"] = k.HMAC(hal.SlotCardRef, 0, nil)
			calls["Import"] = k.Import([]hal.KeyImport{wrapped(b.TMK, mak, hal.SlotMAK)})
			calls["ImportBlock"] = k.ImportBlock(hal.SlotPIK, []byte(blockPIK))
			calls["Forget"] = k.Forget(hal.SlotMAK)
			_, calls["LoadComponent"] = k.LoadComponent(component(hal.SlotTMK, 1, part1))
			_, calls["JoinComponents"] = k.JoinComponents(hal.SlotTMK, nil)
			for call, err := range calls {
				if call == "Erase again" && err != nil || call != "Erase again" && !errors.Is(err, hal.ErrTampered) {
					t.Errorf("%s, %s: %v", name, call, err)
				}
			}
		}
	})
}
