// Command web answers 200 to whoever asks, where Nomad has told it to listen. A
// task of `make bench` runs it, whose service has a check.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	err := http.ListenAndServe(os.Getenv("NOMAD_ADDR_http"), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	fmt.Fprintln(os.Stderr, "web:", err)
	os.Exit(1)
}
