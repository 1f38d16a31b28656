// Command testsum reads what go test -json wrote and says in a page what came
// of it: each package, each failure with its output, and every test that was
// skipped for want of a tool. Under CI=true such a skip is a failure.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() {
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	passed, failed := 0, 0
	output := map[string][]string{}
	var skipped, bad, packages []string
	missing := 0 // skips that scripts/deps.sh could have avoided
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		var e event
		if json.Unmarshal(sc.Bytes(), &e) != nil {
			fmt.Println(sc.Text()) // the tool itself speaks: a build that failed
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "pass":
			if e.Test != "" {
				passed++
			} else {
				packages = append(packages, fmt.Sprintf("ok    %6.2f s  %s", e.Elapsed, e.Package))
			}
		case "fail", "build-fail":
			if e.Test != "" {
				failed++
			} else {
				packages = append(packages, fmt.Sprintf("FAIL  %6.2f s  %s", e.Elapsed, e.Package))
			}
			bad = append(bad, key)
		case "skip":
			if e.Test != "" {
				why := reason(output[key])
				skipped = append(skipped, key+": "+why)
				if !strings.HasPrefix(why, kernel) {
					missing++
				}
			}
		}
	}
	slices.Sort(packages)
	fmt.Println(strings.Join(packages, "\n"))
	for _, k := range bad {
		fmt.Printf("\n--- %s\n%s", k, strings.Join(output[k], ""))
	}
	ci := os.Getenv("CI") == "true"
	if len(skipped) > 0 {
		fmt.Println("\nskipped, for want of a tool:")
		fmt.Println(" ", strings.Join(skipped, "\n  "))
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", passed, failed, len(skipped))
	if ci && missing > 0 {
		fmt.Println("under CI=true a skipped test fails the run: scripts/deps.sh installs the tools")
		os.Exit(1)
	}
	if len(bad) > 0 {
		os.Exit(1)
	}
}

// kernel begins the reason of a skip that no package can mend.
const kernel = "kernel: "

// reason is what t.Skip said.
func reason(out []string) string {
	for _, l := range out {
		if i := strings.Index(l, kernel); i >= 0 {
			return strings.TrimSpace(l[i:])
		}
		if i := strings.Index(l, "needs "); i >= 0 {
			return strings.TrimSpace(l[i:])
		}
	}
	return "no reason given"
}
