package page

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	spacing   = 8 * time.Millisecond // between two updates: no page shows more than 120 a second
	stuck     = 10 * time.Second     // a page that takes nothing for so long is gone
	breath    = time.Second          // at least so often: the clock, and what a device tells only when asked
	maxLine   = 400                  // bytes of one command
	firstLog  = 400                  // lines of log that a new page gets
	readLimit = 4096
)

// command is what the page asks for.
type command struct {
	ID  int    `json:"id"`
	Cmd string `json:"cmd"`
}

// client is one open page.
type client struct {
	d    Device
	conn *websocket.Conn

	frame   uint64
	framed  bool
	state   []byte
	paper   []byte
	logAt   int
	keys    chan command // one after another, and never behind a slow command
	actions chan command // one after another
}

// serveSocket opens the websocket of a page.
func serveSocket(w http.ResponseWriter, r *http.Request, d Device) {
	// A browser always says whose script opens a socket. RFC6455 §10.2. It must
	// be this page; Accept checks only an Origin that is there.
	if r.Header.Get("Origin") != "http://"+r.Host {
		http.Error(w, "only this page may open its socket", http.StatusForbidden)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(readLimit)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &client{d: d, conn: conn, keys: make(chan command, 64), actions: make(chan command, 16)}
	go c.work(ctx, c.keys)
	go c.work(ctx, c.actions)
	go func() {
		defer cancel()
		c.push(ctx)
	}()
	c.read(ctx)
}

// read takes commands until the page goes.
func (c *client) read(ctx context.Context) {
	for {
		_, b, err := c.conn.Read(ctx)
		if err != nil {
			return
		}
		var m command
		err = json.Unmarshal(b, &m)
		clear(b) // it may be a digit of a PIN
		if err != nil || len(m.Cmd) > maxLine || strings.ContainsAny(m.Cmd, "\r\n\x00") {
			c.conn.Close(websocket.StatusPolicyViolation, "not a command")
			return
		}
		verb, _, _ := strings.Cut(m.Cmd, " ")
		lane := c.actions
		switch verb {
		case "key":
			lane = c.keys
		case "power", "shutdown": // a switch works whatever else is going on
			go c.do(ctx, m)
			continue
		}
		select {
		case lane <- m:
		default:
			c.reply(ctx, m.ID, "too much at once")
		}
	}
}

func (c *client) work(ctx context.Context, lane <-chan command) {
	for {
		select {
		case m := <-lane:
			c.do(ctx, m)
		case <-ctx.Done():
			return
		}
	}
}

func (c *client) do(ctx context.Context, m command) {
	word := ""
	if err := c.d.Do(m.Cmd); err != nil {
		word = mask(err.Error())
	}
	c.reply(ctx, m.ID, word)
}

func (c *client) reply(ctx context.Context, id int, word string) {
	c.text(ctx, map[string]any{"t": "reply", "id": id, "error": word})
}

func (c *client) text(ctx context.Context, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.write(ctx, websocket.MessageText, b)
}

func (c *client) write(ctx context.Context, typ websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, stuck)
	defer cancel()
	return c.conn.Write(ctx, typ, b)
}

// push sends what has changed, as it changes.
func (c *client) push(ctx context.Context) {
	if c.text(ctx, map[string]any{"t": "hello", "build": build}) != nil {
		return
	}
	_, end := c.d.LogTail(0)
	c.logAt = max(0, end-firstLog)
	for {
		s := c.d.Snapshot()
		changed := c.d.Changed(s.Version)
		if c.update(ctx, s) != nil {
			return
		}
		select {
		case <-changed:
		case <-time.After(breath):
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(spacing):
		case <-ctx.Done():
			return
		}
	}
}

func (c *client) update(ctx context.Context, s State) error {
	img, version := c.d.Frame()
	if !c.framed || version != c.frame {
		c.framed, c.frame = true, version
		if err := c.write(ctx, websocket.MessageBinary, pixels(img)); err != nil {
			return err
		}
	}
	b, err := json.Marshal(struct {
		T string `json:"t"`
		State
	}{"state", s})
	if err != nil {
		return err
	}
	if !bytes.Equal(b, c.state) {
		c.state = b
		if err := c.write(ctx, websocket.MessageText, b); err != nil {
			return err
		}
	}
	if b, err = json.Marshal(map[string]any{"t": "paper", "slips": sheets(c.d.Paper())}); err != nil {
		return err
	}
	if !bytes.Equal(b, c.paper) {
		c.paper = b
		if err := c.write(ctx, websocket.MessageText, b); err != nil {
			return err
		}
	}
	lines, next := c.d.LogTail(c.logAt)
	c.logAt = next
	if len(lines) == 0 {
		return nil
	}
	for i, l := range lines {
		lines[i] = mask(l)
	}
	return c.text(ctx, map[string]any{"t": "log", "lines": lines})
}

// pixels is a picture in the form of the socket.
func pixels(img image.Image) []byte {
	if img == nil {
		return []byte{'F', 0, 0, 0, 0}
	}
	r := img.Bounds()
	out := make([]byte, 5, 5+2*r.Dx()*r.Dy())
	out[0] = 'F'
	binary.BigEndian.PutUint16(out[1:], uint16(r.Dx()))
	binary.BigEndian.PutUint16(out[3:], uint16(r.Dy()))
	rgba, fast := img.(*image.RGBA)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			var cr, cg, cb uint32
			if fast {
				p := rgba.Pix[rgba.PixOffset(x, y):]
				cr, cg, cb = uint32(p[0])<<8, uint32(p[1])<<8, uint32(p[2])<<8
			} else {
				cr, cg, cb, _ = img.At(x, y).RGBA()
			}
			out = binary.BigEndian.AppendUint16(out, uint16(cr&0xF800|cg>>5&0x07E0|cb>>11))
		}
	}
	return out
}
