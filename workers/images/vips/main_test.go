package vips

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if err := Startup(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if path := os.Getenv(peakVariable); path != "" {
		printPeak(path)
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		Shutdown()
		os.Exit(code)
	}))
}

// peakVariable makes the test program transform the picture that it names, and print its peak in KB.
const peakVariable = "DRYDOCK_PEAK_OF"

func printPeak(path string) {
	_, _, err := transformPath(context.Background(), path, DefaultVariants(), DefaultLimits())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	kb, err := peak()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(kb)
}

// peak is the largest resident size of this process so far, in KB.
func peak() (kb int, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(rest, &kb)
	return kb, err
}
