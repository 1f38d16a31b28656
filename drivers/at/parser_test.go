package at

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// said feeds b in pieces of n bytes and writes down what the parser found;
// pieces of one payload are joined.
func said(p *Parser, b string, n int) string {
	var out []string
	var data []byte
	flush := func() {
		if len(data) > 0 {
			out = append(out, fmt.Sprintf("<data %q>", data))
			data = nil
		}
	}
	for len(b) > 0 {
		k := min(n, len(b))
		p.Feed([]byte(b[:k]), func(t Token) {
			if t.Kind == TokenData {
				data = append(data, t.Data...)
				return
			}
			flush()
			if t.Kind == TokenPrompt {
				out = append(out, "<prompt>")
			} else {
				out = append(out, t.Line)
			}
		})
		b = b[k:]
	}
	flush()
	return strings.Join(out, "|")
}

// Every case is fed whole and byte by byte: the tokens are the same.
func TestParser(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		prepare        func(*Parser)
	}{
		{"a reply", "AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n", "AT+CSQ|+CSQ: 20,99|OK", nil},
		{"no LF", "\rOK\r\rERROR\r", "OK|ERROR", nil},
		{"no CR", "\nOK\n+CREG: 1\n", "OK|+CREG: 1", nil},
		{"a prompt that is wanted", "\r\n> ", "<prompt>", func(p *Parser) { p.WantPrompt(true) }},
		{"and its reply", "\r\n> \r\nSEND OK\r\n", "<prompt>|SEND OK", func(p *Parser) { p.WantPrompt(true) }},
		{"only the first is one", "\r\n> \r\n> x\r\n", "<prompt>|> x", func(p *Parser) { p.WantPrompt(true) }},
		{"a prompt nobody wants is text", "> \r\n", ">", nil},
		{"an indication in front of the prompt", "\r\n+CREG: 5\r\n> ", "+CREG: 5|<prompt>", func(p *Parser) { p.WantPrompt(true) }},
		{"counted data", "\r\n+QIURC: \"recv\",0,5\r\nab\r\n>\r\nOK\r\n", `+QIURC: "recv",0,5|<data "ab\r\n>">|OK`, nil},
		{"counted data that looks like a reply", "+QIRD: 4\r\nOK\r\n\r\nOK\r\n", `+QIRD: 4|<data "OK\r\n">|OK`, nil},
		{"a prompt wanted while payload comes", "+QIURC: \"recv\",0,3\r\n> a\r\n> ", `+QIURC: "recv",0,3|<data "> a">|<prompt>`, func(p *Parser) { p.WantPrompt(true) }},
		{"nothing to fetch", "+QIRD: 0\r\n\r\nOK\r\n", "+QIRD: 0|OK", nil},
		{"statistics carry no data", "+QIRD: 10,5,5\r\n\r\nOK\r\n", "+QIRD: 10,5,5|OK", nil},
		{"a count that lies", "+QIRD: 99999999\r\nOK\r\n", "+QIRD: 99999999|OK", nil},
		{"buffer mode announces", "+QIURC: \"recv\",0\r\nOK\r\n", `+QIURC: "recv",0|OK`, nil},
		{"transparent", "\r\nOK\r\n> ", `<data "\r\nOK\r\n> ">`, func(p *Parser) { p.Transparent(true) }},
		{"noise without an end", strings.Repeat("x", 5000) + "\r\nOK\r\n", "OK", nil},
	} {
		for _, n := range []int{1 << 20, 1, 3} {
			var p Parser
			if c.prepare != nil {
				c.prepare(&p)
			}
			got := said(&p, c.in, n)
			if got != c.want {
				t.Errorf("%s, in pieces of %d:\n got %s\nwant %s", c.name, n, got, c.want)
			}
		}
	}
}

// Payload of any bytes comes through counted data unchanged, and the lines
// around it are the same lines, however the port cuts the stream.
func TestPayloadIsOpaque(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Parser
		var data []byte
		var lines []string
		payload := rapid.SliceOfN(rapid.Byte(), 1, 1500).Draw(t, "payload")
		stream := fmt.Appendf(nil, "\r\n+QIURC: \"recv\",0,%d\r\n", len(payload))
		stream = append(append(stream, payload...), "\r\nSEND OK\r\n"...)
		for len(stream) > 0 {
			n := rapid.IntRange(1, len(stream)).Draw(t, "piece")
			p.Feed(stream[:n], func(tok Token) {
				data = append(data, tok.Data...)
				if tok.Kind == TokenLine {
					lines = append(lines, tok.Line)
				}
			})
			stream = stream[n:]
		}
		if string(data) != string(payload) || len(lines) != 2 || lines[1] != "SEND OK" {
			t.Fatalf("%d of %d bytes, lines %q", len(data), len(payload), lines)
		}
	})
}

// FuzzParser: no input panics, grows without bound, or is read in another way
// when it comes byte by byte.
func FuzzParser(f *testing.F) {
	f.Add([]byte("AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n"), true)
	f.Add([]byte("\r\n+QIURC: \"recv\",0,5\r\nab\r\n>\r\n> "), true)
	f.Add([]byte("+QIRD: 4\r\nOK\r\n\r\nOK\r\n"), false)
	f.Fuzz(func(t *testing.T, b []byte, prompt bool) {
		flat := func(n int) string {
			var p Parser
			p.WantPrompt(prompt)
			out := said(&p, string(b), n)
			if len(p.line) > maxText {
				t.Errorf("a line of %d bytes is kept", len(p.line))
			}
			return out
		}
		if whole, bytewise := flat(len(b)+1), flat(1); whole != bytewise {
			t.Errorf("whole %s\nbyte by byte %s", whole, bytewise)
		}
	})
}
