package world

import (
	"context"
	"crypto/ed25519"
	"crypto/sha1" //nolint:gosec // the checksum of a CA key: EMV Book 2 Annex B3
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/table"
	"swipewell/firmware/signature"
	"swipewell/firmware/sim/card"
)

// tablesSeed is the private half of the key that signs the bench's tables. It is
// published here: a board without bench = true refuses it.
var tablesSeed = []byte("swipewell bench: TEST KEY tables")

// benchApps are the applications of the bench's file.
var benchApps = []string{"A000000333010101", "A000000333010102", "A000000333010103"}

// Tables is the bench's file for chip cards, signed: the test keys under which the
// simulated cards are certified, and their applications. Up to 100.00 a card may
// pay without its issuer; nothing is left to chance.
func Tables(version int) (string, error) {
	f := table.File{Version: version, Name: "bench, TEST KEYS"}
	for _, name := range card.Names() {
		p, err := card.Load(name)
		if err != nil {
			return "", err
		}
		rid, index, rsa, err := p.CAKey()
		if err != nil {
			return "", err
		}
		k := table.Key{Modulus: rsa.N, Exponent: rsa.E, Expiry: "20491231"}
		copy(k.RID[:], rid)
		k.Index = index
		h := sha1.New() //nolint:gosec // as above
		for _, b := range [][]byte{rid, {index}, rsa.N, rsa.E} {
			h.Write(b)
		}
		k.Checksum = h.Sum(nil)
		if err := f.Set.PutKey(k); err != nil {
			return "", err
		}
	}
	data := emv.Values{0x9F09: {0, 0x30}, emv.TagTACDefault: {0xDC, 0x40, 0, 0xA8, 0}, emv.TagTACOnline: {0xDC, 0x40, 4, 0xF8, 0}, emv.TagTACDenial: {0, 0x10, 0, 0, 0},
		0x9F1B: {0, 0, 0x27, 0x10}, emv.TagThreshold: {0, 0, 0, 0}, emv.TagTarget: {0}, emv.TagMaxTarget: {0}, emv.TagDDOL: {0x9F, 0x37, 4}, 0xDF18: {1}}
	for _, name := range benchApps {
		aid, err := hex.DecodeString(name)
		if err != nil {
			return "", err
		}
		if err := f.Set.PutApp(table.App{AID: aid, Partial: true, Data: data}); err != nil {
			return "", err
		}
	}
	return signature.Sign(f.Text(), ed25519.NewKeyFromSeed(tablesSeed)), nil
}

// layTables writes the file and the key that signs it.
func (w *World) layTables(version int) error {
	text, err := Tables(version)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(w.path("cards.tables"), []byte(text), 0o600),
		os.WriteFile(w.path("desk/tables.key"), []byte(base64.StdEncoding.EncodeToString(tablesSeed)+"\n"), 0o600))
}

// tablesText names the file in the slot's section; none if a script took it away.
func (w *World) tablesText() string {
	if w.tables == "" {
		return ""
	}
	return fmt.Sprintf("tables = %q\n", w.tables)
}

// tablesKeyText is who may sign it.
func tablesKeyText() string {
	pub, _ := ed25519.NewKeyFromSeed(tablesSeed).Public().(ed25519.PublicKey)
	return fmt.Sprintf("[[tables.key]]\nname = \"bench\"\nkey = %q\n\n", base64.StdEncoding.EncodeToString(pub))
}

// tablesCmd chooses the file, before start or with the power off: one of the
// script's, the bench's own in some version, or none.
func (w *World) tablesCmd(_ context.Context, args []string) error {
	if w.Running() || len(args) == 0 || len(args) > 2 || len(args) == 2 && args[0] != "bench" {
		return usage("tables FILE | tables bench [VERSION] | tables none, before start or with the power off")
	}
	switch args[0] {
	case "none":
		w.tables = ""
	case "bench":
		version := 1
		if len(args) == 2 {
			n, err := number(args[1])
			if err != nil {
				return err
			}
			version = n
		}
		if err := w.layTables(version); err != nil {
			return err
		}
		w.tables = w.path("cards.tables")
	default:
		w.tables = args[0]
	}
	return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
}
