package kmsg

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	tests := []struct {
		line string
		want Message
		ok   bool
	}{
		{"6,339,5140900,-;NET: Registered PF_INET6", Message{slog.LevelInfo, false, 339, 5140900 * time.Microsecond, "NET: Registered PF_INET6"}, true},
		{"3,7,12,-,caller=T1;mmc0: error -110; giving up\n", Message{slog.LevelError, false, 7, 12 * time.Microsecond, "mmc0: error -110; giving up"}, true},
		{"12,1,1,-;a program", Message{slog.LevelWarn, true, 1, time.Microsecond, "a program"}, true},
		{"7,1,1,-;x", Message{slog.LevelDebug, false, 1, time.Microsecond, "x"}, true},
		{"6,1,1,-;a\x1b[31m\tb", Message{slog.LevelInfo, false, 1, time.Microsecond, "a?[31m?b"}, true},
		{" SUBSYSTEM=acpi;", Message{}, false},
		{"6,1;short", Message{}, false},
		{"6,x,1,-;y", Message{}, false},
		{"no record", Message{}, false},
		{"", Message{}, false},
	}
	for _, tc := range tests {
		m, ok := Parse(tc.line)
		if ok != tc.ok || ok && m != tc.want {
			t.Errorf("%q: %+v %v", tc.line, m, ok)
		}
	}
	if m, _ := Parse("6,1,1,-;" + strings.Repeat("中", 500)); len(m.Text) > MaxText || len(m.Text) < MaxText-3 || !strings.HasSuffix(m.Text, "中") {
		t.Errorf("%d bytes", len(m.Text))
	}
}

// gaps is a device that overwrites: each read a record, or EPIPE.
type gaps []string

func (g *gaps) Read(b []byte) (int, error) {
	if len(*g) == 0 {
		return 0, io.EOF
	}
	s := (*g)[0]
	*g = (*g)[1:]
	if s == "" {
		return 0, syscall.EPIPE
	}
	n := copy(b, s)
	if n < len(s) {
		*g = append(gaps{s[n:]}, *g...)
	}
	return n, nil
}

func TestRead(t *testing.T) {
	in := gaps{"4,1,1,-;one\n SUBSYSTEM=x\n", "", "", "6,9,2,-;nine\n", strings.Repeat("z", 3*maxRecord) + "\n", "6,10,3,-;ten"}
	var got []string
	if err := Read(t.Context(), &in, 0, func(m Message) { got = append(got, m.Text) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"one", "nine", "ten"}, got); d != "" {
		t.Error(d)
	}
	broken := errors.New("broken")
	if err := Read(t.Context(), io.MultiReader(strings.NewReader("4,1,1,-;one\n"), failing{broken}), 0, func(Message) {}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

// A file that grows: what came in two pieces is one message.
func TestReadAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in := growing{"6,1,1,-;half", "", " and half\n", ""}
	var got []string
	err := Read(ctx, &in, time.Microsecond, func(m Message) { got = append(got, m.Text); cancel() })
	if err != nil || cmp.Diff([]string{"half and half"}, got) != "" {
		t.Error(got, err)
	}
}

type growing []string

func (g *growing) Read(b []byte) (int, error) {
	if len(*g) == 0 || (*g)[0] == "" {
		*g = (*g)[min(1, len(*g)):]
		return 0, io.EOF
	}
	n := copy(b, (*g)[0])
	*g = (*g)[1:]
	return n, nil
}

func FuzzParse(f *testing.F) {
	f.Add("6,339,5140900,-;NET")
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := Parse(s); ok && (len(m.Text) > MaxText || strings.ContainsAny(m.Text, "\x00\n\x1b") || m.At < 0) {
			t.Errorf("%+v", m)
		}
	})
}
