//go:build ignore

// Command gen makes unifont.bin; run by go generate in ui/font.
//
//   - UNIFONT: GNU Unifont's unifont.hex, "CODE:BITS" a line: 32 hex digits for
//     a glyph of 8x16, 64 for one of 16x16, rows from the top, left pixel first
//   - GB2312: gb2312.txt beside it, the standard's list of characters
//
// It reads the hex file of the package unifont. Without that package, or with
// another version than the committed file was made from, it leaves the file as
// it is and says so: go generate then changes nothing. -adopt takes the other
// version.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	magic   = "SWF1"
	sumSize = 8 // bytes of the source's SHA-256 kept in the head
)

func main() {
	src := flag.String("src", "/usr/share/unifont/unifont.hex", "the package's hex file")
	list := flag.String("list", "gb2312.txt", "the characters of GB 2312")
	out := flag.String("out", "unifont.bin", "file to write")
	adopt := flag.Bool("adopt", false, "take a source of another version")
	flag.Parse()
	if err := run(*src, *list, *out, *adopt); err != nil {
		fmt.Fprintln(os.Stderr, "font:", err)
		os.Exit(1)
	}
}

func run(src, list, out string, adopt bool) error {
	hexFile, err := os.ReadFile(src)
	if err != nil {
		fmt.Printf("font: %s stays as it is: no unifont here (%v)\n", out, err)
		return nil
	}
	sum := sha256.Sum256(hexFile)
	if old, err := os.ReadFile(out); err == nil && !adopt && len(old) > 12 && !bytes.Equal(old[4:4+sumSize], sum[:sumSize]) {
		fmt.Printf("font: %s stays as it is: it was made from another version of unifont (-adopt takes this one)\n", out)
		return nil
	}
	glyphs, err := parseHex(hexFile)
	if err != nil {
		return err
	}
	wide, err := readList(list)
	if err != nil {
		return err
	}
	file, err := pack(glyphs, wide, sum[:sumSize])
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(out); err == nil && bytes.Equal(old, file) {
		return nil
	}
	return os.WriteFile(out, file, 0o644)
}

func parseHex(file []byte) (map[rune][]byte, error) {
	glyphs := make(map[rune][]byte, 60_000)
	for line := range strings.Lines(string(file)) {
		code, bits, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		r, err := strconv.ParseUint(code, 16, 32)
		if err != nil {
			return nil, err
		}
		g, err := hex.DecodeString(bits)
		if err != nil {
			return nil, fmt.Errorf("U+%04X: %w", r, err)
		}
		glyphs[rune(r)] = g
	}
	return glyphs, nil
}

// readList gives the characters that take two columns: all of GB 2312, the
// other code points in use for two of its dashes and dots, and the few signs
// beyond it that the screens draw.
func readList(path string) ([]rune, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	wide := []rune{0x00B7, 0x2014, 0x20AC, 0x25B6, 0x25C0, 0x2713, 0x2717}
	for in := bufio.NewScanner(f); in.Scan(); {
		if _, row, ok := strings.Cut(in.Text(), " "); ok && in.Text()[0] != '#' {
			for _, r := range row {
				if r != ' ' {
					wide = append(wide, r)
				}
			}
		}
	}
	slices.Sort(wide)
	return slices.Compact(wide), nil
}

// pack writes: magic, source sum, count of narrow and wide (u16 each), their
// code points (u16 each, ascending), narrow glyphs (16 bytes), wide ones (32).
// All numbers are big-endian.
func pack(glyphs map[rune][]byte, wide []rune, sum []byte) ([]byte, error) {
	var narrow []rune
	for r := rune(0x20); r <= 0x17F; r++ {
		if _, isWide := slices.BinarySearch(wide, r); (r < 0x7F || r >= 0xA0 && r != 0xAD) && !isWide {
			narrow = append(narrow, r)
		}
	}
	b := append([]byte(magic), sum...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(narrow)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(wide)))
	for _, r := range slices.Concat(narrow, wide) {
		b = binary.BigEndian.AppendUint16(b, uint16(r))
	}
	for _, r := range narrow {
		g, ok := glyphs[r]
		if !ok || len(g) != 16 {
			return nil, fmt.Errorf("U+%04X: no narrow glyph", r)
		}
		b = append(b, g...)
	}
	for _, r := range wide {
		switch g := glyphs[r]; len(g) {
		case 32:
			b = append(b, g...)
		case 16: // a sign that the font draws narrow and GB 2312 counts as wide: centre it
			for _, row := range g {
				b = append(b, row>>4, row<<4)
			}
		default:
			return nil, fmt.Errorf("U+%04X: no glyph", r)
		}
	}
	return b, nil
}
