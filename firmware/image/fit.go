package image

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// EnvSize is one copy of the boot record, as scripts/ab.env reads it.
const EnvSize = 4096

// flashEnv is the environment of U-Boot's flash chip on QEMU. UBOOT.
const flashEnv, flashSize = 0x40000, 64 << 20

// KeyName is the key that signs slots.
const KeyName = "slot"

// fitText describes a slot to mkimage. Each part has a hash, and the signature is
// over all of them with the configuration, so that no part can be exchanged. FIT.
func fitText(b Board) string {
	load, tree, packing := fmt.Sprintf("<%#x>", b.Load), fmt.Sprintf("<%#x>", b.Tree), "gzip"
	if b.Zipped {
		packing = "none"
	}
	part := func(name, file, more string) string {
		return fmt.Sprintf("\t\t%s {\n\t\t\tdata = /incbin/(%q);\n%s\t\t\thash-1 { algo = \"sha256\"; };\n\t\t};\n", name, file, more)
	}
	words := func(kv ...string) (s string) {
		for i := 0; i < len(kv); i += 2 {
			s += "\t\t\t" + kv[i] + " = " + kv[i+1] + ";\n"
		}
		return s
	}
	q := func(s string) string { return `"` + s + `"` }
	return "/dts-v1/;\n/ {\n\tdescription = " + q("swipewell "+b.Name) + ";\n\t#address-cells = <1>;\n\timages {\n" +
		part("kernel", "kernel", words("type", q("kernel"), "arch", q(b.FIT), "os", q("linux"), "compression", q(packing), "load", load, "entry", load)) +
		part("ramdisk", ArchiveFile, words("type", q("ramdisk"), "arch", q(b.FIT), "os", q("linux"), "compression", q("none"))) +
		part("fdt", "board.dtb", words("type", q("flat_dt"), "arch", q(b.FIT), "compression", q("none"), "load", tree)) +
		"\t};\n\tconfigurations {\n\t\tdefault = \"c\";\n\t\tc {\n\t\t\tkernel = \"kernel\";\n\t\t\tramdisk = \"ramdisk\";\n\t\t\tfdt = \"fdt\";\n" +
		"\t\t\tsignature-1 {\n\t\t\t\talgo = \"sha256,rsa2048\";\n\t\t\t\tkey-name-hint = " + q(KeyName) + ";\n\t\t\t\tsign-images = \"kernel\", \"ramdisk\", \"fdt\";\n\t\t\t};\n\t\t};\n\t};\n};\n"
}

// sign makes a slot of a kernel and an archive, and gives its bytes. With trust,
// the loader is told to believe the key, and nothing that no such key has signed.
func (o Opts) sign(ctx context.Context, linux, archive []byte, name string, trust bool) ([]byte, error) {
	dir, err := os.MkdirTemp(o.Out, "fit-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if end := int64(o.Board.Load) + int64(len(linux)); end > int64(o.Board.Tree) {
		return nil, fmt.Errorf("image: a kernel that ends at %#x, over the device tree at %#x", end, o.Board.Tree)
	}
	if !o.Board.Zipped {
		if linux, err = pack(linux); err != nil {
			return nil, err
		}
	}
	tree, err := os.ReadFile(o.path("board.dtb"))
	if err != nil {
		return nil, err
	}
	write := func(n string, b []byte) error { return os.WriteFile(filepath.Join(dir, n), b, 0o644) }
	if err := errors.Join(write("kernel", linux), write(ArchiveFile, archive), write("board.dtb", tree), write("slot.its", []byte(fitText(o.Board)))); err != nil {
		return nil, err
	}
	keys, err := filepath.Abs(o.Keys)
	if err != nil {
		return nil, err
	}
	if _, err := command(ctx, dir, "mkimage", "-f", "slot.its", "slot.fit"); err != nil {
		return nil, err
	}
	words := []string{"-F", "-k", keys}
	if trust {
		control, err := filepath.Abs(o.path(ControlFile))
		if err != nil {
			return nil, err
		}
		// -K writes the public key into the loader's tree, -r has it demanded.
		words = append(words, "-K", control, "-r")
	}
	if _, err := command(ctx, dir, "mkimage", append(words, "slot.fit")...); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, "slot.fit"))
	if err != nil {
		return nil, err
	}
	if len(b) > SlotSize {
		return nil, fmt.Errorf("image: a slot of %d bytes, and room for %d", len(b), SlotSize)
	}
	return b, os.WriteFile(o.path(name), b, 0o644)
}

// loader makes what U-Boot needs: the machine's device tree, the key, the first
// environment.
func (o Opts) loader(ctx context.Context) error {
	if err := signingKey(o.Keys); err != nil {
		return err
	}
	machine := append([]string{}, o.Board.Machine...)
	machine[1] += ",dumpdtb=" + ControlFile
	if _, err := command(ctx, o.Out, o.Board.QEMU, append(machine, "-nodefaults", "-display", "none")...); err != nil {
		return err
	}
	// QEMU pads its tree to a MiB; the kernel's need not be.
	if _, err := command(ctx, o.Out, "dtc", "-q", "-I", "dtb", "-O", "dtb", "-o", "board.dtb", ControlFile); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(o.Root, "scripts", "ab.env"))
	if err != nil {
		return err
	}
	var lines []string
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			lines = append(lines, l)
		}
	}
	if err := os.WriteFile(o.path("env.txt"), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	defer os.Remove(o.path("env.txt"))
	if _, err := command(ctx, o.Out, "mkenvimage", "-s", fmt.Sprint(flashEnv), "-o", EnvFile, "env.txt"); err != nil {
		return err
	}
	return os.Truncate(o.path(EnvFile), flashSize)
}

// signingKey makes a key and the certificate that mkimage reads it from, unless
// there is one. Made here, it is a developer's: who sells devices keeps theirs
// elsewhere.
func signingKey(dir string) error {
	private, cert := filepath.Join(dir, KeyName+".key"), filepath.Join(dir, KeyName+".crt")
	if _, err := os.Stat(private); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "swipewell slots, development"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &k.PublicKey, k)
	if err != nil {
		return err
	}
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return err
	}
	return os.WriteFile(private, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}), 0o600)
}
