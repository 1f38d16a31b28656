package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"swipewell/drivers/tty"
	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/journal/export"
	"swipewell/firmware/journal/fetch"
	"swipewell/firmware/journal/otlp"
)

func (t *tool) export() *cobra.Command {
	var serial, key, who, from, lines string
	var baud int
	c := &cobra.Command{
		Use:   "export [FILE]",
		Short: "the whole log in one file that can be opened and checked anywhere",
		Long: "Fetches the log piece by piece into FILE.part and makes FILE of it when all is there. An export that was interrupted goes on\n" +
			"where it was when it is called again. --serial fetches it over the service cable, as the person whose key is given.",
		Example: "  postool log export tuesday.swjx\n  postool log export --serial /dev/ttyUSB0 --key my.key tuesday.swjx\n" +
			"  postool log export --otlp tuesday.jsonl\n  postool log --from tuesday.swjx --tx 123",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if (len(args) == 0) == (lines == "") || from != "" && lines == "" {
				return errors.New("either FILE, or --otlp FILE, with --from if it is of an export")
			}
			if lines != "" {
				return t.exportOTLP(ctx, from, lines)
			}
			var src fetch.Source = &socketSource{t}
			if serial != "" {
				cable, done, err := t.cable(ctx, serial, baud, who, key)
				if err != nil {
					return err
				}
				defer done()
				src = cable
			}
			b := &bar{w: cmd.ErrOrStderr(), began: time.Now(), live: term.IsTerminal(int(os.Stderr.Fd()))}
			err := fetch.Into(ctx, src, args[0], b.show)
			b.end()
			if err != nil {
				if _, serr := os.Stat(args[0] + ".part"); serr == nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "what has come is kept in %s.part: the same command goes on there\n", args[0])
				}
				var away *console.Unreachable
				if errors.As(err, &away) {
					return err
				}
				return failure{err}
			}
			a, err := readExport(args[0])
			if err != nil {
				return failure{err}
			}
			st, err := os.Stat(args[0])
			if err != nil {
				return failure{err}
			}
			return t.manifest(args[0], st.Size(), a)
		},
	}
	f := c.Flags()
	f.StringVar(&serial, "serial", "", "the port of the service cable: /dev/ttyUSB0")
	f.IntVar(&baud, "baud", 115200, "its rate")
	f.StringVar(&key, "key", "", "your key for the service cable, made by postool keygen")
	f.StringVar(&who, "as", string(console.Engineer), "the role of the key")
	f.StringVar(&lines, "otlp", "", "write OpenTelemetry log records in JSON into this file instead (- is the output)")
	f.StringVar(&from, "from", "", "with --otlp: of a folder or an export instead of the device")
	return c
}

// exportOTLP writes all entries as OpenTelemetry has them.
func (t *tool) exportOTLP(ctx context.Context, from, path string) error {
	out, done := t.out, func() error { return nil }
	if path != "-" {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return failure{err}
		}
		out, done = f, func() error { return errors.Join(f.Sync(), f.Close()) }
	}
	l := &logFlags{t: t, from: from, form: "otlp"}
	w, err := l.otlp(ctx, out)
	if err != nil {
		return errors.Join(err, done())
	}
	_, err = l.each(ctx, console.Request{Cmd: "log"}, w.Add)
	if err = errors.Join(err, w.Flush()); err != nil {
		return errors.Join(err, done())
	}
	return wrapped(done())
}

// otlp is a writer for the entries of the device, or of what --from names.
func (l *logFlags) otlp(ctx context.Context, out io.Writer) (*otlp.Writer, error) {
	var r otlp.Resource
	if l.from == "" {
		err := l.t.items(ctx, console.Request{Cmd: "status"}, func(rep console.Reply) error {
			var s console.Status
			err := json.Unmarshal(rep.Data, &s)
			r = otlp.Resource{Terminal: string(s.Terminal), Build: s.Version}
			return err
		})
		if err != nil {
			return nil, err
		}
	} else if export.Is(l.from) {
		a, err := readExport(l.from)
		if err != nil {
			return nil, failure{err}
		}
		r = otlp.Resource{Terminal: a.Manifest.Terminal, Build: a.Manifest.Build}
	}
	return otlp.New(out, r, func(e journal.Entry) string { return console.Words(l.t.lang(), e) }), nil
}

// socketSource is the device by its service socket.
type socketSource struct{ t *tool }

func (s *socketSource) Pieces(ctx context.Context) (m export.Manifest, ps []export.Piece, err error) {
	err = s.t.items(ctx, console.Request{Cmd: "log-pieces"}, func(r console.Reply) error {
		if r.Kind == "manifest" {
			return json.Unmarshal(r.Data, &m)
		}
		var p export.Piece
		err := json.Unmarshal(r.Data, &p)
		ps = append(ps, p)
		return err
	})
	return m, ps, err
}

func (s *socketSource) Read(ctx context.Context, name string, off int64, fn func([]byte) error) error {
	return s.t.items(ctx, console.Request{Cmd: "log-piece", Name: name, N: int(off)}, func(r console.Reply) error {
		var b []byte
		if err := json.Unmarshal(r.Data, &b); err != nil {
			return err
		}
		return fn(b)
	})
}

// cable logs in at the far end of the service cable.
func (t *tool) cable(ctx context.Context, path string, baud int, who, key string) (c *console.Cable, done func(), err error) {
	if key == "" {
		return nil, nil, errors.New("--serial needs --key: your key for the service cable")
	}
	priv, err := signer(key)
	if err != nil {
		return nil, nil, err
	}
	defer clear(priv)
	port, err := tty.Open(tty.Opts{Path: path, Baud: baud})
	if err != nil {
		return nil, nil, failure{err}
	}
	c = console.NewCable(&quietPort{ctx: ctx, p: port})
	if err := c.Login(ctx, console.Role(who), priv); err != nil {
		port.Close()
		return nil, nil, failure{err}
	}
	return c, func() {
		_ = c.Logout(context.WithoutCancel(ctx))
		port.Close()
	}, nil
}

// quiet is how long a console may say nothing before it is asked again.
const quiet = 3 * time.Second

// quietPort is a port whose Read ends when nothing comes.
type quietPort struct {
	ctx context.Context
	p   interface {
		Read(ctx context.Context, b []byte) (int, error)
		Write(ctx context.Context, b []byte) (int, error)
	}
}

func (q *quietPort) Read(b []byte) (int, error) {
	ctx, cancel := context.WithTimeout(q.ctx, quiet)
	defer cancel()
	n, err := q.p.Read(ctx, b)
	if n == 0 && err != nil && ctx.Err() != nil && q.ctx.Err() == nil {
		return 0, os.ErrDeadlineExceeded
	}
	return n, err
}

func (q *quietPort) Write(b []byte) (int, error) { return q.p.Write(q.ctx, b) }

// bar shows how far something is: a line that is written over on a terminal, and one line at the
// end where it is none.
type bar struct {
	w         io.Writer
	began     time.Time
	live      bool
	shown     time.Time
	last      string
	have, all int64
	kept      int64
}

func (b *bar) show(have, kept, all int64) {
	b.have, b.kept, b.all = have, kept, all
	if !b.live || time.Since(b.shown) < 100*time.Millisecond && have < all {
		return
	}
	b.shown = time.Now()
	line := barLine(have, kept, all, time.Since(b.began))
	fmt.Fprintf(b.w, "\r%-*s", len(b.last), line)
	b.last = line
}

func (b *bar) end() {
	switch {
	case b.live && b.last != "":
		fmt.Fprintln(b.w)
	case b.all > 0:
		fmt.Fprintln(b.w, barLine(b.have, b.kept, b.all, time.Since(b.began)))
	}
}

// barLine is a bar with the share, the amount, the rate of what came now, and the time to go.
func barLine(have, kept, all int64, took time.Duration) string {
	const width = 24
	done := width
	share := 100.0
	if all > 0 {
		done, share = int(width*have/all), 100*float64(have)/float64(all)
	}
	line := fmt.Sprintf("[%s%s] %3.0f%%  %d of %d kB", strings.Repeat("#", done), strings.Repeat("-", width-done), share, have>>10, all>>10)
	if kept > 0 {
		line += fmt.Sprintf("  (%d kB were here)", kept>>10)
	}
	if rate := float64(have-kept) / max(took.Seconds(), 0.001); rate > 0 {
		line += fmt.Sprintf("  %.1f kB/s", rate/1024)
		if have < all {
			line += "  ETA " + time.Duration(float64(all-have)/rate*float64(time.Second)).Round(time.Second).String()
		}
	}
	return line
}
