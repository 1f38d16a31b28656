package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"swipewell/firmware/pos"
)

// The test binary is its own child: STORE_TEST says what it is this time.
func TestMain(m *testing.M) {
	last := os.Args[len(os.Args)-1]
	switch os.Getenv("STORE_TEST") {
	case "":
		flag.Set("rapid.checks", "20") // each check is some thirty commits; the command line may ask for more
		os.Exit(m.Run())
	case "judge":
		os.Exit(JudgeMain(last))
	case "hang":
		select {}
	case "silent":
		os.Exit(0)
	case "hold":
		childHold(last)
	case "sell":
		childSell(last)
	case "flip": // a flipped bit can ask for all memory there is
		if unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: judgeMemory, Max: judgeMemory}) != nil {
			os.Exit(9)
		}
		childFlip(last)
	}
	os.Exit(9)
}

func mustNotJudge(t *testing.T) func(context.Context, string) error {
	return func(context.Context, string) error {
		t.Error("the judge was asked")
		return nil
	}
}

// child runs this binary in a role.
func child(role, path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), "STORE_TEST="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// selfJudge is Judge with this binary as the child.
func selfJudge(t *testing.T, role string, limit time.Duration) func(context.Context, string) error {
	t.Setenv("STORE_TEST", role)
	return judgeWith(limit, os.Args[0])
}

// crashed is a directory with a store of n sales that was not closed cleanly.
func crashed(t testing.TB, n int) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	s := open(t, dir, Opts{})
	for i := 1; i <= n; i++ {
		if err := sellOne(s, pos.STAN(i)); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, Change{State: testState(n), PutRecord: []pos.Record{reversal(900, pos.RecordQueued)}})
	s.Close()
	if err := os.Remove(filepath.Join(dir, cleanFile)); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "state.db")
}

func edit(t *testing.T, path string, fn func(b []byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fn(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reframe changes a value and gives it a checksum that fits.
func reframe(t *testing.T, path string, bucket, key []byte, fn func(p []byte) []byte) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucket)
		p, err := unframe(bucket, key, b.Get(key))
		if err != nil {
			return err
		}
		return b.Put(key, frame(bucket, key, fn(bytes.Clone(p))))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// used is how much of the file bbolt uses.
func used(t testing.TB, path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := readHeader(f)
	if err != nil {
		t.Fatal(err)
	}
	return int64(m.pages * m.pageSize)
}

func TestDamagedFilesAreRefusedAndLeftAlone(t *testing.T) {
	_, path := crashed(t, 40)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := used(t, path)
	tests := []struct {
		name string
		fn   func(b []byte) []byte
	}{
		{"empty", func(b []byte) []byte { return nil }},
		{"one byte", func(b []byte) []byte { return b[:1] }},
		{"a page", func(b []byte) []byte { return b[:4096] }},
		{"cut in half", func(b []byte) []byte { return b[:n/2] }},
		{"last used page gone", func(b []byte) []byte { return b[:n-4096] }},
		{"all zero", func(b []byte) []byte { return make([]byte, len(b)) }},
		{"text", func(b []byte) []byte { return bytes.Repeat([]byte("not a store\n"), 4000) }},
		{"meta 0 zeroed", func(b []byte) []byte { clear(b[:4096]); return b }},
		{"meta 1 zeroed", func(b []byte) []byte { clear(b[4096:8192]); return b }},
		{"a bit of meta 0 that only its checksum guards", func(b []byte) []byte { b[16+12] ^= 4; return b }},
		{"the same of meta 1", func(b []byte) []byte { b[4096+16+12] ^= 4; return b }},
		{"meta bit", func(b []byte) []byte { b[16+48] ^= 1; return b }},
		{"all pages but meta zeroed", func(b []byte) []byte { clear(b[8192:]); return b }},
		{"torn: the second half is of another time", func(b []byte) []byte { copy(b[n/2/4096*4096:n], b[8192:n]); return b }},
		{"a digit of a row", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"Minor":1280`), []byte(`"Minor":9280`)) }},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "state.db")
			bad := tc.fn(bytes.Clone(good))
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			judge := selfJudge(t, "judge", judgeTime)
			s, err := Open(path, Opts{Judge: judge})
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("got %v", err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, bad) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

// A child that hangs, dies or says nothing means a damaged file.
func TestJudgeIsJudged(t *testing.T) {
	_, path := crashed(t, 1)
	for role, limit := range map[string]time.Duration{"hang": 100 * time.Millisecond, "silent": judgeTime, "nonsense": judgeTime} {
		if err := selfJudge(t, role, limit)(t.Context(), path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", role, err)
		}
	}
	if err := Judge(filepath.Join(t.TempDir(), "nothing"))(t.Context(), path); err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("no judge at all: %v", err)
	}
	if err := selfJudge(t, "judge", judgeTime)(t.Context(), path); err != nil {
		t.Errorf("a good file: %v", err)
	}
}

// Any single bit: either the file is refused, or nothing that counts changed.
func TestFlippedBits(t *testing.T) {
	_, path := crashed(t, 12)
	out := filepath.Join(t.TempDir(), "done")
	// A flip may kill the child, which is a refusal; the next one goes on behind it.
	total, fine := 0, 0
	for from := 0; ; {
		cmd := child("flip", path)
		cmd.Env = append(cmd.Env, fmt.Sprint("FLIP_FROM=", from), "FLIP_OUT="+out)
		cmd.Stderr = nil
		err := cmd.Run()
		raw, rerr := os.ReadFile(out)
		if rerr != nil {
			t.Fatal(err, rerr)
		}
		var at, refused, harmless int
		var wrong string
		fmt.Sscan(string(raw), &at, &refused, &harmless, &wrong)
		if wrong != "" {
			t.Fatalf("bit flipped at %d: accepted, and the content changed", at)
		}
		total, fine = total+refused, fine+harmless
		if err == nil {
			if total < 20 || fine < 1 {
				t.Errorf("%d refused, %d harmless: the test tests nothing", total, fine)
			}
			return
		}
		total++
		from = at + 1
	}
}

// flipStride visits the file at a stride that meets all offsets of a page.
const flipStride = 163

func childFlip(path string) {
	good, err := os.ReadFile(path)
	if err != nil {
		os.Exit(9)
	}
	content := func(p string) string {
		db, err := bolt.Open(p, 0o600, &bolt.Options{ReadOnly: true})
		if err != nil {
			return err.Error()
		}
		defer db.Close()
		var b strings.Builder
		db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(name []byte, bk *bolt.Bucket) error {
				return bk.ForEach(func(k, v []byte) error {
					_, err := fmt.Fprintf(&b, "%s %x %x\n", name, k, v)
					return err
				})
			})
		})
		return b.String()
	}
	want := content(path)
	f, err := os.Open(path)
	if err != nil {
		os.Exit(9)
	}
	m, err := readHeader(f)
	if err != nil {
		os.Exit(9)
	}
	from := 0
	fmt.Sscan(os.Getenv("FLIP_FROM"), &from)
	bad := path + ".flipped"
	refused, harmless := 0, 0
	note := func(i int, wrong string) {
		os.WriteFile(os.Getenv("FLIP_OUT"), fmt.Appendf(nil, "%d %d %d %s", i, refused, harmless, wrong), 0o600)
	}
	for i := 0; i < int(m.pages*m.pageSize); i += flipStride {
		if i < from {
			continue
		}
		note(i, "")
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		os.WriteFile(bad, b, 0o600)
		if judgeFile(bad) != nil {
			refused++
			continue
		}
		if content(bad) != want {
			note(i, "changed")
			os.Exit(0)
		}
		harmless++
	}
	note(0, "")
	os.Exit(0)
}

func TestOtherRefusals(t *testing.T) {
	schema := func(v uint32) func(t *testing.T, dir, path string) {
		return func(t *testing.T, dir, path string) {
			reframe(t, path, metaBucket, schemaKey, func([]byte) []byte { return binary.BigEndian.AppendUint32(nil, v) })
		}
	}
	var se *SchemaError
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir, path string)
		ok    func(err error) bool
	}{
		{"newer schema", schema(Schema + 1), func(err error) bool { return errors.As(err, &se) && se.Have == Schema+1 && se.Want == Schema }},
		{"older schema", schema(0), func(err error) bool { return errors.As(err, &se) && se.Have == 0 }},
		{"missing", func(t *testing.T, dir, path string) { os.Remove(path) }, is(ErrMissing)},
		{"a directory", func(t *testing.T, dir, path string) { os.Remove(path); os.Mkdir(path, 0o700) }, is(ErrDamaged)},
		{"another device's", func(t *testing.T, dir, path string) {
			os.WriteFile(filepath.Join(dir, idFile), []byte("00112233445566778899aabbccddeeff\n"), 0o600)
		}, is(ErrDamaged)},
		{"two armed", func(t *testing.T, dir, path string) {
			put2 := []pos.Record{reversal(1, pos.RecordArmed), reversal(2, pos.RecordArmed)}
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			db.Update(func(tx *bolt.Tx) error {
				for _, r := range put2 {
					raw, _ := json.Marshal(outRow{Record: r, Sealed: []byte{1}})
					put(tx.Bucket(classBucket(pos.ClassReversal)), classBucket(pos.ClassReversal), recordKey(r.RecordID), raw)
				}
				return nil
			})
		}, is(ErrDamaged)},
		{"rows without state", func(t *testing.T, dir, path string) {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			db.Update(func(tx *bolt.Tx) error { return drop(tx.Bucket(stateBucket), stateKey) })
		}, is(ErrDamaged)},
		{"a row lost", func(t *testing.T, dir, path string) {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			db.Update(func(tx *bolt.Tx) error {
				b := tx.Bucket(batchBucket("cup", 1))
				return b.Delete(findRow(b, 2))
			})
		}, is(ErrDamaged)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir, path := crashed(t, 3)
			tc.spoil(t, dir, path)
			s, err := Open(path, Opts{Judge: selfJudge(t, "judge", judgeTime)})
			if err == nil {
				s.Close()
			}
			if !tc.ok(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

// After a clean close, any change of the used part is found by its hash.
func TestChangedAfterCleanClose(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Opts{})
	commit(t, s, Change{State: testState(1)})
	s.Close()
	path := filepath.Join(dir, "state.db")
	edit(t, path, func(b []byte) []byte { b[used(t, path)-1] ^= 1; return b })
	if _, err := Open(path, Opts{}); !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v", err)
	}
	edit(t, path, func(b []byte) []byte { b[used(t, path)-1] ^= 1; return b })
	open(t, dir, Opts{Judge: mustNotJudge(t)})
	if _, err := os.Stat(filepath.Join(dir, cleanFile)); !os.IsNotExist(err) {
		t.Error("the mark is still there while the store is open")
	}
}

// A torn mark is no mark: the file is judged.
func TestTornMark(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, Opts{}).Close()
	edit(t, filepath.Join(dir, cleanFile), func(b []byte) []byte { return b[:len(b)-3] })
	asked := false
	open(t, dir, Opts{Judge: func(_ context.Context, p string) error { asked = true; return judgeFile(p) }})
	if !asked {
		t.Error("the judge was not asked")
	}
}

// A power cut in the middle of creation leaves nothing that looks like a store.
func TestTornCreation(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "state.db.new"), make([]byte, 9000), 0o600)
	s := open(t, dir, Opts{})
	commit(t, s, Change{State: testState(1)})
	s.Close()
	os.Remove(filepath.Join(dir, idFile)) // the cut came before the id was written
	s = open(t, dir, Opts{})
	if raw, err := os.ReadFile(filepath.Join(dir, idFile)); err != nil || strings.TrimSpace(string(raw)) != s.ID() {
		t.Errorf("id %q, %v", raw, err)
	}
}

func TestBusy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	open(t, dir, Opts{})
	if _, err := Open(path, Opts{Wait: time.Millisecond}); !errors.Is(err, ErrBusy) {
		t.Errorf("the same process: %v", err)
	}

	// Another process, which holds the file by bbolt alone.
	_, path = crashed(t, 1)
	cmd := child("hold", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Read(make([]byte, 1))
	_, err = Open(path, Opts{Judge: selfJudge(t, "judge", judgeTime), Wait: time.Millisecond})
	in.Close()
	cmd.Wait()
	if !errors.Is(err, ErrBusy) {
		t.Errorf("another process: %v", err)
	}
	s, err := Open(path, Opts{}) // it is gone
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func childHold(path string) {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		os.Exit(9)
	}
	fmt.Print("h")
	os.Stdin.Read(make([]byte, 1)) // until the parent closes it
	db.Close()
	os.Exit(0)
}

// kill -9 at random moments: what was told is there, nothing is half there.
func TestKilledInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	open(t, dir, Opts{}).Close()
	judge := selfJudge(t, "judge", judgeTime)
	for round := range 12 {
		cmd := child("sell", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		told, buf := 0, make([]byte, 8)
		for i := 0; i < 3+5*round; i++ { // one record for each sale that is done
			if _, err := out.Read(buf); err != nil {
				break
			}
			told = int(binary.LittleEndian.Uint64(buf))
		}
		cmd.Process.Kill()
		for {
			n, err := out.Read(buf)
			if n == 8 {
				told = int(binary.LittleEndian.Uint64(buf))
			}
			if err != nil {
				break
			}
		}
		cmd.Wait()

		s, err := Open(path, Opts{Judge: judge})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		c, err := s.Counts()
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := s.State()
		var st struct{ STAN, Done int }
		json.Unmarshal(raw, &st)
		if told == 0 || c.Sales < told || c.Sales > told+1 || st.Done != c.Sales {
			t.Fatalf("told %d sales, has %d, state %s", told, c.Sales, raw)
		}
		if open := st.STAN - st.Done; open != c.Armed {
			t.Fatalf("%d armed records, state %s", c.Armed, raw)
		}
		s.db.Close() // no clean mark: the next round judges
		s.lock.Close()
		s.lock = nil
	}
}

// childSell sells until it is killed, and tells of each sale that is done.
func childSell(path string) {
	s, err := Open(path, Opts{})
	if err != nil {
		os.Exit(9)
	}
	raw, _ := s.State()
	var st struct{ STAN, Done int }
	json.Unmarshal(raw, &st)
	if st.STAN != st.Done { // an intent was open: it goes on
		st.STAN = st.Done
		if rows, _ := s.Records(); len(rows) > 0 {
			raw, _ := json.Marshal(st)
			s.Commit(Change{State: raw, DropRecord: []RecordKey{revKey(rows[0].RecordID)}}, nil)
		}
	}
	for {
		st.STAN++
		row := sale(pos.STAN(st.STAN))
		raw, _ := json.Marshal(st)
		if s.Commit(Change{State: raw, PutRecord: []pos.Record{reversal(row.STAN, pos.RecordArmed)}}, &plainSealer{}) != nil {
			os.Exit(9)
		}
		st.Done++
		raw, _ = json.Marshal(st)
		if s.Commit(Change{State: raw, DropRecord: []RecordKey{revKey(row.RecordID)}, PutSale: []pos.Sale{row}}, nil) != nil {
			os.Exit(9)
		}
		os.Stdout.Write(binary.LittleEndian.AppendUint64(nil, uint64(st.Done)))
	}
}

// FuzzHeader: whatever the bytes, reading the header ends, without a panic.
func FuzzHeader(f *testing.F) {
	_, path := crashed(f, 1)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good[:8192])
	f.Add(good[:16384])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		m, err := readHeader(r)
		if err == nil && m.pages*m.pageSize > uint64(len(b)) {
			t.Errorf("accepted %d pages of %d in %d bytes", m.pages, m.pageSize, len(b))
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v", err)
		}
	})
}

// FuzzRow: values from anywhere decode or are refused as damaged.
func FuzzRow(f *testing.F) {
	raw, _ := json.Marshal(sale(7))
	name, key := batchBucket("cup", 1), rowKey(firstEpoch, 7)
	f.Add(key, frame(name, key, raw))
	f.Add(key, []byte{1, 2})
	f.Fuzz(func(t *testing.T, k, v []byte) {
		if _, err := decodeSale(name, k, v); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("row: %v", err)
		}
		if _, err := decodeRecord(pos.ClassReversal, k, v); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("record: %v", err)
		}
	})
}
