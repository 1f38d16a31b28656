package recovery

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"swipewell/firmware/pos"
)

// ErrExport says that a file is no export, or not all of one.
var ErrExport = errors.New("recovery: not an export, or cut short")

// Head is the first line of an export: whose it is.
type Head struct {
	Export   int            `json:"swipewell_recovery"` // 1
	Terminal pos.TerminalID `json:"terminal"`
	Merchant pos.MerchantID `json:"merchant"`
	Store    string         `json:"store"`
	At       int64          `json:"at"` // the device's wall clock, Unix s
}

// Item is one line: a record of the outbox, its image, and what binds the two.
// Sealed is empty where there was no recovery key when the record was made.
type Item struct {
	Class  pos.Class       `json:"class"`
	Batch  pos.BatchNo     `json:"batch"`
	STAN   pos.STAN        `json:"stan"`
	Kind   pos.TxnKind     `json:"kind"`
	State  pos.RecordState `json:"state"`
	Amount int64           `json:"amount"` // minor units
	Masked pos.MaskedPAN   `json:"masked"`
	AAD    string          `json:"aad"` // hex
	Sealed []byte          `json:"sealed,omitempty"`
}

// end is the last line: how many items there are.
type end struct {
	End *int `json:"end"`
}

// Bounds of an export that is read.
const (
	maxLine  = 8 << 10
	maxItems = 10_000
	maxName  = 64
)

// Write writes an export.
func Write(w io.Writer, h Head, items []Item) error {
	h.Export = version
	out := json.NewEncoder(w)
	err := out.Encode(h)
	for _, it := range items {
		err = errors.Join(err, out.Encode(it))
	}
	n := len(items)
	return errors.Join(err, out.Encode(end{&n}))
}

// Read reads an export; ErrExport unless it is one, whole. Lines in front of the
// first and behind the last, as a terminal program keeps them, do not count.
func Read(r io.Reader) (h Head, items []Item, err error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	for began := false; sc.Scan(); {
		line := sc.Bytes()
		var e end
		switch {
		case !began:
			began = json.Unmarshal(line, &h) == nil && h.Export != 0
			if began && (h.Export != version || len(h.Terminal) > maxName || len(h.Merchant) > maxName || len(h.Store) > maxName) {
				return Head{}, nil, fmt.Errorf("%w: version %d", ErrExport, h.Export)
			}
		case json.Unmarshal(line, &e) == nil && e.End != nil:
			if *e.End != len(items) {
				return Head{}, nil, fmt.Errorf("%w: %d items of %d", ErrExport, len(items), *e.End)
			}
			return h, items, nil
		default:
			var it Item
			if err := json.Unmarshal(line, &it); err != nil || it.Class < pos.ClassReversal || it.Class > pos.ClassUpload || len(items) == maxItems {
				return Head{}, nil, fmt.Errorf("%w: line of item %d", ErrExport, len(items)+1)
			}
			items = append(items, it)
		}
	}
	return Head{}, nil, errors.Join(ErrExport, sc.Err())
}

// OpenItem opens the image of an item, and sees that it is of the record beside it.
func (p *Private) OpenItem(it Item) (Image, error) {
	aad, err := hex.DecodeString(it.AAD)
	if err != nil {
		return Image{}, ErrImage
	}
	im, err := p.Open(it.Sealed, aad)
	if err != nil {
		return im, err
	}
	if r := im.Record; r.Class != it.Class || r.Batch != it.Batch || r.STAN != it.STAN || im.PAN.Masked() != it.Masked {
		return Image{}, fmt.Errorf("%w: the image is of %v %v, the line of %v %v", ErrSealed, r.Class, r.STAN, it.Class, it.STAN)
	}
	return im, nil
}
