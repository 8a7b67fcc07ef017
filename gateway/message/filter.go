package message

import (
	"bytes"
	"slices"
	"strconv"
)

// MaxFiltered is the size in bytes up to which the body of an answer is kept for a filter. A larger one
// goes on as it is.
const MaxFiltered = 1 << 20

// Filter changes whole JSON bodies of services' answers.
type Filter interface {
	// Wants tells, from the head that is about to be sent, whether the body is for the filter. Only then
	// is it kept back until it is whole.
	Wants(r *Response, status int) bool
	// TooLarge is called when the body that it wants is larger than MaxFiltered and goes on as it is.
	TooLarge()
	// Change returns what is sent in place of body; false: body itself.
	Change(body []byte) ([]byte, bool)
}

// AddFilter lets f change the body of a service's answer, before the filters that are there already do.
// EG: the last response-transformer is the first to see what is written.
func (r *Response) AddFilter(f Filter) { r.filters = slices.Insert(r.filters, 0, f) }

// BeforeHead calls f just before the head is sent, before those functions that are registered already.
func (r *Response) BeforeHead(f func(*Response)) { r.onHead = slices.Insert(r.onHead, 0, f) }

// held is an answer that waits for the whole body.
type held struct {
	filters  []Filter
	body     []byte
	trailers []trailer
}

type trailer struct {
	name   string
	values []string
}

// hold begins to keep an answer back when a filter wants its body.
func (r *Response) hold(status int) bool {
	if len(r.filters) == 0 || !r.upstream || status < 200 || status == 204 || status == 206 || status == 304 {
		return false
	}
	length, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64)
	if err == nil && length == 0 {
		return false
	}
	wants := slices.Clone(r.filters)
	wants = slices.DeleteFunc(wants, func(f Filter) bool { return !f.Wants(r, status) })
	if length > MaxFiltered {
		tooLargeFor(wants)
		return false
	}
	if len(wants) == 0 {
		return false
	}
	r.held = &held{filters: wants}
	if length > 0 {
		r.held.body = make([]byte, 0, length)
	}
	return true
}

// keep adds a part of the body, or lets everything go when it is no JSON or too much.
func (r *Response) keep(p []byte) (int, error) {
	r.held.body = append(r.held.body, p...)
	begin := bytes.TrimLeft(r.held.body, " \t\r\n")
	isJSON := len(begin) == 0 || begin[0] == '{' || begin[0] == '['
	if isJSON && len(r.held.body) <= MaxFiltered {
		return len(p), nil
	}
	if isJSON {
		tooLargeFor(r.held.filters)
	}
	if err := r.release(r.held.body); err != nil {
		return 0, err
	}
	return len(p), nil
}

func tooLargeFor(filters []Filter) {
	for _, f := range filters {
		f.TooLarge()
	}
}

// Finish sends what is still kept back. Whoever runs the pipeline calls it when an answer is whole.
func (r *Response) Finish() {
	if r.held == nil {
		return
	}
	body, changed := r.held.body, false
	for _, f := range r.held.filters {
		if next, ok := f.Change(body); ok {
			body, changed = next, true
		}
	}
	if changed {
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		r.held.trailers = nil // they need a body without length
	}
	_ = r.release(body) // a client that is gone is seen by the engine
}

// release sends the head and what was kept back.
func (r *Response) release(body []byte) error {
	trailers := r.held.trailers
	r.held = nil
	r.head(r.status)
	n, err := r.sink.Write(body)
	r.bytes += int64(n)
	for _, t := range trailers {
		r.sink.Trailer(t.name, t.values)
	}
	return err
}
