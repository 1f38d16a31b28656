// Package page is the bench as people see it: one web page with the device and
// its world, drawn from a [Device] and acting on it in the script language.
//
// Sources, cited by short name:
//   - BENCH: firmware/doc/bench.md, the script language
//   - RFC6455: The WebSocket Protocol, §10.2 on origins
//   - CSP3: W3C Content Security Policy Level 3
//
// The page is plain HTML, CSS and JavaScript from this binary and asks nothing
// of any other machine. It speaks over one websocket, /ws:
//
//	to the page, text    {"t":"hello","build":…} first, then {"t":"state",…},
//	                     {"t":"paper","slips":[…]}, {"t":"log","lines":[…]},
//	                     {"t":"reply","id":1,"error":"…"}
//	to the page, binary  'F' | width u16 | height u16 | pixels, big endian, 16 bits
//	                     RRRRRGGGGGGBBBBB; a width of 0 is a dark screen
//	from the page        {"id":1,"cmd":"key 5"}: one line of the script language
//
// A page is a program that any web site may try to reach from the same browser:
// only a request with a loopback name as its host is served, against DNS
// rebinding, and only a websocket that this page itself opened is accepted.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"image"
	"io/fs"
	"net"
	"net/http"
	"slices"

	"swipewell/hal"
)

// Power of the device.
const (
	PowerOff      = "off"
	PowerStarting = "starting" // on, and no screen yet
	PowerOn       = "on"
)

// State is everything the page shows but pixels, paper and log. It holds no card
// number: cards go by name.
type State struct {
	Version uint64            `json:"version"` // grows with every change, see Device.Changed
	Power   string            `json:"power"`
	Caption hal.Caption       `json:"caption"`
	PIN     bool              `json:"pin"`   // what is keyed is secret: the page shows none of it
	Lamps   map[string]string `json:"lamps"` // "ready": "on"
	Sounds  int               `json:"sounds"`
	Paper   bool              `json:"paper"`   // there is some in the printer
	Disk    string            `json:"disk"`    // what commits meet: "ok", "full", "readonly", "eio"
	Armed   string            `json:"armed"`   // the point of an armed power cut, "" none
	Points  []string          `json:"points"`  // where a cut can be armed
	Clock   Clock             `json:"clock"`   // of the bench
	Cards   []Card            `json:"cards"`   // the tray
	NoTray  bool              `json:"no_tray"` // the stripe reader is a real one
	Unit    Unit              `json:"unit"`
	Slot    Slot              `json:"slot"`
	Host    Host              `json:"host"`
	Issuer  Issuer            `json:"issuer"`
	Line    Line              `json:"line"`
	Books   Books             `json:"books"`
}

// Clock of the bench.
type Clock struct {
	WallMS int64 `json:"wall_ms"` // Unix
	Zone   int   `json:"zone"`    // minutes east of UTC, as the device shows time
}

// Card of the tray.
type Card struct {
	Name  string `json:"name"`
	About string `json:"about"` // "pays", "51, no money"
	Chip  bool   `json:"chip"`  // it has contacts, beside its stripe
}

// State of the slot.
const (
	SlotEmpty   = "empty"
	SlotCard    = "card"    // a card is in
	SlotPowered = "powered" // and under power
)

// Slot is where a chip goes in.
type Slot struct {
	Kind  string `json:"kind"`  // serial, vpcd, pcsc; "" none
	Card  string `json:"card"`  // the card that is in, by name
	State string `json:"state"` // empty, card, powered
}

// Issuer is the bank behind chip cards.
type Issuer struct {
	ARPC     string   `json:"arpc"`     // right, wrong, none
	Decision string   `json:"decision"` // a response code, "" its own
	Scripts  []string `json:"scripts"`  // on their way with the next answer
}

// Unit is what the device says of itself; -1: it does not say.
type Unit struct {
	Batch int    `json:"batch"`
	Total string `json:"total"` // "12.80"
	Queue int    `json:"queue"`
}

// Host is the acquirer.
type Host struct {
	Real    bool   `json:"real"` // one of its own: nothing to switch here
	Up      bool   `json:"up"`
	Answer  string `json:"answer"`  // "normal", "late 30s"
	Decline string `json:"decline"` // a response code, "" none
}

// Line is the line behind the modem, and the modem.
type Line struct {
	Real   bool     `json:"real"`
	Up     bool     `json:"up"`
	Faults []string `json:"faults"` // "slow 2s", "lose 10"
	CSQ    int      `json:"csq"`
	Reg    int      `json:"reg"`
	Hung   bool     `json:"hung"`
}

// Books is the acquirer's side of the money; -1: unknown.
type Books struct {
	Bookings int    `json:"bookings"`
	Net      string `json:"net"` // "12.80"
	Double   int    `json:"double"`
	Lost     int    `json:"lost"`
	Open     int    `json:"open"`
}

// Slip is what came out of the printer in one go.
type Slip struct {
	Lines []hal.PrintLine
	Whole bool // false: torn, or still coming
}

// Device is the device and its world, as posbench runs them. All methods may be
// called by several pages at once; all but Do return at once.
type Device interface {
	Snapshot() State
	// Frame is the picture on the display, nil for a dark one; version differs
	// whenever the picture does.
	Frame() (img image.Image, version uint64)
	// Paper is everything printed since the bench began, oldest first.
	Paper() []Slip
	// Changed is closed once the version of the state is greater than after. A
	// change of frame, paper or log counts.
	Changed(after uint64) <-chan struct{}
	// Do carries out one line of the script language. It may block. A line
	// "key …" may be part of a PIN: it must not be kept, logged or shown.
	Do(cmd string) error
	// LogTail gives the device's log lines from index after on, and the index
	// behind the last.
	LogTail(after int) (lines []string, next int)
}

//go:embed assets
var files embed.FS

// build names this version of the page: a page of another one loads itself anew.
var build = func() string {
	h := sha256.New()
	for _, name := range assetNames() {
		b, _ := files.ReadFile("assets/" + name)
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}()

func assetNames() []string {
	var names []string
	list, _ := fs.ReadDir(files, "assets")
	for _, e := range list {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}

// Handler serves the page of d.
func Handler(d Device) http.Handler {
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		panic(err) // embedded: cannot be
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(assets))
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) { serveSocket(w, r, d) })
	mux.HandleFunc("GET /paper/{name}", func(w http.ResponseWriter, r *http.Request) { serveSlip(w, r, d) })
	return guard(mux)
}

// policy lets the page load from here only. CSP3.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard refuses requests that were not made for a loopback name, and sets the
// headers that hold for all answers.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		if !loopback(r.Host) {
			http.Error(w, "this page is served on 127.0.0.1 and localhost only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback tells whether a Host header names this machine for itself.
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return name == "127.0.0.1" || name == "localhost" || name == "::1" || name == "[::1]"
}
