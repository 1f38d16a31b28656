package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/lzma"
)

// bundles groups what is done with builds for devices; no device is needed.
func (t *tool) bundles() *cobra.Command {
	c := &cobra.Command{Use: "bundle", Short: "builds for devices: make, sign, show, check, cut; without a device",
		Example: "  postool bundle make --board demo --version 1.4.0 --schemas 4-5 --filter arm --base posd-1.3.0 posd > 1.4.0.swb\n  postool bundle sign --key my.key 1.4.0.swb > signed.swb\n  postool bundle check --key my.pub --key her.pub --need 2 signed.swb",
		Args:    cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(t.bundleMake(), t.bundleSign(), t.bundleShow(), t.bundleCheck(), t.bundleCut())
	return c
}

func readBundle(path string) (*bundle.Bundle, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, failure{err}
	}
	f, err := bundle.Parse(b)
	if err != nil {
		return nil, failure{fmt.Errorf("%s: %w", path, err)}
	}
	return f, nil
}

func (t *tool) bundleMake() *cobra.Command {
	var o bundle.Opts
	var version, floor, schemas, filter, blocks string
	var bases, keys []string
	c := &cobra.Command{Use: "make --board NAME --version N.N.N --schemas LO-HI [--base OLD]... IMAGE", Short: "pack an image, whole, as deltas from builds that devices have, and by blocks; the same files give the same bytes", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var err error
			if o.Version, err = bundle.ParseVersion(version); err != nil {
				return err
			}
			if o.Floor, err = bundle.ParseVersion(floor); err != nil {
				return err
			}
			lo, hi, _ := strings.Cut(schemas, "-")
			if hi == "" {
				hi = lo
			}
			for p, s := range map[*uint16]string{&o.Schemas.Lo: lo, &o.Schemas.Hi: hi} {
				n, err := strconv.ParseUint(s, 10, 16)
				if err != nil {
					return fmt.Errorf("--schemas %s: two numbers, as in 3-4", schemas)
				}
				*p = uint16(n)
			}
			for o.Filter = lzma.NoFilter; o.Filter.String() != filter; o.Filter++ {
				if !o.Filter.Known() {
					return fmt.Errorf("--filter %s: none, arm or arm64", filter)
				}
			}
			for _, path := range bases {
				b, err := os.ReadFile(path)
				if err != nil {
					return failure{err}
				}
				o.Bases = append(o.Bases, b)
			}
			image, err := os.ReadFile(args[0])
			if err != nil {
				return failure{err}
			}
			switch blocks {
			case "auto":
				o.ByBlock = bundle.Worth(image, o.Bases...)
			case "on", "off":
				o.ByBlock = blocks == "on"
			default:
				return fmt.Errorf("--blocks %s: auto, on or off", blocks)
			}
			b, err := bundle.Make(image, o)
			if err != nil {
				return failure{err}
			}
			if err := signAll(b, keys); err != nil {
				return err
			}
			_, err = t.out.Write(b.File())
			return wrapped(err)
		}}
	f := c.Flags()
	f.StringVar(&o.Product, "product", "swipewell", "the product it is for")
	f.StringVar(&o.Board, "board", "", "the board it is for, as the board file names it")
	f.StringVar(&version, "version", "", "of the build")
	f.StringVar(&floor, "floor", "0.0.0", "once it is confirmed, a device takes no build older than this")
	f.StringVar(&schemas, "schemas", "", "versions of the store that it reads")
	f.StringVar(&filter, "filter", "none", "for branches of machine code: none, arm, arm64")
	f.StringVar(&blocks, "blocks", "auto", "each block by itself too, so that flash sends those that a device lacks: on, off, auto (a FIT, or a base shares an eighth); no build of before they were known takes such a bundle")
	f.StringArrayVar(&bases, "base", nil, "a build that devices have; may be repeated")
	f.StringArrayVar(&keys, "key", nil, "a file that keygen made, to sign with; may be repeated")
	for _, need := range []string{"board", "version", "schemas"} {
		c.MarkFlagRequired(need)
	}
	return c
}

func signAll(b *bundle.Bundle, keys []string) error {
	for _, path := range keys {
		priv, err := signer(path)
		if err != nil {
			return err
		}
		b.Sign(priv)
		clear(priv)
	}
	return nil
}

func (t *tool) bundleSign() *cobra.Command {
	var keys []string
	c := &cobra.Command{Use: "sign --key KEYFILE FILE", Short: "print FILE with one signature more: each signer does it at their own desk", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readBundle(args[0])
			if err != nil {
				return err
			}
			if err := signAll(b, keys); err != nil {
				return err
			}
			_, err = t.out.Write(b.File())
			return wrapped(err)
		}}
	c.Flags().StringArrayVar(&keys, "key", nil, "file that keygen made; may be repeated")
	c.MarkFlagRequired("key")
	return c
}

// payloadFacts is one line of show.
type payloadFacts struct {
	Kind   string      `json:"kind"`
	Bytes  int64       `json:"bytes"`
	Base   string      `json:"base,omitempty"`
	Filter string      `json:"filter,omitempty"`
	Here   bool        `json:"here"` // false: cut out of this file
	Blocks *blockFacts `json:"blocks,omitempty"`
}

// blockFacts are of a payload of blocks: so many are in this file.
type blockFacts struct {
	Here  int `json:"here"`
	Of    int `json:"of"`
	Bytes int `json:"bytes"` // of one
}

func (t *tool) bundleShow() *cobra.Command {
	return &cobra.Command{Use: "show FILE", Short: "what a bundle is for, its payloads and who signed; believes nothing, checks no signature", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readBundle(args[0])
			if err != nil {
				return err
			}
			m := b.Manifest
			var ways []payloadFacts
			for i, p := range m.Payloads {
				w := payloadFacts{Kind: p.Kind.String(), Bytes: p.Size, Here: b.Packed[i] != nil}
				if p.Kind == bundle.Blocks {
					w.Blocks = &blockFacts{Of: len(m.Blocks), Bytes: 1 << m.BlockBits}
					for k := range m.Blocks {
						if b.Set(i).Has(k) {
							w.Blocks.Here++
						}
					}
				}
				if p.Kind == bundle.Delta {
					w.Base = fmt.Sprintf("%x", p.Base)
				} else {
					w.Filter = p.Filter.String()
				}
				ways = append(ways, w)
			}
			var keys []string
			for _, s := range b.Signatures {
				keys = append(keys, s.Key.String())
			}
			if t.json {
				return json.NewEncoder(t.out).Encode(map[string]any{"product": m.Product, "board": m.Board, "version": m.Version.String(), "floor": m.Floor.String(),
					"schemas": []uint16{m.Schemas.Lo, m.Schemas.Hi}, "bytes": m.Size, "sha256": fmt.Sprintf("%x", m.Sum), "payloads": ways, "keys": keys})
			}
			fmt.Fprintf(t.out, "%s %v for board %s, then nothing below %v\n", m.Product, m.Version, m.Board, m.Floor)
			fmt.Fprintf(t.out, "reads stores of schema %d to %d\n", m.Schemas.Lo, m.Schemas.Hi)
			fmt.Fprintf(t.out, "image    %9d bytes  %x\n", m.Size, m.Sum)
			for _, w := range ways {
				fmt.Fprintf(t.out, "%-8s %9d bytes  %5.1f %%", w.Kind, w.Bytes, 100*float64(w.Bytes)/float64(m.Size))
				if w.Base != "" {
					fmt.Fprintf(t.out, "  from %.16s", w.Base)
				}
				if w.Blocks != nil && w.Here {
					fmt.Fprintf(t.out, "  %d of %d, of %d KiB each", w.Blocks.Here, w.Blocks.Of, w.Blocks.Bytes>>10)
				}
				if !w.Here {
					fmt.Fprint(t.out, "  not in this file")
				}
				fmt.Fprintln(t.out)
			}
			if len(keys) == 0 {
				keys = []string{"nobody"}
			}
			fmt.Fprintf(t.out, "signed by %s\n", strings.Join(keys, ", "))
			return nil
		}}
}

func (t *tool) bundleCheck() *cobra.Command {
	var names, bases []string
	var ring bundle.Keyring
	c := &cobra.Command{Use: "check [--key PUBLIC]... [--need N] [--base OLD]... FILE", Short: "take a bundle as a device does: signatures, pieces, and each payload unpacked; exit 1 if anything is wrong", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readBundle(args[0])
			if err != nil {
				return err
			}
			var by []bundle.KeyID
			if len(names) > 0 {
				for _, n := range names {
					k, err := publicKey(n)
					if err != nil {
						return err
					}
					ring.Production = append(ring.Production, ed25519.PublicKey(k))
				}
				if by, err = ring.Verify(&b.Head); err != nil {
					return failure{fmt.Errorf("%s: %w", args[0], err)}
				}
			}
			for i := range b.Manifest.Payloads {
				if err := t.unpacks(b, i, bases); err != nil {
					return failure{fmt.Errorf("%s: payload %d: %w", args[0], i, err)}
				}
			}
			signed := "signatures not checked: name keys with --key"
			if len(by) > 0 {
				signed = fmt.Sprintf("signed by %v", by)
			}
			fmt.Fprintf(t.out, "%s: good, %v, %s\n", filepath.Base(args[0]), b.Manifest.Version, signed)
			return nil
		}}
	f := c.Flags()
	f.StringArrayVar(&names, "key", nil, "a public key, or a file with one; may be repeated")
	f.IntVar(&ring.Need, "need", 1, "so many of the keys must have signed")
	f.StringArrayVar(&bases, "base", nil, "a build that a delta is from; may be repeated")
	return c
}

// unpacks tells whether a payload gives the image; a delta or blocks whose base was
// not named are passed over, and said so.
func (t *tool) unpacks(b *bundle.Bundle, i int, bases []string) error {
	none := func(int, []byte) error { return nil }
	m, p := b.Manifest, b.Manifest.Payloads[i]
	if b.Packed[i] == nil {
		return nil
	}
	in := func() io.Reader { return bytes.NewReader(b.Packed[i]) }
	err := bundle.Unpack(m, i, in(), nil, none)
	for _, path := range bases {
		if !errors.Is(err, bundle.ErrBase) {
			break
		}
		old, rerr := os.ReadFile(path)
		if rerr != nil {
			return rerr
		}
		if p.Kind == bundle.Delta {
			err = bundle.Unpack(m, i, in(), bytes.NewReader(old), none)
			continue
		}
		x := bundle.IndexOf(bytes.NewReader(old), int64(len(old)), m.BlockBits)
		sent := b.Set(i)
		err = bundle.UnpackBlocks(m, i, sent, bytes.NewReader(b.Packed[i][len(sent):]), func(k int, b []byte) error {
			at, ok := x.Find(m.Blocks[k])
			if !ok {
				return bundle.Missing(k, b)
			}
			copy(b, old[at<<m.BlockBits:])
			return nil
		}, none)
	}
	switch {
	case !errors.Is(err, bundle.ErrBase):
		return err
	case p.Kind == bundle.Delta:
		fmt.Fprintf(t.out, "payload %d: the delta from %x was not unpacked; name its build with --base\n", i, p.Base[:8])
	default:
		fmt.Fprintf(t.out, "payload %d: its blocks were not unpacked, for some are not in this file; name a build that has them with --base\n", i)
	}
	return nil
}

func (t *tool) bundleCut() *cobra.Command {
	var base string
	c := &cobra.Command{Use: "cut [--base OLD] FILE", Short: "print FILE with one payload only: the delta from OLD, or else the blocks that OLD lacks; without --base the whole; for terminal programs, which send files whole", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readBundle(args[0])
			if err != nil {
				return err
			}
			var old []byte
			if base != "" {
				if old, err = os.ReadFile(base); err != nil {
					return failure{err}
				}
			}
			sum := bundle.Sum(sha256.Sum256(old))
			i := slices.IndexFunc(b.Manifest.Payloads, func(p bundle.Payload) bool {
				return base == "" && p.Kind == bundle.Whole || base != "" && p.Kind == bundle.Delta && p.Base == sum
			})
			if i >= 0 && b.Packed[i] != nil {
				_, err = t.out.Write(b.File(i))
				return wrapped(err)
			}
			file, err := slim(b, old)
			if err != nil {
				return failure{fmt.Errorf("%s: %w", args[0], err)}
			}
			_, err = t.out.Write(file)
			return wrapped(err)
		}}
	c.Flags().StringVar(&base, "base", "", "the build that the device has")
	return c
}

// slim is b with the blocks that old lacks.
func slim(b *bundle.Bundle, old []byte) ([]byte, error) {
	m := b.Manifest
	i := slices.IndexFunc(m.Payloads, func(p bundle.Payload) bool { return p.Kind == bundle.Blocks })
	if len(old) == 0 || i < 0 || b.Packed[i] == nil {
		return nil, errors.New("no such payload")
	}
	x := bundle.IndexOf(bytes.NewReader(old), int64(len(old)), m.BlockBits)
	want, here := bundle.NewSet(len(m.Blocks)), b.Set(i)
	for k, s := range m.Blocks {
		if _, ok := x.Find(s); ok {
			continue
		}
		if want.Add(k); !here.Has(k) {
			return nil, fmt.Errorf("block %d is neither in it nor in the build", k)
		}
	}
	return b.Slim(i, want), nil
}
