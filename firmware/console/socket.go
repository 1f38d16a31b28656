package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/hal"
	"swipewell/ui/text"
)

// Request is one line of a client. WIRE.
type Request struct {
	Cmd    string         `json:"cmd"` // status queue batch tx log log-boots log-stats log-verify log-export log-pieces log-piece check ping page alerts take limits seals recovery rules rules-try rules-load
	Tx     string         `json:"tx,omitempty"`
	Filter journal.Filter `json:"filter,omitzero"`
	Ago    time.Duration  `json:"ago,omitempty"` // log: since so long before the device's wall clock
	Follow bool           `json:"follow,omitempty"`
	// AgoUntil: log: until so long before the device's wall clock.
	AgoUntil time.Duration `json:"ago_until,omitempty"`
	Name     string        `json:"name,omitempty"` // page: which; alerts: "all"; log-piece: which; selfcheck: "echo"; service-note: what was done
	Lang     string        `json:"lang,omitempty"` // page
	N        int           `json:"n,omitempty"`    // take: an alert; rules-try: days; log-piece: from this byte on; service-note: 0 it went well
	Text     string        `json:"text,omitempty"` // rules-try, rules-load, config-diff, config-set: a file; service-note: who and what
}

// Reply is one line of the server: an item, or the end.
type Reply struct {
	Kind  string          `json:"kind,omitempty"` // status reversal sale entry
	Data  json.RawMessage `json:"data,omitempty"`
	End   bool            `json:"end,omitempty"`
	OK    bool            `json:"ok,omitempty"`
	Error string          `json:"error,omitempty"`
}

// maxRequest bounds a request's line; maxClients how many are served at once.
const (
	maxRequest = 64 << 10
	maxClients = 16
)

// Server answers on the service socket.
type Server struct {
	o    Opts
	l    net.Listener
	path string
	wg   sync.WaitGroup
}

// Listen makes the socket, mode 0600, in place of one that a killed process
// left. Only the holder of the store may call it: it asks nobody.
func Listen(path string, o Opts) (*Server, error) {
	if o.Clock == nil {
		o.Clock = hal.SystemClock{}
	}
	// The name appears with its mode already set: bind beside it, then rename.
	tmp := path + "~"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("console: %w", err)
	}
	short, done, err := shortPath(tmp)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(tmp, 0o600)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		l.Close()
		os.Remove(tmp)
		return nil, fmt.Errorf("console: %w", err)
	}
	return &Server{o: o, l: l, path: path}, nil
}

// shortPath is a name for path that fits sun_path (108 bytes, UNIX7): a long
// one goes by way of its directory's descriptor, which done closes.
func shortPath(path string) (short string, done func(), err error) {
	if len(path) < 100 {
		return path, func() {}, nil
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), filepath.Base(path)), func() { d.Close() }, nil
}

// Serve answers until ctx ends, then removes the socket and waits for its
// clients' requests to end.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		os.Remove(s.path)
		s.l.Close()
	})
	defer stop()
	defer s.wg.Wait()
	slots := make(chan struct{}, maxClients)
	for {
		c, err := s.l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of descriptors: rest, and try again.
			if hal.Sleep(ctx, s.o.Clock, 100*time.Millisecond) != nil {
				return nil
			}
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			reply(json.NewEncoder(c), Reply{End: true, Error: "too many clients"})
			c.Close()
			continue
		}
		s.wg.Add(1)
		go func() {
			defer s.wg.Done()
			s.client(ctx, c)
			<-slots
		}()
	}
}

// client serves one connection. A client that goes away ends its request.
func (s *Server) client(ctx context.Context, c net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	lines := make(chan []byte)
	go func() {
		defer cancel()
		sc := bufio.NewScanner(c)
		sc.Buffer(nil, maxRequest)
		for sc.Scan() {
			line := append([]byte(nil), sc.Bytes()...)
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	out := json.NewEncoder(c)
	for {
		select {
		case <-ctx.Done():
			return
		case line := <-lines:
			var q Request
			end := Reply{End: true, OK: true}
			if err := json.Unmarshal(line, &q); err != nil {
				end = Reply{End: true, Error: "not a request: " + err.Error()}
			} else if err := s.answer(ctx, q, func(kind string, v any) error { return item(out, kind, v) }); err != nil {
				end = Reply{End: true, Error: err.Error()}
			}
			if reply(out, end) != nil {
				return
			}
		}
	}
}

func item(out *json.Encoder, kind string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return reply(out, Reply{Kind: kind, Data: raw})
}

func reply(out *json.Encoder, r Reply) error { return out.Encode(r) }

// answer carries out one request.
func (s *Server) answer(ctx context.Context, q Request, send func(kind string, v any) error) error {
	b := s.o.Backend
	switch q.Cmd {
	case "ping":
		return nil
	case "status":
		st, err := b.Status(ctx)
		if err != nil {
			return err
		}
		return send("status", st)
	case "queue":
		rs, err := b.Queue(ctx)
		if err != nil {
			return err
		}
		for _, r := range rs {
			if err := send("reversal", explained{r, explain(text.EN, r)}); err != nil {
				return err
			}
		}
		return nil
	case "batch":
		return b.Batch(ctx, func(r pos.Sale) error { return send("sale", r) })
	case "check":
		return b.Check(ctx)
	case "tx":
		return transaction(ctx, s.o, q.Tx, send)
	case "log", "log-boots", "log-stats", "log-verify", "log-export", "log-pieces", "log-piece":
		return s.log(ctx, q, send)
	}
	return s.field(ctx, q, send)
}

// explained is a record with what it waits for, for programs that read JSON.
type explained struct {
	pos.Record
	Explain string `json:"explain"`
}
