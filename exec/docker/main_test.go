package docker

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// atOnce is how many tests run beside each other that may. They wait for engines
// for most of the time, so that as many as there are processors are too few.
const atOnce = 3

func TestMain(m *testing.M) {
	if socket := os.Getenv(dialStdioVar); socket != "" {
		os.Exit(dialStdio(socket))
	}
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		if err := f.Value.Set(strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
