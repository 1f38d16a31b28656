package haltest

import (
	"bytes"
	"errors"
	"testing"

	"swipewell/hal"
)

// Two components of the key block protection key of TR-31:2018 A.7.2.2, and
// blocks under it: A.7.2.2 itself, and others made in the same way.
const (
	part1 = "0123456789ABCDEFFEDCBA9876543210"
	part2 = "DC565095366AB26A30944952539F13E6"
	kbpk  = "DD7515F2BFC17F85CE48F3CA25CB21F6"

	blockPIK        = "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E"
	blockMAK        = "B0080M3TC00N00000F49023BEC3F878EE6DDD82FE0D792B437574AD85DDCE68E76E94BF49B8B3922"
	blockMakesOnly  = "B0080M3TG00N00004B8EF7D29F44AA570D49A00CC13ED9820F855E81D72B47C9259A83BD53A32EFB"
	blockTDK        = "B0080D0TE00N0000D3DB2FBED7D05EB29436E57C2892004B5170A1A07098F94E1C40C8BCE33D94BC"
	blockDUKPT      = "B0104B1TX00N0100KS18FFFF9876543210E00000992658EE330EB4BF5D91D88F5D8FF78FBC66207BBC48C82662EF0F1E15D18924"
	blockNoSerial   = "B0080B1TX00N0000205BD2FCDAAFA44F4959CC587DAC391558EE18C5EE60E2167690569972CFF741"
	blockHasCounted = "B0104B1TX00N0100KS18FFFF9876543210E000012DB4345A7ADBB51993AB2137652444E31B756DDCED9706520A91F6154E41DD39"
	blockDUKPT2     = "B0104B1TX00N0100KS18FFFF987654321100000013507617EDC34D5D1772A9D909AD7824048E20CC9D45E584F91F4615C5634892"
)

func component(slot hal.KeySlot, part int, s string) hal.KeyComponent {
	return hal.KeyComponent{Slot: slot, Alg: hal.AlgTDES2, Part: part, Bytes: hal.NewSecret(unhex(s))}
}

func check(key string) []byte { return encrypt(unhex(key), make([]byte, 8))[:4] }

// protect loads the protection key as two custodians do.
func protect(t *testing.T, k hal.KeyStore) {
	t.Helper()
	for i, p := range []string{part1, part2} {
		if _, err := k.LoadComponent(component(hal.SlotKBPK, i+1, p)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.JoinComponents(hal.SlotKBPK, check(kbpk)); err != nil {
		t.Fatal(err)
	}
}

// inject: keys that come by hand, and in blocks.
func inject(t *testing.T, open func(t *testing.T) KeyStoreBench) {
	t.Run("TwoCustodians", func(t *testing.T) {
		b := open(t)
		if err := b.Keys.Import([]hal.KeyImport{wrapped(b.TMK, unhex(part1), hal.SlotMAK)}); err != nil {
			t.Fatal(err)
		}
		one := component(hal.SlotTMK, 1, part1)
		one.KCV = check(part1)[:3]
		got, err := b.Keys.LoadComponent(one)
		if err != nil || !bytes.Equal(got.KCV[:], check(part1)) || !got.OddParity {
			t.Errorf("component 1: %+v %v", got, err)
		}
		if one.Bytes.Len() != 0 {
			t.Error("the component is not wiped")
		}
		if _, err := b.Keys.JoinComponents(hal.SlotTMK, check(kbpk)); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("one custodian alone: %v", err)
		}
		two := component(hal.SlotTMK, 2, part2)
		two.KCV = []byte{1, 2, 3}
		var e *hal.KeyError
		if _, err := b.Keys.LoadComponent(two); !errors.Is(err, hal.ErrKCV) || !errors.As(err, &e) || e.Slot != hal.SlotTMK || two.Bytes.Len() != 0 {
			t.Errorf("a mistyped component: %v", err)
		}
		two = component(hal.SlotTMK, 2, part2)
		if got, err = b.Keys.LoadComponent(two); err != nil || got.OddParity {
			t.Errorf("component 2: %+v %v", got, err)
		}
		if got, err = b.Keys.JoinComponents(hal.SlotTMK, nil); err != nil || !bytes.Equal(got.KCV[:], check(kbpk)) {
			t.Errorf("what they make together: %+v %v", got, err)
		}
		if kcv, _ := b.Keys.Has(hal.SlotTMK); bytes.Equal(kcv[:], check(kbpk)) {
			t.Error("taken without its check value")
		}
		if _, err = b.Keys.JoinComponents(hal.SlotTMK, check(kbpk)); err != nil {
			t.Fatal(err)
		}
		for name, k := range map[string]hal.KeyStore{"at once": b.Keys, "after a power cut": b.Reopen()} {
			if kcv, ok := k.Has(hal.SlotTMK); !ok || !bytes.Equal(kcv[:], check(kbpk)) {
				t.Errorf("%s: %X %v", name, kcv, ok)
			}
			if _, ok := k.Has(hal.SlotMAK); ok {
				t.Errorf("%s: a session key of the old master key", name)
			}
			if err := k.Import([]hal.KeyImport{wrapped(unhex(kbpk), unhex(part1), hal.SlotPIK)}); err != nil {
				t.Errorf("%s: under the new one: %v", name, err)
			}
		}
		if _, err := b.Keys.JoinComponents(hal.SlotTMK, check(kbpk)); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("the components are still there: %v", err)
		}
	})
	t.Run("AWrongCheckValueOfTheWhole", func(t *testing.T) {
		b := open(t)
		before, _ := b.Keys.Has(hal.SlotTMK)
		for i, p := range []string{part1, part2} {
			b.Keys.LoadComponent(component(hal.SlotTMK, i+1, p))
		}
		if _, err := b.Keys.JoinComponents(hal.SlotTMK, []byte{1, 2, 3, 4}); !errors.Is(err, hal.ErrKCV) {
			t.Errorf("%v", err)
		}
		if after, ok := b.Keys.Has(hal.SlotTMK); !ok || after != before {
			t.Error("the key in force changed")
		}
		if _, err := b.Keys.JoinComponents(hal.SlotTMK, check(kbpk)); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("a second guess at the same components: %v", err)
		}
	})
	t.Run("WeakComponents", func(t *testing.T) {
		b := open(t)
		for name, c := range map[string]hal.KeyComponent{
			"zeros": component(hal.SlotTMK, 1, "00000000000000000000000000000000"),
			"short": {Slot: hal.SlotTMK, Alg: hal.AlgTDES2, Part: 1, Bytes: hal.NewSecret(unhex(part1)[:15])},
		} {
			if _, err := b.Keys.LoadComponent(c); !errors.Is(err, hal.ErrKeyWeak) && !errors.Is(err, hal.ErrKeyLength) || c.Bytes.Len() != 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, second := range map[string]string{"the same": part1, "equal halves": "DC565095366AB26A23A9AF6AC9954D95"} {
			b.Keys.LoadComponent(component(hal.SlotTMK, 1, part1))
			b.Keys.LoadComponent(component(hal.SlotTMK, 2, second))
			if _, err := b.Keys.JoinComponents(hal.SlotTMK, nil); !errors.Is(err, hal.ErrKeyWeak) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, slot := range []hal.KeySlot{hal.SlotPIK, hal.SlotMAK, hal.SlotSeal, hal.SlotDUKPT} {
			if _, err := b.Keys.LoadComponent(component(slot, 1, part1)); !errors.Is(err, hal.ErrKeyUse) {
				t.Errorf("by hand into %s: %v", slot, err)
			}
		}
		b.Keys.LoadComponent(component(hal.SlotTMK, 1, part1))
		b.Keys.LoadComponent(component(hal.SlotTMK, 3, part2))
		if _, err := b.Keys.JoinComponents(hal.SlotTMK, check(kbpk)); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("components 1 and 3: %v", err)
		}
	})
	t.Run("ComponentsDoNotOutliveThePower", func(t *testing.T) {
		b := open(t)
		b.Keys.LoadComponent(component(hal.SlotTMK, 1, part1))
		k := b.Reopen()
		k.LoadComponent(component(hal.SlotTMK, 2, part2))
		if _, err := k.JoinComponents(hal.SlotTMK, check(kbpk)); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("%v", err)
		}
	})
	t.Run("ComponentsAreDropped", func(t *testing.T) {
		b := open(t)
		b.Keys.LoadComponent(component(hal.SlotTMK, 1, part1))
		b.Keys.DropComponents(hal.SlotTMK)
		b.Keys.LoadComponent(component(hal.SlotTMK, 2, part2))
		if _, err := b.Keys.JoinComponents(hal.SlotTMK, check(kbpk)); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("a component that was dropped counts: %v", err)
		}
	})
	t.Run("KeyBlocks", func(t *testing.T) {
		b := open(t)
		if err := b.Keys.ImportBlock(hal.SlotPIK, []byte(blockPIK)); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("without a protection key: %v", err)
		}
		protect(t, b.Keys)
		for _, c := range []struct {
			slot  hal.KeySlot
			block string
			kcv   string
		}{
			{hal.SlotPIK, blockPIK, "3F419E1CB7079442AA37474C2EFBF8B8"},
			{hal.SlotMAK, blockMAK, part1},
			{hal.SlotTDK, blockTDK, "807A23AD32B36D457AE91FDF927570EA"},
		} {
			if err := b.Keys.ImportBlock(c.slot, []byte(c.block)); err != nil {
				t.Errorf("%s: %v", c.slot, err)
			}
			if kcv, ok := b.Reopen().Has(c.slot); !ok || !bytes.Equal(kcv[:], check(c.kcv)) {
				t.Errorf("%s: %X %v", c.slot, kcv, ok)
			}
		}
		changed := []byte(blockPIK)
		changed[40] ^= 1
		for name, c := range map[string]struct {
			slot  hal.KeySlot
			block string
		}{
			"a PIN key as MAC key":            {hal.SlotMAK, blockPIK},
			"a PIN key as track key":          {hal.SlotTDK, blockPIK},
			"a PIN key as master key":         {hal.SlotTMK, blockPIK},
			"a MAC key that cannot check":     {hal.SlotMAK, blockMakesOnly},
			"an initial key as PIN key":       {hal.SlotPIK, blockDUKPT},
			"a PIN key as initial key":        {hal.SlotDUKPT, blockPIK},
			"an initial key with no number":   {hal.SlotDUKPT, blockNoSerial},
			"an initial key that has counted": {hal.SlotDUKPT, blockHasCounted},
			"changed":                         {hal.SlotPIK, string(changed)},
			"nothing":                         {hal.SlotPIK, ""},
		} {
			var e *hal.KeyError
			if err := b.Keys.ImportBlock(c.slot, []byte(c.block)); !errors.Is(err, hal.ErrKeyBlock) || !errors.As(err, &e) || e.Slot != c.slot {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := b.Keys.ImportBlock(hal.SlotSeal, []byte(blockPIK)); !errors.Is(err, hal.ErrKeyUse) {
			t.Errorf("into the seal: %v", err)
		}
		if kcv, _ := b.Keys.Has(hal.SlotPIK); !bytes.Equal(kcv[:], check("3F419E1CB7079442AA37474C2EFBF8B8")) {
			t.Error("a refused block changed the key in force")
		}
	})
}

// transactionKeys: ANSI X9.24-1:2009 A.4, through the store.
func transactionKeys(t *testing.T, open func(t *testing.T) KeyStoreBench) {
	pin, pan := hal.NewSecret([]byte("1234")), []byte("4012345678909")
	t.Run("TransactionKeys", func(t *testing.T) {
		b := open(t)
		if _, err := b.Keys.NextDUKPT(); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("no initial key: %v", err)
		}
		protect(t, b.Keys)
		if err := b.Keys.ImportBlock(hal.SlotDUKPT, []byte(blockDUKPT)); err != nil {
			t.Fatal(err)
		}
		if _, ok := b.Keys.Has(hal.SlotDUKPT); !ok {
			t.Error("it has no transaction keys")
		}
		if _, err := b.Keys.PINBlock(hal.SlotDUKPT, hal.PINFormat0, pin, pan); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("before the first: %v", err)
		}
		ksn, err := b.Keys.NextDUKPT()
		if err != nil || ksn.String() != "FFFF9876543210E00001" {
			t.Fatalf("%s %v", ksn, err)
		}
		if block, err := b.Keys.PINBlock(hal.SlotDUKPT, hal.PINFormat0, pin, pan); err != nil || !bytes.Equal(block, unhex("1B9C1845EB993A7A")) {
			t.Errorf("PIN block %X %v", block, err)
		}
		if _, err := b.Keys.PINBlock(hal.SlotDUKPT, hal.PINFormat0, pin, pan); !errors.Is(err, hal.ErrKeyUse) {
			t.Errorf("a second PIN block under one key: %v", err)
		}
		for d, want := range map[hal.Direction]string{hal.Request: "9CCC78173FC4FB64", hal.Response: "20364223C1FF00FA"} {
			if mac, err := b.Keys.MAC(hal.SlotDUKPT, hal.MACX919, d, []byte("4012345678909D987")); err != nil || !bytes.Equal(mac[:], unhex(want)) {
				t.Errorf("MAC %d: %X %v", d, mac, err)
			}
		}
		if _, err := b.Keys.EncryptTrack(hal.SlotDUKPT, []byte("4012345678909=987")); err != nil {
			t.Error(err)
		}
		if ksn, err = b.Keys.NextDUKPT(); err != nil || ksn.String() != "FFFF9876543210E00002" {
			t.Fatalf("%s %v", ksn, err)
		}
		if block, err := b.Keys.PINBlock(hal.SlotDUKPT, hal.PINFormat0, pin, pan); err != nil || !bytes.Equal(block, unhex("10A01C8D02C69107")) {
			t.Errorf("PIN block %X %v", block, err)
		}
		k := b.Reopen()
		if _, err := k.MAC(hal.SlotDUKPT, hal.MACX919, hal.Request, nil); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("a transaction key that outlived the power: %v", err)
		}
		if ksn, err = k.NextDUKPT(); err != nil || ksn.String() != "FFFF9876543210E00003" {
			t.Errorf("after a power cut: %s %v", ksn, err)
		}
	})
	t.Run("NoNumberComesTwice", func(t *testing.T) {
		b := open(t)
		protect(t, b.Keys)
		seen := map[hal.KSN]bool{}
		next := func(k hal.KeyStore) {
			t.Helper()
			if ksn, err := k.NextDUKPT(); err != nil || seen[ksn] {
				t.Fatalf("%s %v", ksn, err)
			} else {
				seen[ksn] = true
			}
		}
		load := func(k hal.KeyStore, block string, want error) {
			t.Helper()
			if err := k.ImportBlock(hal.SlotDUKPT, []byte(block)); !errors.Is(err, want) {
				t.Fatalf("%v, want %v", err, want)
			}
		}
		load(b.Keys, blockDUKPT, nil)
		next(b.Keys)
		load(b.Keys, blockDUKPT, hal.ErrKeyUse) // the block is sent again
		next(b.Keys)
		k := b.Reopen()
		load(k, blockDUKPT, hal.ErrKeyUse)
		load(k, blockDUKPT2, nil) // another one, and then the first again
		next(k)
		load(k, blockDUKPT, hal.ErrKeyUse)
		if err := k.Forget(hal.SlotDUKPT); err != nil {
			t.Fatal(err)
		}
		if _, err := k.NextDUKPT(); !errors.Is(err, hal.ErrNoKey) {
			t.Errorf("a forgotten key: %v", err)
		}
		k = b.Reopen()
		load(k, blockDUKPT, hal.ErrKeyUse)
		load(k, blockDUKPT2, hal.ErrKeyUse)
	})
}
