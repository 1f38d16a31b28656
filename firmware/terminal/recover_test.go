package terminal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"swipewell/firmware/card"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
	"swipewell/firmware/store"
	"swipewell/hal"
)

// noImage is a board without a recovery key.
type noImage struct{ one }

func (noImage) Image(pos.Record, []byte) ([]byte, error) { return nil, nil }

// Records of before the board named a key, or of another key, get their images at a
// start; after the keys are erased the images are all that opens.
func TestImageRecords(t *testing.T) {
	r := newRenaming(t)
	pan, err := card.ParsePAN([]byte("6225880000000000010"))
	if err != nil {
		t.Fatal(err)
	}
	rec := pos.Record{RecordID: pos.RecordID{Context: "bench", Batch: 1, STAN: 7}, Class: pos.ClassReversal, Kind: pos.KindSale, State: pos.RecordQueued, Amount: pos.Fen(1280), Card: pos.CardRef{1}, Masked: pan.Masked()}
	if err := r.st.Commit(store.Change{PutRecord: []pos.Record{rec}}, noImage{one{r.ks, pan}}); err != nil {
		t.Fatal(err)
	}
	pair := func() (*recovery.Private, *recovery.Public) {
		a, b, err := recovery.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		priv, err1 := recovery.ParsePrivate(a)
		pub, err2 := recovery.ParsePublic(b)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return priv, pub
	}
	_, old := pair()
	priv, pub := pair()
	for _, c := range []struct {
		to   *recovery.Public
		want int
	}{{old, 1}, {old, 0}, {pub, 1}, {pub, 0}} {
		if n, err := ImageRecords(r.st, r.ks, c.to); n != c.want || err != nil {
			t.Errorf("%v: %d %v, want %d", c.to.ID(), n, err, c.want)
		}
	}
	if gone, err := Erased(r.ks); gone || err != nil {
		t.Errorf("%v %v", gone, err)
	}
	if err := r.ks.Erase(); err != nil {
		t.Fatal(err)
	}
	if gone, err := Erased(r.ks); !gone || err != nil {
		t.Errorf("erased, and not seen: %v", err)
	}
	items, err := RecoveryItems(r.st)
	if err != nil || len(items) != 1 {
		t.Fatalf("%d %v", len(items), err)
	}
	im, err := priv.OpenItem(items[0])
	if err != nil || im.PAN != pan || im.Record.STAN != 7 || im.Record.Amount != pos.Fen(1280) {
		t.Errorf("%+v %v", im.Record, err)
	}
	rows, _ := r.st.Records()
	if _, _, err := keys.OpenCard(r.ks, rows[0].Sealed, r.st.AAD(rec.Class, rec.RecordID)); !errors.Is(err, hal.ErrTampered) {
		t.Errorf("the device's own seal opens still: %v", err)
	}
	if want := hex.EncodeToString(r.st.AAD(rec.Class, rec.RecordID)); items[0].AAD != want || bytes.Contains(items[0].Sealed, []byte("6225880000000000010")) {
		t.Error("the line of an export")
	}
}
