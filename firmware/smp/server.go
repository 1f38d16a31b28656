package smp

import (
	"errors"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// ImageState is one row of the image group's list. SMP, "Get state of images".
type ImageState struct {
	Slot      int    `cbor:"slot"`
	Version   string `cbor:"version"`
	Hash      []byte `cbor:"hash,omitempty"`
	Bootable  bool   `cbor:"bootable"`
	Pending   bool   `cbor:"pending"`
	Confirmed bool   `cbor:"confirmed"`
	Active    bool   `cbor:"active"`
	Permanent bool   `cbor:"permanent"`
}

// Images is where bundles go.
type Images interface {
	State() ([]ImageState, error)
	// Upload takes bytes at off of a bundle of total bytes whose SHA-256 is sha
	// (nil: not said); both are told with off 0. next is the offset that is wanted
	// now: not behind data if it is not the one that was wanted. done tells that
	// the bundle is complete and installed.
	Upload(off, total int64, sha, data []byte) (next int64, done bool, err error)
	// Test puts the image of a hash on trial; Confirm keeps the running one.
	Test(hash []byte) error
	Confirm() error
	// Erase empties the slot that does not run.
	Erase() error
}

// Files are the exports that may be fetched; a name that is not one is [CodeNoEntry].
type Files interface {
	Open(name string) (f io.ReaderAt, size int64, err error)
}

// Server answers packets.
type Server struct {
	Images Images
	Files  Files
	Info   func(format string) string // os info; the format's letters are uname's
	Now    func() time.Time
	Set    func(time.Time) error // nil: the clock is not to be set from here
	Reset  func() error          // orders a restart once the answer has left
	Stats  map[string]func() map[string]uint64
	// Run runs a command of the console's table, never a shell; ok is false for
	// one that is not in it.
	Run func(argv []string) (out string, ret int, ok bool)
	// Allow tells whether the session may do this; nil: all. A session without a
	// login reads, and does not write.
	Allow func(Header) bool
}

// BufferSize is what "MCUmgr parameters" tells: a packet's limit.
const BufferSize = 2048

// decoder refuses what a small device need not hold.
var decoder = func() cbor.DecMode {
	m, err := cbor.DecOptions{MaxNestedLevels: 4, MaxArrayElements: 64, MaxMapPairs: 32, DupMapKey: cbor.DupMapKeyEnforcedAPF}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

type command struct {
	group uint16
	id    uint8
	op    Op
}

var commands = map[command]func(*Server, []byte) (any, error){
	{GroupOS, 0, Read}: (*Server).echo, {GroupOS, 0, Write}: (*Server).echo,
	{GroupOS, 4, Read}: (*Server).datetime, {GroupOS, 4, Write}: (*Server).setDatetime,
	{GroupOS, 5, Write}:   (*Server).reset,
	{GroupOS, 6, Read}:    (*Server).params,
	{GroupOS, 7, Read}:    (*Server).info,
	{GroupImage, 0, Read}: (*Server).images, {GroupImage, 0, Write}: (*Server).setImage,
	{GroupImage, 1, Write}: (*Server).upload, {GroupImage, 5, Write}: (*Server).erase,
	{GroupStat, 0, Read}: (*Server).stat, {GroupStat, 1, Read}: (*Server).statList,
	{GroupFS, 0, Read}: (*Server).download, {GroupFS, 1, Read}: (*Server).fileStatus, {GroupFS, 4, Write}: (*Server).closeFile,
	{GroupShell, 0, Write}: (*Server).exec,
}

// Handle gives the answer to a packet; nil to what is no request.
func (s *Server) Handle(packet []byte) []byte {
	h, err := ParseHeader(packet)
	if err != nil || h.Op != Read && h.Op != Write {
		return nil
	}
	var v any
	f, ok := commands[command{h.Group, h.Command, h.Op}]
	switch {
	case !ok:
		err = problem(CodeNotSupported, "no such command")
	case s.Allow != nil && !s.Allow(h):
		err = problem(CodeDenied, "log in first")
	default:
		v, err = f(s, packet[headerSize:])
	}
	if err != nil {
		v = failure(h, err)
	}
	body, err := cbor.Marshal(v)
	if err != nil || len(body) > MaxPacket {
		body, _ = cbor.Marshal(map[string]int{"rc": int(CodeTooLarge)})
	}
	h.Op++
	h.Len = uint16(len(body))
	return append(h.Append(nil), body...)
}

// failure says what went wrong as the packet's version has it; rsn is a sentence
// that clients show.
func failure(h Header, err error) any {
	code := CodeUnknown
	var p *Problem
	if errors.As(err, &p) {
		code = p.Code
	}
	return struct {
		RC  int    `cbor:"rc"`
		Rsn string `cbor:"rsn,omitempty"`
	}{int(code), err.Error()}
}

func problem(c Code, text string) error { return &Problem{c, errors.New(text)} }

var errNone = problem(CodeNotSupported, "this device does not have it")

// read takes a request's fields; what it does not know is left.
func read(b []byte, v any) error {
	if len(b) == 0 {
		return nil
	}
	if err := decoder.Unmarshal(b, v); err != nil {
		return &Problem{CodeInvalid, err}
	}
	return nil
}

type nothing struct{}

func (s *Server) echo(b []byte) (any, error) {
	var q struct {
		D string `cbor:"d"`
	}
	if err := read(b, &q); err != nil {
		return nil, err
	}
	return map[string]string{"r": q.D}, nil
}

const clockLayout = "2006-01-02T15:04:05.999999"

func (s *Server) datetime([]byte) (any, error) {
	if s.Now == nil {
		return nil, errNone
	}
	return map[string]string{"datetime": s.Now().Format(clockLayout)}, nil
}

func (s *Server) setDatetime(b []byte) (any, error) {
	var q struct {
		D string `cbor:"datetime"`
	}
	if s.Set == nil {
		return nil, problem(CodeDenied, "the clock is the host's")
	}
	if err := read(b, &q); err != nil {
		return nil, err
	}
	t, err := time.Parse(time.RFC3339Nano, q.D)
	if err != nil {
		if t, err = time.Parse(clockLayout, q.D); err != nil {
			return nil, &Problem{CodeInvalid, err}
		}
	}
	return nothing{}, s.Set(t)
}

func (s *Server) reset([]byte) (any, error) {
	if s.Reset == nil {
		return nil, errNone
	}
	return nothing{}, s.Reset()
}

func (s *Server) params([]byte) (any, error) {
	return map[string]uint32{"buf_size": BufferSize, "buf_count": 4}, nil
}

func (s *Server) info(b []byte) (any, error) {
	var q struct {
		Format string `cbor:"format"`
	}
	if s.Info == nil {
		return nil, errNone
	}
	if err := read(b, &q); err != nil {
		return nil, err
	}
	return map[string]string{"output": s.Info(q.Format)}, nil
}
