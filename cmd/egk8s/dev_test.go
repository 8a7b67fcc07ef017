package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const patience = 20 * time.Second

// logged waits until a line of a file matches, and puts its first group into a variable: logged FILE REGEXP [NAME]
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: logged FILE REGEXP [NAME]")
	}
	want := regexp.MustCompile("(?m)" + args[1])
	var text []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		text, _ = os.ReadFile(ts.MkAbs(args[0]))
		if found := want.FindSubmatch(text); found != nil {
			if len(args) > 2 {
				ts.Setenv(args[2], string(found[1]))
			}
			return
		}
	}
	ts.Fatalf("%s never says %s:\n%s", args[0], args[1], text)
}

// get asks until the answer has the status and its body matches: get URL STATUS [REGEXP]
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: get URL STATUS [REGEXP]")
	}
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	want := regexp.MustCompile("")
	if len(args) > 2 {
		want = regexp.MustCompile(args[2])
	}
	last := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		r, err := http.Get(args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		body, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if r.StatusCode == status && want.Match(body) {
			return
		}
		last = r.Status + "\n" + string(body)
	}
	ts.Fatalf("%s never answers %s %v; the last answer: %s", args[0], args[1], args[2:], last)
}
