package main

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/firmware/pos"
)

func lastRune(s string) (rune, int) { return utf8.DecodeLastRuneInString(s) }

// pageWords are what the certificate says: zh, en.
var pageWords = map[string][2]string{
	"title":    {"终端验收证书", "Certificate of acceptance"},
	"serial":   {"序列号", "Serial number"},
	"terminal": {"终端号 / 商户号", "Terminal / merchant"},
	"board":    {"硬件", "Board"},
	"build":    {"程序", "Build"},
	"sha":      {"程序 SHA-256", "SHA-256 of the program"},
	"at":       {"验收时间(设备时钟)", "Time (device's clock)"},
	"person":   {"验收人", "Accepted by"},
	"keys":     {"密钥校验值", "Check values of keys"},
	"swipe":    {"读卡测试", "Card read at"},
	"params":   {"参数版本", "Parameters"},
	"results":  {"结果", "Results"},
	"bench":    {"测试设备: 不得用于收款", "TEST DEVICE: not for payments"},
	"sign":     {"签名", "Signature"},
}

const pageStyle = `body{font:13px/1.45 sans-serif;margin:2em auto;max-width:46em;color:#111}h1{font-size:20px}table{border-collapse:collapse;width:100%}` +
	`td{border-bottom:1px solid #ccc;padding:2px 8px 2px 0;vertical-align:top}code,pre{font-family:monospace;font-size:11px;word-break:break-all;white-space:pre-wrap}.bench{font-weight:bold}`

// certificate is the page of a device that is accepted; its last line, the signature,
// comes behind it.
func certificate(lang string, r provisioned) string {
	w := func(key string) string {
		if lang == "zh" {
			return pageWords[key][0]
		}
		return pageWords[key][1]
	}
	var b strings.Builder
	e := html.EscapeString
	row := func(key, text string) {
		if text != "" {
			fmt.Fprintf(&b, "<tr><td>%s</td><td>%s</td></tr>\n", e(w(key)), text)
		}
	}
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>%s %s</title><style>%s</style></head><body>\n<h1>%s</h1>\n", lang, e(w("title")), e(r.Serial), pageStyle, e(w("title")))
	if r.Device.Bench {
		fmt.Fprintf(&b, "<p class=\"bench\">%s</p>\n", e(w("bench")))
	}
	b.WriteString("<table>\n")
	row("serial", "<b>"+e(r.Serial)+"</b>")
	row("terminal", e(r.Device.Terminal+" / "+r.Device.Merchant))
	row("board", e(r.Device.Board))
	row("build", e(r.Device.Version))
	row("sha", "<code>"+e(r.Device.Build)+"</code>")
	row("at", e(r.Device.At.In(pos.CST).Format(time.DateTime)))
	row("person", e(r.Person))
	var keys []string
	for _, k := range r.Device.Keys {
		if k.KCV != "" {
			s := string(k.Slot) + " " + k.KCV
			if r.Keys[string(k.Slot)] == k.KCV {
				s += " ✓"
			}
			keys = append(keys, s)
		}
	}
	row("keys", e(strings.Join(keys, ", ")))
	row("swipe", e(r.Swipe))
	if r.Params != nil {
		row("params", fmt.Sprintf("%d (%s)", r.Params.Version, e(r.Params.KeyID)))
	}
	fmt.Fprintf(&b, "</table>\n<h2>%s</h2>\n<table>\n", e(w("results")))
	for _, x := range r.Device.Items {
		if x.State != console.Absent {
			fmt.Fprintf(&b, "<tr><td>%s</td><td>%s</td><td>%s %s</td></tr>\n", e(console.ItemName(lang, x.Item)), e(x.State), e(string(x.Code)), e(x.Text))
		}
	}
	record, _ := json.Marshal(r) // a struct of texts: it cannot fail, and < > & come escaped
	fmt.Fprintf(&b, "</table>\n<script type=\"application/json\" id=\"record\">%s</script>\n<h2>%s</h2>\n<pre>\n", record, e(w("sign")))
	return b.String()
}

var recordText = regexp.MustCompile(`<script type="application/json" id="record">(.*)</script>`)

// provisionVerify checks a certificate's signature, and says what it is of.
func provisionVerify() *cobra.Command {
	var key string
	c := &cobra.Command{Use: "verify --key PUBLIC FILE", Short: "check a certificate: whose signature it has, and of which device it is; exit 1 if it was changed", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return failure{err}
			}
			signed, err := signedBy(string(text), key)
			if err != nil {
				return failure{fmt.Errorf("%s: %w", args[0], err)}
			}
			var r provisioned
			m := recordText.FindSubmatch(text)
			if m == nil || json.Unmarshal(m[1], &r) != nil {
				return failure{fmt.Errorf("%s: signed, and not a certificate", args[0])}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n  serial %s, terminal %s, board %s, build %s\n  accepted by %s, %s\n", args[0], signed, r.Serial, r.Device.Terminal, r.Device.Board, r.Device.Build, r.Person,
				r.Device.At.In(pos.CST).Format(time.DateTime))
			return nil
		}}
	c.Flags().StringVar(&key, "key", "", "the signer's public key (base64, or a file with it)")
	c.MarkFlagRequired("key")
	return c
}

// provisionBoard makes the board file of one device from that of its model.
func provisionBoard() *cobra.Command {
	var serial, tid, mid string
	c := &cobra.Command{Use: "board --serial S TEMPLATE", Short: "print the board file of one device: TEMPLATE with its serial number, terminal and merchant", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !serialForm.MatchString(serial) {
				return fmt.Errorf("--serial %q: 3 to 32 letters, digits and . _ -", serial)
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return failure{err}
			}
			out, err := boardFor(string(text), serial, tid, mid)
			if err != nil {
				return failure{fmt.Errorf("%s: %w", args[0], err)}
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), out)
			return err
		}}
	c.Flags().StringVar(&serial, "serial", "", "the device's serial number")
	c.Flags().StringVar(&tid, "tid", "", "its terminal number, 8 characters; \"\" as the template")
	c.Flags().StringVar(&mid, "mid", "", "its merchant number, 15 characters; \"\" as the template")
	c.MarkFlagRequired("serial")
	return c
}

// boardShape is what of a board file one device differs by.
type boardShape struct {
	Asset    []struct{ Kind, Value string }
	Acquirer struct{ TID, MID string }
}

// boardFor changes the lines of a template that are one device's, and leaves its
// comments and order alone.
func boardFor(text, serial, tid, mid string) (string, error) {
	var was boardShape
	if _, err := toml.Decode(text, &was); err != nil {
		return "", err
	}
	for _, a := range was.Asset {
		if a.Kind == "serial" {
			return "", fmt.Errorf("it has serial number %s: it is a device's, not a model's", a.Value)
		}
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	at := ""
	for i, l := range lines {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[") {
			at = strings.Trim(strings.SplitN(l, "]", 2)[0], "[] ")
			continue
		}
		k, _, ok := strings.Cut(l, "=")
		v := map[string]string{"tid": tid, "mid": mid}[strings.TrimSpace(k)]
		if ok && at == "acquirer" && v != "" {
			lines[i] = fmt.Sprintf("%s = %q", strings.TrimSpace(k), v)
		}
	}
	out := strings.Join(lines, "\n") + fmt.Sprintf("\n\n[[asset]]\nkind = \"serial\"\nvalue = %q\n", serial)
	var is boardShape
	if _, err := toml.Decode(out, &is); err != nil {
		return "", err
	}
	named := slices.ContainsFunc(is.Asset, func(a struct{ Kind, Value string }) bool { return a.Kind == "serial" && a.Value == serial })
	switch {
	case !named:
		return "", fmt.Errorf("the serial number has no place in it")
	case tid != "" && (len(tid) != 8 || is.Acquirer.TID != tid):
		return "", fmt.Errorf("--tid %q: 8 characters, and the template must have [acquirer] tid", tid)
	case mid != "" && (len(mid) != 15 || is.Acquirer.MID != mid):
		return "", fmt.Errorf("--mid %q: 15 characters, and the template must have [acquirer] mid", mid)
	}
	return out, nil
}
