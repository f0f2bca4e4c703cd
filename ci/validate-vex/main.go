// Command validate-vex reads OpenVEX documents with the library that vexctl and other scanners read them with, and holds each
// statement to its rules.
package main

import (
	"fmt"
	"os"

	"github.com/openvex/go-vex/pkg/vex"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] == "--help" {
		fmt.Println("usage: validate-vex FILE...")
		return
	}
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

func check(path string) error {
	document, err := vex.Open(path)
	if err != nil {
		return err
	}
	if document.ID == "" || document.Author == "" || document.Timestamp == nil || len(document.Statements) == 0 {
		return fmt.Errorf("it lacks its name, its author, its time or its statements")
	}
	for _, statement := range document.Statements {
		if err := statement.Validate(); err != nil {
			return fmt.Errorf("%s: %w", statement.Vulnerability.Name, err)
		}
		if len(statement.Products) == 0 {
			return fmt.Errorf("%s: it is about no product", statement.Vulnerability.Name)
		}
		fmt.Println(statement.Vulnerability.Name, statement.Status)
	}
	return nil
}
