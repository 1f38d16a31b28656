package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"swipewell/firmware/pos"
)

// Schema is the version of the layout that this build reads and writes.
const Schema uint32 = 4

var (
	metaBucket  = []byte("meta")
	stateBucket = []byte("state")
	schemaKey   = []byte("schema") // big-endian uint32
	idKey       = []byte("id")     // 32 hex digits
	stateKey    = []byte("txn")
	batchPrefix = []byte("batch/")
)

// classBucket holds the records of one class.
func classBucket(c pos.Class) []byte { return []byte{'o', 'u', 't', 'b', 'o', 'x', '/', '0' + byte(c)} }

// classOf is the class whose bucket this is.
func classOf(name []byte) (pos.Class, bool) {
	for _, c := range pos.Classes {
		if bytes.Equal(name, classBucket(c)) {
			return c, true
		}
	}
	return 0, false
}

// castagnoli is the polynomial with an instruction of its own on amd64 and arm64.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func rowSum(bucket, key, payload []byte) uint32 {
	s := crc32.Update(0, castagnoli, bucket)
	s = crc32.Update(s, castagnoli, []byte{0})
	s = crc32.Update(s, castagnoli, key)
	s = crc32.Update(s, castagnoli, []byte{0})
	return crc32.Update(s, castagnoli, payload)
}

// frame is a value as the file holds it: the sum, then the payload.
func frame(bucket, key, payload []byte) []byte {
	v := make([]byte, 4, 4+len(payload))
	binary.BigEndian.PutUint32(v, rowSum(bucket, key, payload))
	return append(v, payload...)
}

// unframe checks a value's sum; the payload aliases v.
func unframe(bucket, key, v []byte) ([]byte, error) {
	if len(v) < 4 {
		return nil, damaged("%s %x: a value of %d bytes", bucket, key, len(v))
	}
	if binary.BigEndian.Uint32(v) != rowSum(bucket, key, v[4:]) {
		return nil, damaged("%s %x: the checksum does not match", bucket, key)
	}
	return v[4:], nil
}

// recordKey is context, 0, batch and STAN, big-endian: records of one context
// sort by batch, then STAN.
func recordKey(id pos.RecordID) []byte {
	k := append([]byte(id.Context), 0)
	k = binary.BigEndian.AppendUint32(k, uint32(id.Batch))
	return binary.BigEndian.AppendUint32(k, uint32(id.STAN))
}

// badID tells what is wrong with an id as a key, "" if nothing.
func badID(id pos.RecordID) string {
	switch {
	case id.STAN == 0 || id.STAN > pos.MaxSTAN:
		return fmt.Sprintf("STAN %d", id.STAN)
	case id.Batch > 999_999:
		return fmt.Sprintf("batch %d", id.Batch)
	case len(id.Context) > 64 || bytes.ContainsAny([]byte(id.Context), "\x00/"):
		return fmt.Sprintf("context %q", id.Context)
	}
	return ""
}

// batchBucket names the bucket of a batch.
func batchBucket(context string, n pos.BatchNo) []byte {
	return []byte("batch/" + context + "/" + n.String())
}

// A row's key in its batch is an epoch and the STAN, so that rows append in the
// order of their numbers even where the STAN wraps from 999999 to 1.
const firstEpoch byte = 1

func rowKey(epoch byte, s pos.STAN) []byte {
	k := binary.BigEndian.AppendUint32(nil, uint32(s))
	k[0] = epoch // a STAN fits 20 bits
	return k
}

func rowSTAN(key []byte) pos.STAN { return pos.STAN(binary.BigEndian.Uint32(key) & 0xff_ffff) }

// epochOf is where a number goes next to the last one of the batch: half the
// circle of numbers lies ahead of it, half behind.
func epochOf(last []byte, s pos.STAN) byte {
	if last == nil {
		return firstEpoch
	}
	const half = pos.MaxSTAN / 2
	e, l := last[0], rowSTAN(last)
	switch {
	case s < l && l-s > half:
		return e + 1
	case s > l && s-l > half:
		return e - 1
	}
	return e
}

// outRow is the payload of a record: the record, the sealed PAN and expiry, and the
// image that is sealed to the acquirer.
type outRow struct {
	Record pos.Record `json:"rec"`
	Sealed []byte     `json:"sealed"`
	Image  []byte     `json:"image,omitempty"`
}

func decodeRecord(c pos.Class, key, v []byte) (RecordRow, error) {
	b := classBucket(c)
	p, err := unframe(b, key, v)
	if err != nil {
		return RecordRow{}, err
	}
	var r outRow
	if err := json.Unmarshal(p, &r); err != nil {
		return RecordRow{}, damaged("%s %x: %v", b, key, err)
	}
	if r.Record.Class == 0 && c == pos.ClassReversal { // of schema 1
		r.Record.Class = c
	}
	if r.Record.Class != c || !bytes.Equal(key, recordKey(r.Record.RecordID)) {
		return RecordRow{}, damaged("%s %x: holds %v %v", b, key, r.Record.Class, r.Record.RecordID)
	}
	return RecordRow{Record: r.Record, Sealed: r.Sealed, Image: r.Image}, nil
}

// saleRow is the payload of a batch row; Sealed is empty where the card was not
// at hand (rows of schema 1).
type saleRow struct {
	pos.Sale
	Sealed []byte `json:"sealed,omitempty"`
}

func decodeSale(bucket, key, v []byte) (saleRow, error) {
	p, err := unframe(bucket, key, v)
	if err != nil {
		return saleRow{}, err
	}
	var s saleRow
	if err := json.Unmarshal(p, &s); err != nil {
		return saleRow{}, damaged("%s %x: %v", bucket, key, err)
	}
	if len(key) != 4 || rowSTAN(key) != s.STAN || !bytes.Equal(bucket, batchBucket(s.Context, s.Batch)) {
		return saleRow{}, damaged("%s %x: holds row %v", bucket, key, s.RecordID)
	}
	return s, nil
}
