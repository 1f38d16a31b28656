module swipewell

go 1.26.0

require (
	github.com/BurntSushi/toml v1.6.0 // board files are TOML; errors carry line and key
	github.com/chromedp/chromedp v0.23.0 // tests only: the page in a real browser
	github.com/coder/websocket v1.8.15 // the bench page
	github.com/google/go-cmp v0.7.0 // tests only: readable differences
	github.com/moov-io/iso8583 v0.26.1 // tests only: the oracle for our codec
	github.com/rogpeppe/go-internal v1.16.0 // testscript: the script language of posbench
	github.com/spf13/cobra v1.10.2 // command lines
	github.com/tarm/serial v0.0.0-20180830185346-98f6abe2eb07 // fixed by the owner: serial ports (drivers/tty only)
	go.etcd.io/bbolt v1.5.0 // fixed by the owner: the store
	golang.org/x/sys v0.49.0 // termios, ppoll, eventfd, flock
	golang.org/x/term v0.47.0 // the line console of the service port
	periph.io/x/conn/v3 v3.7.3 // fixed by the owner: the interfaces of hal
	periph.io/x/host/v3 v3.8.5 // fixed by the owner: GPIO of a real board
	pgregory.net/rapid v1.3.0 // tests only: property tests
)

require github.com/klauspost/compress v1.20.4 // zstd: closed segments of the journal and its exports

require golang.org/x/text v0.43.0 // ISO 8859 tables: application names on chip cards

require golang.org/x/crypto v0.58.0 // argon2id for the PINs of roles

require github.com/fxamacker/cbor/v2 v2.10.0 // tests only: the oracle for our CBOR

require github.com/hanwen/go-fuse/v2 v2.12.1 // posbench only: the disk that records writes and syncs (64-bit machines)

require rsc.io/qr v0.2.0 // QR pages of the log, on the screen

require github.com/vbauerster/mpb/v8 v8.16.2 // postool flash: a bar for each terminal that is flashed at once

require (
	github.com/VividCortex/ewma v1.2.0 // indirect
	github.com/acarl005/stripansi v0.0.0-20180116102854-5a71ef0e047d // indirect
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jonboulle/clockwork v0.5.0 // indirect
	github.com/mattn/go-runewidth v0.0.30 // indirect
	github.com/spf13/pflag v1.0.10 // indirect
	github.com/vbauerster/cupwriter v0.0.5 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	github.com/yerden/go-util v1.1.4 // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	honnef.co/go/tools v0.8.2 // indirect
)

tool honnef.co/go/tools/cmd/staticcheck
