// Command bundle writes front/dist, the files that browsers load for the chat. It is run in the root of the module:
//
//	go run ./front/cmd/bundle
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"parley/front/bundle"
)

func main() {
	dir := flag.String("dir", "front", "the directory with src, vendor and dist")
	flag.Parse()
	files, err := bundle.Build(*dir)
	if err == nil {
		err = files.Write(filepath.Join(*dir, "dist"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
