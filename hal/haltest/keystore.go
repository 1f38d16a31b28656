package haltest

import (
	"bytes"
	"crypto/des"
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

// wrapped is key as a host sends it: ECB under tmk, with its check value.
func wrapped(tmk, key []byte, slot hal.KeySlot) hal.KeyImport {
	enc := func(k, src []byte) []byte {
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
	return hal.KeyImport{Slot: slot, Alg: hal.AlgTDES2, Cryptogram: enc(tmk, key), KCV: enc(key, make([]byte, 8))[:4], Under: hal.SlotTMK}
}

// KeyStore is the conformance suite of hal.KeyStore.
func KeyStore(t *testing.T, open func(t *testing.T) KeyStoreBench) {
	pik, mak := []byte("pik-pik-pik-pik-"), []byte("mak-mak-mak-mak-")
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Keys) })
	t.Run("ImportIsAllOrNothing", func(t *testing.T) {
		b := open(t)
		good, bad := wrapped(b.TMK, pik, hal.SlotPIK), wrapped(b.TMK, mak, hal.SlotMAK)
		bad.KCV = []byte{1, 2, 3, 4}
		if err := b.Keys.Import([]hal.KeyImport{good, bad}); !errors.Is(err, hal.ErrKCV) {
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
		ref, err := b.Keys.HMAC(hal.SlotCardRef, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		k := b.Reopen()
		if _, ok := k.Has(hal.SlotMAK); !ok {
			t.Error("an imported key is gone")
		}
		if got, err := k.Open(nil, sealed, []byte("aad")); err != nil || string(got) != "plain" {
			t.Errorf("what was sealed before opens to %q, %v", got, err)
		}
		if again, err := k.HMAC(hal.SlotCardRef, []byte("x")); err != nil || again != ref {
			t.Errorf("another reference after the power came back, %v", err)
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
		if err := b.Keys.EncryptBlocks(hal.SlotMAK, make([]byte, 8), make([]byte, 8)); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("no key: %v", err)
		}
		if err := b.Keys.EncryptBlocks(hal.SlotTMK, make([]byte, 8), make([]byte, 8)); !errors.Is(err, hal.ErrKeyUse) {
			t.Errorf("the master key encrypts data: %v", err)
		}
		in := wrapped(b.TMK, mak, hal.SlotMAK)
		if err := b.Keys.Import([]hal.KeyImport{in}); err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 8)
		if err := b.Keys.EncryptBlocks(hal.SlotMAK, dst, make([]byte, 8)); err != nil || !bytes.Equal(dst[:4], in.KCV) {
			t.Errorf("E(mak, 0) is not its check value, %v", err)
		}
		if err := b.Keys.Forget(hal.SlotMAK); err != nil {
			t.Fatal(err)
		}
		if _, ok := b.Reopen().Has(hal.SlotMAK); ok {
			t.Error("a forgotten key came back with the power")
		}
	})
}
