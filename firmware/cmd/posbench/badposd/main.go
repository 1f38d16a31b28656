// Command badposd stands in posd's place in a build that must not stay: it
// crashes, hangs at once or later, or fails its check. `posbench qemu
// rollback` puts it on trial; no device has it.
package main

import (
	"fmt"
	"os"
	"time"
)

// behave is set by the linker: crash, hang, freeze or sick.
var behave = "crash"

func main() {
	fmt.Fprintln(os.Stderr, "badposd:", behave)
	switch behave {
	case "hang", "freeze":
		if behave == "freeze" {
			life()
		}
		for {
			time.Sleep(time.Hour)
		}
	case "sick":
		// As posd does on trial: it runs, its check fails, it asks for the loader.
		life()
		time.Sleep(2 * time.Second)
		os.Exit(75)
	}
	os.Exit(1)
}

// life is a sign of it, as posd gives them to init.
func life() { os.NewFile(3, "life").Write([]byte{'.'}) }
