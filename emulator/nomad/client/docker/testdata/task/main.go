// The program task is what the containers of the driver's tests run.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	switch os.Args[1] {
	case "env":
		for _, name := range os.Args[2:] {
			fmt.Printf("%s=%s\n", name, os.Getenv(name))
		}
	case "cat":
		for _, name := range os.Args[2:] {
			text, err := os.ReadFile(name)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			fmt.Print(string(text))
		}
	case "copy":
		if _, err := io.Copy(os.Stdout, os.Stdin); err != nil {
			os.Exit(1)
		}
	case "exit":
		code, err := strconv.Atoi(os.Args[2])
		if err != nil {
			code = 99
		}
		fmt.Fprintln(os.Stderr, "exits")
		os.Exit(code)
	case "wait": // for a signal that ends it, and tells of others
		got := make(chan os.Signal, 10)
		signal.Notify(got, syscall.SIGINT, syscall.SIGUSR1)
		fmt.Println("waits")
		for s := range got {
			fmt.Println("got", s)
			if s == syscall.SIGINT {
				return
			}
		}
	case "stay": // whatever comes, but for what cannot be ignored
		signal.Ignore(syscall.SIGINT)
		fmt.Println("stays")
		time.Sleep(time.Hour)
	}
}
