package policy

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/expr"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/ratelimit"
)

// rateLimit refuses, or delays, the requests of a key beyond so many in a window.
type rateLimit struct {
	counter HitCounter
	by      *expr.Template // nil: the client's address
	window  time.Duration
	max     int64 // 0: no limit
	keys    sync.Pool
	log     *slog.Logger

	delayAfter int64 // requests without a delay
	delay      time.Duration

	// What every answer, and every refusal, says.
	limit, retryAfter []string
	status            int
	html, json        string
}

// newRateLimit reads the step. Delays are asked for: EG delays every second request of a window by default.
func newRateLimit(step config.Step, env *Environment) (Policy, diag.Problems) {
	if env.Limits == nil {
		env.Limits = ratelimit.New(ratelimit.Options{})
	}
	p := params(step.Action)
	r := &rateLimit{
		log: env.Log, html: p.text("message"),
		window: milliseconds(p, "windowMs"), status: 429,
		keys: sync.Pool{New: func() any { return new([]byte) }},
	}
	limit, _ := p.number("max")
	r.max = int64(limit)
	var warnings diag.Problems
	r.counter, warnings = counting(step, env, p.text("counting"), r.max)
	r.limit = []string{strconv.Itoa(limit)}
	r.retryAfter = []string{strconv.FormatFloat(math.Ceil(r.window.Seconds()), 'f', -1, 64)}
	if status, ok := p.number("statusCode"); ok {
		r.status = status
	}
	if r.status < 200 || r.status > 999 {
		return nil, diag.Problems{problem(step, "statusCode %d is no status of an answer", r.status)}
	}
	r.delayAfter, r.delay = delays(p)
	body, err := jsonText(map[string]string{"message": r.html})
	if err != nil {
		return nil, diag.Problems{problem(step, "message: %v", err)}
	}
	r.json = string(body)
	if by := p.text("rateLimitBy"); by != "" {
		var problems diag.Problems
		r.by, problems = expr.LoadTemplate(by, `policy "rate-limit": rateLimitBy`, step.Pos)
		return r, append(warnings, problems...)
	}
	return r, warnings
}

// counting chooses who counts. EG: every request is counted in Redis where there is one.
func counting(step config.Step, env *Environment, how string, most int64) (HitCounter, diag.Problems) {
	switch {
	case how == "local", how == "" && env.Shared == nil:
		return env.Limits, nil
	case env.Shared == nil:
		return env.Limits, diag.Problems{warning(step, "counting %q needs users in Redis; each replica counts on its own", how)}
	case how == "exact":
		return env.Shared.Exact(), nil
	default:
		return env.Shared.Leased(most), nil
	}
}

// delays returns after how many requests they begin, and by how much each further one is delayed.
func delays(p params) (int64, time.Duration) {
	after, hasAfter := p.number("delayAfter")
	_, hasMs := p.number("delayMs")
	delay := milliseconds(p, "delayMs")
	switch {
	case !hasAfter && !hasMs:
		return 0, 0
	case !hasAfter:
		after = 1
	case !hasMs:
		delay = time.Second
	}
	if after <= 0 {
		return 0, 0
	}
	return int64(after), delay
}

func milliseconds(p params, name string) time.Duration {
	n, _ := p.number(name)
	return time.Duration(min(n, math.MaxInt64/int(time.Millisecond))) * time.Millisecond
}

// Apply counts the request.
// EG: the key has no pipeline in it, so all steps with one key share its counter.
func (r *rateLimit) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	buf := r.keys.Get().(*[]byte) //nolint:forcetypeassert // nothing else is put there
	*buf = r.key(ctx, x, (*buf)[:0])
	count, ends, err := r.counter.Hit(ctx, *buf, r.window)
	if cap(*buf) <= 1024 {
		r.keys.Put(buf)
	}
	if err != nil {
		return message.Continue, fmt.Errorf("count request: %w", err)
	}
	r.announce(x, count, ends)
	if r.max != 0 && count > r.max {
		r.refuse(x)
		return message.Answered, nil
	}
	if r.delay > 0 && count > r.delayAfter {
		return r.wait(ctx, x, count-r.delayAfter)
	}
	return message.Continue, nil
}

// key appends the key of a request.
// EG: a template that throws is logged, and all such requests share the key "undefined".
func (r *rateLimit) key(ctx context.Context, x *message.Exchange, buf []byte) []byte {
	if r.by == nil {
		return x.Request.Remote.Addr().Unmap().AppendTo(buf)
	}
	key, err := r.by.Text(x)
	if err != nil {
		r.log.ErrorContext(ctx, "build key of rateLimitBy", "policy", "rate-limit", "request_id", x.ID(), "error", err)
		key = "undefined"
	}
	return append(buf, key...)
}

// announce tells the client where it stands.
func (r *rateLimit) announce(x *message.Exchange, count int64, ends time.Time) {
	var digits [40]byte
	text := strconv.AppendInt(digits[:0], max(r.max-count, 0), 10)
	n := len(text)
	values := string(strconv.AppendInt(text, (ends.UnixMilli()+999)/1000, 10))
	list := []string{values[:n], values[n:]} // two allocations for two fields
	h := x.Response.Header
	h.Put("X-Ratelimit-Limit", r.limit)
	h.Put("X-Ratelimit-Remaining", list[:1])
	if r.window > 0 {
		h.Put("X-Ratelimit-Reset", list[1:])
	}
}

// refuse answers in the form that the client takes.
// EG: res.format with html and json; neither is 406.
func (r *rateLimit) refuse(x *message.Exchange) {
	x.Response.Header.Put("Retry-After", r.retryAfter)
	vary(x.Response.Header, "Accept")
	switch x.Request.Accepts("text/html", "application/json") {
	case "text/html":
		x.Response.SendHTML(r.status, r.html)
	case "application/json":
		x.Response.Send(r.status, "application/json; charset=utf-8", r.json)
	default:
		x.ErrorPage(406, "Not Acceptable")
	}
}

// wait lets n delays pass, or ends the request when its client goes away.
func (r *rateLimit) wait(ctx context.Context, x *message.Exchange, n int64) (message.Verdict, error) {
	if n > math.MaxInt64/int64(r.delay) {
		n = math.MaxInt64 / int64(r.delay)
	}
	timer := time.NewTimer(time.Duration(n) * r.delay)
	defer timer.Stop()
	x.Request.Prefetch() // else nobody would notice that the client went away
	select {
	case <-timer.C:
		return message.Continue, nil
	case <-ctx.Done():
		r.log.DebugContext(ctx, "client went away", "policy", "rate-limit", "request_id", x.ID())
		x.Response.SendText(503, "Service Unavailable") // nobody reads it
		return message.Answered, nil
	}
}
