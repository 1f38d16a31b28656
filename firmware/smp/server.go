package smp

import (
	"errors"
	"io"
	"time"
)

// ImageState is one row of the image group's list. SMP, "Get state of images".
type ImageState struct {
	Slot      int
	Version   string
	Hash      []byte
	Bootable  bool
	Pending   bool
	Confirmed bool
	Active    bool
	Permanent bool
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

type command struct {
	group uint16
	id    uint8
	op    Op
}

var commands = map[command]func(*Server, *query) (object, error){
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
	var v object
	f, ok := commands[command{h.Group, h.Command, h.Op}]
	o, bad := parseObject(packet[headerSize:])
	switch {
	case !ok:
		err = problem(CodeNotSupported, "no such command")
	case s.Allow != nil && !s.Allow(h):
		err = problem(CodeDenied, "log in first")
	case bad != nil:
		err = &Problem{CodeInvalid, bad}
	default:
		v, err = f(s, &query{o: o})
	}
	if err != nil {
		v = failure(err)
	}
	body := appendValue(nil, v)
	if len(body) > MaxPacket {
		body = appendValue(nil, object{"rc": int64(CodeTooLarge)})
	}
	h.Op++
	h.Len = uint16(len(body))
	return append(h.Append(nil), body...)
}

// failure says what went wrong: rsn is a sentence that clients show.
func failure(err error) object {
	code := CodeUnknown
	var p *Problem
	if errors.As(err, &p) {
		code = p.Code
	}
	return object{"rc": int64(code), "rsn": err.Error()}
}

func problem(c Code, text string) error { return &Problem{c, errors.New(text)} }

var errNone = problem(CodeNotSupported, "this device does not have it")

func (s *Server) echo(q *query) (object, error) {
	return object{"r": q.text("d")}, q.err()
}

const clockLayout = "2006-01-02T15:04:05.999999"

func (s *Server) datetime(*query) (object, error) {
	if s.Now == nil {
		return nil, errNone
	}
	return object{"datetime": s.Now().Format(clockLayout)}, nil
}

func (s *Server) setDatetime(q *query) (object, error) {
	if s.Set == nil {
		return nil, problem(CodeDenied, "the clock is the host's")
	}
	t, err := time.Parse(time.RFC3339Nano, q.text("datetime"))
	if err != nil {
		if t, err = time.Parse(clockLayout, q.text("datetime")); err != nil {
			return nil, &Problem{CodeInvalid, err}
		}
	}
	return object{}, s.Set(t)
}

func (s *Server) reset(*query) (object, error) {
	if s.Reset == nil {
		return nil, errNone
	}
	return object{}, s.Reset()
}

func (s *Server) params(*query) (object, error) {
	return object{"buf_size": BufferSize, "buf_count": 4}, nil
}

func (s *Server) info(q *query) (object, error) {
	if s.Info == nil {
		return nil, errNone
	}
	format := q.text("format")
	if err := q.err(); err != nil {
		return nil, err
	}
	return object{"output": s.Info(format)}, nil
}
