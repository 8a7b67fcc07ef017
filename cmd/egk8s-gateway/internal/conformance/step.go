package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func (p *play) step(ctx context.Context, where string, s Step) error {
	if s.SleepMS > 0 {
		pause(ctx, time.Duration(s.SleepMS)*time.Millisecond)
	}
	if s.ClearCookies {
		clear(p.client.jar)
	}
	if err := p.files(where, s); err != nil {
		return err
	}
	if s.Signal != "" {
		if err := p.signal(ctx, where, s); err != nil {
			return err
		}
	}
	if s.Request == nil {
		return nil
	}
	for k := range max(s.Repeat, 1) {
		if k == 0 && (s.ResetBackends == nil || *s.ResetBackends) {
			p.forget()
		}
		if err := p.ask(ctx, where, s); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) forget() {
	for _, b := range p.backends {
		b.forget()
	}
}

// files writes and looks at files.
func (p *play) files(where string, s Step) error {
	if s.WriteGateway != "" {
		err := p.write("", map[string]string{"gateway.config." + p.ext(): expand(s.WriteGateway, p.vars)})
		if err != nil {
			return err
		}
	}
	for name, text := range s.WriteFile {
		if err := p.write("", map[string]string{name: expand(text, p.vars)}); err != nil {
			return err
		}
	}
	for name, wants := range s.FileContains {
		text, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil {
			return err
		}
		for _, want := range wants {
			if !strings.Contains(string(text), expand(want, p.vars)) {
				p.addf("%s: file %s lacks %q", where, name, want)
			}
		}
	}
	return nil
}

func (p *play) signal(ctx context.Context, where string, s Step) error {
	number, known := map[string]syscall.Signal{
		"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP, "SIGKILL": syscall.SIGKILL,
	}[s.Signal]
	if !known {
		return fmt.Errorf("unknown signal %s", s.Signal)
	}
	if err := p.process.cmd.Process.Signal(number); err != nil {
		return err
	}
	limit := 10.0
	if s.ExitWithinS > 0 {
		limit = s.ExitWithinS
	}
	code, ended := p.process.wait(ctx, time.Duration(limit*float64(time.Second)))
	if !ended {
		p.addf("%s: the process still runs after %s", where, s.Signal)
	} else if s.ExitStatus != nil {
		p.diffs = append(p.diffs, Match(where+" exit status", s.ExitStatus, float64(code))...)
	}
	return nil
}

// ask sends the request, again and again while the step polls, and compares the last answer.
func (p *play) ask(ctx context.Context, where string, s Step) error {
	deadline := time.Now().Add(time.Duration(s.PollS * float64(time.Second)))
	for {
		if s.PollS > 0 {
			p.forget()
		}
		got, diffs, err := p.try(ctx, where, s)
		if err != nil {
			return err
		}
		if len(diffs) == 0 || !time.Now().Before(deadline) || ctx.Err() != nil {
			p.diffs = append(p.diffs, diffs...)
			return p.save(s, got)
		}
		pause(ctx, 100*time.Millisecond)
	}
}

// try sends the request once. A nil answer means that the connection broke.
func (p *play) try(ctx context.Context, where string, s Step) (*answer, []string, error) {
	request, err := expandAll(*s.Request, p.vars)
	if err != nil {
		return nil, nil, err
	}
	want, err := expandAll(s.Expect, p.vars)
	if err != nil {
		return nil, nil, err
	}
	got, broken := p.client.do(ctx, request)
	if want.Connection == "error" {
		return nil, answered(where, got), nil
	}
	if got == nil {
		return nil, []string{where + ": " + broken.Error()}, nil
	}
	diffs := p.check(where, want, got)
	return got, append(diffs, p.checkBackends(where, want)...), nil
}

// answered is the difference where no answer should have come.
func answered(where string, got *answer) []string {
	if got == nil {
		return nil
	}
	return []string{fmt.Sprintf("%s: expected a connection error, got status %d", where, got.status)}
}

// check compares an answer. Where a case is tagged err500, Express Gateway answers 500 to a mistake
// of the client; any 4xx with the same text is right there.
func (p *play) check(where string, want Expect, got *answer) []string {
	var diffs []string
	clientError := p.Tagged("err500") && want.Status == 500.0 && got.status >= 400 && got.status < 500
	if want.Status != nil && !clientError {
		diffs = append(diffs, Match(where+" status", want.Status, float64(got.status))...)
	}
	for name, one := range want.Headers {
		diffs = append(diffs, Match(where+" header "+name, one, got.headers[strings.ToLower(name)])...)
	}
	if want.Body != nil {
		diffs = append(diffs, Match(where+" body", want.Body, got.body)...)
	}
	if want.JSON != nil {
		diffs = append(diffs, Match(where+" json", want.JSON, got.json)...)
	}
	if want.JSONKeys != nil {
		diffs = append(diffs, sameKeys(where, want.JSONKeys, got.json)...)
	}
	if want.PeerCertContains != "" && !bytes.Contains(got.peerCert, []byte(want.PeerCertContains)) {
		diffs = append(diffs, fmt.Sprintf("%s: the certificate does not name %q", where, want.PeerCertContains))
	}
	took := float64(got.took) / float64(time.Millisecond)
	if want.MinMS > 0 && took < want.MinMS || want.MaxMS > 0 && took > want.MaxMS {
		diffs = append(diffs, fmt.Sprintf("%s: answered in %.0f ms, expected %.0f to %.0f", where, took, want.MinMS, want.MaxMS))
	}
	if len(diffs) > 0 {
		diffs = append(diffs, fmt.Sprintf("%s: the answer was %d %.300q", where, got.status, got.body))
	}
	return diffs
}

func sameKeys(where string, want []string, got any) []string {
	object, ok := got.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: expected an object, got %s", where, show(got))}
	}
	var keys []string
	for k := range object {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	slices.Sort(want)
	if !slices.Equal(keys, want) {
		return []string{fmt.Sprintf("%s: keys %v, want %v", where, keys, want)}
	}
	return nil
}

// checkBackends compares what the stubs saw in this step.
func (p *play) checkBackends(where string, want Expect) []string {
	var diffs []string
	for name, fields := range want.Backend {
		stub := p.backends[name]
		if stub == nil {
			return []string{fmt.Sprintf("%s: the case has no backend %s", where, name)}
		}
		count, last := stub.saw()
		at := where + " backend " + name
		for field, one := range fields {
			switch {
			case field == "count":
				diffs = append(diffs, Match(at+" requests", one, float64(count))...)
			case last == nil:
				diffs = append(diffs, at+" saw no request")
			case field == "json":
				var body any
				text, _ := last["body"].(string)
				_ = json.Unmarshal([]byte(text), &body)
				diffs = append(diffs, Match(at+" json", one, body)...)
			case field == "headers":
				wants, _ := one.(map[string]any)
				seen, _ := last["headers"].(map[string]any)
				for header, value := range wants {
					diffs = append(diffs, Match(at+" header "+header, value, seen[strings.ToLower(header)])...)
				}
			default:
				diffs = append(diffs, Match(at+" "+field, one, last[field])...)
			}
		}
	}
	return diffs
}

// save keeps parts of an answer as variables: $.json.path, header:Name:regex, body:regex, cookie:name.
func (p *play) save(s Step, got *answer) error {
	for name, from := range s.Save {
		if got == nil {
			return nil // the difference was reported
		}
		value, err := p.pick(from, got)
		if err != nil {
			return fmt.Errorf("save %s from %s: %w", name, from, err)
		}
		p.vars[name] = value
	}
	return nil
}

func (p *play) pick(from string, got *answer) (string, error) {
	kind, rest, _ := strings.Cut(from, ":")
	switch kind {
	case "header":
		header, pattern, _ := strings.Cut(rest, ":")
		return firstGroup(pattern, asText(got.headers[strings.ToLower(header)]))
	case "body":
		return firstGroup(rest, got.body)
	case "cookie":
		return p.client.jar[rest], nil
	}
	at := got.json
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(from, "$"), "."), ".") {
		switch x := at.(type) {
		case map[string]any:
			at = x[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x) {
				return "", fmt.Errorf("no item %s in %s", part, show(x))
			}
			at = x[i]
		default:
			return "", fmt.Errorf("no %s in %s", part, show(at))
		}
	}
	return asText(at), nil
}

func firstGroup(pattern, text string) (string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	found := re.FindStringSubmatch(text)
	if len(found) < 2 {
		return "", fmt.Errorf("%q does not match %s", text, pattern)
	}
	return found[1], nil
}
