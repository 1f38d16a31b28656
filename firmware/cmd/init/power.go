package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"unsafe"

	"swipewell/firmware/image/plan"
)

// keyPower is KEY_POWER of linux/input-event-codes.h; evKey is EV_KEY.
const (
	keyPower = 116
	evKey    = 1
)

// eventSize is struct input_event: two longs of time, type, code, value.
const eventSize = 2*int(unsafe.Sizeof(uintptr(0))) + 8

// powerKey tells whether one event is the power key going down.
func powerKey(b []byte) bool {
	if len(b) < eventSize {
		return false
	}
	b = b[eventSize-8:]
	return binary.NativeEndian.Uint16(b) == evKey && binary.NativeEndian.Uint16(b[2:]) == keyPower && binary.NativeEndian.Uint32(b[4:]) == 1
}

// watchKeys waits for the power key on every input device that there is.
func watchKeys(keys chan<- plan.What, log *console) {
	devices, _ := filepath.Glob("/dev/input/event*")
	for _, d := range devices {
		f, err := os.Open(d)
		if err != nil {
			log.printf("%v", err)
			continue
		}
		go func() {
			defer f.Close()
			b := make([]byte, 16*eventSize)
			for {
				n, err := f.Read(b)
				if err != nil {
					return
				}
				for ; n >= eventSize; n -= eventSize {
					if powerKey(b[n-eventSize : n]) {
						select {
						case keys <- plan.PowerOff:
						default:
						}
					}
				}
			}
		}()
	}
}
